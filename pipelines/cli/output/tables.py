"""Tables, on a terminal or in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.cli.output.console import RESULTS
from pipelines.cli.output.rows import printable

_GAP = 3  # as rich's SIMPLE_HEAD has it
_MIN_WIDTH = 6
_IDS = frozenset(
    {"Job", "Key", "Run", "_event_id", "_correlation_id", "_iam_key_id", "#eventId", "#correlationId", "#iamKeyId"}
)
"""Columns that people copy from: never cut, however narrow the terminal."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, on: Console = RESULTS) -> None:
    """Print a table: on a terminal the longest columns are cut, but no ids; in a pipe nothing is cut."""
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


def column_widths(names: Sequence[str], rows: Sequence[Sequence[Text]], *, room: int) -> list[int]:
    """Return widths that fit into a line of `room` characters, if any do.

    The widest column gives way first, to 6 characters at least; those with ids never do.
    """
    widths = [max([len(name), *(row[number].cell_len for row in rows)]) for number, name in enumerate(names)]
    flexible = [number for number, name in enumerate(names) if name not in _IDS]
    while (
        line_width(widths) > room and flexible and widths[widest := max(flexible, key=widths.__getitem__)] > _MIN_WIDTH
    ):
        widths[widest] -= 1
    return widths


def line_width(widths: Sequence[int]) -> int:
    """Return the length of a line of columns with these widths."""
    return sum(widths) + _GAP * (len(widths) - 1)


def table_lines(rows: Sequence[Sequence[Text]]) -> Iterator[str]:
    """Yield the lines of a table for a pipe, the head first: nothing is cut, and no line ends with blanks."""
    widths = column_widths(["" for _ in rows[0]], rows, room=sys.maxsize)
    for number, row in enumerate(rows):
        yield (
            "".join(
                cell.plain + " " * (width - cell.cell_len + _GAP) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
            + "\n"
        )
        if number == 0:
            yield "─" * line_width(widths) + "\n"


def _cell(value: object) -> str:
    """Return a value as text: times in UTC without their zone, None as nothing."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(
            sep=" ", timespec="milliseconds" if value.microsecond else "seconds"
        )
    return "" if value is None else printable(str(value)).replace("\n", "⏎")  # a row is a line
