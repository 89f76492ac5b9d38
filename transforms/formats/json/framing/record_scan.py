r"""One record of JSON text: what is kept of it, and where reading goes on behind it, whole or broken.

All rules are about the text, none about how it was cut into blocks:

- An object that is broken on its first line is a bad line. One that is broken further on ends before the next line that
  opens with a brace and is indented no deeper. If objects stand beside each other on the line, only what lies before
  the next one is bad.
- What is neither object nor white space goes on to the end of its line, together with the object before it that began
  on the same line. One comma behind an object is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from transforms.formats.json.framing.value_ends import (
    CLOSING,
    HISTORY,
    OPENING,
    SPACE,
    STRING,
    ValueEnd,
    find_value_end,
)

_ITEM = re.compile(STRING + rb'|[{}\[\],\n"]|\\["\\]')
_BLANKS = re.compile(rb"[ \t\r]*")
_NEW_LINE_OBJECT = re.compile(rb"\n([ \t]*)(\}[ \t]*,?[ \t]*)?(?=\{)")
_NEXT_OBJECT = re.compile(rb"\}[ \t]*(?=\{[ \t]*[\"}])")
_NEXT_ELEMENT = re.compile(rb"\}(?=[ \t]*,[ \t]*\{[ \t]*[\"}])")


@dataclass(frozen=True)
class ScannedRecord:
    """A record.

    Attributes:
        start: Where it begins.
        end: Where what is kept of it ends.
        after: Where reading goes on.
        rest: Of a record that is longer than may be kept: `value` or `line`, whatever of it comes after that is passed
            over.
        depth: The levels that are open there.
        broken: Whether it was left because something in it is wrong.
    """

    start: int
    end: int
    after: int
    rest: str | None = None
    depth: int = 0
    broken: bool = False


def scan_object(
    text: bytes, start: int, *, final: bool, in_list: bool, origin: bool, max_record: int
) -> ScannedRecord | None:
    """Read the record that an object's brace begins; None if more of the text is needed.

    Args:
        text: Some text.
        start: Where the brace is.
        final: Whether nothing follows the text.
        in_list: Whether it is an element of a list.
        origin: Whether the text's beginning is a line's.
        max_record: The bytes that are kept of a record.
    """
    stop = start + max_record
    end = find_value_end(text, start, min(len(text), stop))
    if end.kind == "open" and len(text) > stop:
        return ScannedRecord(start, stop, end.place, "value", end.depth)
    if end.kind == "open" and not final:
        return None
    if end.kind != "closed":
        return _broken(text, start, end, final=final, in_list=in_list, origin=origin, max_record=max_record)
    if in_list:
        return ScannedRecord(start, end.place, end.place)
    follows = _BLANKS.match(text, end.place).end()  # type: ignore[union-attr]  # it matches anywhere
    after = end.place
    if text[follows : follows + 1] == b",":
        after = follows + 1
        follows = _BLANKS.match(text, after).end()  # type: ignore[union-attr]
    if follows == len(text) and not final:
        return None
    if text[follows : follows + 1] in (b"", b"\n", b"{") or b"\n" in text[start : end.place]:
        return ScannedRecord(start, end.place, after)
    return scan_line(text, start, final=final, max_record=max_record)


def scan_line(text: bytes, start: int, *, final: bool, max_record: int) -> ScannedRecord | None:
    """Take what is left of a line for a record."""
    stop = start + max_record
    feed = text.find(b"\n", start, stop + 1)
    if feed < 0 and len(text) > stop:
        return ScannedRecord(start, stop, stop, "line", broken=True)
    if feed < 0 and not final:
        return None
    end = len(text) if feed < 0 else feed
    return ScannedRecord(start, start + len(text[start:end].rstrip(SPACE)), end, broken=True)


def scan_element(text: bytes, start: int, *, final: bool, max_record: int) -> ScannedRecord | None:
    """Read an element that is no object: to a comma, the list's end, or the end of the line."""
    stop, depth = start + max_record, 0
    for token in _ITEM.finditer(text, start, min(len(text), stop)):
        byte = text[token.start()]
        if byte in OPENING:
            depth += 1
        elif depth and byte in CLOSING:
            depth -= 1
        elif (byte == ord('"') and len(token[0]) == 1) or byte == ord("\n"):
            break
        elif not depth and byte in b",]":
            return ScannedRecord(start, start + len(text[start : token.start()].rstrip(SPACE)), token.start())
    else:
        if not final and len(text) <= stop:
            return None
    return scan_line(text, start, final=final, max_record=max_record)


def _broken(
    text: bytes, start: int, end: ValueEnd, *, final: bool, in_list: bool, origin: bool, max_record: int
) -> ScannedRecord | None:
    """Find where reading goes on behind a broken object."""
    stop = start + max_record
    line = text.find(b"\n", end.place, stop)
    if line < 0 and len(text) <= stop and not final:
        return None
    match = (_NEXT_ELEMENT if in_list else _NEXT_OBJECT).search(
        text, end.hint, min(len(text), stop) if line < 0 else line
    )
    if match:
        kept = match.start() + 1
        return ScannedRecord(start, kept, kept, broken=True)
    if end.place <= _line_end(text, start):
        return scan_line(text, start, final=final, max_record=max_record)
    indent, place = _indent(text, start, origin=origin), start
    while (found := _NEW_LINE_OBJECT.search(text, place, min(len(text), stop))) is not None:
        if len(found[1]) <= indent:
            kept = found.start(2) + 1 if found[2] else found.start()
            return ScannedRecord(start, start + len(text[start:kept].rstrip(SPACE)), kept, broken=True)
        place = found.end()
    if len(text) <= stop:
        return ScannedRecord(start, start + len(text[start:].rstrip(SPACE)), len(text), broken=True) if final else None
    last = text.rfind(b"\n", start, stop)
    return ScannedRecord(start, start + len(text[start:last].rstrip(SPACE)), last, broken=True)


def _line_end(text: bytes, place: int) -> int:
    feed = text.find(b"\n", place)
    return len(text) if feed < 0 else feed


def _indent(text: bytes, start: int, *, origin: bool) -> int:
    """Return how deep an object is indented; 0 if it does not begin its line."""
    low = max(0, start - HISTORY)
    line = text.rfind(b"\n", low, start) + 1
    before = text[line or low : start]
    return len(before) if (line or (origin and not low)) and not before.strip(b" \t") else 0
