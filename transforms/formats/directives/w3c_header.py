"""What the directives of W3C's extended log format say: the names of the cells, and the day of rows without one."""

from __future__ import annotations

import datetime
import re
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from transforms.formats.csv.rows import header_names
from transforms.formats.directives.cells import RowLayout

FIELDS = re.compile(r"#fields:\s*(\S.*)", re.IGNORECASE)
_DATE = re.compile(r"#(?:start-)?date:\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}:\d{2}(?::\d{2})?))?", re.IGNORECASE)
_REMEMBERED = 1024  # characters of a header that is remembered, as files repeat it


@dataclass(frozen=True)
class FileDate:
    """What `#Date:` says, for rows that have a time of day alone.

    Attributes:
        day: The date.
        clock: The time of day, in seconds; None if there is none.
        number: How many there were up to it, so that each is another one.
    """

    day: datetime.date
    clock: int | None
    number: int


@dataclass(frozen=True)
class W3cHeader:
    """What the directives of W3C's format say up to some line.

    Attributes:
        layout: By the last `#Fields:`.
        day: The last `#Date:` where rows have no date of their own; else None.
        last_date: The last `#Date:`.
    """

    layout: RowLayout = RowLayout(separator=" ", quotes=True)
    day: FileDate | None = None
    last_date: FileDate | None = field(default=None, compare=False)

    @property
    def kind(self) -> Hashable:
        """How rows are written, and whether the file gives them a day."""
        return self.layout, self.day is None

    @property
    def needs_rows_before(self) -> bool:
        """Whether past which midnight a row is follows from those before it."""
        return _has_clock_alone(self.layout)

    def after(self, directive: str) -> W3cHeader:
        """Return the header behind one more directive."""
        layout, last_date = self.layout, self.last_date
        if match := FIELDS.match(directive):
            layout = (_remembered_layout if len(directive) <= _REMEMBERED else _layout)(match[1])
        elif (match := _DATE.match(directive)) and (day := _day(match[1])):
            number = last_date.number + 1 if last_date else 1
            last_date = FileDate(day, _seconds(match[2]), number)
        return W3cHeader(layout, last_date if _has_clock_alone(layout) else None, last_date)


def _layout(text: str) -> RowLayout:
    names, separator = _names(text)
    return replace(W3cHeader().layout, names=tuple(header_names(names)), separator=separator)


_remembered_layout = lru_cache(maxsize=64)(_layout)


def _has_clock_alone(layout: RowLayout) -> bool:
    lower = {name.lower() for name in layout.names}
    return "time" in lower and "date" not in lower


def _names(text: str) -> tuple[list[str], str]:
    """Return the names of `#Fields:`, and what is between the cells of a row."""
    text = text.strip()
    if "\t" in text:
        return text.split("\t"), "\t"
    by_commas = [name.strip() for name in text.rstrip(", ").split(",")]
    if len(by_commas) > 1 and not any(" " in name for name in by_commas):
        return by_commas, ","
    return text.split(), " "


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _seconds(clock: str | None) -> int | None:
    """Return a time of day in seconds."""
    if not clock:
        return None
    hours, minutes, seconds = (*map(int, clock.split(":")), 0)[:3]
    return hours * 3600 + minutes * 60 + seconds
