"""Which records JSON text has, in any layout: objects on lines, beside each other, over lines, in an array, or wrapped.

The text comes in blocks, cut anywhere. What is given does not depend on where: each decision is one about the text
(`record_scan`). A block is looked through at once (`brackets`); only where that finds something to look at, records
are scanned one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from transforms.formats.json.framing.cursor import Cursor
from transforms.formats.json.framing.record_scan import scan_element, scan_line, scan_object
from transforms.formats.json.framing.value_ends import SPACE
from transforms.formats.json.framing.wrapper_reader import WrapperReader
from transforms.formats.json.framing.wrappers import RECORDS, is_undecided, may_wrap
from transforms.formats.lines import Lines, split_lines

AFTER_ARRAY = "invalid_json: text after the end of the array"
_HEAD = 64 << 10  # bytes: white space between an array's bracket and its first element that is looked through
_SPACE, _SEPARATORS = re.compile(rb"[ \t\r\n]*"), re.compile(rb"[ \t\r\n,]*")
_ARRAY = re.compile(rb"\[[ \t\r\n]*[{\]]")
_MOST_OTHER_LINES = 10  # in so many


class JsonFramer(Cursor):
    """The records of one stream."""

    def __init__(self, *, max_record: int, path: tuple[str, ...] | None) -> None:
        """Begin with a stream.

        Args:
            max_record: The bytes that are kept of a record.
            path: Where each object has its records; None if they are found where they are called `Records`; empty if
                objects are records.
        """
        super().__init__(max_record=max_record)
        self._path = path
        self._wrapper = WrapperReader(self, path or (RECORDS,), self._outside, self._list, by_path=bool(path))
        self.state = self._begin
        self._next_name = -1  # where the next wrapper may be

    def feed(self, block: bytes, *, final: bool) -> None:
        """Take more of the stream."""
        super().feed(block, final=final)
        self._wrapper.fed()
        self._next_name = -1

    def before_frame(self) -> None:
        """Give the records that were found what is known of them only now."""
        self._wrapper.flush()

    def run_out(self) -> bool:
        """Take note that the text ends within a record or a list."""
        return self._wrapper.run_out()

    def lines(self) -> Lines | None:
        """Return the lines of the text, if they seem to be an object each; `accept` takes them."""
        text, low = self.text, self._skip(_SPACE)
        high = len(text) if self.final else text.rfind(b"\n") + 1
        begins = text[low - 1 : low] == b"\n" if low else self.origin
        if (
            self.state not in (self._begin, self._outside)
            or self._path
            or not begins
            or high <= low
            or text[low] != ord("{")
        ):
            return None
        if self._path is None and text.find(f'"{RECORDS}"'.encode(), low, high) >= 0:
            return None
        return _objects(split_lines(text[low:high], max_record=self.max_record))

    def are_alone(self, lines: Lines, rows: Iterable[int]) -> bool:
        """Whether lines that are no objects are a record each, and leave the next line alone."""
        for row in rows:
            start = int(lines.starts[row])
            end = start + int(lines.lengths[row])
            if lines.text[start] == ord("{"):
                record = scan_object(
                    lines.text, start, final=self.final, in_list=False, origin=True, max_record=self.max_record
                )
            else:
                record = scan_line(lines.text, start, final=self.final, max_record=self.max_record)
            if record is None or record.end != end or record.rest is not None:
                return False
        return True

    def accept(self, lines: Lines) -> Lines:
        """Go on behind lines; return them with the blank lines before them."""
        low = self._skip(_SPACE)
        blank = lines.blank + self.gaps.count_to(self.text, low)
        self.place = len(self.text) if self.final else self.text.rfind(b"\n") + 1
        self.gaps.skip(self.place - 1)
        self.gaps.count_to(self.text, self.place)
        self.state = self._outside
        return replace(lines, blank=blank)

    def give_up(self) -> None:
        """Give what is whole of a list that is not: the stream broke."""
        self._wrapper.give_up()

    def _skip(self, passed: re.Pattern[bytes]) -> int:
        match = passed.match(self.text, self.place)
        return match.end() if match else self.place

    def _begin(self) -> bool:
        start = self._skip(_SPACE)
        head = self.text[start : start + _HEAD]
        if not self.final and (not head or (len(head) < _HEAD and not head.strip(b"[ \t\r\n"))):
            return False
        is_array = _ARRAY.match(head) is not None
        self.place = start + is_array
        self.state = self._list if is_array else self._outside
        return True

    def _outside(self) -> bool:
        """Read what is neither in an array nor in a wrapper."""
        start = self._skip(_SPACE)
        if start == len(self.text):
            self.place = start
            return False
        if self.text[start] != ord("{"):
            return self.take(self.line(start))
        if self._may_wrap(start):
            return self._wrapper.open(start)
        if self._path is None and not self.final and is_undecided(self.text, start):
            return False
        if self._path is None and self._next_name < start:
            found = self.text.find(f'"{RECORDS}"'.encode(), start)
            self._next_name = found if found >= 0 else len(self.text)
        no_wrapper = self._path == () or self._next_name >= len(self.text)
        if self.find(in_list=False, may_take=None if no_wrapper else lambda place: not self._may_wrap(place)):
            return True
        return self.take(self.object(start, in_list=False))

    def _may_wrap(self, start: int) -> bool:
        return self._path != () and may_wrap(self.text, start, self._path)

    def _list(self) -> bool:
        """Read the elements of the outer array, or of a list in a wrapper."""
        start = self._skip(_SEPARATORS)
        if self._wrapper.is_cut_off(self.text[self.place : start], self.text[start : start + 1]):
            self._wrapper.leave()
            return True
        if start < len(self.text) and self.text[start] == ord("{") and self.find(in_list=True):
            self._wrapper.has_elements = True
            return True
        if start == len(self.text):
            return self.run_out()
        if self.text[start] == ord("]"):
            return self._end(start + 1)
        if self.text[start] == ord("{"):
            record = self.object(start, in_list=True)
        else:
            record = scan_element(self.text, start, final=self.final, max_record=self.max_record)
        if record is None:
            return self.run_out()
        self.take(record)
        self._wrapper.took(record)
        return True

    def _end(self, place: int) -> bool:
        if self._wrapper.current is not None:
            return self._wrapper.close(place)
        self.place = place
        self.state = self._after
        return True

    def _after(self) -> bool:
        """Read what follows the array."""
        start = self._skip(_SPACE)
        if start == len(self.text):
            self.place = start
            return False
        return self.take(self.line(start), AFTER_ARRAY)


def _objects(lines: Lines) -> Lines | None:
    """Return lines without white space around them, if nearly all begin and end with braces (or a comma behind)."""
    if lines.long is not None or not len(lines):
        return None
    data = np.frombuffer(lines.text, np.uint8)
    first, last = data[lines.starts], data[lines.starts + lines.lengths - 1]
    others = (first != ord("{")) | ((last != ord("}")) & (last != ord(",")))
    if others.sum() * _MOST_OTHER_LINES > len(lines) or first.min() <= ord(" "):
        return None
    lengths = lines.lengths.copy()
    for row in np.flatnonzero(last <= ord(" ")).tolist():
        start = int(lines.starts[row])
        lengths[row] = len(lines.text[start : start + int(lengths[row])].rstrip(SPACE))
    return replace(lines, lengths=lengths)
