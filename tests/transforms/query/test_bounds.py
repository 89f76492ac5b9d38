"""Bounds of a query's times: a table of ranges."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from transforms.query.bounds import TimeBounds, time_bounds
from transforms.query.instants import microseconds
from transforms.query.parser import parse

DAY = microseconds(datetime(2025, 1, 1, tzinfo=timezone.utc))
HOUR = 3_600_000_000

BOUNDS = {
    "no time": ("a=b word", None, None),
    "from": ("#time>=2025-01-01", DAY, None),
    "after": ("#time>2025-01-01", DAY + 1, None),
    "before": ("#time<2025-01-01", None, DAY),
    "to": ("#time<=2025-01-01", None, DAY + 1),
    "both": ("#time>=2025-01-01 a=b #time<2025-01-01T01:00", DAY, DAY + HOUR),
    "the narrower": ("#time>=2025-01-01 #time>=2025-01-01T01:00", DAY + HOUR, None),
    "either": (
        "(#time>=2025-01-01 #time<2025-01-01T01:00) OR (#time>=2025-01-01T02:00 #time<2025-01-01T03:00)",
        DAY,
        DAY + 3 * HOUR,
    ),
    "either or anything": ("#time>=2025-01-01 OR a=b", None, None),
    "not": ("NOT #time>=2025-01-01", None, None),
    "text": ("#time=2025-01-01*", None, None),
    "another time": ("#observedAt>=2025-01-01", None, None),
    "an attribute": ("_time>=2025", None, None),
    "the last there is": (
        "#time<=9999-12-31T23:59:59.999999Z",
        None,
        microseconds(datetime.max.replace(tzinfo=timezone.utc)) + 1,
    ),
}


@pytest.mark.parametrize(("query", "low", "high"), BOUNDS.values(), ids=BOUNDS.keys())
def test_bounds(query: str, low: int | None, high: int | None) -> None:
    assert time_bounds(parse(query)) == TimeBounds(low, high)


def test_every_event_has_no_bounds() -> None:
    assert time_bounds(None) == TimeBounds()
    assert TimeBounds().overlaps(0, 0)


@pytest.mark.parametrize(
    ("oldest", "newest", "overlaps"),
    [(0, 9, False), (0, 10, True), (19, 30, True), (20, 30, False), (0, 30, True), (12, 13, True)],
)
def test_overlaps(oldest: int, newest: int, *, overlaps: bool) -> None:
    assert TimeBounds(10, 20).overlaps(oldest, newest) is overlaps
