"""What the tier holds, by the log and by columns: compared with its events and files one by one."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.transforms.hot_tier.search.mixed import mixed_tier
from tests.transforms.hot_tier.tiers import Tier, event, foreign_file
from transforms.core.errors import CanceledError, ConfigurationError
from transforms.hot_tier.search.aggregates import file_counts
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.aggregates.usage import DIMENSIONS, Usage, UsageRow, usage
from transforms.hot_tier.search.event_file import EventFile
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


def sizes(snapshot: Snapshot) -> list[int]:
    return [file.size for file in snapshot.files.values()]


def check_sums(snapshot: Snapshot, found: Usage) -> None:
    assert sum(row.events for row in found.rows) == found.events == snapshot.rows
    assert sum(row.bytes for row in found.rows) == found.bytes == sum(sizes(snapshot))
    assert found.files == len(snapshot.files)


@pytest.fixture
def days(local_tier: TierStore) -> Tier:
    """Three files: of one source, of two and none, and of none."""
    one = [event(DAY + timedelta(minutes=n), "m", source="a") for n in range(4)]
    two = [
        event(DAY + timedelta(days=1, minutes=n), "m", **attributes)
        for n, attributes in enumerate([{"source": "a"}, {"source": "b"}, {"source": "b"}, {}])
    ]
    none = [event(DAY + timedelta(days=1), "m")]
    return Tier(local_tier).add(one, two, none)


def test_days_and_tiers_by_the_log(days: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventFile, "values", None)
    snapshot = Snapshot.load(days.store)
    by_day, by_tier = usage(snapshot, "day"), usage(snapshot, "tier")
    assert [(row.value, row.events, row.files) for row in by_day.rows] == [("2025-01-01", 4, 1), ("2025-01-02", 5, 2)]
    assert by_tier.rows == (UsageRow(value="hot", events=9, files=3, bytes=sum(sizes(snapshot))),)
    check_sums(snapshot, by_day)


def test_sources_share_the_bytes_of_a_file(days: Tier) -> None:
    snapshot = Snapshot.load(days.store)
    found = usage(snapshot, "source")
    assert {row.value: (row.events, row.files) for row in found.rows} == {"a": (5, 2), "b": (2, 1), None: (2, 2)}
    check_sums(snapshot, found)
    two = next(file for file in snapshot.files.values() if file.rows == 4 and file.date == "2025-01-02")
    assert next(row for row in found.rows if row.value == "b").bytes in (two.size // 2, two.size // 2 + 1)


def test_only_files_of_several_sources_are_read_and_once(days: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot, cache, reads = Snapshot.load(days.store), FileCache(), []
    values = EventFile.values
    monkeypatch.setattr(EventFile, "values", lambda *args: reads.append(args[0].path) or values(*args))
    assert usage(snapshot, "source", cache=cache) == usage(snapshot, "source", cache=cache)
    assert len(reads) == 1


@pytest.mark.parametrize("by", DIMENSIONS)
def test_random_tiers_agree_with_the_reference(tmp_path: Path, by: str) -> None:
    tier = mixed_tier(tmp_path / "tier", random.Random(3))
    snapshot = Snapshot.load(tier.store)
    found = usage(snapshot, by)
    check_sums(snapshot, found)
    if by == "day":
        assert {row.value: row.events for row in found.rows} == Counter(
            one[0]["_time"].date().isoformat() for one, _ in tier.events
        )
    if by == "tier":
        assert {row.value for row in found.rows} == {"hot", "cold"}
    if by == "source":
        assert [row.value for row in found.rows] == [None]


def test_sources_in_maps_and_of_another_program(local_tier: TierStore) -> None:
    snapshot = Snapshot.load(foreign_file(local_tier).store)
    found = usage(snapshot, "source")
    assert [(row.value, row.events) for row in found.rows] == [(None, 2)]
    check_sums(snapshot, found)


def test_of_too_many_sources_the_rest_is_one_row(days: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_counts, "_KEPT_VALUES", 1)
    snapshot = Snapshot.load(days.store)
    found = usage(snapshot, "source")
    assert {row.value: row.events for row in found.rows} == {"a": 4, "b": 2, None: 3}
    check_sums(snapshot, found)


def test_it_stops_and_refuses(days: Tier) -> None:
    stop = StopSignal()
    stop.cancel()
    with pytest.raises(CanceledError):
        usage(Snapshot.load(days.store), "source", stop=stop)
    with pytest.raises(ConfigurationError, match="must be one of day, source, sourcetype, tier, not host"):
        usage(Snapshot.load(days.store), "host")
