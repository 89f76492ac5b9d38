r"""Where one value of JSON text ends, and where reading goes on if it is broken: the rules that `brackets` follows for
many at once.

All rules are about the text, none about how it was cut into blocks:

- A string ends on its line, and white space or one of `,:}]` follows it. A line within an object begins with a brace
  only behind one of `[,:`. An object is at most 1,000 levels deep where a line ends. Where this does not hold the
  object is broken there.
- An object that is broken on its first line is a bad line. One that is broken further on ends before the next line that
  opens with a brace and is indented no deeper. If objects stand beside each other on the line, only what lies before
  the next one is bad.
- What is neither object nor white space goes on to the end of its line, together with the object before it that began
  on the same line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from transforms.formats.json.framing.brackets import MOST_LEVELS

STRING = rb'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"'
_TOKEN = re.compile(STRING + rb'|[{}\[\]\n"]|\\(?:["\\]|\Z)')
_MOST_SPACE = 64 << 10  # bytes
_LINE_START = re.compile(rb"[ \t\r\n]{1,%d}" % _MOST_SPACE)
_BLANKS = re.compile(rb"[ \t\r]*")
_NEW_LINE_OBJECT = re.compile(rb"\n([ \t]*)(\}[ \t]*,?[ \t]*)?(?=\{)")
_NEXT_OBJECT = re.compile(rb"\}[ \t]*(?=\{[ \t]*[\"}])")
_NEXT_ELEMENT = re.compile(rb"\}(?=[ \t]*,[ \t]*\{[ \t]*[\"}])")
AFTER_STRING = b",:}] \t\r\n"
OPENING, CLOSING = b"{[", b"}]"
SPACE = b" \t\r\n"
HISTORY = 80  # bytes before a place that are looked at; more white space than that counts for none


@dataclass(frozen=True)
class End:
    """Where a value ends.

    Attributes:
        kind: `closed`; `broken`; or `open`, where the text (or what may be read of it) ends within it.
        place: The byte after its last; where it is broken; where a string, an escape or the white space of a new line
            begins that goes on beyond the text, else where the text ends.
        depth: Levels that are open.
        hint: From where another object on the line may begin.
    """

    kind: str
    place: int
    depth: int = 0
    hint: int = 0


@dataclass(frozen=True)
class Step:
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


def find_end(text: bytes, start: int, stop: int, *, depth: int = 0) -> End:
    """Find the end of an object or list, looking no further than `stop`; with a depth, of one that is already open at
    `start`.
    """
    for token in _TOKEN.finditer(text, start, stop):
        place, byte = token.start(), text[token.start()]
        if byte in OPENING:
            depth += 1
        elif byte in CLOSING:
            depth -= 1
            if depth <= 0:
                return End("closed", place + 1)
        elif byte == ord("\n"):
            if kind := _meaning_of_feed(text, place, stop, depth):
                return End(kind, place, depth, place)
        elif byte == ord('"'):
            if token.end() - place == 1:
                feed = text.find(b"\n", place, stop)
                return End("open" if feed < 0 else "broken", place if feed < 0 else feed, depth, place)
            if token.end() == len(text):  # what follows it is not known yet
                return End("open", place, depth, place)
            if text[token.end()] not in AFTER_STRING:
                return End("broken", token.end() - 1, depth, place)
        elif token.end() - place == 1:  # a backslash, and what it escapes is not known yet
            return End("open", place, depth, place)
    return End("open", stop, depth, stop)


def _meaning_of_feed(text: bytes, place: int, stop: int, depth: int) -> str | None:
    """Return whether a value is `broken` at a line feed, or `open` there because that depends on what comes behind
    `stop`.
    """
    if depth > MOST_LEVELS:
        return "broken"
    behind = _LINE_START.match(text, place, stop).end()  # type: ignore[union-attr]  # it matches a line feed
    if behind == stop:
        return "open"
    return "broken" if text[behind] == ord("{") and _byte_before(text, place) not in (b"[", b",", b":") else None


def _byte_before(text: bytes, place: int) -> bytes:
    return text[max(0, place - HISTORY) : place].rstrip(SPACE)[-1:]


def step_object(text: bytes, start: int, *, final: bool, in_list: bool, origin: bool, max_record: int) -> Step | None:
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
    end = find_end(text, start, min(len(text), stop))
    if end.kind == "open" and len(text) > stop:
        return Step(start, stop, end.place, "value", end.depth)
    if end.kind == "open" and not final:
        return None
    if end.kind != "closed":
        return _broken(text, start, end, final=final, in_list=in_list, origin=origin, max_record=max_record)
    if in_list:
        return Step(start, end.place, end.place)
    follows = _BLANKS.match(text, end.place).end()  # type: ignore[union-attr]  # it matches anywhere
    if follows == len(text) and not final:
        return None
    if text[follows : follows + 1] in (b"", b"\n", b"{") or b"\n" in text[start : end.place]:
        return Step(start, end.place, end.place)
    return step_line(text, start, final=final, max_record=max_record)


def step_line(text: bytes, start: int, *, final: bool, max_record: int) -> Step | None:
    """Take what is left of a line for a record."""
    stop = start + max_record
    feed = text.find(b"\n", start, stop + 1)
    if feed < 0 and len(text) > stop:
        return Step(start, stop, stop, "line", broken=True)
    if feed < 0 and not final:
        return None
    end = len(text) if feed < 0 else feed
    return Step(start, start + len(text[start:end].rstrip(SPACE)), end, broken=True)


def _broken(
    text: bytes, start: int, end: End, *, final: bool, in_list: bool, origin: bool, max_record: int
) -> Step | None:
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
        return Step(start, kept, kept, broken=True)
    if end.place <= _line_end(text, start):
        return step_line(text, start, final=final, max_record=max_record)
    indent, place = _indent(text, start, origin=origin), start
    while (found := _NEW_LINE_OBJECT.search(text, place, min(len(text), stop))) is not None:
        if len(found[1]) <= indent:
            kept = found.start(2) + 1 if found[2] else found.start()
            return Step(start, start + len(text[start:kept].rstrip(SPACE)), kept, broken=True)
        place = found.end()
    if len(text) <= stop:
        return Step(start, start + len(text[start:].rstrip(SPACE)), len(text), broken=True) if final else None
    last = text.rfind(b"\n", start, stop)
    return Step(start, start + len(text[start:last].rstrip(SPACE)), last, broken=True)


def _line_end(text: bytes, place: int) -> int:
    feed = text.find(b"\n", place)
    return len(text) if feed < 0 else feed


def _indent(text: bytes, start: int, *, origin: bool) -> int:
    """Return how deep an object is indented; 0 if it does not begin its line."""
    low = max(0, start - HISTORY)
    line = text.rfind(b"\n", low, start) + 1
    before = text[line or low : start]
    return len(before) if (line or (origin and not low)) and not before.strip(b" \t") else 0
