"""What a server needs around its queries: signals to stop, a gate, one snapshot for all, ranges of old logs."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import (
    BusyError,
    CanceledError,
    ConfigurationError,
    RekindleError,
    ResourceLimitError,
    TierError,
    TimeLimitError,
)
from transforms.hot_tier.search.events import Search
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving import snapshots as module
from transforms.hot_tier.search.serving.gate import QueryGate
from transforms.hot_tier.search.serving.ranges import recent_range
from transforms.hot_tier.search.serving.snapshots import Snapshots
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.search.sql import run_sql
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, TierStore, open_tier

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
ENDLESS = "SELECT count(*) FROM range(1000000000000) t(a) WHERE a % 3 = 5"


class Clock:
    """Seconds that go on by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tier(local_tier: TierStore) -> Tier:
    return Tier(local_tier).add([event(DAY, "first")])


def test_a_signal_is_set_when_its_time_is_over() -> None:
    clock = Clock()
    stop = StopSignal(30, clock=clock)
    clock.now += 29
    stop.check()
    stop.restart()
    clock.now += 29
    stop.check()
    clock.now += 1
    with pytest.raises(TimeLimitError, match="longer than 30 s"):
        stop.check()


def test_a_canceled_query_is_told_so_even_after_its_time() -> None:
    stop = StopSignal(0)
    stop.cancel()
    with pytest.raises(CanceledError):
        stop.check()


def test_a_cancel_while_the_time_is_looked_at_is_no_end_of_the_time() -> None:
    def clock() -> float:
        stop.cancel()
        return next(seconds)

    seconds = iter([1.0])
    stop = StopSignal(0, clock=lambda: 0.0)
    stop._clock = clock
    with pytest.raises(CanceledError):
        stop.check()


def test_without_limit_nothing_is_over() -> None:
    clock = Clock()
    stop = StopSignal(clock=clock)
    clock.now += 1e9
    stop.check()


@pytest.mark.parametrize("cancel", [True, False], ids=["canceled", "time over"])
def test_a_statement_that_runs_is_interrupted(tier: Tier, cancel: bool) -> None:
    stop = StopSignal(None if cancel else 0.2)
    timer = threading.Timer(0.2, stop.cancel if cancel else lambda: None)
    timer.start()
    with pytest.raises(CanceledError if cancel else TimeLimitError):
        run_sql(tier.store, ENDLESS, stop=stop).read_all()
    timer.join()


def test_rows_of_a_statement_stop_too(tier: Tier) -> None:
    stop = StopSignal()
    with run_sql(tier.store, "SELECT range FROM range(100000000)", stop=stop) as result:
        batches = result.batches()
        next(batches)
        stop.cancel()
        with pytest.raises(CanceledError):
            next(batches)


def test_a_statement_keeps_to_its_memory(tier: Tier) -> None:
    text = "SELECT list(range) FROM range(30000000)"
    with pytest.raises(ResourceLimitError, match="[Mm]emory"), run_sql(tier.store, text, memory=64 << 20) as result:
        result.read_all()


def test_events_stop_between_two_row_groups(tier: Tier) -> None:
    tier.add([event(DAY + timedelta(days=1), "second")])
    stop = StopSignal()
    frames = Search.begin(tier.store, SearchRequest()).frames(stop=stop)
    assert next(frames)["_message"].to_list() == ["second"]
    stop.cancel()
    with pytest.raises(CanceledError):
        next(frames)


def test_as_many_run_as_there_are_places_and_the_rest_come_in_their_order() -> None:
    gate = QueryGate(2)
    done: list[int] = []
    most, lock, go = [0], threading.Lock(), threading.Event()

    def query(number: int) -> None:
        with gate.turn(StopSignal()):
            with lock:
                most[0] = max(most[0], gate.running)
            go.wait()
            done.append(number)

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=query, args=[number]))
        threads[-1].start()
        while gate.running + gate.waiting < number + 1:
            threading.Event().wait(0.001)
    assert (gate.running, gate.waiting) == (2, 6)
    go.set()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(8))
    assert most == [2]
    assert (gate.running, gate.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("stop", "kind"), [("canceled", CanceledError), ("late", BusyError), ("full", BusyError)], ids=str
)
def test_who_can_t_wait_is_told(stop: str, kind: type[RekindleError]) -> None:
    gate = QueryGate(1, most_waiting=0 if stop == "full" else 5)
    signal = StopSignal(0 if stop == "late" else None)
    if stop == "canceled":
        signal.cancel()
    with gate.turn(StopSignal()):
        with pytest.raises(kind), gate.turn(signal):
            pass
        assert gate.waiting == 0
    with gate.turn(StopSignal()):
        assert gate.running == 1


def test_an_export_has_its_turn_only_while_it_reads() -> None:
    gate, closed = QueryGate(1), []

    def parts() -> Generator[int, None, None]:
        try:
            for number in range(3):
                assert gate.running == 1
                yield number
        finally:
            closed.append(True)

    turns = gate.turns(parts(), StopSignal())
    assert next(turns) == 0
    assert gate.running == 0
    assert list(turns) == [1, 2]
    gate.turns(parts(), StopSignal()).close()
    abandoned = gate.turns(parts(), StopSignal())
    next(abandoned)
    abandoned.close()
    assert closed == [True, True]


def test_a_snapshot_is_opened_once_for_each_version(tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[TierStore] = []

    def counted_load(tier: TierStore) -> Snapshot:
        opened.append(tier)
        return load_events(tier)

    monkeypatch.setattr(module, "load_events", counted_load)
    clock = Clock()
    snapshots = Snapshots(tier.store, clock=clock)
    first = snapshots.newest()
    clock.now += 10
    assert snapshots.newest() is first
    tier.add([event(DAY, "second")])
    assert snapshots.newest() is first  # as of a second ago
    clock.now += 1
    second = snapshots.newest()
    assert (second.version, second.rows) == (first.version + 1, 2)
    assert len(opened) == 2
    clock.now += module.KEPT_SECONDS
    assert snapshots.newest() is not second
    assert snapshots.refresh().version == second.version
    assert len(opened) == 4


def test_no_events_yet(tmp_path: Path) -> None:
    with pytest.raises(TierError, match="no events yet"):
        Snapshots(open_tier(str(tmp_path / "none"), StorageOptions())).newest()


@pytest.mark.parametrize(
    ("now", "start", "from_newest"),
    [
        (DAY + timedelta(hours=5), DAY - timedelta(hours=19), False),
        (DAY + timedelta(hours=24), DAY, False),
        (DAY + timedelta(hours=24, microseconds=1), DAY - timedelta(hours=24) + timedelta(microseconds=1), True),
        (DAY + timedelta(days=400), DAY - timedelta(hours=24) + timedelta(microseconds=1), True),
    ],
    ids=["now", "just", "just not", "old"],
)
def test_a_range_of_old_logs_counts_back_from_the_newest(
    tier: Tier, now: datetime, start: datetime, from_newest: bool
) -> None:
    snapshot = Snapshot.load(tier.store)
    found = recent_range(snapshot, timedelta(hours=24), now=now)
    assert (found.start, found.from_newest) == (start, from_newest)
    assert found.message == (
        "No event is of the last 24h. The range counts back from the newest event, of 2025-01-01T00:00:00Z."
        if from_newest
        else ""
    )
    assert [frame.height for frame in Search.begin(snapshot, SearchRequest(None, found.start, found.end)).frames()] == [
        1
    ]


@pytest.mark.parametrize(
    ("length", "text"),
    [(timedelta(days=7), "7d"), (timedelta(days=3), "3d"), (timedelta(minutes=90), "90m"), (timedelta(0), "0s")],
    ids=["days", "a few days", "minutes", "nothing"],
)
def test_a_length_is_written_as_in_the_query_language(tier: Tier, length: timedelta, text: str) -> None:
    found = recent_range(Snapshot.load(tier.store), length, now=DAY + timedelta(days=99))
    assert f"of the last {text}." in found.message


def test_a_range_of_a_tier_without_events_of_that_name(tier: Tier) -> None:
    found = recent_range(Snapshot.load(tier.store), timedelta(hours=1), tier_name="cold", now=DAY + timedelta(days=9))
    assert not found.from_newest


def test_a_range_longer_than_there_are_dates(tier: Tier) -> None:
    with pytest.raises(ConfigurationError, match="longer than there are dates"):
        recent_range(Snapshot.load(tier.store), timedelta(days=999_999))
