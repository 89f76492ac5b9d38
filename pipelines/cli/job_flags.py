"""The flags that say what a job is: `backfill` and `preview` take the same (spec §13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.common import Common, beam_flags_of, split_lists
from pipelines.cli.flags import Argument, Option
from transforms.core.errors import ConfigurationError
from transforms.core.names import can_be_column
from transforms.formats import FORMAT_NAMES

if TYPE_CHECKING:
    from pipelines.jobs.settings import RunSettings
    from pipelines.jobs.specification import JobSpecification


@dataclass(frozen=True, kw_only=True)
class ObjectFlags:
    """Which objects are meant."""

    job: Annotated[Path | None, Option("--job", help="Job file, JSON or YAML; flags win over it.")] = None
    bucket: Annotated[str | None, Option("--bucket", help="The bucket, or file:///folder.")] = None
    pattern: Annotated[str | None, Option("--pattern", help="Glob over the whole key: logs/**/*.gz")] = None
    modified_after: Annotated[
        str | None, Option("--modified-after", help="Only objects modified later (ISO 8601).")
    ] = None
    modified_before: Annotated[
        str | None, Option("--modified-before", help="Only objects modified earlier (ISO 8601).")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ReadingFlags:
    """How an object becomes events."""

    format: Annotated[str | None, Option("--format", help=f"{', '.join(FORMAT_NAMES)}.")] = None
    delimiter: Annotated[str | None, Option("--delimiter", help="CSV: one character, or \\t.")] = None
    skip_rows: Annotated[int | None, Option("--skip-rows", help="CSV: lines before the header or data.")] = None
    headers: Annotated[str | None, Option("--headers", help="CSV: names, by commas; then every line is data.")] = None
    records_path: Annotated[str | None, Option("--records-path", help="JSON: where the records are, by dots.")] = None
    multiline_start: Annotated[
        str | None, Option("--multiline-start", help="Text: what the first line of an event matches.")
    ] = None
    timestamp: Annotated[str | None, Option("--timestamp", help="auto, or received for plain text.")] = None
    timezone: Annotated[str | None, Option("--timezone", help="For times that name no zone (UTC).")] = None
    index: Annotated[str | None, Option("--index", help="For events without their own.")] = None
    source: Annotated[str | None, Option("--source", help="For events without their own.")] = None
    sourcetype: Annotated[str | None, Option("--sourcetype", help="For events without their own.")] = None
    host: Annotated[str | None, Option("--host", help="For events without their own.")] = None


@dataclass(frozen=True, kw_only=True)
class JobFlags(ReadingFlags, ObjectFlags):
    """A job's specification and how it runs, flag by flag."""

    on_changed: Annotated[
        str | None, Option("--on-changed", help="Known object, other content: replace, append or skip.")
    ] = None
    on_error: Annotated[
        str | None, Option("--on-error", help="Object that breaks half-way: salvage, quarantine or fail.")
    ] = None
    pipelines: Annotated[Path | None, Option("--pipelines", help="Pipelines file, YAML or JSON.")] = None
    rules: Annotated[
        Path | None, Option("--rules", help="Deletion rules: warn of events that they delete at once.")
    ] = None
    key: Annotated[
        str | None, Option("--key", help="IAM key: its env, team, defaults and format hold for what comes in.")
    ] = None
    promote: Annotated[list[str] | None, Option("--promote", help="Attributes that get a column, by commas.")] = None
    max_objects: Annotated[int, Option("--max-objects", min=1, help="Stop where more objects would be evaluated.")] = (
        1_000_000
    )
    wave_bytes: Annotated[str, Option("--wave-bytes", help="Largest wave, compressed.")] = "1GiB"
    max_expansion: Annotated[
        float, Option("--max-expansion", min=1, help="Largest output for an input, beyond 4 GiB.")
    ] = 200.0
    max_record: Annotated[str, Option("--max-record", help="Longest record; longer ones are cut and marked.")] = "10MiB"
    memory: Annotated[str | None, Option("--memory", help="Memory that the job may take for buffers.")] = None
    require_match: Annotated[bool, Option("--require-match", help="Exit with 1 where nothing matches.")] = False
    try_archived: Annotated[bool, Option("--try-archived", help="Try objects in Glacier and Deep Archive.")] = False
    retry_failed: Annotated[bool, Option("--retry-failed", help="Read salvaged objects again, and replace them.")] = (
        False
    )
    force: Annotated[bool, Option("--force", help="Ingest known objects again: their events are then there twice.")] = (
        False
    )
    beam_flags: Annotated[list[str] | None, Argument(metavar="-- BEAM FLAGS", help="Flags for Apache Beam.")] = None

    def job_and_settings(self, common: Common) -> tuple[JobSpecification, RunSettings]:
        """Return what the flags say, checked.

        Raises:
            ConfigurationError: a flag or the job file is wrong, or a file can't be read.
        """
        beam_flags = beam_flags_of(self.beam_flags, "objects are chosen by --pattern, in quotes; ")
        from pipelines.jobs.settings import RunSettings
        from pipelines.jobs.specification import check_specification, load_job_file
        from pipelines.units import parse_size

        specification = check_specification(
            merge_fields(load_job_file(str(self.job)) if self.job else {}, asdict(self) | {"region": common.region})
        )
        source_options, tier_options = common.stores(region=specification.region)
        settings = RunSettings(
            hot_tier=common.hot_tier,
            source_options=source_options,
            tier_options=tier_options,
            pipelines=_read_text(self.pipelines, "--pipelines") if self.pipelines else None,
            pipelines_file=str(self.pipelines) if self.pipelines else "pipelines",
            rules=_read_text(self.rules, "--rules") if self.rules else None,
            rules_file=str(self.rules) if self.rules else "rules",
            key=self.key,
            promote=_columns(split_lists(self.promote or ())),
            max_objects=self.max_objects,
            wave_bytes=parse_size(self.wave_bytes, "--wave-bytes"),
            max_expansion=self.max_expansion,
            max_record=parse_size(self.max_record, "--max-record"),
            memory=parse_size(self.memory, "--memory") if self.memory else None,
            require_match=self.require_match,
            try_archived=self.try_archived,
            retry_failed=self.retry_failed,
            force=self.force,
            beam_flags=beam_flags,
        )
        return specification, settings


JOB_FIELDS = {
    "bucket": "bucket", "pattern": "pattern", "region": "region", "modified_after": "modifiedAfter", "modified_before": "modifiedBefore",
    "index": "index", "source": "source", "sourcetype": "sourcetype", "host": "host", "on_changed": "onChanged", "on_error": "onError",
}  # fmt: skip
FORMAT_FIELDS = {
    "format": "format", "delimiter": "delimiter", "skip_rows": "skipRows", "headers": "headers", "records_path": "recordsPath",
    "multiline_start": "multilineStart", "timestamp": "timestamp", "timezone": "timezone",
}  # fmt: skip


def merge_fields(given: dict[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job's fields with the flags that were given over them; a flag wins over the file.

    Args:
        given: What the job file says, camelCase.
        flags: Values by flag, snake_case, None where the flag was not given.
    """
    merged = dict(given)
    merged |= {JOB_FIELDS[name]: value for name, value in flags.items() if name in JOB_FIELDS and value is not None}
    formats = {
        FORMAT_FIELDS[name]: value for name, value in flags.items() if name in FORMAT_FIELDS and value is not None
    }
    if formats:
        options = merged.get("formatOptions") or {}
        merged["formatOptions"] = {**options, **formats} if isinstance(options, dict) else options
    return merged


def _columns(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not can_be_column(name):
            raise ConfigurationError(
                f"--promote {name}: can't be a column (no names that begin with _, no date, tier, attributes, none of ' ,;{{}}()='); "
                "as an attribute it is in the map `attributes` all the same",
                field="promote",
            )
    return names


def _read_text(path: Path, flag: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{flag} {path}: {error}", field=flag.lstrip("-")) from error
