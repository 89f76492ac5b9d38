"""Where the records of CSV are in a text, for the fast path: a line each, or lines joined by newlines in quotes.

Both are proposals, which pyarrow's parser must confirm by finding as many records.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.arrow import Indices
from transforms.formats.csv.dialect import Dialect
from transforms.formats.lines import Lines

_QUOTE, _LF, _CR = 34, 10, 13


@dataclass(frozen=True)
class RecordRanges:
    """Records of a text.

    Attributes:
        starts: Where each begins.
        lengths: Its bytes, without its line end.
        units: Where each record or blank line begins.
        end: Where a record begins that is still open, else the end of the text.
    """

    starts: Indices
    lengths: Indices
    units: Indices
    end: int

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts)

    def slice(self, low: int, high: int) -> RecordRanges:
        """Return some of the records, those blank lines among them that have one of the records before them."""
        end = int(self.starts[high]) if high < len(self) else self.end
        units = self.units[slice(*np.searchsorted(self.units, [self.starts[low] if low else 0, end]))]
        return RecordRanges(self.starts[low:high], self.lengths[low:high], units, end)

    @property
    def blank(self) -> int:
        """Blank lines between the records."""
        return len(self.units) - len(self.starts)


def can_be_fast(lines: Lines, dialect: Dialect) -> bool:
    """Whether pyarrow reads a text as `parse_rows` does.

    It takes one-byte delimiters only, and no lone CRs; it knows neither blanks before a quote nor escaped quotes.
    """
    text = lines.text
    return (
        lines.long is None
        and dialect.delimiter.isascii()
        and not (dialect.trims and b'"' in text)
        and not (dialect.backslashes and b"\\" in text)
        and (b"\r" not in text or text.count(b"\r") == text.count(b"\r\n"))
    )


def line_records(lines: Lines, place: int) -> RecordRanges:
    """Take each line from a place on for a record."""
    first = int(np.searchsorted(lines.starts, place))
    starts, lengths = lines.starts[first:], lines.lengths[first:]
    return RecordRanges(starts, lengths, _line_starts(lines.text, place) if lines.blank else starts, len(lines.text))


def _line_starts(text: bytes, place: int) -> Indices:
    ends = np.flatnonzero(np.frombuffer(text, np.uint8, offset=place) == _LF) + (place + 1)
    starts = np.concatenate([[place], ends])
    return starts[starts < len(text)]


def quoted_records(lines: Lines, place: int, delimiter: str) -> RecordRanges | None:
    """Pair the quotes from a place on, and take each line's end that is outside of them for a record's.

    Returns:
        The records; None if a quote stands where none can open or close.
    """
    data = np.frombuffer(lines.text, np.uint8, offset=place)
    quotes = np.flatnonzero(data == _QUOTE)
    if not _are_paired(data, quotes, ord(delimiter)):
        return None
    ends = np.flatnonzero(data == _LF)
    ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if data[-1] != _LF and len(quotes) % 2 == 0:
        ends = np.append(ends, len(data))
    starts = np.concatenate([[0], ends + 1])[: len(ends)]
    end = min(int(ends[-1]) + 1, len(data)) if len(ends) else 0
    lengths = ends - ((ends > starts) & (data[np.maximum(ends - 1, 0)] == _CR)) - starts
    kept = lengths > 0
    return RecordRanges(starts[kept] + place, lengths[kept], starts + place, end + place)


def _are_paired(data: npt.NDArray[np.uint8], quotes: Indices, delimiter: int) -> bool:
    """Whether each quote stands at a cell's edge, or beside another one."""
    padded = np.concatenate([np.array([_LF], np.uint8), data, np.array([_LF, _LF], np.uint8)])
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = padded[opening], padded[closing + 2]
    doubled = np.zeros(len(opening), np.bool_)
    doubled[1:] = opening[1:] == closing[: len(opening) - 1] + 1
    opens = (before == delimiter) | (before == _LF) | doubled
    closes = (after == delimiter) | (after == _LF) | (after == _QUOTE) | ((after == _CR) & (padded[closing + 3] == _LF))
    return bool(opens.all() and closes.all())
