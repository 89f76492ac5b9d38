"""Lists of records within lists of objects: OpenTelemetry's `resourceLogs[].scopeLogs[].logRecords`.

Nothing is held back: a record gets the values that stand before its list in the objects around it, those that are
objects and lists too (`resource` and `scope` say where a record is from).
"""

from __future__ import annotations

import re

from transforms.formats.json.framing.cursor import Cursor, State
from transforms.formats.json.framing.record_scan import scan_element
from transforms.formats.json.framing.value_ends import SPACE, STRING, find_value_end
from transforms.formats.json.framing.wrappers import END, NAME, PLAIN, Wrapper, is_called

_MOST_BYTES = 16 << 20  # of a value that stands beside a list
_HEAD = 64 << 10  # bytes that show whether an object holds the lists
_SEPARATORS = re.compile(rb"[ \t\r\n,]*")
_CUT_OFF = re.compile(rb'(?:"(?:[^"\\\n]|\\[^\n])*\\?|(?:' + STRING + rb"|[-+.\w]+)[ \t\r\n]*)?\Z")


class NestedListReader:
    """The objects around the records that a stream is in."""

    def __init__(self, cursor: Cursor, path: tuple[str, ...], outside: State) -> None:
        """Begin outside of any.

        Args:
            cursor: Where the stream is read.
            path: The names of the lists, from the outside.
            outside: Reads outside of wrappers.
        """
        self._cursor, self._path, self._outside = cursor, path, outside
        self._opening = b'{"%s":[' % path[0].encode()
        self._beginning = re.compile(rb'\{[ \t\r\n]*"%s"[ \t\r\n]*:[ \t\r\n]*\[' % path[0].encode())
        self._wrapper = Wrapper(0)
        self._first = 0  # records before those of the list
        self._has_elements = False

    @property
    def is_unclosed(self) -> bool:
        """Whether the text ended within one."""
        return bool(self._wrapper.members)

    def open(self, start: int) -> bool:
        """Look into an object; one that does not begin with the outer list is a record itself."""
        cursor, text = self._cursor, self._cursor.text
        if not self._beginning.match(text, start):
            head = text[start : start + _HEAD]
            if not cursor.final and len(head) < _HEAD and self._opening.startswith(head.translate(None, SPACE)):
                return False
            return cursor.take(cursor.object(start, in_list=False))
        self._first = self._cursor.found.count
        return self._enter(start)

    def fed(self) -> None:
        """Take note that there is more text, and that records before its place were given."""
        self._first = 0

    def flush(self) -> None:
        """Give attributes to the records that were found."""
        if self._wrapper.members and self._first < self._cursor.found.count:
            self._cursor.found.group(self._first, self._wrapper.attributes())
        self._first = self._cursor.found.count

    def _enter(self, start: int) -> bool:
        self.flush()
        self._wrapper.members.append([])
        self._cursor.place, self._cursor.state = start + 1, self._members
        return True

    def _leave(self) -> bool:
        """Read on outside: what follows is not what it should be."""
        self.flush()
        self._wrapper.members.clear()
        self._cursor.state = self._outside
        return True

    def _members(self) -> bool:
        """Read a member of the innermost object, or its end."""
        cursor, text = self._cursor, self._cursor.text
        end = END.match(text, cursor.place)
        if end:
            self.flush()
            self._wrapper.members.pop()
            cursor.place, self._has_elements = end.end(), True
            cursor.state = self._elements if self._wrapper.members else self._outside
            return True
        name = NAME.match(text, cursor.place)
        if name is None or name.end() >= len(text):
            following = text[cursor.place : cursor.place + _MOST_BYTES].lstrip(SPACE + b",")[:1]
            return self._leave() if following not in (b"", b'"') else self._wait()
        value = name.end()
        if text[value] == ord("[") and is_called(name[1], self._path[len(self._wrapper.members) - 1]):
            self._has_elements = False
            cursor.place, cursor.state = value + 1, self._elements
            return True
        if text[value] in b"{[":
            closed = find_value_end(text, value, min(len(text), value + _MOST_BYTES))
            if closed.kind != "closed":
                return self._leave() if closed.kind == "broken" else self._wait()
            place = closed.place
        else:
            plain = PLAIN.match(text, value)
            if plain is None:
                return self._wait() if _CUT_OFF.match(text, value) else self._leave()
            place = plain.end()
        self._wrapper.members[-1].append(text[name.start(1) : place])
        cursor.place = place
        return True

    def _wait(self) -> bool:
        """Wait for more of the text, if there is any to come and it is not too much."""
        cursor = self._cursor
        if cursor.final and cursor.text[cursor.place :].strip(SPACE + b","):
            return self._leave()
        return len(cursor.text) - cursor.place > _MOST_BYTES and self._leave()

    def _elements(self) -> bool:
        """Read an element of a list, or its end."""
        cursor, text = self._cursor, self._cursor.text
        start = _SEPARATORS.match(text, cursor.place).end()  # type: ignore[union-attr]  # it matches anywhere
        gap = text[cursor.place : start]
        if start == len(text):
            return False
        if text[start] == ord("]"):
            cursor.place, cursor.state = start + 1, self._members
            return True
        is_object = text[start] == ord("{")
        if is_object and self._has_elements and b"\n" in gap and b"," not in gap:
            return self._leave()  # the list was never closed
        if is_object and len(self._wrapper.members) < len(self._path):
            return self._enter(start)
        self._has_elements = True
        if is_object and cursor.find(in_list=True):
            return True
        if is_object:
            return cursor.take(cursor.object(start, in_list=True))
        return cursor.take(scan_element(text, start, final=cursor.final, max_record=cursor.max_record))
