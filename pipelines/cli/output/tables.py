"""How wide the columns of a table are."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.text import Text

_GAP = 3  # as rich's SIMPLE_HEAD has it
_NARROWEST = 6
_IDS = frozenset(
    {"Job", "Key", "_event_id", "_correlation_id", "_iam_key_id", "#eventId", "#correlationId", "#iamKeyId"}
)
"""Columns that people copy from: never cut, however narrow the terminal."""


def column_widths(names: Sequence[str], rows: Sequence[Sequence[Text]], *, room: int) -> list[int]:
    """Return widths that fit into a line of `room` characters, if any do.

    The widest column gives way first, to 6 characters at least; those with ids never do.
    """
    widths = [max([len(name), *(row[number].cell_len for row in rows)]) for number, name in enumerate(names)]
    flexible = [number for number, name in enumerate(names) if name not in _IDS]
    while (
        line_width(widths) > room and flexible and widths[widest := max(flexible, key=widths.__getitem__)] > _NARROWEST
    ):
        widths[widest] -= 1
    return widths


def line_width(widths: Sequence[int]) -> int:
    """Return how long a line of columns of some widths is."""
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
