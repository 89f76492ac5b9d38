"""Whether JSON is what Splunk's HTTP Event Collector takes: only then are its other members no attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.json.json_format import JSON_START
from transforms.timestamps.records import NAMES

_TOKEN = re.compile(r'"(?P<string>(?:[^"\\]|\\.)*)"(?P<name>\s*:)?|(?P<open>[{\[])|(?P<close>[}\]])', re.DOTALL)
_HEC_FIELDS = ("time", "host", "source", "sourcetype", "index", "fields")
_RECORD_MEMBERS = frozenset(
    {*(name for name in NAMES if name != "time"), "level", "severity", "message", "msg", "log", "logger"}
)


def refine(choice: FormatChoice, sample: FormatSample) -> FormatChoice | None:
    """Choose HEC for JSON whose first object has `event` and another of its members, if all objects have that shape.

    An application's JSON that happens to have an `event` has members that HEC does not know: as HEC they would be no
    attributes.
    """
    members = _first_members(sample.text) if JSON_START.match(sample.text) else {}
    beside = next((name for name in _HEC_FIELDS if name in members), None)
    if "event" not in members or beside is None or not _has_shape(members):
        return None
    others: list[str] = _others(members)
    for found in _objects(sample.text):
        if not _has_shape(found):
            return None
        others = others or _others(found)
    warning = (
        f"its objects have {others[0]!r}, which is no member of HEC: it is kept in _rescued, and "
        "--format json makes an attribute of it"
        if others
        else choice.warning
    )
    rule = f"{choice.rule}; its first object has event and {beside}"
    return replace(choice, format="splunk_hec", rule=rule, warning=warning)


def _has_shape(members: Mapping[str, str]) -> bool:
    """Whether an object can be one that is sent to HEC.

    HEC's own members are plain values but for `event` and `fields`. What has others too must have one that only HEC
    knows, and neither a time, a level nor a message beside HEC's.

    Args:
        members: Each with the bracket that its value opens, if any.
    """
    others = _others(members)
    own = "sourcetype" in members or members.get("fields") == "{" or ("index" in members and len(others) == 1)
    nested = any(members.get(name) in ("{", "[") for name in _HEC_FIELDS if name != "fields")
    return not nested and (not others or (own and not _RECORD_MEMBERS.intersection(map(str.lower, others))))


def _others(members: Mapping[str, str]) -> list[str]:
    return [name for name in members if name not in ("event", *_HEC_FIELDS)]


def _objects(text: str) -> Iterator[dict[str, str]]:
    """Yield the members of each object that is whole, in an array as well; lines that are no JSON are passed over."""
    decoder = json.JSONDecoder(strict=False)
    place = text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = text.find("\n", place) + 1 or len(text)
        else:
            yield {name: _opening(value) for name, value in found.items()}
        place = text.find("{", end)


def _opening(value: object) -> str:
    return "{" if isinstance(value, dict) else "[" if isinstance(value, list) else ""


def _first_members(text: str) -> dict[str, str]:
    """Return the first object's members as far as the text goes, each with the bracket that its value opens, if any."""
    members: dict[str, str] = {}
    name = ""
    depth = inside = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            if name and depth == inside:
                members[name] = token["open"]
            depth, name = depth + 1, ""
            inside = inside or (depth if token["open"] == "{" else 0)  # an array around the object
        elif token["close"]:
            depth -= 1
            if depth < inside:
                break
        elif token["name"] and depth == inside:
            name = token["string"]
            members.setdefault(name, "")
        else:  # a text that is a value
            name = ""
    return members
