"""Which attributes events have, and their values: compared with the events one by one."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.transforms.hot_tier.search.mixed import matching, mixed_tier
from tests.transforms.hot_tier.search.test_counts import attribute_values
from tests.transforms.hot_tier.search.test_events import expected_ids
from tests.transforms.hot_tier.tiers import Tier, event, foreign_file
from tests.transforms.query.test_compiler import TIME, random_query
from transforms.core.errors import CanceledError, ConfigurationError
from transforms.hot_tier.search.aggregates import fields as module
from transforms.hot_tier.search.aggregates import file_counts
from transforms.hot_tier.search.aggregates.fields import complete_names, complete_values, describe_field, list_fields
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.event_file import EventFile
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import row_field
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse
from transforms.query.syntax import Field
from transforms.storage import TierStore

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("seed", range(2))
def test_random_searches_agree_with_the_reference(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    tier = mixed_tier(tmp_path / "tier", rng)
    snapshot, cache = Snapshot.load(tier.store), FileCache()
    for number in range(8):
        query = parse("*") if number % 3 == 0 else random_query(rng)
        start, end = (rng.choice([None, None, TIME + timedelta(hours=rng.randrange(70))]) for _ in range(2))
        request, where = SearchRequest(query, start, end), (seed, str(query), start, end)
        events = [one for one, _ in matching(tier, dict(expected_ids(tier, query, start, end)))]
        expected = Counter(name for _, attributes in events for name in attributes)
        for kept in (cache, cache, None):
            listed = list_fields(snapshot, request, cache=kept)
            assert {one.field.name: one.events for one in listed.fields} == expected, where
            assert listed.is_complete
        values = attribute_values(events, "tags")
        found = describe_field(snapshot, request, Field("tags"), limit=1000, cache=cache)
        assert (dict(found.top), dict(found.rare)) == (values, values), where
        assert (found.events, found.distinct) == (expected["tags"], len(values)), where
        begins = Counter({value: n for value, n in values.items() if value.lower().startswith("a")})
        assert dict(complete_values(snapshot, request, Field("tags"), "A", limit=1000)) == begins, where


@pytest.fixture
def snapshot(local_tier: TierStore) -> Snapshot:
    """Ten events: `host` in its column, the rest in the map."""
    some = [{"a b": "x"} if n else {} for n in range(10)]
    events = [
        event(DAY + timedelta(minutes=n), "m", host=f"Web-{n % 3}", Level="info", **other)
        for n, other in enumerate(some)
    ]
    return Snapshot.load(Tier(local_tier).add(events).store)


def test_the_most_common_come_first_as_names_of_the_language(snapshot: Snapshot) -> None:
    found = list_fields(snapshot, SearchRequest())
    assert [(str(one.field), one.events) for one in found.fields] == [("Level", 10), ("host", 10), ("`a b`", 9)]
    assert found.version == snapshot.version


def test_frequent_and_rare_values(snapshot: Snapshot) -> None:
    found = describe_field(snapshot, SearchRequest(), Field("host"), limit=2)
    assert (found.top, found.rare) == ((("Web-0", 4), ("Web-1", 3)), (("Web-1", 3), ("Web-2", 3)))
    assert (found.events, found.distinct, found.is_exact) == (10, 3, True)


def test_values_of_a_system_attribute(snapshot: Snapshot) -> None:
    found = describe_field(snapshot, SearchRequest(), row_field("#timeSource"))
    assert found.top == (("record", 10),)


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("", ["Level", "host", "`a b`"]),
        ("l", ["Level"]),
        ("`A", ["`a b`"]),
        ("x", []),
        ("#Time", ["#time", "#timeSource"]),
    ],
    ids=["all", "case", "back-quote", "none", "system"],
)
def test_names_by_prefix(snapshot: Snapshot, prefix: str, names: list[str]) -> None:
    assert complete_names(snapshot, SearchRequest(), prefix) == names


@pytest.mark.parametrize(
    ("prefix", "values"),
    [("", 3), ("web-", 3), ("WEB-2", 1), ("eb", 0), ("*", 0)],
    ids=["all", "case", "one", "within", "no wildcard"],
)
def test_values_by_prefix(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch, prefix: str, values: int) -> None:
    found = complete_values(snapshot, SearchRequest(), Field("host"), prefix, cache=FileCache())
    assert len(found) == values
    monkeypatch.setattr(file_counts, "_KEPT_VALUES", 1)  # too many values to keep: those of the prefix are looked for
    again = complete_values(snapshot, SearchRequest(), Field("host"), prefix, cache=FileCache())
    assert prefix == "" or again == found[: len(again)]


def test_whole_files_are_counted_once(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = FileCache()
    first = list_fields(snapshot, SearchRequest(), cache=cache)
    monkeypatch.setattr(EventFile, "attribute_counts", None)
    assert list_fields(snapshot, SearchRequest(), cache=cache) == first


def test_of_too_many_names_the_common_are_listed(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 2)
    found = list_fields(snapshot, SearchRequest())
    assert ([one.field.name for one in found.fields], found.is_complete) == (["Level", "host"], False)


def test_another_program_s_file(local_tier: TierStore) -> None:
    found = list_fields(Snapshot.load(foreign_file(local_tier).store), SearchRequest())
    assert [(one.field.name, one.events) for one in found.fields] == [("status", 2)]


def test_it_stops(snapshot: Snapshot) -> None:
    stop = StopSignal()
    stop.cancel()
    with pytest.raises(CanceledError):
        list_fields(snapshot, SearchRequest(), stop=stop)


def test_a_limit_that_can_t_be_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(ConfigurationError, match="from 1 to 1,000"):
        describe_field(snapshot, SearchRequest(), Field("host"), limit=0)
