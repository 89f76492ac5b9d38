"""What a body of HEC holds: JSON objects that each wrap an event, run together or in an array, or lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import orjson

from service.hec.answers import Code, HecError

_BLANKS = " \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_TEXTS = ("host", "source", "sourcetype")


@dataclass(frozen=True)
class Payload:
    """Events as they go to the log.

    Attributes:
        data: JSON objects behind each other, or lines; it ends with a newline.
        events: How many there are.
    """

    data: bytes
    events: int


def read_events(body: bytes) -> Payload:
    """Return the events of a body of `/event`.

    Raises:
        HecError: there are none, or one is wrong: then nothing of the body is taken.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    data, objects = body, _objects_by_line(body)
    if not objects and b"}{" in body:
        # objects run together; where these two stand in a text the line before them ends within it, and is no JSON
        data = body.replace(b"}{", b"}\n{")
        objects = _objects_by_line(data)
    if not objects:
        found = list(_scan(body.decode("utf-8", "replace")))
        objects = [one for one, _ in found]
        data = "\n".join(text for _, text in found).encode("utf-8", "replace")
    for number, one in enumerate(objects):
        _check(one, number)
    return Payload(data if data.endswith(b"\n") else data + b"\n", len(objects))


def _objects_by_line(data: bytes) -> list[object]:
    """Return the objects of lines, each of which is one; none where one is not."""
    try:
        objects = [orjson.loads(line) for line in data.split(b"\n") if line and not line.isspace()]
    except orjson.JSONDecodeError:
        return []
    return objects if all(isinstance(one, dict) for one in objects) else []


def read_lines(body: bytes) -> Payload:
    """Return the events of a body of `/raw`: its lines that are not blank.

    Raises:
        HecError: there are none.
    """
    if body.startswith(_UTF_16_MARKS):
        body = body.decode("utf-16", "replace").encode("utf-8", "replace")
    body = body.removeprefix(_BYTE_ORDER_MARK)
    events = sum(1 for line in body.split(b"\n") if line not in (b"", b"\r"))
    if not events:
        raise HecError(Code.NO_DATA)
    return Payload(body if body.endswith(b"\n") else body + b"\n", events)


def check_index(index: object, number: int | None = None) -> None:
    """Check the name of an index.

    Raises:
        HecError: it is none.
    """
    if not isinstance(index, str) or not index.strip() or not index.isprintable():
        raise HecError(Code.INCORRECT_INDEX, number)


def check_fields(fields: object, number: int | None = None) -> None:
    """Check the attributes that an event brings.

    Raises:
        HecError: they are no object of plain values and lists of these.
    """
    if not isinstance(fields, dict):
        raise HecError(Code.INVALID_FIELDS, number)
    for value in fields.values():
        nested = value if isinstance(value, list) else [value]
        if any(isinstance(item, (dict, list)) for item in nested):
            raise HecError(Code.INVALID_FIELDS, number)


def _check(one: object, number: int) -> None:
    if not isinstance(one, dict):
        raise HecError(Code.INVALID_DATA, number)
    event = one.get("event")
    if event is None:
        raise HecError(Code.EVENT_REQUIRED, number)
    if event == "":
        raise HecError(Code.EVENT_BLANK, number)
    if one.get("index") is not None:
        check_index(one["index"], number)
    if one.get("fields") is not None:
        check_fields(one["fields"], number)
    if any(isinstance(one.get(name), (dict, list)) for name in _TEXTS):
        raise HecError(Code.INVALID_DATA, number)


def _scan(text: str) -> Iterator[tuple[object, str]]:
    """Yield the objects of a text with their own texts: run together, over several lines, or in one array."""
    place = _skip(text, 0)
    in_array = text[place : place + 1] == "["
    if in_array:
        place = _skip(text, place + 1)
    number = 0
    while place < len(text):
        if in_array and text[place] == "]":
            if _skip(text, place + 1) < len(text):
                raise HecError(Code.INVALID_DATA, number)
            break
        if in_array and number:
            if text[place] != ",":
                raise HecError(Code.INVALID_DATA, number)
            place = _skip(text, place + 1)
        try:
            found, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            raise HecError(Code.INVALID_DATA, number) from None
        yield found, text[place:end]
        number += 1
        place = _skip(text, end)
    else:
        if in_array:
            raise HecError(Code.INVALID_DATA, number)
    if not number:
        raise HecError(Code.NO_DATA)


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANKS:
        place += 1
    return place


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)
