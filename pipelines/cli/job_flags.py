"""The values of a job's flags, and the job that they make."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.common import Common, check_beam_flags, split_lists
from transforms.core.errors import ConfigurationError, reason_of
from transforms.core.names import can_be_column

if TYPE_CHECKING:
    from pipelines.documents import JsonObject
    from pipelines.jobs.settings import RunSettings
    from pipelines.jobs.specification import JobSpecification


@dataclass(frozen=True, kw_only=True)
class ReadingFlags:
    """How an object becomes events."""

    format: str | None
    delimiter: str | None
    skip_rows: int | None
    headers: str | None
    records_path: str | None
    multiline_start: str | None
    join_partial: bool | None
    timestamp: str | None
    timezone: str | None
    time_field: str | None
    year: int | None
    day_first: bool | None
    keep_message: bool | None
    encoding: str | None
    index: str | None
    source: str | None
    sourcetype: str | None
    host: str | None


@dataclass(frozen=True, kw_only=True)
class JobFlags(ReadingFlags):
    """A job's specification and how it runs, flag by flag."""

    job: Path | None
    bucket: str | None
    pattern: tuple[str, ...]
    exclude: tuple[str, ...]
    modified_after: str | None
    modified_before: str | None
    on_changed: str | None
    on_error: str | None
    pipelines: Path | None
    rules: Path | None
    key: str | None
    promote: tuple[str, ...]
    max_objects: int
    wave_bytes: str
    max_expansion: float
    max_record: str
    memory: str | None
    workers: int | None
    require_match: bool
    try_archived: bool
    retry_failed: bool
    reprocess: bool
    force: bool
    no_disk_check: bool
    beam_flags: tuple[str, ...]
    watch: JsonObject | None = None
    """Of `rekindle watch`, its own flags as fields of the job; None of a command that does not go on."""

    def job_and_settings(self, common: Common) -> tuple[JobSpecification, RunSettings]:
        """Return the job and its settings from the flags, checked.

        Raises:
            ConfigurationError: a flag or the job file is wrong, or a file can't be read.
        """
        if self.force and self.reprocess:
            raise ConfigurationError(
                "--force and --reprocess exclude each other: --reprocess replaces the events of known objects, --force "
                "adds them once more",
                field="force",
            )
        beam_flags = check_beam_flags(self.beam_flags, "objects are chosen by --pattern, in quotes; ")
        from pipelines.jobs.job_files.flag_fields import merge_fields
        from pipelines.jobs.job_files.job_file import load_job_file
        from pipelines.jobs.settings import RunSettings
        from pipelines.jobs.specification import check_specification
        from pipelines.units import parse_size

        fields = merge_fields(
            load_job_file(str(self.job)) if self.job else {}, asdict(self) | {"region": common.region}
        )
        specification = check_specification(self._with_watch(fields))
        source_options, tier_options = common.stores(region=specification.region)
        settings = RunSettings(
            hot_tier=common.hot_tier,
            source_options=source_options,
            tier_options=tier_options,
            pipelines=_read_text(self.pipelines, "--pipelines") if self.pipelines else None,
            pipelines_file=str(self.pipelines) if self.pipelines else "pipelines",
            pipelines_of_sources=_pipelines_of_sources(self.job, specification),
            rules=_read_text(self.rules, "--rules") if self.rules else None,
            rules_file=str(self.rules) if self.rules else "rules",
            key=self.key,
            promote=_columns(split_lists(self.promote)),
            max_objects=self.max_objects,
            wave_bytes=parse_size(self.wave_bytes, "--wave-bytes"),
            max_expansion=self.max_expansion,
            max_record=parse_size(self.max_record, "--max-record"),
            memory=parse_size(self.memory, "--memory") if self.memory else None,
            workers=self.workers,
            require_match=self.require_match,
            try_archived=self.try_archived,
            retry_failed=self.retry_failed,
            reprocess=self.reprocess,
            force=self.force,
            no_disk_check=self.no_disk_check,
            beam_flags=beam_flags,
        )
        return specification, settings

    def _with_watch(self, fields: JsonObject) -> JsonObject:
        """Return the job's fields with the flags of a watch over those of the file."""
        of_file = fields.get("watch")
        if self.watch is None:
            return fields
        if again := [name for name in ("force", "reprocess", "retry_failed") if getattr(self, name)]:
            flag = again[0].replace("_", "-")
            raise ConfigurationError(
                f"--{flag}: a watch takes each object once; run `rekindle backfill --{flag}` beside it", field=flag
            )
        return fields | {"watch": (of_file or {}) | self.watch if isinstance(of_file or {}, dict) else of_file}


def _columns(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not can_be_column(name):
            raise ConfigurationError(
                f"--promote {name}: can't be a column: its name begins with _, is date, tier or attributes, or has one "
                "of ' ,;{}()='. The attribute stays in the map `attributes`",
                field="promote",
            )
    return names


def _pipelines_of_sources(job: Path | None, specification: JobSpecification) -> dict[str, str]:
    """Return the text of the pipelines files that sources name, which lie where the job file says from its folder."""
    folder = job.parent if job else Path()
    return {
        source.pipelines: _read_text(folder / source.pipelines, f"source {source.name}: pipelines", field="sources")
        for source in specification.sources
        if isinstance(source.pipelines, str)
    }


def _read_text(path: Path, flag: str, *, field: str | None = None) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{flag} {path} can't be read: {reason_of(error)}", field=field or flag.lstrip("-")
        ) from error
