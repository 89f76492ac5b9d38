"""The flags of a job on the command line: `backfill` and `preview` take the same (docs/jobs.md)."""

from __future__ import annotations

import click

from pipelines.cli.common import beam_argument
from pipelines.cli.flags import FILE, OneOf, event_option, format_option, job_option, object_option, pass_flags
from pipelines.cli.job_flags import JobFlags, ReadingFlags
from transforms.formats import FORMAT_NAMES
from transforms.formats.text.multiline_presets import MULTILINE_PRESETS

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
    job_option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        show_default="all cores",
        help="Read N splits at once on this machine; beyond 8 by worker processes.",
    ),
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
