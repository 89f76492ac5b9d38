"""Whether JSON is what Splunk's HTTP Event Collector takes: only then are its other members no attributes."""

from __future__ import annotations

import re
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
    """Choose HEC for JSON whose first object has `event` and another of its members, and is no record of another kind.

    HEC's own members are plain values but for `event` and `fields`. A record that happens to have an `event` has a
    time, a level or a message beside it, or several members that HEC does not know: as HEC it would lose these.
    """
    members = _first_members(sample.text) if JSON_START.match(sample.text) else {}
    beside = next((name for name in _HEC_FIELDS if name in members), None)
    others = [name for name in members if name not in ("event", *_HEC_FIELDS)]
    nested = any(members.get(name) in ("{", "[") for name in _HEC_FIELDS if name != "fields")
    if (
        "event" not in members
        or beside is None
        or nested
        or len(others) > 1
        or _RECORD_MEMBERS.intersection(map(str.lower, others))
    ):
        return None
    warning = f"its objects have {others[0]!r}, which HEC drops: --format json keeps it" if others else choice.warning
    rule = f"{choice.rule}; its first object has event and {beside}"
    return replace(choice, format="splunk_hec", rule=rule, warning=warning)


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
