"""Shapes of messages: what is masked, and that they and their queries stand for the same messages."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from tests.transforms.hot_tier.search.mixed import mixed_tier
from tests.transforms.hot_tier.tiers import Tier, event
from tests.transforms.query.reference import holds
from transforms.core.errors import CanceledError, ConfigurationError
from transforms.hot_tier.search.aggregates import patterns as module
from transforms.hot_tier.search.aggregates.patterns import message_patterns, shape_query, shapes_of
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse
from transforms.storage import StorageOptions, TierStore, open_tier

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
SHAPES = {
    "numbers": ("took 35 ms, -1.5 of 1,000", "took * ms, * of *"),
    "quotes": ('login of "bob \\"x\\" b" from \'a b\'', "login of * from *"),
    "apostrophes": ("can't open, don't", "can't open, don't"),
    "UUID": ("id 550e8400-e29b-41d4-a716-446655440000 done", "id * done"),
    "hexadecimal": ("at 0xDEADbeef, commit 1a2b3c4d", "at *, commit *"),
    "words of hexadecimal letters": ("cafe face added", "cafe face added"),
    "IPv4": ("from 10.0.0.1:443 denied", "from * denied"),
    "IPv6": ("peer fe80::1 is 2001:db8:0:0:0:0:0:1", "peer * is *"),
    "mail": ("user ann.b+c@example.org added", "user * added"),
    "stamp": ("2025-01-02T03:04:05.123Z up", "*T*Z up"),
    "runs of masks": ("list 1, 2, 3,4", "list *"),
    "asterisks": ("a * b ** c", "a * b * c"),
    "no ASCII": ("größe ٣ überall 7", "größe * überall *"),
    "empty": ("", ""),
    "JSON": (
        '{"time":"2025-01-02","level":"error","user":"ann","msg":"took 35 ms","n":-1.5e3,"ok":true}',
        '{"time":*,"level":"error","user":*,"msg":"took * ms","n":*,"ok":*}',
    ),
    "JSON in JSON": ('{"a": {"message": "x 17", "b": null}, "c": "y"}', '{"a": {"message": "x *", "b":*}, "c":*}'),
    "arrays of JSON": ('{"a":["x","y",3],"b":[],"Msg":"z"}', '{"a":*,"b":*,"Msg":"z"}'),
    "quotes in JSON": ('{"msg":"said \\"hi 7\\"","user":"a\\"b"}', '{"msg":"said \\"hi *\\"","user":*}'),
    "JSON with numbers as names": ('{"p95":12,"id 7":"x"}', '{"p*":*,"id *":*}'),
    "JSON that is cut in what is read": ('{"user":"ann","msg":"in the mid', '{"user":*,"msg":"in the mid'),
    "JSON that is cut elsewhere": ('{"msg":"m","user":"in the mid', '{"msg":"m","user":*'),
    "no JSON after all": ('{"x" is 7, "y": z', '{"x" is *, "y":*'),
    "JSON with the mark of a kept quote": ('{"msg":"\ufdd0"}', "{*}"),
}


@pytest.mark.parametrize(("message", "shape"), SHAPES.values(), ids=SHAPES.keys())
def test_shapes(message: str, shape: str) -> None:
    found = shapes_of(pl.Series([message, message, None]).drop_nulls())
    assert found.rows() == [(shape, 2, message)]
    if (query := shape_query(shape)) is not None:
        assert holds(parse(query), {"_message": message}, {})


@pytest.mark.parametrize("seed", range(3))
def test_the_query_of_a_shape_finds_its_messages(seed: int) -> None:
    rng = random.Random(seed)
    words = ["a", "7", " ", '"', "'", "\\", "*", "-", "0x1f", "10.0.0.1", "::", ",", "=", "(", "AND", "é", "\n", "@b.c"]
    messages = ["".join(rng.choices(words, k=rng.randrange(9))) for _ in range(300)]
    for message in messages:
        ((shape, _, _),) = shapes_of(pl.Series([message])).rows()
        if (query := shape_query(shape)) is not None:
            assert holds(parse(query), {"_message": message}, {}), (message, shape, query)


@pytest.mark.parametrize("seed", range(3))
def test_the_query_of_a_shape_of_what_looks_like_json_finds_its_messages(seed: int) -> None:
    rng = random.Random(seed)
    words = [
        '"msg":"',
        '"level":',
        '"n":',
        '"',
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        "\\",
        "a",
        "7",
        " ",
        "null",
        "*",
        "\ufdd0",
        "\n",
    ]
    for _ in range(500):
        message = '{"' + "".join(rng.choices(words, k=rng.randrange(12)))
        ((shape, _, _),) = shapes_of(pl.Series([message])).rows()
        if (query := shape_query(shape)) is not None:
            assert holds(parse(query), {"_message": message}, {}), (message, shape, query)


@pytest.fixture
def snapshot(local_tier: TierStore) -> Snapshot:
    many = [event(DAY + timedelta(seconds=n), f"login of user{n} took {n} ms", host="a") for n in range(6)]
    return Snapshot.load(Tier(local_tier).add(many, [event(DAY, "started"), event(DAY, "2025", host="a")]).store)


def test_counts_share_and_example(snapshot: Snapshot) -> None:
    found = message_patterns(snapshot, SearchRequest(parse("host=a")))
    assert [(one.shape, one.count, one.share, one.example, one.query) for one in found.patterns] == [
        ("login of user* took * ms", 6, 6 / 7, "login of user0 took 0 ms", '"login of user* took * ms"'),
        ("*", 1, 1 / 7, "2025", None),
    ]
    assert (found.events, found.shapes, found.is_complete, found.is_exact) == (7, 2, True, True)


def test_random_tiers_in_small_row_groups(tmp_path: Path) -> None:
    tier = mixed_tier(tmp_path / "tier", random.Random(5))
    messages = Counter(one[0]["_message"] for one, _ in tier.events)
    found = message_patterns(Snapshot.load(tier.store), SearchRequest(), limit=1000)
    expected: Counter[str] = Counter()
    for shape, _, example in shapes_of(pl.Series(list(messages))).rows():
        del example
        expected[shape] += 0
    for message, count in messages.items():
        expected[shapes_of(pl.Series([message])).row(0)[0]] += count
    assert Counter({one.shape: one.count for one in found.patterns}) == expected


def test_only_so_many_events_are_looked_at(snapshot: Snapshot) -> None:
    found = message_patterns(snapshot, SearchRequest(), most_events=3)
    assert (found.events, found.is_complete) == (6, False)
    assert message_patterns(snapshot, SearchRequest(), most_events=8).is_complete


def test_of_too_many_shapes_the_frequent_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SHAPES", 3)
    letters = "abcdefghijkl"
    objects = [[event(DAY, letter), event(DAY, "often"), event(DAY, "often")] for letter in letters]
    tier = Tier(open_tier(str(tmp_path), StorageOptions())).add(*objects)
    found = message_patterns(Snapshot.load(tier.store), SearchRequest())
    assert not found.is_exact
    assert (found.patterns[0].shape, found.patterns[0].count) == ("often", 24)
    assert found.shapes <= 3


def test_long_messages_are_cut(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY, "x" * 10_000)])
    (pattern,) = message_patterns(Snapshot.load(tier.store), SearchRequest()).patterns
    assert len(pattern.shape) == len(pattern.example) == 512


def test_nothing_matches(snapshot: Snapshot) -> None:
    assert message_patterns(snapshot, SearchRequest(parse("absent"))).patterns == ()


def test_it_stops(snapshot: Snapshot) -> None:
    stop = StopSignal()
    stop.cancel()
    with pytest.raises(CanceledError):
        message_patterns(snapshot, SearchRequest(), stop=stop)
    with pytest.raises(ConfigurationError, match="from 1 to 1,000"):
        message_patterns(snapshot, SearchRequest(), limit=0)
