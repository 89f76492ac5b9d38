"""A histogram as a drawing: bars and their parts in the units of an SVG, a legend, and ranges beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from pipelines.documents import JsonObject
from service.pages.explore.levels import meaning_of
from transforms.query.instants import format_instant

WIDTH = 10
"""Of a bar, with the gap beside it."""
HEIGHT = 100
_ORDER = {"error": 0, "warning": 1}
_SERIES = 6
_SPANS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_LEAST, _MOST = (datetime(year, 1, 1, tzinfo=timezone.utc) for year in (1, 9999))


def draw(answer: JsonObject) -> JsonObject:
    """Return what the page draws of an answer of `GET /histogram`."""
    bars: Sequence[JsonObject] = answer["bars"]
    most = max((bar["count"] for bar in bars), default=0)
    colours = _colours(answer["by"])
    return {
        "count": answer["count"],
        "most": most,
        "span": None if answer["span"] is None else span_text(answer["span"]),
        "bars": [_bar(number, bar, most, colours) for number, bar in enumerate(bars)],
        "width": max(1, len(bars)) * WIDTH,
        "ticks": [bars[len(bars) * part // 4]["from"] for part in range(4)] if len(bars) >= 8 else [],
        "first": bars[0]["from"] if bars else None,
        "last": bars[-1]["to"] if bars else None,
        "legend": _legend(answer, colours),
    }


def ranges_beside(start: datetime, end: datetime) -> dict[str, dict[str, str]]:
    """Return the ranges before and after a range, and the one of twice its length around it, as parameters."""
    length, half = end - start, (end - start) / 2
    beside = {"earlier": (-length, -length), "out": (-half, half), "later": (length, length)}
    return {name: _range(start, end, *by) for name, by in beside.items()}


def _range(start: datetime, end: datetime, first: timedelta, second: timedelta) -> dict[str, str]:
    begin = start + first if start - _LEAST > abs(first) else _LEAST
    finish = end + second if _MOST - end > abs(second) else _MOST
    return {"from": format_instant(begin), "to": format_instant(finish), "last": ""}


def span_text(seconds: float) -> str:
    """Return a length of time for people: in the largest unit of which it is a whole number."""
    for name, length in _SPANS:
        if seconds >= length and seconds % length == 0:
            count = int(seconds // length)
            return name if count == 1 else f"{count:,} {name}s"
    return f"{seconds:g} seconds"


def _colours(values: Sequence[str]) -> list[tuple[int, str, str]]:
    """Return the values by which bars are divided, as they are stacked: their numbers, texts and classes."""
    series = iter(range(len(values)))
    named = [(number, value, meaning_of(value) or f"s{next(series) % _SERIES}") for number, value in enumerate(values)]
    return sorted(named, key=lambda one: (_ORDER.get(one[2], 2), one[0]))


def _bar(number: int, bar: JsonObject, most: int, colours: Sequence[tuple[int, str, str]]) -> JsonObject:
    counts = [(value, name, bar["by"][index]) for index, value, name in colours]
    rest = max(0, bar["count"] - sum(count for *_, count in counts))
    parts, top = [], 0.0
    for value, name, count in [*counts, ("other", "others", rest)]:
        if count:
            height = max(HEIGHT * count / most, 0.5)
            top += height
            parts.append({"value": value, "kind": name, "y": round(HEIGHT - top, 2), "height": round(height, 2)})
    return {
        "x": number * WIDTH,
        "from": format_instant(bar["from"]),
        "to": format_instant(bar["to"]),
        "time": bar["from"],
        "count": bar["count"],
        "parts": parts,
        "by": [(value, count) for value, _, count in counts if count],
    }


def _legend(answer: JsonObject, colours: Sequence[tuple[int, str, str]]) -> list[JsonObject]:
    if not colours:
        return []
    totals = [sum(bar["by"][index] for bar in answer["bars"]) for index, *_ in colours]
    legend = [
        {"value": value, "kind": name, "count": count, "is_value": True}
        for (_, value, name), count in zip(colours, totals, strict=True)
    ]
    rest = max(0, answer["count"] - sum(totals))
    return [*legend, {"value": "other", "kind": "others", "count": rest, "is_value": False}] if rest else legend
