"""Events, top values and histograms as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.bar import Bar as DrawnBar
from rich.table import Table
from rich.text import Text

from pipelines.cli.output.console import RESULTS, print_message
from pipelines.cli.output.rows import printable
from pipelines.cli.output.tables import print_table

if TYPE_CHECKING:
    from transforms.hot_tier.search.counts import Bar

_ROWS_A_TABLE = 1000
_BAR_WIDTH = 60
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_UNITS = ((_DAY, "day"), (timedelta(hours=1), "hour"), (_MINUTE, "minute"), (timedelta(seconds=1), "second"))


def print_events(rows: Iterable[Mapping[str, Any]]) -> int:
    """Print events, each on a line: its time, host, source, message and error; return how many."""
    shown = 0
    for row in rows:
        shown += 1
        when = Text(f"{row['_time']:%Y-%m-%d %H:%M:%S.%f}"[:23], style="cyan")
        host = Text(f"  {printable(row['host'])}" if "host" in row else "", style="dim")
        origin = row.get("source") or row.get("filename")
        source = Text(f"  {printable(origin)} " if origin else "", style="dim")
        error = Text(f"  {printable(row['_error'])}" if "_error" in row else "", style="red")
        RESULTS.print(when, host, source, Text(f" {printable(_text_of(row))}"), error, sep="", soft_wrap=True)
    return shown


def _text_of(row: Mapping[str, Any]) -> str:
    """Return an event's message, or its attributes where it has none."""
    message = row.get("_message")
    if message is not None:
        return str(message)
    shown = ("host", "source", "filename")
    return " ".join(f"{name}={value}" for name, value in row.items() if not name.startswith("_") and name not in shown)


def print_top(rows: Sequence[tuple[tuple[str | None, ...], int]], names: Sequence[str]) -> None:
    """Print values and how many events have them; with their names where they are of several fields."""
    if len(names) > 1:
        print_table(("Events", *names), ((f"{count:,}", *values) for values, count in rows))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", no_wrap=True, style="cyan", min_width=max(len(f"{count:,}") for _, count in rows))
    table.add_column(overflow="ellipsis" if RESULTS.is_terminal else "fold", no_wrap=RESULTS.is_terminal)
    for (value, *_), count in rows:
        table.add_row(f"{count:,}", Text(printable(value or "")))
    RESULTS.print(table)


def print_histogram(bars: Sequence[Bar]) -> None:
    """Draw how many events are in each span of time, a line each."""
    most = max(bar.count for bar in bars)
    span = max(bar.end - bar.start for bar in bars)
    shape = (
        "%Y-%m-%d"
        if span >= _DAY and span % _DAY == timedelta()
        else "%Y-%m-%d %H:%M"
        if span >= _MINUTE
        else "%Y-%m-%d %H:%M:%S"
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1, max_width=_BAR_WIDTH)
    for bar in bars:
        table.add_row(
            f"{bar.start:{shape}}", f"{bar.count:,}", DrawnBar(most, 0, bar.count, width=_BAR_WIDTH, color="cyan")
        )
    RESULTS.print(table)


def print_bar_length(bars: Sequence[Bar]) -> None:
    """Tell how long the spans are; of one or two nothing, because the range cuts the first and the last."""
    if len(bars) > 2:
        length = max(bar.end - bar.start for bar in bars)
        unit, name = next(one for one in _UNITS if length % one[0] == timedelta())
        number = length // unit
        print_message(f"Each bar is {number:,} {name}{'s' * (number != 1)}; --histogram SPAN chooses others.")


def print_fields(rows: Iterator[Mapping[str, Any]], names: Sequence[str], keys: Sequence[str]) -> int:
    """Print some fields of events in tables of up to 1,000 rows; return how many events there were."""
    shown = 0
    while some := list(islice(rows, _ROWS_A_TABLE)):
        print_table(names, ([row.get(key) for key in keys] for row in some))
        shown += len(some)
    return shown
