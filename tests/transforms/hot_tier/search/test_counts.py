"""Counts, histograms and most frequent values: by the log, by columns, and compared with the row-by-row reference."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from tests.conftest import many
from tests.transforms.hot_tier.search.test_events import expected_ids, random_tier
from tests.transforms.hot_tier.tiers import Event, Tier, event, foreign_file
from tests.transforms.query.reference import values_of
from tests.transforms.query.test_compiler import TIME, random_query
from transforms.core.errors import ConfigurationError, TierError
from transforms.hot_tier.data import data_file
from transforms.hot_tier.data.rewrite import rewrite_file
from transforms.hot_tier.search import counts as counting
from transforms.hot_tier.search import grouping
from transforms.hot_tier.search import polars_scan as scanning
from transforms.hot_tier.search.counts import Bar, count, histogram
from transforms.hot_tier.search.event_file import EventFile
from transforms.hot_tier.search.events import search_frames
from transforms.hot_tier.search.request import SearchRequest, TimeBuckets
from transforms.hot_tier.search.rows import row_field
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.top import top
from transforms.hot_tier.table import live_files as files_module
from transforms.hot_tier.table.commit import commit
from transforms.hot_tier.table.live_files import live_files, load_events
from transforms.query import parse
from transforms.query.bounds import TimeBounds
from transforms.query.syntax import Field
from transforms.storage import StorageOptions, TierStore, open_tier

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def request_for(
    query: str | None = None, start: datetime | None = None, end: datetime | None = None, tier_name: str | None = None
) -> SearchRequest:
    return SearchRequest(None if query is None else parse(query), start, end, tier_name=tier_name)


def counts(bars: Sequence[Bar]) -> list[int]:
    return [bar.count for bar in bars]


class Opened:
    """The files that were read, each as often as it was."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        select, count_times, row_groups = scanning.select, counting.count_times, EventFile.row_groups
        matching = grouping._matching

        def counted_matching(selection: Selection, terms: Any) -> str:
            self.paths += [file.path for file in selection.files]
            return matching(selection, terms)

        def counted_select(selection: Selection, **outputs: Field) -> pl.LazyFrame:
            self.paths += [file.path for file in selection.files]
            return select(selection, **outputs)

        def counted_times(selection: Selection, buckets: TimeBuckets) -> Counter[int]:
            self.paths += [file.path for file in selection.files]
            return count_times(selection, buckets)

        def counted_row_groups(file: EventFile, request: SearchRequest) -> Any:
            self.paths.append(file.path)
            return row_groups(file, request)

        monkeypatch.setattr(scanning, "select", counted_select)
        monkeypatch.setattr(grouping, "_matching", counted_matching)
        monkeypatch.setattr(counting, "count_times", counted_times)
        monkeypatch.setattr(EventFile, "row_groups", counted_row_groups)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    return Opened(monkeypatch)


@pytest.fixture
def two_days(local_tier: TierStore) -> Tier:
    """Four files: two interleaved on the first day, then one, then one whose `status` is a column."""
    tier = Tier(local_tier)

    def hours(day: int, *numbers: int, **more: Any) -> list[Event]:
        return [event(DAY + timedelta(days=day, hours=n), f"{day}-{n}", **more) for n in numbers]

    tier.add(hours(0, 1, 4, 7, status="200"), hours(0, 2, 3, 9, status="404"), hours(1, 5, status="404", host="web-1"))
    return tier.add(hours(1, 6, 7, 8, status="404", tags='["a","b","a"]'), promote=["status"])


def test_whole_files_are_counted_by_the_log(two_days: Tier, opened: Opened) -> None:
    assert count(two_days.store, request_for()) == 10
    assert count(two_days.store, request_for("*", DAY)) == 10
    assert count(two_days.store, request_for(start=DAY + timedelta(days=1))) == 4
    assert histogram(two_days.store, request_for(), timedelta(days=1)) == [
        Bar(DAY, DAY + timedelta(days=1), 6),
        Bar(DAY + timedelta(days=1), DAY + timedelta(days=2), 4),
    ]
    assert opened.paths == []


def test_only_files_that_a_range_cuts_are_read(two_days: Tier, opened: Opened) -> None:
    assert count(two_days.store, request_for(start=DAY + 3 * HOUR)) == 8
    assert len(opened.paths) == 2
    assert count(two_days.store, request_for("#time>=2025-01-01T03:00:00Z")) == 8


def test_files_whose_bounds_rule_a_query_out_are_not_read(two_days: Tier, opened: Opened) -> None:
    assert count(two_days.store, request_for("host=web-*")) == 1
    assert len(opened.paths) == 1
    opened.paths.clear()
    assert count(two_days.store, request_for("status=500")) == 0
    assert len(opened.paths) == 3, "in three files it is in the map, and only the fourth can be ruled out"
    assert [frame.height for frame in search_frames(two_days.store, request_for("status=500"))] == []
    assert len(opened.paths) == 6


@pytest.mark.parametrize(
    ("query", "expected"),
    [("status=404", 7), ("status=200", 3), ("NOT tags=*", 7), ("tags=b host!=x", 0), ("tags=b", 3), ("1-*", 4)],
)
def test_attributes_are_counted_wherever_they_are(two_days: Tier, query: str, expected: int) -> None:
    assert count(two_days.store, request_for(query)) == expected


def test_histogram_has_its_empty_spans_and_is_cut_to_its_range(two_days: Tier) -> None:
    bars = histogram(
        two_days.store, request_for("status=404", DAY + timedelta(minutes=90), DAY + timedelta(minutes=330)), HOUR
    )
    assert counts(bars) == [0, 1, 1, 0, 0]
    assert (bars[0].start, bars[0].end, bars[-1].end) == (
        DAY + timedelta(minutes=90),
        DAY + 2 * HOUR,
        DAY + timedelta(minutes=330),
    )
    assert counts(histogram(two_days.store, request_for("status=404", end=DAY + 10 * HOUR), HOUR)) == [
        1,
        1,
        0,
        0,
        0,
        0,
        0,
        1,
    ]
    assert histogram(two_days.store, request_for("status=500"), HOUR) == []


@pytest.mark.parametrize("days", [800_000, 9_999_999, 999_999_999])
def test_a_span_of_all_dates_and_more(two_days: Tier, days: int) -> None:
    bars = histogram(two_days.store, SearchRequest(), timedelta(days=days))
    assert [bar.count for bar in bars] == [len(two_days.events)]
    assert bars[0].start < DAY < bars[0].end


def test_histogram_reads_the_times_only_of_row_groups_that_lie_in_two_spans(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_file, "ROW_GROUP_ROWS", 50)
    read: list[int] = []
    count_in_row_group = counting._count_in_row_group

    def counted(column: pa.ChunkedArray, buckets: TimeBuckets, bounds: TimeBounds) -> dict[int, int]:
        read.append(len(column))
        return count_in_row_group(column, buckets, bounds)

    monkeypatch.setattr(counting, "_count_in_row_group", counted)
    tier = Tier(local_tier).add([event(DAY + timedelta(minutes=minute)) for minute in range(600)])
    assert counts(histogram(tier.store, request_for(), HOUR)) == [60] * 10
    assert read == [50] * 8, "of twelve, those that begin and end with an hour are known"
    read.clear()
    assert counts(
        histogram(tier.store, request_for(None, DAY + timedelta(minutes=90), DAY + timedelta(minutes=160)), HOUR)
    ) == [30, 40]
    assert len(read) == 3
    read.clear()
    assert count(tier.store, request_for(None, DAY + timedelta(minutes=90), DAY + timedelta(minutes=401))) == 311
    assert len(read) == 2


def test_weeks_begin_on_mondays(two_days: Tier) -> None:
    assert [bar.start.isoformat() for bar in histogram(two_days.store, request_for(), timedelta(weeks=1))] == [
        "2024-12-30T00:00:00+00:00"
    ]


def test_span_is_chosen_by_the_range(two_days: Tier) -> None:
    bars = histogram(two_days.store, request_for())
    assert (bars[0].end - bars[0].start, sum(counts(bars))) == (HOUR, 10)
    assert len(histogram(two_days.store, request_for(start=DAY, end=DAY + timedelta(minutes=90)))) == 18


def test_range_of_thousands_of_years(two_days: Tier) -> None:
    first, last = datetime(1, 1, 1, tzinfo=timezone.utc), datetime(9999, 12, 31, tzinfo=timezone.utc)
    bars = histogram(two_days.store, request_for(None, first, last))
    assert (len(bars) <= 49, bars[0].start, bars[-1].end, sum(counts(bars))) == (True, first, last, 10)
    assert sum(counts(histogram(two_days.store, request_for("#time<=9999-12-31")))) == 10


def test_too_many_bars(two_days: Tier) -> None:
    with pytest.raises(ConfigurationError, match=r"at most 10,000 bars, this would have 111,601"):
        histogram(two_days.store, request_for(), timedelta(seconds=1))


def test_top_values(two_days: Tier) -> None:
    assert top(two_days.store, request_for(), row_field("status")) == [("404", 7), ("200", 3)]
    assert top(two_days.store, request_for(), row_field("status"), limit=1) == [("404", 7)]
    assert top(two_days.store, request_for(), row_field("tags")) == [("a", 3), ("b", 3)]
    assert top(two_days.store, request_for("status=404"), row_field("#time"), limit=1) == [("2025-01-01T02:00:00Z", 1)]
    assert top(two_days.store, request_for(), row_field("missing")) == []
    assert top(two_days.store, request_for(), row_field("#team")) == []


def test_top_values_of_equal_number_come_in_the_order_of_text(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY, "", a=value) for value in ("z", "b", "a", "[]", "[x", "[y]", "z")])
    assert top(tier.store, request_for(), Field("a"), limit=3) == [("z", 2), ("[x", 1), ("[y]", 1)]


def test_on_s3_as_in_a_folder(empty_store: TierStore) -> None:
    tier = foreign_file(empty_store)
    assert count(tier.store, request_for("status=404")) == 2
    assert count(tier.store, request_for()) == 2
    assert counts(histogram(tier.store, request_for())) == [1, 1]
    assert top(tier.store, request_for(), row_field("status")) == [("404", 2)]


def test_names_that_no_column_can_have(local_tier: TierStore) -> None:
    names = {"": "1", "*": "2", "^h.*$": "3", "a b": "4", "tier": "5", "attributes.x": "7", "_object": "8", "Host": "9"}
    tier = Tier(local_tier).add([event(DAY, "m", **names, host="h")], promote=["*", "^h.*$"])
    for name, value in names.items():
        assert top(tier.store, request_for(), Field(name)) == [(value, 1)]


def test_empty_tier(local_tier: TierStore) -> None:
    assert count(local_tier, request_for("a=b")) == 0
    assert histogram(local_tier, request_for()) == []
    assert top(local_tier, request_for(), row_field("host")) == []


def test_the_wrong_way_round(two_days: Tier) -> None:
    turned = request_for(None, DAY + 9 * HOUR, DAY)
    assert count(two_days.store, turned) == 0
    assert histogram(two_days.store, turned) == []


def test_file_that_is_gone(two_days: Tier) -> None:
    Path(live_files(two_days.store)[0]).unlink()
    with pytest.raises(TierError, match="search again"):
        count(two_days.store, request_for("a"))


def test_cold_and_hot(two_days: Tier, opened: Opened) -> None:
    snapshot = load_events(two_days.store)
    hot = min(snapshot.files.values(), key=lambda file: file.min_time)
    cold = rewrite_file(
        two_days.store,
        hot.path,
        lambda table: pl.repeat(value=True, n=table.num_rows, eager=True).to_arrow(),
        tier_name="cold",
        date=hot.date,
        promoted=snapshot.columns,
    )
    assert cold is not None
    commit(snapshot, added=[cold], removed=[hot.path], transactions=[("tier", 1)])
    messages = {
        name: [
            message
            for frame in search_frames(two_days.store, request_for("0-*", tier_name=name))
            for message in frame["_message"]
        ]
        for name in ("hot", "cold", None)
    }
    assert messages == {
        "hot": ["0-9", "0-3", "0-2"],
        "cold": ["0-7", "0-4", "0-1"],
        None: ["0-9", "0-7", "0-4", "0-3", "0-2", "0-1"],
    }
    opened.paths.clear()
    assert [count(two_days.store, request_for("0", tier_name=name)) for name in ("hot", "cold", None)] == [3, 3, 6]
    assert [path.partition("/")[0] for path in opened.paths].count("tier=cold") == 2
    with pytest.raises(ConfigurationError, match="must be hot or cold, not warm"):
        count(two_days.store, request_for(tier_name="warm"))


def test_a_query_of_an_hour_opens_only_the_files_of_that_hour(local_tier: TierStore, opened: Opened) -> None:
    """Thirty days, ten files a day."""
    span = timedelta(hours=2.4)
    objects = [
        [event(DAY + number * span + part * span / 4, f"{number} {part}", status="404") for part in range(4)]
        for number in range(300)
    ]
    tier = Tier(local_tier).add(*objects)
    hour = request_for("status=404", DAY + timedelta(days=17, hours=2), DAY + timedelta(days=17, hours=3))
    overlapping = [
        file.path
        for file in load_events(tier.store).files.values()
        if file.min_time < hour.end.timestamp() * 1e6 and file.max_time >= hour.start.timestamp() * 1e6  # type: ignore[union-attr]
    ]
    assert 1 <= len(overlapping) <= 2
    expected = [
        message
        for one in objects
        for (system, _) in one
        if hour.start <= (at := system["_time"]) < hour.end
        for message in [at]
    ]
    assert sorted(time for frame in search_frames(tier.store, hour) for time in frame["_time"]) == expected
    assert sorted(opened.paths) == sorted(overlapping)
    opened.paths.clear()
    assert count(tier.store, hour) == len(expected)
    assert sum(counts(histogram(tier.store, hour))) == len(expected)
    assert top(tier.store, hour, row_field("status")) == [("404", len(expected))]
    assert sorted(opened.paths) == sorted(3 * overlapping)


def attribute_values(events: Sequence[Event], name: str) -> Counter[str]:
    return Counter(
        value for _, attributes in events if name in attributes for value in set(values_of(attributes[name]))
    )


def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, queries: int) -> int:
    """Compare counts with the reference and without pruning; return how many queries matched some events only."""
    rng = random.Random(seed)
    tier = random_tier(open_tier(str(tmp_path / str(seed)), StorageOptions()), rng)
    telling = 0
    for _ in range(queries):
        query = random_query(rng)
        start, end = (rng.choice([None, None, TIME + timedelta(hours=rng.randrange(70))]) for _ in range(2))
        ids = expected_ids(tier, query, start, end)
        asked = SearchRequest(query, start, end)
        where = (seed, str(query), start, end)
        assert count(tier.store, asked) == len(ids), where
        bars = histogram(tier.store, asked, rng.choice([None, HOUR, timedelta(days=1)]))
        assert sum(counts(bars)) == len(ids), where
        for bar in bars:
            assert bar.count == sum(bar.start <= time < bar.end for time in ids.values()), where
        name = rng.choice(["status", "tags", "x y", "Host"])
        events = [one for one, number in tier.events if f"e_{number}" in ids]
        assert dict(top(tier.store, asked, Field(name))) == attribute_values(events, name), where
        with monkeypatch.context() as patch:
            patch.setattr(TimeBounds, "overlaps", lambda *_: True)
            patch.setattr(files_module, "may_hold", lambda *_: True)
            assert count(tier.store, asked) == len(ids), where
            assert sum(frame.height for frame in search_frames(tier.store, asked)) == len(ids), where
        telling += 0 < len(ids) < len(tier.events)
    return telling


@pytest.mark.parametrize("seed", range(3))
def test_random_counts_agree_with_the_reference_and_without_pruning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    assert compare(tmp_path, monkeypatch, seed, 15) > 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 10 + many(8)))
def test_many_random_counts_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    assert compare(tmp_path, monkeypatch, seed, 60) > 8
