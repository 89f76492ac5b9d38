"""`--oldest-first`: the oldest events of files that overlap, whatever the limit."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.search.events import search
from transforms.query import parse
from transforms.query.instants import parse_time
from transforms.storage import TierStore

DAY = parse_time("2026-01-01")


@pytest.mark.parametrize("seed", range(3))
def test_they_are_the_newest_from_behind(local_tier: TierStore, seed: int) -> None:
    rng = random.Random(seed)
    tier = Tier(local_tier)
    for number in range(5):
        times = [timedelta(hours=rng.randrange(60), seconds=rng.randrange(3)) for _ in range(rng.randrange(1, 40))]
        tier.add([event(DAY + time, f"{number}", n=str(len(times)), odd=str(at % 2)) for at, time in enumerate(times)])
    for query in (None, "odd=1", "odd=3"):
        expr = parse(query) if query else None
        newest = list(search(tier.store, expr, limit=None))
        oldest = list(search(tier.store, expr, limit=None, oldest_first=True))
        assert [row["_time"] for row in oldest] == [row["_time"] for row in newest][::-1]
        assert sorted(row["_event_id"] for row in oldest) == sorted(row["_event_id"] for row in newest)
        for limit in (1, 7, 50):
            some = search(tier.store, expr, limit=limit, oldest_first=True)
            assert [row["_time"] for row in some] == [row["_time"] for row in oldest[:limit]]
