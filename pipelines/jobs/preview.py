"""The preview of a job: what it would ingest, and how it would read it.

Reads little, writes nothing, needs no Beam.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from itertools import chain, islice
from typing import Any

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs import discover as discovery
from pipelines.jobs.context import JobContext
from pipelines.jobs.costs.expected import ExpectedCost, decoded_size, expected_cost
from pipelines.jobs.families import Family, UnmatchedFamilies, group_by_family
from pipelines.jobs.plan import WORK, Decisions, WorkPolicy
from pipelines.jobs.report import PipelineEvents, count_by_pipeline
from pipelines.jobs.reporting import load_ledger
from pipelines.jobs.sample import attributes_of, choose_samples, promoting_samples, read_samples
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import JobSpecification
from transforms.core import schema
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.table import prepare as table
from transforms.hot_tier.table.promoted_columns import choose_columns, missing_columns
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.objects.discovery.listing import Listing, list_objects
from transforms.objects.discovery.stoppable_store import StoppableStore
from transforms.objects.sampling.preview_object import preview_object, summarize_object
from transforms.objects.sampling.sample_object import Sample
from transforms.objects.sampling.time_hints import OWN_TIMES
from transforms.storage import ObjectInfo

_LISTED_AT_ONCE = 16
_FAMILIES = 64  # so many are looked into, those with most bytes first
_DISPOSITIONS = (WORK, "known", "deleted", "skipped", "archived", "empty")


class PreviewCounts(JsonModel):
    """How many objects there are, and what a job would make of those that match."""

    evaluated: int
    excluded: int
    matched: int
    work: int
    replaced: int
    """Among the work: known objects, whose events are to be replaced."""
    known: int
    deleted: int
    """Known objects of which rules have left no event."""
    skipped: int
    archived: int
    empty: int


class PreviewBytes(JsonModel):
    """The bytes of the objects that match, and of those that are work."""

    matched: int
    work: int


class ChosenBy(JsonModel):
    """A codec or a format, and the rule by which it was chosen."""

    name: str | None
    rule: str


class PreviewFailure(JsonModel):
    """Why an object would not be ingested, or not to its end, and the status that it would have."""

    status: str
    reason: str


class PreviewEvent(JsonModel):
    """An event before and after the job's pipelines, flat, and where its time is from."""

    time_origin: str
    before: dict[str, object]
    after: dict[str, object] | None
    """None where a pipeline drops it."""


class PreviewSample(JsonModel):
    """The beginning of an object, as a job would read it.

    Attributes:
        source: The source that it belongs to; None where the job names none.
        too_old: How many of the sampled events each rule would take at once, by section; None without rules.
        columns, map: Where the attributes of the events go: columns of their own, or the map `attributes`.
    """

    object: str
    source: str | None
    size: int
    modified: str
    bytes_read: int
    codec: ChosenBy | None
    format: ChosenBy | None
    warnings: list[str]
    failure: PreviewFailure | None
    too_old: dict[str, int | dict[str, int]] | None
    events: list[PreviewEvent]
    disposition: str
    columns: list[str]
    map: list[str]


class PreviewFamily(JsonModel):
    """Objects whose keys are alike, and how the one that was sampled of them would be read.

    Attributes:
        name: Their key, with `*` in place of digits, dates, hashes and UUIDs.
        source: The source that took them; None where the job names none.
        sampled: The object that was looked into; None where there are too many families to look into all.
        events: How many of its events were looked at.
        time_sources: How many of these have their time from where (`_time_source`).
        without_time: The share of these that have no time of their own, 0 to 1.
        by_pipeline: On how many of these each pipeline was tried, and how many it matched.
        warnings: What is unusual about the object, why it can't be read, and which flag would help.
    """

    name: str
    source: str | None
    objects: int
    bytes: int
    sampled: str | None
    codec: str | None
    format: str | None
    events: int
    time_sources: dict[str, int]
    without_time: float
    by_pipeline: dict[str, PipelineEvents]
    warnings: list[str]


class UnmatchedFamily(JsonModel):
    """Objects whose keys are alike, and which no source takes.

    Attributes:
        name: Their key, with `*` in place of digits, dates, hashes and UUIDs.
        excluded: How many of them only `exclude` has left out.
    """

    name: str
    objects: int
    bytes: int
    excluded: int


class PreviewSource(JsonModel):
    """What a source takes."""

    objects: int
    bytes: int


class JobPreview(JsonModel):
    """The document of `rekindle preview --json`; `columns` are the table's, once the job has run.

    Attributes:
        by_source: What each source takes, by its name; empty where the job names none.
        unmatched: What was evaluated and is not matched, the families with most bytes first.
        expected: What the job would take.
    """

    job: JobSpecification
    hot_tier: str
    objects: PreviewCounts
    bytes: PreviewBytes
    columns: list[str]
    by_source: dict[str, PreviewSource]
    families: list[PreviewFamily]
    unmatched: list[UnmatchedFamily]
    samples: list[PreviewSample]
    warnings: list[str]
    expected: ExpectedCost

    def as_document(self) -> JsonObject:
        """Return it as JSON takes it."""
        return super().as_document() | {"job": self.job.as_document()}


def run_preview(
    specification: JobSpecification,
    settings: RunSettings,
    *,
    objects: int = 5,
    events: int = 5,
    check: Callable[[], None] | None = None,
) -> JobPreview:
    """Look at what a job would do.

    Args:
        specification: The job.
        settings: How it would run.
        objects: How many of the matched objects are shown, one of each family first.
        events: How many events of each are shown.
        check: Called again and again; what it raises ends the preview.

    Raises:
        RekindleError: the source can't be read, or the pattern makes too much to evaluate.
    """
    context = JobContext.open("preview", specification, settings)
    if check is not None:
        context = replace(context, store=StoppableStore(context.store, check))
    table.check_is_tier_or_empty(context.tier)
    discovery.prove_access(context.store, context.filter)
    found = _DecidedObjects.look(context)
    chosen = _SampledObjects.of(found, objects)
    samples = dict(
        zip(
            (info.key for info in chosen.all),
            read_samples(chosen.all, context.store, context.readings),
            strict=True,
        )
    )
    columns = _columns(context, attributes_of((samples[info.key] for info in chosen.for_columns), context.shaping))
    work = found.of_kind[WORK]
    families = [_summarize(context, family, samples.get(family.sample.key)) for family in chosen.families]
    return JobPreview(
        job=specification,
        hot_tier=context.settings.hot_tier,
        objects=found.counts(),
        bytes=PreviewBytes(matched=sum(info.size for info in found.matched), work=sum(info.size for info in work)),
        columns=columns,
        by_source=_by_source(specification, found.matched),
        families=families,
        unmatched=[UnmatchedFamily.model_validate(asdict(family)) for family in found.unmatched.families()],
        samples=[_show(context, samples[one.key], found.kinds[one.key], columns, events) for one in chosen.shown],
        warnings=[
            *context.warnings_of_listing(found.listings, Counter(info.source for info in found.matched)),
            *found.decisions.warnings(),
        ],
        expected=expected_cost(
            context.tier,
            found.ledger,
            work_bytes=sum(info.size for info in work),
            decoded_bytes=sum(decoded_size(family.bytes, family.codec) for family in families) if work else 0,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _DecidedObjects:
    """What was listed, and what a job would make of it.

    Attributes:
        listings: What lies under each prefix.
        unmatched: The objects that do not match.
        matched: Those that do, by their keys.
        ledger: What is in the tier.
        decisions: By what the job would go.
        kinds: What would become of each matched object, by its key.
    """

    listings: list[Listing]
    unmatched: UnmatchedFamilies
    matched: list[ObjectInfo]
    ledger: Ledger
    decisions: Decisions
    kinds: dict[str, str]

    @classmethod
    def look(cls, context: JobContext) -> _DecidedObjects:
        """List the objects, and decide on each."""
        unmatched = UnmatchedFamilies()
        listings, matched = _list(context, unmatched)
        policy = WorkPolicy.of(context.specification, context.settings)
        ledger = load_ledger(context.tier)
        decisions = Decisions(context.tier, ledger, policy, context.digests)
        decisions.look_for_deleted(matched)
        kinds = {info.key: decisions.decide(info) for info in matched}
        return cls(
            listings=listings, unmatched=unmatched, matched=matched, ledger=ledger, decisions=decisions, kinds=kinds
        )

    @cached_property
    def of_kind(self) -> dict[str, list[ObjectInfo]]:
        """The matched objects by what would become of them."""
        return {kind: [info for info in self.matched if self.kinds[info.key] == kind] for kind in _DISPOSITIONS}

    def counts(self) -> PreviewCounts:
        """Return how many objects there are of each kind."""
        return PreviewCounts(
            evaluated=sum(one.evaluated for one in self.listings),
            excluded=sum(one.excluded for one in self.listings),
            matched=len(self.matched),
            replaced=self.decisions.replaced,
            **{kind: len(infos) for kind, infos in self.of_kind.items()},
        )


@dataclass(frozen=True, kw_only=True)
class _SampledObjects:
    """The objects that are looked into.

    Attributes:
        families: All families of what can be read.
        for_families: One object of each of the largest families.
        shown: Those whose events are shown.
        for_columns: Those by which the job would choose columns.
    """

    families: list[Family]
    for_families: list[ObjectInfo]
    shown: list[ObjectInfo]
    for_columns: list[ObjectInfo]

    @classmethod
    def of(cls, found: _DecidedObjects, number: int) -> _SampledObjects:
        """Choose among what was found, and so many to be shown, one of each family first."""
        of_kind = found.of_kind
        readable = of_kind[WORK] or of_kind["known"] or of_kind["deleted"] or of_kind["skipped"]
        families = group_by_family(readable)
        of_families = {family.sample.key: family.sample for family in families[:_FAMILIES]}
        others = choose_samples((info for info in readable if info.key not in of_families), number)
        return cls(
            families=families,
            for_families=[*of_families.values()],
            shown=list(islice(chain(of_families.values(), others), number)),
            for_columns=promoting_samples(of_kind[WORK]),
        )

    @property
    def all(self) -> list[ObjectInfo]:
        """Each of them once."""
        return list({info.key: info for info in (*self.for_families, *self.shown, *self.for_columns)}.values())


def _summarize(context: JobContext, family: Family, sample: Sample | None) -> PreviewFamily:
    """Return the summary of a family, by its sample if it has one."""
    nothing: dict[str, Any] = {
        "codec": None, "format": None, "warnings": [], "sampled": None, "timeSources": Counter(), "counts": {},
    }  # fmt: skip
    number = family.source
    pipelines = context.shaping[number].pipelines
    document = nothing if sample is None else summarize_object(sample, context.readings[number], pipelines)
    sources, by_pipeline = document["timeSources"], count_by_pipeline(document.pop("counts"))
    own = sum(sources[source] for source in OWN_TIMES)
    return PreviewFamily.model_validate(
        {
            **document,
            "byPipeline": by_pipeline,
            "name": family.name,
            "source": context.specification.all_sources[number].name or None,
            "objects": len(family.objects),
            "bytes": family.size,
            "events": sources.total(),
            "timeSources": dict(sources.most_common()),
            "withoutTime": round(1 - own / sources.total(), 4) if sources else 0.0,
        }
    )


def _by_source(specification: JobSpecification, matched: Sequence[ObjectInfo]) -> dict[str, PreviewSource]:
    objects, sizes = Counter[int](), Counter[int]()
    for info in matched:
        objects[info.source] += 1
        sizes[info.source] += info.size
    return {
        source.name: PreviewSource(objects=objects[number], bytes=sizes[number])
        for number, source in enumerate(specification.sources)
    }


def _list(context: JobContext, unmatched: UnmatchedFamilies) -> tuple[list[Listing], list[ObjectInfo]]:
    """Return what lies under each prefix, and the objects that match, by their keys; `unmatched` gets the others."""
    one = partial(
        list_objects,
        context.store,
        filter=context.filter,
        max_objects=context.settings.max_objects,
        left_out=unmatched.add,
    )
    with ThreadPoolExecutor(_LISTED_AT_ONCE) as pool:
        found = list(pool.map(one, context.filter.compile().prefixes))
    listings = [listing for listing, _ in found]
    discovery.guard(listings, max_objects=context.settings.max_objects)
    matched = sorted(chain.from_iterable(infos for _, infos in found), key=lambda info: info.key)
    return listings, matched


def _columns(context: JobContext, sampled: Sequence[str]) -> list[str]:
    """Return which attributes will have a column of their own, by the names that the job would sample."""
    there = list(schema.BASE_ATTRIBUTES)
    kept = set[str]()
    if table.exists(context.tier):
        snapshot = Snapshot.load(context.tier)
        there, kept = snapshot.columns, set(choose_columns(snapshot, sampled).in_maps)
    columns = [*there, *missing_columns(context.settings.promote, there)]
    new = [name for name in sampled if name not in kept]
    return [*columns, *missing_columns(new, columns, schema.PROMOTED_LIMIT)]


def _show(context: JobContext, sample: Sample, disposition: str, columns: Sequence[str], events: int) -> PreviewSample:
    """Return an object's preview, with which of the shown attributes fill a column and which go into the map."""
    number = sample.reading.info.source
    document = preview_object(
        sample,
        context.readings[number],
        context.shaping[number].pipelines,
        context.rules_by_section,
        events=events,
    )
    attributes = {schema.attribute_name(key): None for event in document["events"] for key in event["after"] or ()}
    names = [name for name in attributes if name is not None]
    return PreviewSample.model_validate(
        {
            **document,
            "source": context.specification.all_sources[number].name or None,
            "disposition": disposition,
            "columns": [name for name in names if name in columns],
            "map": [name for name in names if name not in columns],
        }
    )
