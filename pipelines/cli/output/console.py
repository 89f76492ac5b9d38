"""What the commands show: reports, rows and progress, on a terminal or as JSON."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipelines.cli.output.rows import print_json, print_rows_json, printable
from pipelines.cli.output.tables import column_widths, line_width, table_lines
from pipelines.units import show_size

if TYPE_CHECKING:
    from pipelines.console import Progress


class _Console(Console):
    """A console that says of a closed pipe what all writing says."""

    def on_broken_pipe(self) -> None:
        """Let the BrokenPipeError go on, instead of an exit with 1."""
        raise  # noqa: PLE0704 - rich calls it where it has caught one


__all__ = [
    "MESSAGES",
    "RESULTS",
    "JobConsole",
    "print_error",
    "print_json",
    "print_message",
    "print_report",
    "print_rows_json",
    "print_table",
    "print_warnings",
    "printable",
    "progress_line",
    "show_report",
]

MESSAGES = _Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())
MOST_LINES = 20
"""More warnings or failures are not shown; `--json` has them all."""
_PLACE = re.compile(r".+?:[0-9]+:[0-9]+: ")
RESULTS = _Console(highlight=False, width=None if sys.stdout.isatty() else 1_000_000)
"""In a pipe or a file, lines are as long as they need to be."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, on: Console = RESULTS) -> None:
    """Print a table; in a pipe it is as wide as it needs to be, on a terminal the longest columns are cut, but no
    ids.
    """
    names = [_cell(name) for name in columns]
    cells = [[Text(_cell(cell)) for cell in row] for row in rows]
    if not on.is_terminal:
        on.file.writelines(table_lines([[Text(name) for name in names], *cells]))
        on.file.flush()
        return
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, header_style="bold", pad_edge=False)
    widths = column_widths(names, cells, room=on.width)
    for name, width in zip(names, widths, strict=True):
        drawn.add_column(Text(name), overflow="ellipsis", no_wrap=True, width=width)
    for row in cells:
        drawn.add_row(*row)
    if line_width(widths) > on.width:  # the terminal breaks the lines
        drawn.width = line_width(widths)
    on.print(drawn, crop=False)


class JobConsole:
    """Says and draws what a job does, on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        """Draw only on a terminal; quiet says nothing at all."""
        self._quiet = quiet
        self._live: Live | None = None
        self._began = time.monotonic()

    def __enter__(self) -> JobConsole:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Take the progress line away."""
        if self._live is not None:
            self._live.stop()
        if kind is KeyboardInterrupt:
            self.message("Canceled: what was not done yet is not done; the same command again goes on")

    def message(self, text: str) -> None:
        """Say a line."""
        if not self._quiet:
            print_message(text)

    def progress(self, done: Progress) -> None:
        """Draw how far the job is."""
        if self._quiet or not MESSAGES.is_terminal:
            return
        if self._live is None:
            self._live = Live(console=MESSAGES, transient=True, refresh_per_second=2)
            self._live.start()
        self._live.update(Text(progress_line(done, seconds=time.monotonic() - self._began)))


def progress_line(done: Progress, *, seconds: float) -> str:
    """Return one line: how far, what was read, how fast, how long it will still take."""
    part = min(1.0, done.bytes_read / done.bytes_in_all) if done.bytes_in_all else 0.0
    bar = ("█" * round(part * 24)).ljust(24, "░")
    left = f", {seconds / part - seconds:,.0f} s left" if part > 0.02 else ""
    read = f"{done.objects:,} objects, {show_size(done.bytes_read)}, {done.events:,} events"
    return f"{bar} {part:4.0%}  {read}, {done.events / max(seconds, 0.1):,.0f} events/s{left}"


def show_report(report: dict[str, Any], *, as_json: bool, code: int) -> int:
    """Print a job's report, and what must be said beside it; return the exit code that is given."""
    if as_json:
        print_json(report)
        print_warnings(report["warnings"])
        if code and report.get("reason"):
            print_error(report["reason"], field=None)
    else:
        print_report(report)
    return code


def print_report(report: dict[str, Any]) -> None:
    """Print a job's report as a table on standard output."""
    objects = report["objects"]
    rows: list[tuple[str, str]] = [
        ("Job", f"{report['taskId']}  {report['status']}"),
        ("Objects", ", ".join(f"{number:,} {name}" for name, number in objects.items() if number or name in ("evaluated", "matched"))),
        ("Read", f"{show_size(report['bytesRead'])}, {show_size(report['bytesDecoded'])} decoded"),
        ("Records", f"{report['recordsIn']:,} in = {report['events']:,} events + {report['rejected']:,} rejected"
                    f" ({report['blank']:,} blank lines and {report['header']:,} header or skipped rows beside them)"),
        ("With _error", f"{report['eventsWithError']:,}"),
        ("By format", ", ".join(f"{name} {row['events']:,} in {row['objects']:,} objects" for name, row in report["byFormat"].items())),
        ("By codec", ", ".join(f"{name} {row['objects']:,} objects, {show_size(row['bytesRead'])}"
                               for name, row in report["byCodec"].items())),
        ("Time range", " to ".join(report["timeRange"] or ())),
        ("Written", f"{report['filesWritten']:,} files, {show_size(report['bytesWritten'])}; waves: {report['waves']:,}"),
        ("Took", f"{report['seconds']:.1f} s, {report['megabytesPerSecond']:,} MB/s of decoded logs"),
    ]  # fmt: skip
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
        for line in lines[:MOST_LINES]:
            RESULTS.print(Text(f"  {printable(line)}"), soft_wrap=True)
        if len(lines) > MOST_LINES:
            RESULTS.print(f"  … and {len(lines) - MOST_LINES:,} more (--json has all)")


def print_message(text: str) -> None:
    """Say a line on standard error."""
    MESSAGES.print(Text(printable(text)), soft_wrap=True)


def print_error(text: str, *, field: str | None) -> None:
    """Say on standard error what is wrong; mistakes of a file in lines of their own, each of which begins with its
    place.
    """
    placed = field in ("pipelines", "rules") and _PLACE.match(text) is not None
    shown = text if placed or field is None or text.lstrip("-").startswith(field) else f"{field}: {text}"
    MESSAGES.print(f"[bold red]Error:[/]{chr(10) if placed else ' '}{escape(printable(shown))}", soft_wrap=True)


def print_warnings(warnings: Sequence[str]) -> None:
    """Say warnings on standard error, beside a report on standard output."""
    for text in warnings[:MOST_LINES]:
        MESSAGES.print(f"Warning: {escape(printable(text))}", soft_wrap=True)


def _cell(value: object) -> str:
    """Return a value as people read it: times in UTC without saying so, nothing where there is nothing."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(
            sep=" ", timespec="milliseconds" if value.microsecond else "seconds"
        )
    return "" if value is None else printable(str(value)).replace("\n", "⏎")  # a row is a line
