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
from transforms.formats.json.framing.first_object import OTLP, choose_wrapper
from transforms.formats.json.framing.nested_lists import NestedListReader
from transforms.formats.json.framing.record_scan import scan_element, scan_line, scan_object
from transforms.formats.json.framing.value_ends import HISTORY, SPACE
from transforms.formats.json.framing.wrapper_reader import WrapperReader
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
            path: Where each object has its records; None if the first object decides; empty if objects are records.
        """
        super().__init__(max_record=max_record)
        self.path = path
        self.other_list: str | None = None
        """A list of objects in the first object that may be the records, but was not taken for them."""
        self._wrapper = WrapperReader(self, path or (), self._outside, self._list, by_path=bool(path))
        self._nested = NestedListReader(self, OTLP, self._outside)
        self._in_array = self._breaking = False
        self.state = self._begin

    @property
    def is_unclosed(self) -> bool:
        """Whether the text ended within an array or a wrapper."""
        return self._in_array or self._wrapper.is_unclosed or self._nested.is_unclosed

    def feed(self, *chunks: bytes, final: bool) -> None:
        """Take more of the stream."""
        super().feed(*chunks, final=final)
        self._wrapper.fed()
        self._nested.fed()

    def before_frame(self) -> None:
        """Give the records that were found what is known of them only now."""
        self._wrapper.flush()
        self._nested.flush()

    def run_out(self) -> bool:
        """Take note that the text ends within a record or a list."""
        return self._wrapper.run_out()

    def lines(self) -> Lines | None:
        """Return the lines of the text, if they seem to be an object each; `accept` takes them."""
        if self.state == self._begin:
            self._begin()
        text, low = self.text, self._skip(_SPACE)
        high = len(text) if self.final else text.rfind(b"\n") + 1
        begins = text[low - 1 : low] == b"\n" if low else self.origin
        if self.state != self._outside or self.path or not begins or high <= low or text[low] != ord("{"):
            return None
        return _objects(split_lines(text, max_record=self.max_record, within=(low, high)))

    def are_alone(self, lines: Lines, rows: Iterable[int]) -> bool:
        """Whether lines that are no objects are a record each, and leave the next line alone."""
        for row in rows:
            start = int(lines.starts[row])
            end = start + int(lines.lengths[row])
            if lines.text[start] == ord(","):
                return False
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
        return replace(lines, blank=blank)

    def give_up(self) -> None:
        """Give what is whole of a list that is not: the stream broke."""
        self._breaking = True
        self._wrapper.give_up()

    def _skip(self, passed: re.Pattern[bytes]) -> int:
        match = passed.match(self.text, self.place)
        return match.end() if match else self.place

    def _begin(self) -> bool:
        start = self._skip(_SPACE)
        head = self.text[start : start + _HEAD]
        if not self.final and (not head or (len(head) < _HEAD and not head.strip(b"[ \t\r\n"))):
            return False
        self._in_array = _ARRAY.match(head) is not None
        if self.path is None and head.startswith(b"{"):
            choice = choose_wrapper(self.text, start, ended=self.final or self._breaking)
            if choice is None:
                return False
            self.path = self._wrapper.path = choice.path
            self.other_list = choice.other
        self.place = start + self._in_array
        self.state = self._list if self._in_array else self._outside
        return True

    def _outside(self) -> bool:
        """Read what is neither in an array nor in a wrapper."""
        start = self._skip(_SPACE)
        if start == len(self.text):
            self.place = start
            return False
        if self.text[start] == ord(","):
            after = _SPACE.match(self.text, start + 1, start + _HEAD).end()  # type: ignore[union-attr]
            if after == len(self.text) and not self.final:
                return False
            if self.text[after : after + 1] in (b"", b"{"):
                self.place = after
                return True
        if self.text[start] != ord("{"):
            return self.take(self.line(self._indented(start)))
        if self.path:
            return self._nested.open(start) if self.path == OTLP else self._wrapper.open(start)
        return self.find(in_list=False) or self.take(self.object(start, in_list=False))

    def _indented(self, start: int) -> int:
        """Return where the white space before a line that is no object begins: a stack trace keeps it."""
        low = max(0, start - HISTORY)
        line = self.text.rfind(b"\n", low, start) + 1
        begins = line or (self.origin and not low)
        return (line or low) if begins and not self.text[line or low : start].strip(b" \t") else start

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
        self.place, self._in_array = place, False
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
    """Return lines without white space around them and commas behind, if nearly all begin and end with braces."""
    if lines.long is not None or not len(lines):
        return None
    data = np.frombuffer(lines.text, np.uint8)
    first, last = data[lines.starts], data[lines.starts + lines.lengths - 1]
    others = (first != ord("{")) | ((last != ord("}")) & (last != ord(",")))
    if others.sum() * _MOST_OTHER_LINES > len(lines) or first.min() <= ord(" "):
        return None
    lengths = lines.lengths.copy()
    for row in np.flatnonzero((last <= ord(" ")) | (last == ord(","))).tolist():
        start = int(lines.starts[row])
        text = lines.text[start : start + int(lengths[row])].rstrip(SPACE)
        before = text[:-1].rstrip(b" \t\r") if text.endswith(b",") else b""
        lengths[row] = len(before if before.endswith(b"}") else text)
    return replace(lines, lengths=lengths)
