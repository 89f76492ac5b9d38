"""What a job and its preview share: the checked specification, opened stores, loaded pipelines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import JobSpecification, SourceSpecification
from pipelines.keys import MISSING_S3_PULL, Key, S3Pull, load_key
from transforms.core.errors import ConfigurationError
from transforms.core.schema import RECEIVER, UPLOAD_RECEIVER
from transforms.event_pipelines import Pipeline
from transforms.event_pipelines.content import pipelines_content
from transforms.event_pipelines.definition import load_pipelines
from transforms.hot_tier.configuration.holds import load_holds, with_holds
from transforms.hot_tier.configuration.store import load_configuration, name_of_kept
from transforms.objects.discovery.listing import Listing
from transforms.objects.discovery.object_filter import ObjectFilter
from transforms.objects.event_shaping import ShapingSettings
from transforms.objects.reading import ReadSettings
from transforms.objects.reading_digest import reading_digest
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules_file import RULES, TIERS, load_rules
from transforms.storage import UPLOADED, ObjectStore, SourceLocation, TierStore, object_uri
from transforms.storage.notification_queue import NotificationQueue


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """One specification, ready to be run.

    Attributes:
        specification: What to ingest.
        settings: How; its `hot_tier` is absolute, because workers may run in another folder.
        rules_by_section: The rules that are evaluated on events, by their section (`rules`, `tiers`).
        readings: How the objects of each source are read.
        shaping: What runs on the events of each source, and how their times are found.
        digests: Of the options and pipelines of each source, as the ledger keeps them with its objects.
        tier: The hot tier.
        store: The source.
        filter: Which of its objects are meant.
    """

    specification: JobSpecification
    settings: RunSettings
    rules_by_section: dict[str, CompiledRules]
    readings: tuple[ReadSettings, ...]
    shaping: tuple[ShapingSettings, ...]
    digests: tuple[str, ...]
    tier: TierStore
    store: ObjectStore
    filter: ObjectFilter

    @classmethod
    def open(cls, task_id: str, specification: JobSpecification, settings: RunSettings) -> JobContext:
        """Load and open what a job needs; nothing but the tier's configuration and the key is requested yet.

        Raises:
            RekindleError: the file of pipelines or rules, the key, or a store's location is wrong.
        """
        pipelines = _load_pipelines(specification, settings)
        _compile_rules(settings)
        tier = settings.tier_location.open()
        given, settings = settings, _with_kept_files(settings, tier)
        if settings.pipelines != given.pipelines:
            pipelines = _load_pipelines(specification, settings)
        settings, rules_by_section = _compile_rules(settings)
        key = load_key(tier, settings.key) if settings.key else None
        pull = _pull_of(key, specification.bucket) if key else S3Pull()
        source_options = replace(settings.source_options, role_arn=pull.role_arn)
        settings = replace(settings, source_options=source_options, key=key.id if key else None)
        settings = replace(settings, hot_tier=tier.uri)
        store = settings.source_location(specification.bucket).open()
        same_store = tier.is_local or settings.source_options.endpoint_url == settings.tier_options.endpoint_url
        readings = tuple(
            ReadSettings(
                task_id=task_id,
                formats=source.format_settings(max_record=settings.max_record, key_format=pull.format),
                defaults=tuple((pull.defaults | dict(source.defaults)).items()),
                columns=tuple(key.columns.items()) if key else (),
                on_error=specification.on_error,
                max_expansion=settings.max_expansion,
                receiver=RECEIVER if settings.upload is None else UPLOAD_RECEIVER,
            )
            for source in specification.all_sources
        )
        return cls(
            specification=specification,
            settings=settings,
            rules_by_section=_with_kept_holds(rules_by_section, tier),
            readings=readings,
            shaping=tuple(map(ShapingSettings.of, (reading.formats for reading in readings), pipelines)),
            digests=tuple(map(reading_digest, readings, _pipelines_content(specification, settings))),
            tier=tier,
            store=store,
            filter=specification.object_filter(tier_prefix=tier.key_prefix_in(store.bucket) if same_store else None),
        )

    @property
    def source_location(self) -> SourceLocation:
        """Where the objects are, for workers."""
        return self.settings.source_location(self.specification.bucket)

    def open_queue(self) -> NotificationQueue | None:
        """Return the queue of a watch, None where it has none; nothing is requested yet."""
        watch = self.specification.watch
        if watch is None or watch.queue is None:
            return None
        return NotificationQueue(watch.queue, replace(self.settings.source_options, no_sign_request=False))

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        """What runs on the events of any source."""
        return tuple({id(one): one for shaping in self.shaping for one in shaping.pipelines}.values())

    @property
    def source(self) -> str:
        """What is read, as people write it: `s3://bucket/pattern`."""
        return object_uri(self.specification.bucket, self.specification.shown_pattern)

    def warnings_of_listing(self, listings: Sequence[Listing], sources: Counter[int]) -> list[str]:
        """Return warnings of what was listed.

        Args:
            listings: What lies under each prefix.
            sources: How many matched objects belong to each source.
        """
        of_tier = sum(one.of_tier for one in listings)
        own = f"{of_tier:,} objects under {self.filter.tier_prefix} are the hot tier's own and were left out"
        idle = f"{self.settings.rules_file}: no rule in it is in force, so no event is too old"
        return [
            *([own] if of_tier else ()),
            *(self._idle_sources(sources) if sources else [self._nothing_matched(listings)]),
            *([idle] if self._has_rules_file and not self.rules_by_section else ()),
        ]

    @property
    def _has_rules_file(self) -> bool:
        """Whether the job was given one, and goes not by the tier's rules."""
        return self.settings.rules is not None and self.settings.rules_version is None

    def _idle_sources(self, sources: Counter[int]) -> list[str]:
        return [
            f"source {source.name}: no object belongs to it; one that an earlier source takes too is that one's"
            for number, source in enumerate(self.specification.sources)
            if not sources[number]
        ]

    def _nothing_matched(self, listings: Sequence[Listing]) -> str:
        """Return a warning, with what may be wrong with the patterns."""
        hint = "and case counts ('**/*.gz' finds every .gz)"
        for pattern in (pattern for source in self.specification.all_sources for pattern in source.pattern):
            if pattern.startswith("/"):
                hint = f"and keys hardly ever begin with a slash: perhaps '{pattern.lstrip('/')}'"
            elif pattern.endswith("/"):
                hint = f"and what ends in a slash names a folder: perhaps '{pattern}**'"
        evaluated, excluded = sum(one.evaluated for one in listings), sum(one.excluded for one in listings)
        counted = f"{evaluated:,} object{'s were' if evaluated != 1 else ' was'}"
        excludes = f", {excluded:,} of them left out by exclude alone" if excluded else ""
        return (
            f"nothing matched: {counted} evaluated under {self.source}{excludes}. "
            f"The pattern is matched on the whole key, {hint}"
        )


def _load_pipelines(specification: JobSpecification, settings: RunSettings) -> tuple[tuple[Pipeline, ...], ...]:
    """Return what runs on the events of each source, in order.

    Raises:
        ConfigurationError: a file is wrong, or a source has a pipeline whose name one that runs on all events has too.
    """
    file = name_of_kept(settings.pipelines_file, settings.pipelines_version)
    of_all = load_pipelines(settings.pipelines, source=file) if settings.pipelines is not None else ()
    names = {pipeline.name for pipeline in of_all}
    found = []
    for source in specification.all_sources:
        own = _load_source_pipelines(source, settings.pipelines_of_sources)
        if twice := [pipeline.name for pipeline in own if pipeline.name in names]:
            raise ConfigurationError(
                f"source {source.name}: pipelines: {twice[0]!r} is among those of {file} too, which run on all "
                "sources; events record by name which pipelines ran",
                field="sources",
            )
        found.append((*own, *of_all))
    return tuple(found)


def _load_source_pipelines(source: SourceSpecification, files: dict[str, str]) -> tuple[Pipeline, ...]:
    text = _text_of_source(source, files)
    if text is None:
        return ()
    name = source.pipelines if isinstance(source.pipelines, str) else f"source {source.name}"
    return load_pipelines(text, source=name)


def _text_of_source(source: SourceSpecification, files: dict[str, str]) -> str | None:
    """Return the text of a source's own pipelines, None where it has none."""
    if source.pipelines is None:
        return None
    if isinstance(source.pipelines, str):
        if source.pipelines not in files:
            raise ConfigurationError(
                f"source {source.name}: pipelines: there is no file {source.pipelines} here: "
                "name ready-made pipelines in a list, or run the job with --job FILE",
                field="sources",
            )
        return files[source.pipelines]
    include = [one if isinstance(one, str) else one.model_dump(exclude_none=True) for one in source.pipelines]
    return json.dumps({"include": include})


def _pipelines_content(specification: JobSpecification, settings: RunSettings) -> tuple[list[dict[str, Any]], ...]:
    """Return the pipelines of each source, as digests take them."""
    texts = [_text_of_source(source, settings.pipelines_of_sources) for source in specification.all_sources]
    of_all = [] if settings.pipelines is None else pipelines_content(settings.pipelines)
    return tuple(([] if text is None else pipelines_content(text)) + of_all for text in texts)


def _pull_of(key: Key, bucket: str) -> S3Pull:
    """Return what holds for objects that a key pulls from a bucket, or brings itself."""
    pull = key.s3_pull
    if bucket == UPLOADED:
        return S3Pull() if pull is None else pull.model_copy(update={"role_arn": None})
    if pull is None:
        raise ConfigurationError(f"{MISSING_S3_PULL} ({key.id})", field="key")
    if pull.role_arn and bucket.startswith("file://"):
        text = f"key {key.id} reads by the AWS role {pull.role_arn}, and {bucket} is no bucket: use another key"
        raise ConfigurationError(text, field="key")
    return pull


def _with_kept_files(settings: RunSettings, tier: TierStore) -> RunSettings:
    """Return the settings with the pipelines and rules that the tier keeps, where none were given.

    A job goes on with those that it has begun with, whatever is set later.
    """
    has_pipelines = settings.pipelines is not None or settings.pipelines_version is not None
    has_rules = settings.rules is not None or settings.rules_version is not None
    if has_pipelines and has_rules:
        return settings
    kept = load_configuration(tier)
    if not has_pipelines:
        settings = replace(settings, pipelines_version=kept.version)
        if (file := kept.pipelines) is not None:
            settings = replace(settings, pipelines=file.text, pipelines_file=file.file)
    if not has_rules:
        settings = replace(settings, rules_version=kept.version)
        if (file := kept.rules) is not None:
            settings = replace(settings, rules=file.text, rules_file=file.file)
    return settings


def _with_kept_holds(rules_by_section: dict[str, CompiledRules], tier: TierStore) -> dict[str, CompiledRules]:
    kept = load_holds(tier) if rules_by_section else ()
    return {section: with_holds(rules, kept) for section, rules in rules_by_section.items()}


def _compile_rules(settings: RunSettings) -> tuple[RunSettings, dict[str, CompiledRules]]:
    """Return the rules as they were when the job first started, and the settings with that time."""
    if settings.rules is None:
        return settings, {}
    started = datetime.fromisoformat(settings.rules_now) if settings.rules_now else datetime.now(timezone.utc)
    source = name_of_kept(settings.rules_file, settings.rules_version)
    files = {section: load_rules(settings.rules, source=source, section=section) for section in (RULES, TIERS)}
    compiled = {section: CompiledRules.of(file, started) for section, file in files.items()}
    return replace(settings, rules_now=started.isoformat()), {
        section: one for section, one in compiled.items() if one.rules
    }
