"""The events around one event: of its object, of its host, or of all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import polars as pl
import pytest

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.paging.surroundings import Surroundings, surroundings
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)


@pytest.fixture
def snapshot(local_tier: TierStore) -> Snapshot:
    """Two objects side by side: the second's events are between those of the first; hosts change."""
    first = [event(DAY + number // 3 * SECOND, f"a{number}", host=f"h{number % 2}") for number in range(12)]
    second = [event(DAY + number * SECOND, f"b{number}", host="h1") for number in range(4)]
    return Snapshot.load(Tier(local_tier).add(first, second, [event(DAY, "alone")]).store)


def messages(frame: pl.DataFrame) -> list[str]:
    return frame.get_column("_message").to_list() if frame.height else []


def shown(found: Surroundings | None) -> tuple[list[str], list[str], list[str]]:
    assert found is not None
    return messages(found.before), messages(found.event), messages(found.after)


@pytest.mark.parametrize(
    ("scope", "before", "after"),
    [
        ("object", ["a2", "a3"], ["a5", "a6", "a7"]),
        ("host", ["a0", "a2"], ["a6", "a8", "a10"]),
        (None, ["alone", "a3"], ["a5", "b1", "a6"]),
    ],
)
def test_before_and_after_in_the_order_of_the_log(
    snapshot: Snapshot, scope: str | None, before: list[str], after: list[str]
) -> None:
    found = surroundings(snapshot, "e_s3://logs/0/0-4", DAY + SECOND, before=2, after=3, scope=scope)
    assert shown(found) == (before, ["a4"], after)
    assert found is not None
    assert found.version == snapshot.version


def test_fewer_where_the_object_begins_and_ends(snapshot: Snapshot) -> None:
    assert shown(surroundings(snapshot, "e_s3://logs/0/1-0", DAY)) == ([], ["b0"], ["b1", "b2", "b3"])
    found = surroundings(snapshot, "e_s3://logs/0/1-3", DAY + 3 * SECOND, before=0)
    assert shown(found) == ([], ["b3"], [])


def test_an_event_without_a_host_is_alone(snapshot: Snapshot) -> None:
    assert shown(surroundings(snapshot, "e_s3://logs/0/2-0", DAY, scope="host")) == ([], ["alone"], [])


@pytest.mark.parametrize(("event_id", "second"), [("e_s3://logs/0/0-4", 2), ("e_other-0", 1), ("E_S3://logs/0/0-4", 1)])
def test_an_event_that_is_not_there(snapshot: Snapshot, event_id: str, second: int) -> None:
    assert surroundings(snapshot, event_id, DAY + second * SECOND) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [({"scope": "user"}, "object or host"), ({"before": -1}, "from 0"), ({"after": 10_001}, "from 0 to 10,000")],
    ids=["scope", "before", "after"],
)
def test_what_can_t_be_is_refused(snapshot: Snapshot, options: dict[str, int | str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        surroundings(snapshot, "e_x-0", DAY, **options)  # type: ignore[arg-type]
