"""Events of the tier as a sample, as an object would have them, and what a test shows of each."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import orjson

from pipelines.documents import JsonObject
from transforms.core.names import BASE_ATTRIBUTES, SYSTEM_NAMES
from transforms.query.instants import format_instant

GIVEN = ("source", "sourcetype", "host")
"""What a sample's events have beside their text, as a job gives it to them."""
_IN_HEC = (*GIVEN, "index")
_SELF_TOLD = ("text", "json")
"""Formats whose records can be read again one by one."""
_SHOWN = ("_time", "_message", "_error", "_pipelines")
_MOST_ATTRIBUTES, _MOST_CHARACTERS = 200, 2_000
_KINDS = {"dropped": "warning", "failed": "error", "changed": "good"}


def sample_of(rows: list[JsonObject]) -> dict[str, str]:
    """Return events of the tier as fields of the form: their texts, where all that matters is in these.

    Otherwise (records of several lines, or whose names stood in a header) each is an object as HEC takes it.
    """
    texts = [str(row.get("_message") or "") for row in rows]
    given = {name: str(rows[0].get(name) or "") for name in GIVEN}
    formats = {str(row.get("_format") or "text") for row in rows}
    is_plain = (
        all(text and "\n" not in text for text in texts)
        and all(str(row.get(name) or "") == value for row in rows for name, value in given.items())
        and len(formats) == 1
        and formats <= set(_SELF_TOLD)
    )
    if is_plain:
        return {"sample": "\n".join(texts) + "\n", "format": formats.pop(), **given}
    lines = [orjson.dumps(_as_hec(row)).decode() for row in rows]
    return {"sample": "\n".join(lines) + "\n", "format": "splunk_hec", **dict.fromkeys(GIVEN, "")}


def _as_hec(row: JsonObject) -> JsonObject:
    time = row["_time"]
    known = {name: row[name] for name in _IN_HEC if row.get(name)}
    document = {"time": format_instant(time) if isinstance(time, datetime) else str(time), **known}
    document["event"] = row.get("_message") or row.get("_error") or "-"
    if row.get("_format", "text") not in _SELF_TOLD:
        own = [name for name in row if name not in SYSTEM_NAMES and name not in BASE_ATTRIBUTES]
        document["fields"] = {name: str(row[name]) for name in own}
    return document


def shown_trial(found: JsonObject) -> JsonObject:
    """Return what a page shows of a test: each event before and after, the counts, and which attributes came."""
    events = [_shown_event(event) for event in found["events"]]
    came = Counter(
        row["name"] for event in events for row in event["rows"] if row["kind"] == "came" and row["name"] not in _SHOWN
    )
    outcomes = ("changed", "skipped", "not matched", "failed", "dropped")
    return {
        "format": found["format"],
        "failure": found["failure"],
        "events": events,
        "came": sorted(came.items()),
        "outcomes": outcomes,
        "steps": [step | {name: step.get(name, 0) for name in outcomes} for step in found["steps"]],
        "counts": [
            ("Events", len(events)),
            ("Matched", sum(event["is_matched"] for event in events)),
            ("Changed", sum(event["kind"] == "good" for event in events)),
            ("Dropped", sum(event["after"] is None for event in found["events"])),
            ("With a step that failed", sum(event["has_failed"] for event in events)),
            ("Not read", sum("_error" in event["before"] for event in found["events"])),
        ],
    }


def _shown_event(event: JsonObject) -> JsonObject:
    before, after, steps = event["before"], event["after"], event["steps"]
    outcomes = {step["outcome"] for step in steps}
    outcome = next((name for name in _KINDS if name in outcomes), "as it was")
    ran = dict.fromkeys(step["pipeline"] for step in steps if step["outcome"] != "not matched")
    rows = [] if after is None else _shown_rows(before, after)
    return {
        "outcome": outcome,
        "kind": _KINDS.get(outcome, "info"),
        "is_matched": bool(ran),
        "has_failed": "failed" in outcomes,
        "pipelines": list(ran),
        "failures": [f"{step['pipeline']}: {step['step']}" for step in steps if step["outcome"] == "failed"],
        "rows": rows[:_MOST_ATTRIBUTES] or [_row(name, before.get(name), None) for name in _SHOWN if name in before],
        "more": max(0, len(rows) - _MOST_ATTRIBUTES),
        "is_dropped": after is None,
    }


def _shown_rows(before: JsonObject, after: JsonObject) -> list[dict[str, Any]]:
    """Return the attributes of an event, what has changed first."""
    names = [name for name in dict.fromkeys([*before, *after]) if name in _SHOWN or name not in SYSTEM_NAMES]
    rows = [_row(name, before.get(name), after.get(name)) for name in names]
    return sorted(rows, key=lambda row: (row["name"] not in ("_time", "_message"), not row["kind"]))


def _row(name: str, old: object, new: object) -> dict[str, Any]:
    kind = "" if old == new else "came" if old is None else "gone" if new is None else "changed"
    return {"name": name, "old": _text(old), "new": _text(new), "kind": kind}


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:_MOST_CHARACTERS]
