"""The report of a job, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from pipelines.cli.output.console import MAX_LINES, RESULTS, print_error, print_warnings
from pipelines.cli.output.rows import print_json, printable
from pipelines.units import show_size


def show_report(report: dict[str, Any], *, as_json: bool, code: int) -> int:
    """Print a job's report, with its warnings and failure on standard error if it is JSON; return `code`."""
    if as_json:
        print_json(report)
        print_warnings(report["warnings"])
        if code and report.get("reason"):
            print_error(report["reason"], field=None)
    else:
        _print_report(report)
    return code


def _print_report(report: dict[str, Any]) -> None:
    """Print a job's report as a table on standard output."""
    objects = report["objects"]
    shown = [f"{number:,} {name}" for name, number in objects.items() if number or name in ("evaluated", "matched")]
    formats = [f"{name} {row['events']:,} in {row['objects']:,} objects" for name, row in report["byFormat"].items()]
    codecs = [
        f"{name} {row['objects']:,} objects, {show_size(row['bytesRead'])}" for name, row in report["byCodec"].items()
    ]
    records = f"{report['recordsIn']:,} in = {report['events']:,} events + {report['rejected']:,} rejected"
    ignored = f"{report['blank']:,} blank lines and {report['header']:,} header or skipped rows beside them"
    written = f"{report['filesWritten']:,} files, {show_size(report['bytesWritten'])}"
    rows = [
        ("Job", f"{report['taskId']}  {report['status']}"),
        ("Objects", ", ".join(shown)),
        ("Read", f"{show_size(report['bytesRead'])}, {show_size(report['bytesDecoded'])} decoded"),
        ("Records", f"{records} ({ignored})"),
        ("With _error", f"{report['eventsWithError']:,}"),
        ("By format", ", ".join(formats)),
        ("By codec", ", ".join(codecs)),
        ("Time range", " to ".join(report["timeRange"] or ())),
        ("Written", f"{written}; waves: {report['waves']:,}"),
        ("Took", f"{report['seconds']:.1f} s, {report['megabytesPerSecond']:,} MB/s of decoded logs"),
    ]
    _print_named([(name, value) for name, value in rows if value])
    if report.get("reason"):
        RESULTS.print(Text(printable(f"\n{report['status']}: {report['reason']}")))
    _print_list("Warnings", report["warnings"])
    _print_list("Failures", [f"{one['object']}: {one['status']}: {one['reason']}" for one in report["failures"]])
    if report["status"] == "Succeeded" and objects["known"] and not report["events"]:
        RESULTS.print(f"\nNothing new: {objects['known']:,} objects are known already, and nothing was added.")


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
