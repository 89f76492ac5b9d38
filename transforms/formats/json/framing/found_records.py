"""The records that were found in a text, gathered: where they are, what is wrong with them, what is between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from transforms.arrow import Flags, Indices
from transforms.formats.encoding import is_utf8, whole_characters
from transforms.formats.lines import Lines

_REPLACEMENT = "\ufffd".encode()


@dataclass(frozen=True)
class FramedRecords:
    """Records of a stream, one after the other.

    Attributes:
        lines: Their text.
        errors: What is wrong with some of them, by place: they are not read as objects.
        groups: Ranges of records that lay in an object which has attributes for them.
    """

    lines: Lines
    errors: Mapping[int, str] = field(default_factory=dict)
    groups: tuple[tuple[int, int, Mapping[str, str]], ...] = ()


class FoundRecords:
    """Records of a text, in their order."""

    def __init__(self) -> None:
        """Begin with none."""
        self._starts: list[Indices] = []
        self._ends: list[Indices] = []
        self._long: list[int] = []
        self._errors: dict[int, str] = {}
        self._groups: list[tuple[int, int, Mapping[str, str]]] = []
        self._passed: dict[int, int] = {}
        self.count = 0

    def add(self, starts: Indices, ends: Indices) -> None:
        """Add records."""
        self._starts.append(starts)
        self._ends.append(ends)
        self.count += len(starts)

    def add_one(self, start: int, end: int, *, long: bool = False, error: str | None = None) -> None:
        """Add a record, which may have been cut, or have something wrong with it."""
        if long:
            self._long.append(self.count)
        if error:
            self._errors[self.count] = error
        self.add(np.array([start]), np.array([end]))

    def passed(self, end: int, gaps: BlankLines) -> None:
        """Note how far the last record goes on, of which only the beginning is kept."""
        if self.count:
            self._passed[self.count - 1] = end
        else:
            gaps.skip(end)

    def drop(self, count: int) -> None:
        """Forget all records after the first `count`."""
        starts, ends = self._joined()
        self._starts, self._ends, self.count = [starts[:count]], [ends[:count]], count
        self._long = [place for place in self._long if place < count]
        self._passed = {place: end for place, end in self._passed.items() if place < count}
        self._errors = {place: error for place, error in self._errors.items() if place < count}

    def group(self, first: int, attributes: Mapping[str, str]) -> None:
        """Give attributes to the records from one on."""
        if attributes and first < self.count:
            self._groups.append((first, self.count, attributes))

    def frame(self, text: bytes, gaps: BlankLines) -> FramedRecords:
        """Return the records, and the blank lines before and between them."""
        starts, ends = self._joined()
        whole = ends.copy()
        whole[list(self._passed)] = list(self._passed.values())
        blank = gaps.count(text, starts, whole)
        for place in self._long:
            start = int(starts[place])
            ends[place] = start + whole_characters(text[start : int(ends[place])])
        long = None
        if self._long:
            long = np.zeros(self.count, np.bool_)
            long[self._long] = True
        lines = _clean(text, starts, ends, long, blank)
        return FramedRecords(lines, self._errors, tuple(self._groups))

    def _joined(self) -> tuple[Indices, Indices]:
        none = np.empty(0, np.int64)
        return np.concatenate([none, *self._starts]), np.concatenate([none, *self._ends])


def _clean(text: bytes, starts: Indices, ends: Indices, long: Flags | None, blank: int) -> Lines:
    """Cut a text down to its records, and replace bad bytes in them."""
    low, high = (int(starts[0]), int(ends[-1])) if len(starts) else (0, 0)
    text = text[low:high]
    starts, ends = starts - low, ends - low
    if is_utf8(text):
        return Lines(text, starts, ends - starts, long, None, blank)
    parts = [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    clean = [part.decode("utf-8", "replace").encode() for part in parts]
    bad = np.array([new.count(_REPLACEMENT) - old.count(_REPLACEMENT) for old, new in zip(parts, clean, strict=True)])
    lengths = np.array([len(part) for part in clean])
    return Lines(b"\n".join(clean), np.concatenate([[0], np.cumsum(lengths + 1)[:-1]]), lengths, long, bad, blank)


class BlankLines:
    """Counts the blank lines between records: those of nothing but white space.

    A line may go on from one text to the next.
    """

    def __init__(self) -> None:
        """Begin with a stream."""
        self.done = 0  # how far the text was looked at
        self._used = False  # whether there is something on the line so far
        self._begun = False  # whether there is a character on it

    def move(self, by: int) -> None:
        """Take a text that begins so much further on."""
        self.done -= by

    def skip(self, end: int) -> None:
        """Pass over a part of the text that belongs to a record."""
        self.done, self._used = end, True

    def count(self, text: bytes, starts: Indices, ends: Indices) -> int:
        """Count the blank lines before and between records."""
        blank = 0
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            blank += self.count_to(text, start)
            self.skip(end)
        return blank

    def count_to(self, text: bytes, end: int) -> int:
        """Count the blank lines before a place, where no record is."""
        gap, self.done = text[self.done : end], end
        feeds = gap.count(b"\n")
        if not feeds:
            self._used |= bool(gap.strip(b" \t\r"))
            self._begun |= bool(gap)
            return 0
        first, *middle, last = gap.split(b"\n")
        blank = sum(not line.strip(b" \t\r") for line in middle) + (not self._used and not first.strip(b" \t\r"))
        self._used, self._begun = bool(last.strip(b" \t\r")), bool(last)
        return blank

    def count_last(self) -> int:
        """Count a last line that has no line feed."""
        return int(self._begun and not self._used)
