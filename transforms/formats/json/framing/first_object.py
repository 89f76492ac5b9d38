"""Whether the objects of a stream wrap records, and where: the first one decides, by its first 256 KiB.

An object wraps records if its only list of objects has a name that exports of logs have. It must also be the only
object of the stream, or have nothing beside the list, or have one of the names that no event has: an event may well
have `items`. All this is about the text, whichever range of it is read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from transforms.formats.json.framing.brackets import find_end
from transforms.formats.json.framing.value_ends import SPACE, find_value_end
from transforms.formats.json.framing.wrappers import END, NAME, PLAIN

HITS = ("hits", "hits")
"""Elasticsearch's answers: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-search"""
OTLP = ("resourceLogs", "scopeLogs", "logRecords")
"""OpenTelemetry's logs as JSON, lists within lists: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding"""

_LISTS = (
    "Records", "records", "value", "results", "Items", "items", "events", "logEvents", "configurationItems",
)  # fmt: skip
_PATHS = {**{name: (name,) for name in _LISTS}, ".".join(HITS): HITS, OTLP[0]: OTLP}
_UNMISTAKABLE = ("logEvents", "configurationItems", ".".join(HITS), OTLP[0])
_WINDOW = 256 << 10  # bytes of the first object that are looked at
_BEHIND = 64 << 10  # bytes: more white space than that behind an object counts for the end of all
_SMALL_VALUE = 512
_OBJECTS = re.compile(rb"\[[ \t\r\n]*\{")
_NEXT_LINE = re.compile(rb"[^\[,: \t\r\n][ \t\r]*\n\{")
_TIME = re.compile(r"time|date|\Ats\Z", re.IGNORECASE)


@dataclass(frozen=True)
class WrapperChoice:
    """What the first object shows.

    Attributes:
        path: The names that lead to the records; empty if objects are records.
        other: A list of objects that may be the records, but was not taken for them.
    """

    path: tuple[str, ...] = ()
    other: str | None = None


@dataclass
class _Survey:
    """What is in an object, as far as the text goes: lists of objects, other members, a time, and its end."""

    lists: list[str] = field(default_factory=list)
    others: int = 0
    timed: bool = False
    end: int | None = None


def choose_wrapper(text: bytes, start: int, *, ended: bool) -> WrapperChoice | None:
    """Look at the first object.

    Args:
        text: Some text.
        start: Where the object begins.
        ended: Whether no more of the text will come.

    Returns:
        The choice; None if more of the text is needed for it.
    """
    stop = min(len(text), start + _WINDOW)
    seen = _survey(text, start, stop)
    if seen.end is None and stop < start + _WINDOW and not ended:
        return None
    if not seen.lists:
        return WrapperChoice()
    name = seen.lists[0]
    only = len(seen.lists) == 1 and name in _PATHS
    if only and (not seen.others or name in _UNMISTAKABLE):
        return WrapperChoice(_PATHS[name])
    follows = _follows(text, start, stop, seen.end, ended=ended)
    if follows is None:
        return None
    if only and not follows:
        return WrapperChoice(_PATHS[name])
    known = next((name for name in seen.lists if name in _PATHS), None)
    return WrapperChoice(other=None if seen.timed else known or (None if follows else name))


def _survey(text: bytes, start: int, stop: int) -> _Survey:
    seen, place = _Survey(), start + 1
    while (end := END.match(text, place, stop)) is None:
        name = NAME.match(text, place, stop)
        if name is None or name.end() >= stop:
            return seen
        value = name.end()
        called = _text_of(name[1])
        found = _list_in(called, text, value, stop)
        closed = _value_end(text, value, stop)
        if found:
            seen.lists.append(found)
        else:
            seen.others += 1
            seen.timed |= text[value] not in b"{[" and _TIME.search(called) is not None
        if closed is None:
            return seen
        place = closed
    seen.end = end.end()
    return seen


def _list_in(name: str, text: bytes, value: int, stop: int) -> str | None:
    """Return what a list of objects is called, if a member holds one."""
    if _OBJECTS.match(text, value, stop):
        return name
    if name == HITS[0] and text[value] == ord("{") and _survey(text, value, stop).lists == [HITS[1]]:
        return ".".join(HITS)
    return None


def _value_end(text: bytes, value: int, stop: int) -> int | None:
    if text[value] not in b"{[":
        plain = PLAIN.match(text, value, stop)
        return plain.end() if plain else None
    end = find_value_end(text, value, min(stop, value + _SMALL_VALUE))
    return end.place if end.kind == "closed" else find_end(text, value, stop)


def _follows(text: bytes, start: int, stop: int, end: int | None, *, ended: bool) -> bool | None:
    """Whether another object follows; None if that is not known yet."""
    if end is None:
        return _NEXT_LINE.search(text, start, stop) is not None
    behind = text[end : end + _BEHIND]
    if behind.strip(SPACE + b","):
        return True
    return False if ended or len(behind) == _BEHIND else None


def _text_of(literal: bytes) -> str:
    """Return what a name in quotes says."""
    text = literal.decode("utf-8", "replace")
    if "\\" in text:
        try:
            return str(json.loads(text))
        except ValueError:
            pass
    return text[1:-1]
