"""What DuckDB answers of counts is what Polars answers, and it is asked nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.search import grouping
from transforms.hot_tier.search.counts import count, histogram
from transforms.hot_tier.search.grouping import count_buckets, count_values
from transforms.hot_tier.search.request import SearchRequest, TimeBuckets
from transforms.hot_tier.search.rows import row_field
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.top import top
from transforms.query import parse
from transforms.storage import StorageOptions, TierStore, open_tier

DAY = datetime(1969, 12, 31, tzinfo=timezone.utc)  # counting by spans rounds down, before 1970 too
HOUR = timedelta(hours=1)
BUCKETS = TimeBuckets(0, 3_600_000_000)
VALUES = [
    "kiss",
    "KISS",
    "ki\u017fs",
    "\u212aiss",
    "kisst",
    "",
    "i",
    "\u0130",
    "\xdf",
    "ss",
    "200",
    "200.0",
    "a'b\n",
    "[x",
    "x]",
    None,
]

ANSWERED = {
    "everything": "",
    "text without letters": "host=200",
    "without case": "host=kiss",
    "exact case": "host=CASE(KISS)",
    "any of several": 'host IN (i, 200, "")',
    "quotes and newlines": 'host="a\'b\n"',
    "two attributes": "host=kiss filename=f",
    "brackets": 'host="[x"',
    "beyond ASCII, exact case": "host=CASE(\u0130)",
    "nothing": "host=nothing",
}
NOT_ANSWERED = {
    "wildcard": "host=ki*",
    "set": "host=*",
    "word": "kiss",
    "not": "NOT host=200",
    "different": "host!=200",
    "order": "host>100",
    "either": "host=200 OR host=i",
    "beyond ASCII": "host=\u0130",
    "system attribute": "#format=text",
    "in the map": "other=1",
}


def tier_of(store: TierStore, *values: str | None) -> TierStore:
    """Two files: the second lacks the column."""
    named = [{} if value is None else {"host": value} for value in values]
    events = [event(DAY + number * HOUR * 3, "m", filename="F", other="1", **one) for number, one in enumerate(named)]
    return Tier(store).add(events, [event(DAY + HOUR, "m")]).store


@pytest.fixture(scope="module")
def tier(tmp_path_factory: pytest.TempPathFactory) -> TierStore:
    return tier_of(open_tier(str(tmp_path_factory.mktemp("tier")), StorageOptions()), *VALUES)


def select(tier: TierStore, query: str, start: datetime | None = None, end: datetime | None = None) -> Selection:
    return Selection.of(tier, SearchRequest(parse(query) if query else None, start, end))


@pytest.mark.parametrize("query", ANSWERED.values(), ids=ANSWERED.keys())
@pytest.mark.parametrize("hours", [(None, None), (2, 30)], ids=["always", "within a range"])
def test_the_same_answers(
    tier: TierStore, monkeypatch: pytest.MonkeyPatch, query: str, hours: tuple[int | None, ...]
) -> None:
    start, end = (None if hour is None else DAY + hour * HOUR for hour in hours)
    selection, request = select(tier, query, start, end), SearchRequest(parse(query) if query else None, start, end)
    if selection.files:
        buckets, values = count_buckets(selection, BUCKETS), count_values(selection, row_field("host"), 3)
        assert buckets is not None
        assert values is not None
    ask = lambda: [  # noqa: E731
        count(tier, request),
        histogram(tier, request, HOUR),
        *(top(tier, request, row_field("host"), limit=n) for n in (3, None)),
    ]
    quick = ask()
    monkeypatch.setattr(grouping, "can_read", lambda _: False)
    assert quick == ask()
    assert quick[0] or start or query == "host=nothing"


@pytest.mark.parametrize("query", NOT_ANSWERED.values(), ids=NOT_ANSWERED.keys())
def test_what_sql_could_take_for_something_else_is_not_asked(tier: TierStore, query: str) -> None:
    selection = select(tier, query)
    assert count_buckets(selection, BUCKETS) is None
    assert count_values(selection, row_field("filename"), 3) is None


@pytest.mark.parametrize("name", ["other", "missing", "#format", "#time"])
def test_only_attributes_with_a_column_are_grouped(tier: TierStore, name: str) -> None:
    assert count_values(select(tier, ""), row_field(name), 3) is None


def test_lists_hold_several_values(tmp_path: Path) -> None:
    store = tier_of(open_tier(str(tmp_path), StorageOptions()), *["a"] * 3, "b", '["b","b","a"]')
    assert count_values(select(store, ""), row_field("host"), 1) is None
    assert count_buckets(select(store, "host=b"), BUCKETS) is None
    assert count_values(select(store, "host=b"), row_field("filename"), 1) is None
    assert top(store, SearchRequest(), row_field("host"), limit=1) == [("a", 4)]
    assert top(store, SearchRequest(parse("host=b")), row_field("filename"), limit=1) == [("F", 2)]
    assert count(store, SearchRequest(parse("host=b"))) == 2


def test_a_file_that_is_gone_is_left_to_who_says_so(tmp_path: Path) -> None:
    store = tier_of(open_tier(str(tmp_path), StorageOptions()), "a")
    selection = select(store, "")
    for file in selection.files:
        (tmp_path / "events" / file.path).unlink()
    assert count_values(selection, row_field("host"), 1) is None
    assert count_buckets(selection, BUCKETS) is None
