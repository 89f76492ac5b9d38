"""Steps through JSON text beside those of `steps`: over elements that are no objects, and over what comes of a record
that was cut.
"""

from __future__ import annotations

import re

from transforms.formats.json.framing.record_scan import AFTER_STRING, CLOSING, OPENING, SPACE, STRING, Step, find_end, step_line

_ITEM = re.compile(STRING + rb'|[{}\[\],\n"]|\\["\\]')
_STRING_REST = re.compile(rb'[^"\\\n]*(?:\\[^\n][^"\\\n]*)*')


def step_element(text: bytes, start: int, *, final: bool, max_record: int) -> Step | None:
    """Read an element that is no object, or what stands in its place: to a comma, the list's end, or the end of the
    line.
    """
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
            return Step(start, start + len(text[start : token.start()].rstrip(SPACE)), token.start())
    else:
        if not final and len(text) <= stop:
            return None
    return step_line(text, start, final=final, max_record=max_record)


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
        if text[place + 1] not in AFTER_STRING:
            return place, depth, False, True
        start = place + 1
    end = find_end(text, start, len(text), depth=depth)
    if end.kind == "open" and text[end.place : end.place + 1] == b'"':
        return skip_value(text, end.place + 1, end.depth, within=True)
    return end.place, end.depth, False, end.kind != "open"
