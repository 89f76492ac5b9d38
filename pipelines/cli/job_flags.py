"""The flags of a job: `backfill` and `preview` take the same (docs/jobs.md)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Common, beam_argument, check_beam_flags, split_lists
from pipelines.cli.flags import (
    FILE,
    OneOf,
    event_option,
    format_option,
    job_option,
    object_option,
    pass_flags,
)
from transforms.core.errors import ConfigurationError, reason_of
from transforms.core.names import can_be_column
from transforms.formats import FORMAT_NAMES
from transforms.formats.text.multiline_presets import MULTILINE_PRESETS

if TYPE_CHECKING:
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
    require_match: bool
    try_archived: bool
    retry_failed: bool
    reprocess: bool
    force: bool
    no_disk_check: bool
    beam_flags: tuple[str, ...]

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
            require_match=self.require_match,
            try_archived=self.try_archived,
            retry_failed=self.retry_failed,
            reprocess=self.reprocess,
            force=self.force,
            no_disk_check=self.no_disk_check,
            beam_flags=beam_flags,
        )
        return specification, settings


_READING_OPTIONS = (
    format_option(
        "--format",
        type=OneOf(FORMAT_NAMES),
        show_default="auto",
        help="Read all objects in this format; auto detects the format of each.",
    ),
    format_option(
        "--delimiter", metavar="CHARACTER", show_default="comma", help="CSV: the character between fields, or \\t."
    ),
    format_option("--skip-rows", type=int, metavar="N", show_default="0", help="CSV: skip the first N lines."),
    format_option(
        "--headers",
        metavar="NAMES",
        help="CSV: the names of the columns, separated by commas; every line is then data.",
    ),
    format_option(
        "--records-path", metavar="PATH", help="JSON: the field that holds the records; nested names joined by dots."
    ),
    format_option(
        "--multiline-start",
        metavar="REGEX",
        help="Text: start a new event at each line that matches REGEX, or a preset: "
        f"{', '.join(MULTILINE_PRESETS)}; the other lines are continuations.",
    ),
    format_option(
        "--join-partial",
        is_flag=True,
        default=None,
        help="Text, JSON: join lines that a container's runtime has cut (CRI, Docker's json-file).",
    ),
    format_option(
        "--timestamp",
        type=OneOf(["auto", "object", "received"]),
        show_default="auto",
        help="Find the time in each event, or use its object's or that of receipt (plain text only).",
    ),
    format_option("--timezone", metavar="NAME", show_default="UTC", help="Time zone of times that name none."),
    format_option(
        "--time-field",
        metavar="NAMES",
        help="The fields that hold the time, separated by commas; dots lead into nested objects.",
    ),
    format_option(
        "--year", type=int, metavar="YYYY", help="The year of times that name none; of text that of its first line."
    ),
    format_option("--day-first", is_flag=True, default=None, help="Read 04/08/2025 as 4 August."),
    format_option(
        "--no-message",
        "keep_message",
        is_flag=True,
        flag_value=False,
        default=None,
        help="CSV, JSON, w3c, zeek: keep the attributes of events alone, not the record as message too: half the size.",
    ),
    format_option(
        "--encoding",
        metavar="NAME",
        show_default="auto",
        help="Encoding of the objects, such as windows-1252, utf-16-le or shift_jis; auto is UTF-8 or UTF-16.",
    ),
    *(
        event_option(f"--{name}", metavar="NAME", help=f"Set `{name}` of events that have none.")
        for name in ("index", "source", "sourcetype", "host")
    ),
)
reading_flags = pass_flags("reading", ReadingFlags, *_READING_OPTIONS)
job_flags = pass_flags(
    "flags",
    JobFlags,
    object_option(
        "--job", type=FILE, metavar="FILE", help="Read the job from FILE, in YAML or JSON. Flags override its fields."
    ),
    object_option("--bucket", metavar="NAME", help="Name of the S3 bucket, or file:///folder for a local folder."),
    object_option(
        "--pattern",
        multiple=True,
        metavar="GLOB",
        show_default="**",
        help="Ingest the objects whose whole key matches GLOB, such as 'logs/**/*.gz'; repeat it for several.",
    ),
    object_option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="Leave out the objects whose whole key matches GLOB; repeat it for several.",
    ),
    object_option(
        "--modified-after", metavar="TIME", help="Ingest only objects modified after TIME (ISO 8601, UTC by default)."
    ),
    object_option(
        "--modified-before", metavar="TIME", help="Ingest only objects modified before TIME (ISO 8601, UTC by default)."
    ),
    *_READING_OPTIONS,
    job_option(
        "--on-changed",
        type=OneOf(["replace", "append", "skip"]),
        show_default="replace",
        help="If the content of a known object has changed: replace its events, append the new ones, or skip it.",
    ),
    job_option(
        "--on-error",
        type=OneOf(["salvage", "quarantine", "fail"]),
        show_default="salvage",
        help="If an object can't be read to its end: keep the events before the error, keep none, or fail the job.",
    ),
    job_option("--pipelines", type=FILE, metavar="FILE", help="Apply the event pipelines in FILE, YAML or JSON."),
    job_option(
        "--rules",
        type=FILE,
        metavar="FILE",
        help="Warn of events that the deletion rules in FILE would delete at once. Defaults to the hot tier's rules.",
    ),
    job_option(
        "--key", metavar="ID", help="Ingest by this IAM key: events get its env, team and defaults, and its format."
    ),
    job_option(
        "--promote",
        multiple=True,
        metavar="NAMES",
        help="Give these attributes a column of their own, without a limit; files that keep one in their maps are "
        "written anew. Separate names by commas or repeat the flag.",
    ),
    job_option(
        "--max-objects",
        type=click.IntRange(min=1),
        metavar="N",
        default=1_000_000,
        help="Stop if more than N objects would be evaluated.",
    ),
    job_option("--wave-bytes", metavar="SIZE", default="1GiB", help="Largest wave, in compressed bytes."),
    job_option(
        "--max-expansion",
        type=click.FloatRange(min=1),
        metavar="RATIO",
        default=200.0,
        help="Largest ratio of decompressed to compressed bytes, beyond 4 GiB.",
    ),
    job_option("--max-record", metavar="SIZE", default="10MiB", help="Cut and mark records longer than SIZE."),
    job_option("--memory", metavar="SIZE", help="Use at most SIZE of memory for buffers."),
    job_option("--require-match", is_flag=True, help="Exit with 1 if no object matches."),
    job_option("--try-archived", is_flag=True, help="Try to read objects in Glacier and Deep Archive."),
    job_option("--retry-failed", is_flag=True, help="Read salvaged objects again and replace their events."),
    job_option(
        "--reprocess",
        is_flag=True,
        help="Read known objects again and replace their events: for changed pipelines or format options.",
    ),
    job_option("--no-disk-check", is_flag=True, help="Start even if the disk seems too small for the hot tier."),
    job_option("--force", is_flag=True, help="Ingest known objects again; their events are then in the tier twice."),
    beam_argument,
)


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
