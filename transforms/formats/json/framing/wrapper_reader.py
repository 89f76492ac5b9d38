"""Lists of records within an object: when their elements may be given, and with which attributes.

An object of up to 16 MiB is looked at as a whole: its records get the values before and behind their list. Of a larger
or broken one the records are given as they come, with the values before them; what stands behind them is an event with
an error.
"""

from __future__ import annotations

from transforms.formats.json.framing.cursor import Cursor, State
from transforms.formats.json.framing.record_scan import ScannedRecord
from transforms.formats.json.framing.value_ends import SPACE, find_value_end
from transforms.formats.json.framing.wrappers import UnfinishedError, Wrapper, close_list, find_list

WRAPPER_BYTES = 16 << 20
NO_RECORDS = "not_an_object: there is no list or object at recordsPath"
BEHIND = "record_too_long: these values stand behind more records than are held back for them"


class WrapperReader:
    """The wrapper that a stream is in."""

    def __init__(
        self, cursor: Cursor, path: tuple[str, ...], outside: State, elements: State, *, by_path: bool
    ) -> None:
        """Begin outside of any.

        Args:
            cursor: Where the stream is read.
            path: The names that lead to the records.
            outside: Reads outside of wrappers.
            elements: Reads elements.
            by_path: Whether the path was asked for, so that an object without the list is a mistake.
        """
        self._cursor, self.path, self._by_path = cursor, path, by_path
        self._outside, self._elements = outside, elements
        self.current: Wrapper | None = None
        self.has_elements = False
        self._before: dict[str, str] = {}
        self._first = 0  # records before its own
        self._cut = 0  # bytes of records that were cut before it
        self._given = False  # whether some were given before its end was seen
        self._one_line = True  # whether there was no line feed in it when that happened
        self._seen = 0  # how far that is known
        self._breaking = False
        self._left_open = False  # whether the last one had no end

    @property
    def is_unclosed(self) -> bool:
        """Whether the text ended within one."""
        return self.current is not None or self._left_open

    def open(self, start: int) -> bool:
        """Look into an object."""
        cursor = self._cursor
        try:
            wrapper = find_list(cursor.text, start, self.path, min(len(cursor.text), start + WRAPPER_BYTES))
        except UnfinishedError:
            if self._may_hold(start):
                return False
            wrapper = None
        if wrapper is None:
            record = cursor.object(start, in_list=False)
            whole = record is not None and not record.broken and record.rest is None
            return cursor.take(record, NO_RECORDS if self._by_path and whole else None)
        self.current, self._before, self._first = wrapper, wrapper.attributes(), cursor.found.count
        self._left_open, self._cut = False, cursor.cut
        self.has_elements = self._given = False
        self._one_line, self._seen = True, start
        cursor.place = wrapper.place + (cursor.text[wrapper.place] == ord("["))
        cursor.state = self._elements if cursor.place > wrapper.place else self._only
        return True

    def _only(self) -> bool:
        """Read an object that stands in the place of a list."""
        cursor = self._cursor
        record = cursor.object(cursor.place, in_list=True)
        if record is None:
            return self.run_out()
        if record.rest is None and not record.broken:
            cursor.take(record)
            return self.close(cursor.place)
        cursor.state, self._given = self._tail, True
        return cursor.take(record)

    def is_cut_off(self, gap: bytes, following: bytes) -> bool:
        """Whether what comes next is no element but another object: the list was never closed."""
        return self.current is not None and self.has_elements and following == b"{" and b"\n" in gap and b"," not in gap

    def took(self, record: ScannedRecord) -> None:
        """Note an element; if a wrapper on one line is broken in it, the line is done with."""
        self.has_elements = True
        if self.current is None or not record.broken or record.rest is not None:
            return
        text = self._cursor.text
        if (
            self._one_line
            and text[record.after : record.after + 1] in (b"", b"\n")
            and text.find(b"\n", self._seen, record.start) < 0
        ):
            self.leave()
            self._left_open = True

    def run_out(self) -> bool:
        """Take note that the text ends within a list; without more of it nothing can be done."""
        if self.current is not None and not self._given:
            if self._may_hold(self.current.start):
                self._cursor.found.drop(self._first)
                self._cursor.cut = self._cut
                self._cursor.place, self._cursor.state, self.current = self.current.start, self._outside, None
            else:
                self._given = True
        return False

    def close(self, place: int) -> bool:
        """Read what stands behind a list."""
        cursor, wrapper = self._cursor, self.current
        if wrapper is None:
            return False
        if not self._given:
            try:
                end = close_list(cursor.text, place, wrapper, min(len(cursor.text), wrapper.start + WRAPPER_BYTES))
            except UnfinishedError:
                if self._may_hold(wrapper.start):
                    return self.run_out()
            else:
                return self._finish(wrapper, end)
        self._given = True
        cursor.place, cursor.state = place, self._tail
        return True

    def leave(self) -> None:
        """Read on outside of the wrapper."""
        self._cursor.found.group(self._first, self._before)
        self.current, self._cursor.state = None, self._outside

    def give_up(self) -> None:
        """Hold nothing back any more: the stream broke."""
        self._breaking = True

    def fed(self) -> None:
        """Take note that there is more text, and that records before its place were given."""
        self._first, self._seen = 0, self._cursor.place

    def flush(self) -> None:
        """Give attributes to records that are given before their wrapper's end."""
        if self.current is not None:
            self._cursor.found.group(self._first, self._before)
            self._one_line &= self._cursor.text.find(b"\n", self._seen, self._cursor.place) < 0

    def _may_hold(self, start: int) -> bool:
        cursor = self._cursor
        return not (cursor.final or self._breaking) and len(cursor.text) - start <= WRAPPER_BYTES

    def _finish(self, wrapper: Wrapper, end: int) -> bool:
        """Give the attributes of a whole wrapper to its records."""
        cursor = self._cursor
        self.current, cursor.state = None, self._outside
        cursor.found.group(self._first, wrapper.attributes())
        cursor.place = end
        return True

    def _tail(self) -> bool:
        """Read what stands behind the records of a wrapper that was not looked at as a whole."""
        cursor, wrapper = self._cursor, self.current
        levels = wrapper.levels if wrapper else 1
        stop = min(len(cursor.text), cursor.place + cursor.max_record)
        end = find_value_end(cursor.text, cursor.place, stop, depth=levels)
        if end.kind == "open" and not cursor.final and len(cursor.text) <= cursor.place + cursor.max_record:
            return False
        high = stop if end.kind == "open" else end.place
        start = high - len(cursor.text[cursor.place : high].lstrip(SPACE + b","))
        record = cursor.line(start)
        if end.kind == "closed":
            record = ScannedRecord(start, start + len(cursor.text[start : end.place].rstrip(SPACE + b"}")), end.place)
        if record is None:
            return False
        self.leave()
        self._left_open = end.kind == "open"
        return cursor.take(record, BEHIND) if record.end > start else self._pass(record.after)

    def _pass(self, place: int) -> bool:
        self._cursor.place = place
        return True
