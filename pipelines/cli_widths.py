"""How wide the columns of a table are on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

_GAP = 3
_NARROWEST = 6


def column_widths(names: Sequence[str], rows: Sequence[Sequence[Text]], *, room: int) -> list[int]:
    """Return widths that fit into a line of `room` characters, if any do: the widest column gives way first, to 6 characters at least."""
    widths = [max([len(name), *(row[number].cell_len for row in rows)]) for number, name in enumerate(names)]
    while sum(widths) > room - _GAP * (len(names) - 1) and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths
