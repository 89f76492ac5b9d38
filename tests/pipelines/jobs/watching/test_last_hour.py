"""What a watch did in the last hour, as minutes pass."""

from __future__ import annotations

from pipelines.jobs.report import RecentWork
from pipelines.jobs.watching.last_hour import LastHour


def test_what_is_older_than_an_hour_does_not_count() -> None:
    now = 0.0
    recent = LastHour(clock=lambda: now)
    assert recent.work() == RecentWork()
    recent.add(objects=1, events=10, failed=0, bytes_read=100, waves=1)
    recent.add(objects=1, events=5, failed=1, bytes_read=50, waves=1)
    now += 59 * 60
    recent.add(objects=2, events=1, waves=1)
    assert recent.work() == RecentWork(objects=4, events=16, failed=1, bytes_read=150, waves=3)
    now += 60
    assert recent.work() == RecentWork(objects=2, events=1, waves=1)
    now += 3600
    assert recent.work() == RecentWork()
