"""The report of a job, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from pipelines.cli.output.console import MAX_LINES, MESSAGES, RESULTS, print_error, print_warnings
from pipelines.cli.output.rows import print_json, printable
from pipelines.units import show_size

SOME_FAILED = 3
_NAMED = 10

if TYPE_CHECKING:
    from pipelines.jobs.report import FileUsed, JobReport, PipelineEvents, WatchReport

_NAMES_SHOWN = 8


def show_report(report: JobReport, *, as_json: bool, code: int) -> int:
    """Print a job's report, with its warnings and failure on standard error if it is JSON; return `code`."""
    if as_json:
        print_json(report.as_document())
        print_warnings(report.warnings)
        if code and report.reason:
            print_error(report.reason, field=None)
    else:
        _print_report(report)
    if code == SOME_FAILED:
        _print_failed(report)
    return code


def _print_failed(report: JobReport) -> None:
    """Print on one line, also if quiet, why the exit code is 3: which objects are not wholly there."""
    names = [printable(one.object) for one in report.failures]
    more = f" and {len(names) - _NAMED:,} more (`rekindle jobs show {report.task_id} --json` shows all)"
    listed = ", ".join(names[:_NAMED]) + (more if len(names) > _NAMED else "")
    MESSAGES.print(
        Text(f"Exit code 3: {_objects(len(names))} could not be read, or not wholly: {listed}"), soft_wrap=True
    )


def _objects(number: int) -> str:
    return f"{number:,} object{'s' * (number != 1)}"


def _print_report(report: JobReport) -> None:
    """Print a job's report as a table on standard output."""
    objects = report.objects
    shown = [
        f"{number:,} {name}"
        for name, number in objects.model_dump().items()
        if number or name in ("evaluated", "matched")
    ]
    formats = [f"{name} {row.events:,} in {_objects(row.objects)}" for name, row in report.by_format.items()]
    sources = [f"{name} {row.events:,} in {_objects(row.objects)}" for name, row in report.by_source.items()]
    codecs = [f"{name} {_objects(row.objects)}, {show_size(row.bytes_read)}" for name, row in report.by_codec.items()]
    dropped = f"{report.dropped:,} dropped + " if report.dropped else ""
    records = f"{report.records_in:,} in = {report.events:,} events + {dropped}{report.rejected:,} rejected"
    ignored = f"{report.blank:,} blank lines and {report.header:,} header or skipped rows beside them"
    written = f"{report.files_written:,} files, {show_size(report.bytes_written)}"
    rate = f", {report.megabytes_per_second:,} MB/s of decoded logs" if report.bytes_decoded else ""
    rows = [
        ("Job", f"{report.task_id}  {report.status}"),
        ("Objects", ", ".join(shown)),
        ("Read", f"{show_size(report.bytes_read)}, {show_size(report.bytes_decoded)} decoded"),
        ("Records", f"{records} ({ignored})"),
        ("Pipelines", ": ".join(filter(None, (_file_used(report.pipelines), describe_pipelines(report.by_pipeline))))),
        ("Rules", _file_used(report.rules)),
        ("Dropped by", ", ".join(f"{name} {number:,}" for name, number in report.dropped_by_pipeline.items())),
        ("With _error", f"{report.events_with_error:,}"),
        ("By format", ", ".join(formats)),
        ("By codec", ", ".join(codecs)),
        ("By source", ", ".join(sources)),
        ("New columns", _first_of(report.columns_added)),
        ("Time range", " to ".join(report.time_range or ())),
        ("Written", f"{written}; waves: {report.waves:,}"),
        ("Took", f"{report.seconds:.1f} s{rate}" if report.watch is None else ""),
        ("Watch", "" if report.watch is None else describe_watch(report.watch)),
        ("Last error", "" if report.watch is None else printable(report.watch.last_error or "")),
    ]
    _print_named([(name, value) for name, value in rows if value])
    if report.undone:
        RESULTS.print(f"\nUndone by run {report.undone.run_id}: its events are no longer there", soft_wrap=True)
    if report.reason:
        RESULTS.print(Text(printable(f"\n{report.status}: {report.reason}")))
    _print_list("Warnings", report.warnings)
    _print_list("Failures", [f"{one.object}: {one.status}: {one.reason}" for one in report.failures])
    if report.status == "Succeeded" and objects.known and not report.events:
        RESULTS.print(f"\nNothing new: {_objects(objects.known)} known already; nothing was added.")


def describe_watch(watch: WatchReport) -> str:
    """Return how a watch stands: what waits, how late the last wave was, and when it looked last."""
    parts = [f"{_objects(watch.waiting)} waiting"]
    if watch.queued is not None:
        parts.append(f"about {watch.queued:,} messages queued")
    if watch.last_wave_at is not None:
        late = "" if watch.lag_seconds is None else f", {watch.lag_seconds:,.1f} s behind"
        parts.append(f"last wave {watch.last_wave_at}{late}")
    if watch.last_listing_at is not None:
        parts.append(f"last listing {watch.last_listing_at}")
    return "; ".join(parts)


def describe_pipelines(by_pipeline: Mapping[str, PipelineEvents]) -> str:
    """Return how many events each pipeline matched, of those on which it was tried."""
    return ", ".join(f"{name} {one.matched:,} of {one.tried:,} events" for name, one in by_pipeline.items())


def _file_used(used: FileUsed | None) -> str:
    if used is None:
        return ""
    return used.file + (f", as the tier keeps it (version {used.version})" if used.version else "")


def _first_of(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are: `--json` has all."""
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _print_named(rows: Sequence[tuple[str, str]]) -> None:
    """Print texts with their names before them: on a terminal folded to its width, else a line each."""
    if not RESULTS.is_terminal:
        for name, value in rows:
            RESULTS.print(Text(f"{name:<12} {value}"), soft_wrap=True)
        return
    table = Table(show_header=False, show_edge=False, pad_edge=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value))
    RESULTS.print(table)


def _print_list(title: str, lines: Sequence[str]) -> None:
    if lines:
        RESULTS.print(f"\n{title}:", style="bold")
        for line in lines[:MAX_LINES]:
            RESULTS.print(Text(f"  {printable(line)}"), soft_wrap=True)
        if len(lines) > MAX_LINES:
            RESULTS.print(f"  … and {len(lines) - MAX_LINES:,} more (--json shows all)")
