"""A histogram and facets by one scan are what counting event by event gives, with kept counts and without."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from tests.transforms.hot_tier.search.mixed import matching, mixed_tier
from tests.transforms.hot_tier.search.test_counts import attribute_values
from tests.transforms.hot_tier.search.test_events import expected_ids
from tests.transforms.hot_tier.tiers import Tier, event, foreign_file
from tests.transforms.query.test_compiler import TIME, random_query
from transforms.core.errors import CanceledError, ConfigurationError
from transforms.hot_tier.search.aggregates import file_counts as module
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.aggregates.overview import Overview, OverviewRequest, overview
from transforms.hot_tier.search.aggregates.value_counts import ValueCounter, ValueCounts, ranked
from transforms.hot_tier.search.counts import histogram
from transforms.hot_tier.search.event_file import EventFile
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import row_field
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse
from transforms.query.syntax import Field
from transforms.storage import TierStore

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
NAMES = ("status", "tags", "x y", "host")


@pytest.mark.parametrize("seed", range(2))
def test_random_overviews_agree_with_the_reference(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    tier = mixed_tier(tmp_path / "tier", rng)
    snapshot, cache = Snapshot.load(tier.store), FileCache()
    telling = 0
    for number in range(10):
        everything = number % 3 == 0
        query = parse("*") if everything else random_query(rng)
        start, end = (rng.choice([None, None, TIME + timedelta(hours=rng.randrange(70))]) for _ in range(2))
        search = SearchRequest(query, start, end)
        request = OverviewRequest(
            search=search,
            facets=tuple(map(Field, NAMES)),
            span=rng.choice([None, HOUR, timedelta(days=1)]),
            colour=rng.choice([None, Field("host")]),
            most_values=1000,
            most_colours=20,
        )
        where = (seed, str(query), start, end, request.colour)
        found = overview(snapshot, request, cache=cache)
        assert found == overview(snapshot, request, cache=cache) == overview(snapshot, request), where
        events = matching(tier, dict(expected_ids(tier, query, start, end)))
        assert found.count == len(events), where
        if found.count:
            assert list(found.bars) == histogram(snapshot, search, found.span), where
        assert sum(bar.count for bar in found.bars) == len(events), where
        for facet in found.facets:
            expected = attribute_values([one for one, _ in events], facet.field.name)
            assert Counter(dict(facet.values)) == expected, where
            assert facet.events == sum(facet.field.name in one[1] for one, _ in events), where
            assert facet.distinct == len(expected), where
            assert facet.is_exact
        check_colours(found, [one[1].get("host") for one, _ in events] if request.colour else [])
        telling += 0 < found.count < len(tier.events)
    assert telling > 2


def check_colours(found: Overview, hosts: list[str | None]) -> None:
    totals = Counter(host for host in hosts if host is not None)
    for colour, *counts in zip(found.colours, *found.coloured, strict=True):
        assert sum(counts) == totals[colour]
    assert len(found.colours) == min(len(totals), 20)
    assert all(sum(counts) <= bar.count for bar, counts in zip(found.bars, found.coloured, strict=True))


@pytest.fixture
def days(local_tier: TierStore) -> Tier:
    """Two days of 4 events, each day a file; the first day's hosts are in the map of no file."""
    first = [event(DAY + n * HOUR, "m", host=f"h{n % 2}", system={"_format": "text"}) for n in range(4)]
    second = [event(DAY + timedelta(days=1) + n * HOUR, "m", host="h0", rare=str(n)) for n in range(4)]
    return Tier(local_tier).add(first).add(second)


def request_of(query: str = "", **options: object) -> OverviewRequest:
    search = SearchRequest(parse(query) if query else None)
    return OverviewRequest(search=search, **options)  # type: ignore[arg-type]


def test_bars_by_colour(days: Tier) -> None:
    found = overview(Snapshot.load(days.store), request_of(span=timedelta(days=1), colour=Field("host")))
    assert [bar.count for bar in found.bars] == [4, 4]
    assert found.colours == ("h0", "h1")
    assert found.coloured == ((2, 2), (4, 0))


def test_system_attributes_and_times_are_facets_too(days: Tier) -> None:
    fields = tuple(map(row_field, ("#format", "#time", "absent", "rare")))
    found = overview(Snapshot.load(days.store), request_of("host=h1", facets=fields))
    assert [facet.values for facet in found.facets] == [
        (("text", 2),),
        (("2025-01-01T01:00:00Z", 1), ("2025-01-01T03:00:00Z", 1)),
        (),
        (),
    ]


def test_a_file_is_counted_once_and_never_again(days: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot, cache = Snapshot.load(days.store), FileCache()
    request = request_of(facets=(Field("host"), Field("rare")))
    reads: list[str] = []
    values = EventFile.values

    def counted(file: EventFile, *args: object) -> pl.DataFrame:
        reads.append(file.path)
        return values(file, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(EventFile, "values", counted)
    first = overview(snapshot, request, cache=cache)
    assert len(reads) == 2
    assert overview(snapshot, request, cache=cache) == first
    assert len(reads) == 2
    days.add([event(DAY + timedelta(days=2), "m", host="new")])
    newer = overview(Snapshot.load(days.store), request, cache=cache)
    assert newer.count == 9
    assert len(reads) == 3
    newest, conditional = Snapshot.load(days.store), request_of("host=h0", facets=request.facets)
    matching_events = overview(newest, conditional, cache=cache)
    read = len(reads)
    assert read > 3  # a condition has counts of its own
    assert overview(newest, conditional, cache=cache) == matching_events
    assert len(reads) == read


@pytest.mark.parametrize("query", ["word", "absent"])
def test_rows_that_one_scan_has_found_are_looked_up_by_the_next(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """The message is not read again, where a row group lies in the range."""
    some = [event(DAY + n * HOUR, "a word" if n % 3 else "none", host=f"h{n % 2}") for n in range(10)]
    snapshot, cache = Snapshot.load(Tier(local_tier).add(some).store), FileCache()
    overview(snapshot, request_of(query, span=HOUR), cache=cache)
    expected = overview(snapshot, request_of(query, facets=(Field("host"),)))
    asked: list[object] = []
    monkeypatch.setattr(EventFile, "_condition", lambda *_: asked.append(1) or pl.lit(value=False))
    assert overview(snapshot, request_of(query, facets=(Field("host"),)), cache=cache) == expected
    assert asked == []


def test_conditions_are_decided_by_the_values_of_a_file(days: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot, cache = Snapshot.load(days.store), FileCache()
    monkeypatch.setattr(EventFile, "learn_values", lambda file, _: pl.Series(["h0"]))
    known = overview(snapshot, request_of("NOT host=h1", facets=(Field("host"),)), cache=cache)
    assert known.count == overview(snapshot, request_of("host=*", facets=(Field("host"),))).count


def test_kept_counts_keep_to_their_room(days: Tier) -> None:
    snapshot, cache = Snapshot.load(days.store), FileCache(4000)
    for number in range(40):
        overview(snapshot, request_of(facets=(Field(f"absent{number}"), Field("rare"))), cache=cache)
        assert cache.bytes <= 4000
    assert cache.bytes > 0


def test_of_too_many_values_the_frequent_are_kept() -> None:
    counter = ValueCounter(most=10)
    for part in range(20):
        counter.add(ValueCounts.of(pl.Series([f"{part}-{n}" for n in range(7)] + ["often"] * 5)))
    counts = counter.counts()
    assert not counts.is_exact
    assert counts.events == 20 * 12
    assert ranked(counts.frame, 1) == [("often", 100)]
    assert counts.frame.height <= 10


def test_long_values_keep_to_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transforms.hot_tier.search.aggregates.value_counts.MOST_BYTES", 10_000)
    counter = ValueCounter()
    for part in range(20):
        counter.add(ValueCounts.of(pl.Series([f"{part}" * 1000, "often", "often"])))
    counts = counter.counts()
    assert ranked(counts.frame, 1) == [("often", 40)]
    assert counts.frame.estimated_size() <= 10_000
    assert not counts.is_exact


def test_another_program_s_file(local_tier: TierStore) -> None:
    tier = foreign_file(local_tier)
    found = overview(Snapshot.load(tier.store), request_of(facets=(Field("status"),)), cache=FileCache())
    assert (found.count, found.facets[0].values) == (2, (("404", 2),))


def test_nothing_in_the_range(days: Tier) -> None:
    search = SearchRequest(None, DAY + timedelta(days=9))
    found = overview(Snapshot.load(days.store), OverviewRequest(search=search, facets=(Field("host"),)))
    assert (found.count, found.bars, found.facets[0].values) == (0, (), ())


def test_it_stops(days: Tier) -> None:
    stop = StopSignal()
    stop.cancel()
    for query in ("", "host=h0"):
        with pytest.raises(CanceledError):
            overview(Snapshot.load(days.store), request_of(query, facets=(Field("host"),)), stop=stop)


def test_it_stops_between_two_row_groups(days: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, read = StopSignal(), []
    bars_of = module._bars_of  # noqa: SLF001

    def canceling(*args: object) -> module.BarCounts:
        read.append(True)
        stop.cancel()
        return bars_of(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_bars_of", canceling)
    with pytest.raises(CanceledError):
        overview(Snapshot.load(days.store), request_of("m"), stop=stop)
    assert read


@pytest.mark.parametrize(
    "options",
    [{"facets": tuple(Field(str(n)) for n in range(51))}, {"most_bars": 1}, {"most_colours": 21}, {"most_values": -1}],
    ids=["facets", "bars", "colours", "values"],
)
def test_what_can_t_be_is_refused(days: Tier, options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="must be from"):
        overview(Snapshot.load(days.store), request_of("", **options))
