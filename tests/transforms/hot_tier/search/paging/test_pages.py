"""Pages, forwards and backwards, hold each event once, in one order; compared with the row-by-row reference."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.hot_tier.search.mixed import matching, mixed_tier
from tests.transforms.hot_tier.search.test_events import expected_ids
from tests.transforms.hot_tier.tiers import Tier, event, foreign_file
from tests.transforms.query.test_compiler import TIME, random_query
from transforms.core.errors import CanceledError, ConfigurationError, TimeLimitError
from transforms.hot_tier.search.paging.pages import Page, read_page
from transforms.hot_tier.search.paging.position import EventPosition, PageCursor
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import flat_rows, row_field
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse
from transforms.storage import TierStore

TOO_LATE = PageCursor(EventPosition(time=1 << 62, event_id="", file=0, row=0))
DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


def keys_of(page: Page) -> list[tuple[datetime, str]]:
    return [(row["_time"], row["_event_id"]) for row in flat_rows(page.events)]


def in_order(found: list[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """Return the keys of events, oldest first: those of one time by object and record."""

    def key(one: tuple[datetime, str]) -> tuple[Any, ...]:
        return one[0], re.sub(r"-[0-9]+\Z", "", one[1]), len(one[1]), one[1]

    return sorted(found, key=key)


def all_pages(snapshot: Snapshot, request: SearchRequest, limit: int) -> list[Page]:
    pages = [read_page(snapshot, request, limit=limit)]
    while (cursor := pages[-1].next) is not None:
        pages.append(read_page(snapshot, request, limit=limit, cursor=PageCursor.parse(cursor.token)))
    return pages


@pytest.mark.parametrize("seed", range(2))
def test_pages_of_random_searches_agree_with_the_reference(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    tier = mixed_tier(tmp_path / "tier", rng)
    snapshot = Snapshot.load(tier.store)
    telling = 0
    for number in range(8):
        query = random_query(rng)
        start, end = (rng.choice([None, None, TIME + timedelta(hours=rng.randrange(70))]) for _ in range(2))
        oldest_first = rng.random() < 0.5
        request = SearchRequest(query if number else None, start, end, oldest_first=oldest_first)
        ids = expected_ids(tier, parse("*") if request.expr is None else query, start, end)
        expected = in_order([(one[0]["_time"], f"e_{origin}") for (one, origin) in matching(tier, dict(ids))])
        expected = expected if oldest_first else expected[::-1]
        limit = rng.choice([1, 3, 10, 1000]) if len(expected) < 20 else rng.choice([7, 30])
        pages = all_pages(snapshot, request, limit)
        where = (seed, str(query), start, end, limit, oldest_first)
        assert [key for page in pages for key in keys_of(page)] == expected, where
        assert all(page.events.height == limit for page in pages[:-1]), where
        back = [pages[-1]]
        while (cursor := back[-1].previous) is not None:
            back.append(read_page(snapshot, request, limit=limit, cursor=cursor))
        whole_pages = zip(map(keys_of, back), map(keys_of, pages[::-1]), strict=False)
        assert all(one == other for one, other in list(whole_pages)[: len(pages) - 1]), where
        assert Counter(key for page in back for key in keys_of(page)) == Counter(expected), where
        telling += len(pages) > 1
    assert telling > 1


def test_lines_of_one_second_come_in_the_order_of_their_object(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY, str(number)) for number in range(25)])
    snapshot = Snapshot.load(tier.store)
    for oldest_first, lines in ((True, range(25)), (False, range(24, -1, -1))):
        pages = all_pages(snapshot, SearchRequest(oldest_first=oldest_first), 4)
        assert [row["_message"] for page in pages for row in flat_rows(page.events)] == [str(n) for n in lines]


def test_a_page_begins_where_the_last_ended_whatever_came_between(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY + timedelta(hours=number), str(number)) for number in (1, 3, 5, 7)])
    first = read_page(Snapshot.load(tier.store), SearchRequest(), limit=2)
    tier.add([event(DAY + timedelta(hours=number), str(number)) for number in (2, 6, 8)])
    newer = Snapshot.load(tier.store)
    second = read_page(newer, SearchRequest(), limit=2, cursor=first.next)
    assert [row["_message"] for row in flat_rows(second.events)] == ["3", "2"]
    assert (first.version, second.version) == (newer.version - 1, newer.version)
    assert second.previous is not None
    back = read_page(newer, SearchRequest(), limit=2, cursor=second.previous)
    assert [row["_message"] for row in flat_rows(back.events)] == ["6", "5"]


def test_only_the_fields_asked_for(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY, "m", host="h", other="o")])
    page = read_page(Snapshot.load(tier.store), SearchRequest(fields=(row_field("other"),)))
    assert list(flat_rows(page.events, [row_field("other")])) == [{"other": "o"}]
    assert page.next is page.previous is None


def test_another_program_s_file(local_tier: TierStore) -> None:
    tier = foreign_file(local_tier)
    page = read_page(Snapshot.load(tier.store), SearchRequest(parse("status=404")), limit=1)
    assert [row["_message"] for row in flat_rows(page.events)] == ["in its column"]
    page = read_page(Snapshot.load(tier.store), SearchRequest(parse("status=404")), limit=1, cursor=page.next)
    assert list(flat_rows(page.events)) == tier.rows()[:1]


def test_nothing_matches(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY, "m")])
    page = read_page(Snapshot.load(tier.store), SearchRequest(parse("absent")))
    assert (page.events.height, page.next, page.previous) == (0, None, None)


def test_a_search_that_is_to_stop_does(local_tier: TierStore) -> None:
    snapshot = Snapshot.load(Tier(local_tier).add([event(DAY, "m")]).store)
    stop = StopSignal()
    stop.cancel()
    with pytest.raises(CanceledError, match="canceled"):
        read_page(snapshot, SearchRequest(), stop=stop)
    with pytest.raises(TimeLimitError, match="longer than 0 s"):
        read_page(snapshot, SearchRequest(), stop=StopSignal(0))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "?",
        "äöü",
        "W10",
        "WzEsMiwzXQ",
        PageCursor(EventPosition(time=1 << 62, event_id="", file=0, row=0)).token,
        "e30",
        "A" * 999,
    ],
    ids=["empty", "no base64", "no ASCII", "empty list", "other list", "time out of range", "object", "long"],
)
def test_a_text_that_is_no_cursor_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError, match="not a cursor") as refused:
        PageCursor.parse(token)
    assert refused.value.field == "cursor"


def test_a_cursor_beyond_all_dates_is_refused(local_tier: TierStore) -> None:
    snapshot = Snapshot.load(Tier(local_tier).add([event(DAY, "m")]).store)
    cursor = PageCursor(EventPosition(time=(1 << 62) - 1, event_id="e", file=0, row=0))
    with pytest.raises(ConfigurationError, match="beyond the years"):
        read_page(snapshot, SearchRequest(), cursor=PageCursor.parse(cursor.token))


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_page_has_a_size_that_can_be(local_tier: TierStore, limit: int) -> None:
    snapshot = Snapshot.load(Tier(local_tier).add([event(DAY, "m")]).store)
    with pytest.raises(ConfigurationError, match="from 1 to 10,000"):
        read_page(snapshot, SearchRequest(), limit=limit)
