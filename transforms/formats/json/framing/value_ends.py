r"""Where one value of JSON text ends: the rules that `brackets` follows for many values at once.

All rules are about the text, none about how it was cut into blocks: a string ends on its line, and white space or one
of `,:}]` follows it. A line within an object begins with a brace only behind one of `[,:`. An object is at most 1,000
levels deep where a line ends. Where this does not hold the value is broken there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from transforms.formats.json.framing.brackets import MOST_LEVELS

STRING = rb'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"'
SPACE = b" \t\r\n"
OPENING, CLOSING = b"{[", b"}]"
HISTORY = 80  # bytes before a place that are looked at; more white space than that counts for none
_AFTER_STRING = b",:}] \t\r\n"
_TOKEN = re.compile(STRING + rb'|[{}\[\]\n"]|\\(?:["\\]|\Z)')
_STRING_REST = re.compile(rb'[^"\\\n]*(?:\\[^\n][^"\\\n]*)*')
_MOST_SPACE = 64 << 10  # bytes
_LINE_START = re.compile(rb"[ \t\r\n]{1,%d}" % _MOST_SPACE)


@dataclass(frozen=True)
class ValueEnd:
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


def find_value_end(text: bytes, start: int, stop: int, *, depth: int = 0) -> ValueEnd:
    """Find the end of an object or list, looking no further than `stop`; with a depth, of one that is open already."""
    for token in _TOKEN.finditer(text, start, stop):
        place, byte = token.start(), text[token.start()]
        if byte in OPENING:
            depth += 1
        elif byte in CLOSING:
            depth -= 1
            if depth <= 0:
                return ValueEnd("closed", place + 1)
        elif byte == ord("\n"):
            if kind := _meaning_of_feed(text, place, stop, depth):
                return ValueEnd(kind, place, depth, place)
        elif byte == ord('"'):
            if token.end() - place == 1:
                feed = text.find(b"\n", place, stop)
                return ValueEnd("open" if feed < 0 else "broken", place if feed < 0 else feed, depth, place)
            if token.end() == len(text):  # what follows it is not known yet
                return ValueEnd("open", place, depth, place)
            if text[token.end()] not in _AFTER_STRING:
                return ValueEnd("broken", token.end() - 1, depth, place)
        elif token.end() - place == 1:  # a backslash, and what it escapes is not known yet
            return ValueEnd("open", place, depth, place)
    return ValueEnd("open", stop, depth, stop)


def _meaning_of_feed(text: bytes, place: int, stop: int, depth: int) -> str | None:
    """Return whether a value is `broken` at a line feed, or `open` because that depends on what is behind `stop`."""
    if depth > MOST_LEVELS:
        return "broken"
    behind = _LINE_START.match(text, place, stop).end()  # type: ignore[union-attr]  # it matches a line feed
    if behind == stop:
        return "open"
    return "broken" if text[behind] == ord("{") and _byte_before(text, place) not in (b"[", b",", b":") else None


def _byte_before(text: bytes, place: int) -> bytes:
    return text[max(0, place - HISTORY) : place].rstrip(SPACE)[-1:]


def skip_value(text: bytes, start: int, depth: int, *, within: bool) -> tuple[int, int, bool, bool]:
    """Pass over what comes of a record that was cut, up to its end or to where it is broken.

    Args:
        text: Some text.
        start: Where to go on.
        depth: Levels that are open.
        within: Whether in a string.

    Returns:
        Where this went, the levels that are open there, whether in a string, and whether the end was found.
    """
    if within:
        match = _STRING_REST.match(text, start)
        place = match.end() if match else start
        # what a quote or a backslash means depends on what follows
        if place + 1 >= len(text) and text[place:] != b"\n":
            return place, depth, True, False
        if text[place] != ord('"'):  # a line feed, maybe behind a backslash
            return text.index(b"\n", place), depth, False, True
        if text[place + 1] not in _AFTER_STRING:
            return place, depth, False, True
        start = place + 1
    end = find_value_end(text, start, len(text), depth=depth)
    if end.kind == "open" and text[end.place : end.place + 1] == b'"':
        return skip_value(text, end.place + 1, end.depth, within=True)
    return end.place, end.depth, False, end.kind != "open"
