"""Search: newest first, from whichever files, and no more of them than it takes."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from tests.conftest import many
from tests.transforms.hot_tier.tiers import Event, Tier, event, foreign_file
from tests.transforms.query.reference import holds
from tests.transforms.query.test_compiler import TIME, random_event, random_query
from transforms.core import schema
from transforms.core.errors import ConfigurationError, TierError
from transforms.hot_tier.data import data_file, small_files
from transforms.hot_tier.search import event_file
from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.events import search, search_frames
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import flat_rows
from transforms.hot_tier.table.live_files import live_files, load_events
from transforms.query import parse
from transforms.query.syntax import Expr
from transforms.storage import StorageOptions, TierStore, open_tier

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


def found(tier: Tier, query: str | None = None, **options: Any) -> list[dict[str, Any]]:
    return list(search(tier.store, None if query is None else parse(query), **options))


def messages(tier: Tier, query: str | None = None, **options: Any) -> list[str]:
    return [row["_message"] for row in found(tier, query, **options)]


def hourly(day: int, *numbers: int, **attributes: str) -> list[Event]:
    return [event(DAY + timedelta(days=day, hours=number), f"{day}-{number}", **attributes) for number in numbers]


def three_days(store: TierStore) -> Tier:
    """Return three days: the first two interleaved, an attribute promoted between the second and the third."""
    tier = Tier(store)
    tier.add(
        hourly(0, 1, 4, 7, status="200"), hourly(0, 2, 3, 9, status="404"), hourly(1, 5, status="404", host="web-1")
    )
    return tier.add(hourly(2, 1, 2, 3, status="404", host="WEB-1"), promote=["status"])


@pytest.fixture
def days(local_tier: TierStore) -> Tier:
    return three_days(local_tier)


def test_on_s3_as_in_a_folder(empty_store: TierStore) -> None:
    tier = three_days(empty_store)
    assert messages(tier) == ["2-3", "2-2", "2-1", "1-5", "0-9", "0-7", "0-4", "0-3", "0-2", "0-1"]
    assert messages(tier, "status=404 NOT host=WEB-*", start=DAY + timedelta(hours=3), limit=2) == ["0-9", "0-3"]
    assert found(tier, limit=1, fields=["_message", "host"]) == [{"_message": "2-3", "host": "WEB-1"}]
    assert [
        file.startswith(empty_store.table_uri("events") + "/tier=hot/date=2025-01-0")
        for file in live_files(empty_store)
    ] == [True] * 4


def test_newest_come_first_from_all_files(days: Tier) -> None:
    assert messages(days) == ["2-3", "2-2", "2-1", "1-5", "0-9", "0-7", "0-4", "0-3", "0-2", "0-1"]


def test_rows_are_flat_and_whole(days: Tier) -> None:
    by_id = {row["_event_id"]: row for row in days.rows()}
    rows = found(days)
    assert {row["_event_id"]: row for row in rows} == by_id
    assert list(rows[-1]) == ["_time", "_time_source", "_message", "_event_id", "_object", "status"]


@pytest.mark.parametrize("limit", [1, 2, 5, 9, 10, 11, None])
def test_limit_takes_the_newest(days: Tier, limit: int | None) -> None:
    assert messages(days, limit=limit) == messages(days)[:limit]


def test_no_more_than_a_hundred_unless_told(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY + timedelta(seconds=n), str(n)) for n in range(150)])
    assert messages(tier) == [str(n) for n in range(149, 49, -1)]


def test_attribute_is_found_in_its_column_and_in_the_map(days: Tier) -> None:
    assert messages(days, "status=404") == ["2-3", "2-2", "2-1", "1-5", "0-9", "0-3", "0-2"]
    assert messages(days, "host=web-1") == ["2-3", "2-2", "2-1", "1-5"]
    assert messages(days, "NOT host=*") == ["0-9", "0-7", "0-4", "0-3", "0-2", "0-1"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (timedelta(hours=4), timedelta(hours=9), ["0-7", "0-4"]),
        (timedelta(hours=4, microseconds=1), timedelta(hours=9, microseconds=1), ["0-9", "0-7"]),
        (timedelta(days=2), None, ["2-3", "2-2", "2-1"]),
        (None, timedelta(hours=2), ["0-1"]),
        (timedelta(hours=10), timedelta(hours=11), []),
        (timedelta(hours=9), timedelta(hours=4), []),
    ],
    ids=["both", "exact to a microsecond", "from", "to", "nothing then", "the wrong way round"],
)
def test_range_has_its_start_and_not_its_end(
    days: Tier, start: timedelta | None, end: timedelta | None, expected: list[str]
) -> None:
    assert (
        messages(days, start=None if start is None else DAY + start, end=None if end is None else DAY + end) == expected
    )


def test_range_in_another_zone(days: Tier) -> None:
    zone = timezone(timedelta(hours=2))
    assert messages(days, start=datetime(2025, 1, 1, 6, tzinfo=zone), end=datetime(2025, 1, 1, 9, tzinfo=zone)) == [
        "0-4"
    ]


def test_fields_are_kept_in_their_order(local_tier: TierStore) -> None:
    one = event(DAY, "m", system={"_format": "json"}, message="own", _time="T", date="D", host="h", other="o")
    tier = Tier(local_tier).add([one])
    fields = [
        "other",
        "#time",
        "_format",
        "message",
        "attributes.message",
        "attributes._time",
        "date",
        "host",
        "missing",
    ]
    rows = found(tier, fields=fields)
    assert rows == [
        {
            "other": "o",
            "_time": DAY,
            "_format": "json",
            "_message": "m",
            "message": "own",
            "attributes._time": "T",
            "attributes.date": "D",
            "host": "h",
        }
    ]
    assert list(rows[0]) == [
        "other",
        "_time",
        "_format",
        "_message",
        "message",
        "attributes._time",
        "attributes.date",
        "host",
    ]
    assert found(tier, fields=["missing"]) == [{}]


def test_unknown_system_field_is_refused(days: Tier) -> None:
    with pytest.raises(ConfigurationError, match="#eventID is not a system attribute; must be one of #time, "):
        found(days, fields=["#eventID"])


def test_names_that_no_column_can_have(empty_store: TierStore) -> None:
    names = {
        "": "1",
        "*": "2",
        "^h.*$": "3",
        "a b": "4",
        "tier": "5",
        "attributes": "6",
        "attributes.x": "7",
        "_object": "8",
        "Host": "9",
    }
    tier = Tier(empty_store).add([event(DAY, "m", **names, host="h")], promote=["*", "^h.*$"])
    assert found(tier) == tier.rows()
    for name, value in names.items():
        long_name = f"attributes.{name}" if name.startswith("attributes") else name
        assert messages(tier, f"`{long_name}`={value}") == ["m"]
        assert messages(tier, f"`{long_name}`=x") == []


def test_partitions_are_no_part_of_a_row() -> None:
    frame = pl.DataFrame({"_message": ["m"], "tier": ["hot"], "date": ["2025-01-01"], "host": ["h"]})
    assert list(flat_rows(frame)) == [{"_message": "m", "host": "h"}]


def test_empty_tier(local_tier: TierStore) -> None:
    assert list(search(local_tier, parse("a=b"))) == []
    assert live_files(local_tier) == []


def test_no_tier(empty_store: TierStore) -> None:
    with pytest.raises(TierError, match="no events yet"):
        search(empty_store, None)


def test_live_files_are_whole_paths_oldest_first(days: Tier) -> None:
    files = live_files(days.store)
    assert len(files) == 4
    assert [file.split("/date=")[1][:10] for file in files] == ["2025-01-01", "2025-01-01", "2025-01-02", "2025-01-03"]
    assert all(file.startswith(days.store.table_uri("events") + "/tier=hot/") for file in files)


def test_replaced_files_are_not_live(local_tier: TierStore) -> None:
    from transforms.hot_tier.table.commit import commit

    tier = Tier(local_tier).add(hourly(0, 1), hourly(1, 1))
    commit(
        load_events(local_tier),
        added=[],
        removed=[next(iter(load_events(local_tier).files))],
        transactions=[("test", 9)],
    )
    assert len(live_files(local_tier)) == 1
    assert len(messages(tier)) == 1


def test_tier_in_a_folder_with_the_characters_of_patterns(tmp_path: Path) -> None:
    tier = Tier(open_tier(str(tmp_path / "h[o]t *?{a,b}=c" / "host=x"), StorageOptions())).add(hourly(0, 1, host="h"))
    assert found(tier) == tier.rows()


@pytest.fixture
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_file, "ROW_GROUP_ROWS", 50)


class Reads:
    """What a search opens and reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.footers: list[str] = []
        self.groups: list[tuple[str, int]] = []
        row_groups, read = EventFile.row_groups, EventFile.read

        def counted_row_groups(file: EventFile, request: SearchRequest) -> list[RowGroup]:
            self.footers.append(file.path)
            return row_groups(file, request)

        def counted_read(file: EventFile, group: RowGroup, request: SearchRequest, limit: int | None) -> pl.DataFrame:
            self.groups.append((file.path, group.first))
            return read(file, group, request, limit)

        monkeypatch.setattr(EventFile, "row_groups", counted_row_groups)
        monkeypatch.setattr(EventFile, "read", counted_read)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


@pytest.fixture
def month(local_tier: TierStore, small_row_groups: None) -> Tier:
    """Ten days of 4 files of 6 hours, each of 360 events in row groups of about 50."""
    quarters = [
        [
            event(DAY + timedelta(days=day, hours=6 * quarter, minutes=minute), f"{day} {quarter} {minute}")
            for minute in range(360)
        ]
        for day in range(10)
        for quarter in range(4)
    ]
    return Tier(local_tier).add(*quarters)


def test_only_files_of_the_range_are_opened(month: Tier, reads: Reads) -> None:
    start = DAY + timedelta(days=4, hours=5)
    rows = found(month, start=start, end=start + timedelta(hours=2), limit=None)
    assert [row["_time"] for row in rows] == [start + timedelta(minutes=minute) for minute in range(119, -1, -1)]
    overlapping = [
        file.path
        for file in load_events(month.store).files.values()
        if file.max_time >= start.timestamp() * 1e6 and file.min_time < (start + timedelta(hours=2)).timestamp() * 1e6
    ]
    assert len(overlapping) == 2
    assert sorted(reads.footers) == sorted(overlapping)
    assert len(reads.groups) <= 4


def test_a_query_s_own_times_leave_files_out_too(month: Tier, reads: Reads) -> None:
    query = "#time>=2025-01-05T05:00:00Z (#time<2025-01-05T06:00:00Z OR #time<=2025-01-05T07:00:00+02:00) 4"
    assert len(messages(month, query, limit=None)) == 60
    assert len(reads.footers) == 1


def test_only_the_newest_row_groups_are_read_for_a_limit(month: Tier, reads: Reads) -> None:
    assert messages(month, limit=20) == [f"9 3 {minute}" for minute in range(359, 339, -1)]
    assert len(reads.groups) == 1
    assert len(reads.footers) == 1


def test_rows_come_before_all_is_read(month: Tier, reads: Reads) -> None:
    rows = search(month.store, parse("9"), limit=None)
    assert next(iter(rows))["_message"] == "9 3 359"
    assert len(reads.groups) <= 2


def test_rare_events_are_looked_for_in_more_at_a_time(
    month: Tier, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_files, "SMALL_ROWS", 0)
    assert messages(month, '"3 1 17" "3 1 17"', limit=5) == ["3 1 179", "3 1 178", "3 1 177", "3 1 176", "3 1 175"]
    assert 26 * 7 <= len(reads.groups) <= 28 * 8


def test_file_that_a_foreign_compaction_made(empty_store: TierStore) -> None:
    tier = foreign_file(empty_store)
    assert messages(tier, "status=404") == ["in its column", "in the map"]
    assert found(tier) == tier.rows()[::-1]
    assert found(tier, fields=["status"]) == [{"status": "404"}] * 2


def test_file_without_statistics_in_its_footer(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    tier = Tier(local_tier).add(hourly(0, 1, 2, 3), hourly(0, 2, 4))
    monkeypatch.setattr(event_file.EventFile, "_times", lambda file, _: (file.live.min_time, file.live.max_time))
    assert messages(tier) == ["0-4", "0-3", "0-2", "0-2", "0-1"]


def test_file_that_is_gone(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add(hourly(0, 1))
    Path(live_files(local_tier)[0]).unlink()
    with pytest.raises(TierError, match=r"this file is gone.*search again"):
        found(tier)


def test_file_that_is_damaged(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add(hourly(0, 1))
    Path(live_files(local_tier)[0]).write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    with pytest.raises(TierError, match="can't be read"):
        found(tier)


def test_events_of_one_time_come_in_an_order_that_stays(local_tier: TierStore, small_row_groups: None) -> None:
    tier = Tier(local_tier).add(*([event(DAY, f"{number} {line}") for line in range(120)] for number in range(3)))
    everything = messages(tier, limit=None)
    assert sorted(everything) == sorted(row["_message"] for row in tier.rows())
    lines = [int(message.split()[1]) for message in everything if message.startswith("0 ")]
    assert lines == sorted(lines, reverse=True)
    for limit in (1, 7, 60, 200):
        assert messages(tier, limit=limit) == everything[:limit]


def random_tier(store: TierStore, rng: random.Random) -> Tier:
    """Return a tier of several commits, with attributes promoted between them."""
    tier = Tier(store)
    for promote in ([], ["status"], [], ["tags", "x y", "host"]):
        objects: list[Sequence[Event]] = []
        for _ in range(rng.randrange(1, 4)):
            events = [random_event(rng) for _ in range(rng.randrange(1, 25))]
            for system, _ in events:
                system.pop("_event_id", None)
                system["_time"] += timedelta(hours=rng.randrange(60))
            objects.append(sorted(events, key=lambda one: one[0]["_time"]))
        tier.add(*objects, promote=promote)
    return tier


def expected_ids(tier: Tier, query: Expr, start: datetime | None, end: datetime | None) -> dict[str, datetime]:
    rows = tier.rows()
    return {
        row["_event_id"]: row["_time"]
        for row, (one, _) in zip(rows, tier.events, strict=True)
        if (start is None or row["_time"] >= start)
        and (end is None or row["_time"] < end)
        and holds(query, {name: value for name, value in row.items() if name in schema.SYSTEM_COLUMNS}, one[1])
    }


def compare(tmp_path: Path, seed: int, queries: int) -> int:
    rng = random.Random(seed)
    tier = random_tier(open_tier(str(tmp_path / str(seed)), StorageOptions()), rng)
    partial = 0
    for _ in range(queries):
        query = random_query(rng)
        start, end = (rng.choice([None, None, TIME + timedelta(hours=rng.randrange(70))]) for _ in range(2))
        expected = expected_ids(tier, query, start, end)
        limit = rng.choice([None, 1, 5, 20])
        rows = list(
            search(
                tier.store, query, start=start, end=end, limit=limit, fields=rng.choice([(), ("_event_id", "_time")])
            )
        )
        assert [row["_time"] for row in rows] == sorted(expected.values(), reverse=True)[:limit], (
            seed,
            str(query),
            start,
            end,
            limit,
        )
        assert all(expected[row["_event_id"]] == row["_time"] for row in rows)
        assert len({row["_event_id"] for row in rows}) == len(rows)
        partial += 0 < len(expected) < len(tier.events)
    return partial


@pytest.mark.parametrize("seed", range(4))
def test_random_searches_agree_with_the_reference(tmp_path: Path, seed: int) -> None:
    assert compare(tmp_path, seed, 30) > 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50, 50 + many(20)))
def test_many_random_searches_agree_with_the_reference(tmp_path: Path, seed: int) -> None:
    assert compare(tmp_path, seed, 150) > 25


def test_frames_for_who_wants_columns(days: Tier) -> None:
    frames = list(search_frames(days.store, SearchRequest(parse("status=404"))))
    assert [message for frame in frames for message in frame["_message"]] == messages(days, "status=404")


def test_searching_takes_no_beam() -> None:
    code = "import sys, transforms.hot_tier.search.events, transforms.hot_tier.search.sql\n"
    code += "print([m for m in sys.modules if m.startswith('apache_beam')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert orjson.loads(done.stdout.replace("'", '"')) == []
