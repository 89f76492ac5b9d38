"""What a dry run found, as the page draws it: numbers by rule, and a chart by day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from pipelines.documents import JsonObject
from service.pages.explore.chart import draw

_MOST_BARS = 90
_LEAST_BARS = 15
"""Empty days before and after, so that the bar of a day doesn't fill the page."""
_DAY_SECONDS = 86_400
HELD = "kept by holds"


def describe_taken(answer: JsonObject) -> JsonObject:
    """Return what rules take, each with its first and last day, and a chart of all of them.

    Args:
        answer: A report, with `days` (`service.workers.taken`).
    """
    days: Sequence[JsonObject] = answer["days"]
    rules = []
    for number, rule in enumerate(answer["rules"]):
        of_rule = [day["day"] for day in days if day["taken"][number]]
        rules.append(rule | {"oldest": of_rule[0] if of_rule else None, "newest": of_rule[-1] if of_rule else None})
    return {"rules": rules, "chart": _chart(answer, days) if days else None}


def _chart(answer: JsonObject, days: Sequence[JsonObject]) -> JsonObject:
    """Return a chart with a bar for each day, or for several where there are many; empty days too."""
    names = [rule["name"] for rule in answer["rules"]]
    shown = [number for number in range(len(names)) if any(day["taken"][number] for day in days)]
    has_holds = any(day["held"] for day in days)
    first, last = (_start_of(days[end]["day"]) for end in (0, -1))
    missing = max(0, _LEAST_BARS - (last - first).days - 1)
    first, last = first - timedelta(days=missing // 2), last + timedelta(days=missing - missing // 2)
    length = timedelta(days=math.ceil(((last - first).days + 1) / _MOST_BARS))
    bars: list[JsonObject] = []
    for number in range((last - first) // length + 1):
        start = first + number * length
        bars.append({"from": start, "to": start + length, "count": 0, "by": [0] * (len(shown) + has_holds)})
    for day in days:
        bar = bars[(_start_of(day["day"]) - first) // length]
        counts = [day["taken"][number] for number in shown] + [day["held"]] * has_holds
        bar["by"] = [before + count for before, count in zip(bar["by"], counts, strict=True)]
        bar["count"] += sum(counts)
    total = sum(bar["count"] for bar in bars)
    by = [names[number] for number in shown] + [HELD] * has_holds
    return draw({"bars": bars, "by": by, "count": total, "span": length.days * _DAY_SECONDS})


def _start_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
