"""Small files in which nothing matches are found many at once, and what is found stays the same."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.hot_tier.search.test_events import Reads, compare, found, messages
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import CanceledError, TierError
from transforms.hot_tier.data import small_files
from transforms.hot_tier.data.small_files import grouped, is_small, read_small_files
from transforms.hot_tier.search.paging.pages import read_page
from transforms.hot_tier.search.reading import empty_files
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.live_files import live_files, load_events
from transforms.query import parse
from transforms.storage import TierStore

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
FILES = 100


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look into files together from the first on."""
    monkeypatch.setattr(empty_files, "_FIRST_FILES", 0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def days(store: TierStore, **rare: Any) -> Tier:
    """Return a hundred days of a file each; the tenth has an event with attributes of its own."""
    return Tier(store).add(
        *(
            [event(DAY + timedelta(days=day), f"day {day}", host="a", **(rare if day == 9 else {}))]
            for day in range(FILES)
        )
    )


@pytest.mark.parametrize("seed", range(20, 24))
def test_random_searches_agree_with_the_reference(tmp_path: Path, seed: int, at_once: None) -> None:
    assert compare(tmp_path, seed, 30) > 3


def test_files_without_a_match_are_not_opened(local_tier: TierStore, reads: Reads) -> None:
    tier = days(local_tier, trace="x")
    assert messages(tier, "nothing") == []
    assert len(reads.footers) == empty_files._FIRST_FILES  # noqa: SLF001
    reads.footers.clear()
    assert messages(tier, "trace=x") == messages(tier, '"day 9" trace=*') == ["day 9"]
    assert len(reads.footers) == 2 * (empty_files._FIRST_FILES + 1)  # noqa: SLF001


def test_files_with_matches_are_opened_one_by_one(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    matching = empty_files.EmptyFileFinder.matching

    def counted(finder: empty_files.EmptyFileFinder, files: Any) -> list[bool]:
        looked.append(len(files))
        return matching(finder, files)

    monkeypatch.setattr(empty_files.EmptyFileFinder, "matching", counted)
    tier = days(local_tier)
    assert messages(tier, "day", limit=None) == [f"day {day}" for day in range(FILES - 1, -1, -1)]
    assert looked == [8, 16]  # behind the first 8 and the 64 that follow these 8
    assert messages(tier, limit=None) == messages(tier, "day", limit=None)


def test_pages_are_the_same(local_tier: TierStore, reads: Reads) -> None:
    tier = days(local_tier, trace="x")
    page = read_page(load_events(tier.store), SearchRequest(parse("trace=x")))
    assert page.events.get_column("_message").to_list() == ["day 9"]
    assert len(reads.footers) == empty_files._FIRST_FILES + 1  # noqa: SLF001


def test_on_s3_as_in_a_folder(empty_store: TierStore, at_once: None) -> None:
    tier = days(empty_store, trace="x")
    assert messages(tier, "trace=x") == ["day 9"]
    assert found(tier, "nothing") == []


def test_file_that_is_gone_or_damaged_is_reported_as_ever(local_tier: TierStore, at_once: None) -> None:
    tier = days(local_tier)
    damaged = Path(live_files(local_tier)[50])
    whole = damaged.read_bytes()
    damaged.write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    with pytest.raises(TierError, match=rf"{damaged.name} can't be read"):
        found(tier, "nothing")
    damaged.unlink()
    with pytest.raises(TierError, match=rf"{damaged.name}: this file is gone"):
        found(tier, "nothing")
    damaged.write_bytes(whole)
    assert found(tier, "nothing") == []


def test_a_cancel_is_looked_for_between_groups(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    tier, stop, looked = days(local_tier), StopSignal(), 0
    matching = empty_files.EmptyFileFinder.matching

    def canceled(finder: empty_files.EmptyFileFinder, files: Any) -> list[bool]:
        nonlocal looked
        looked += 1
        stop.cancel()
        return matching(finder, files)

    monkeypatch.setattr(empty_files.EmptyFileFinder, "matching", canceled)
    with pytest.raises(CanceledError):
        read_page(load_events(tier.store), SearchRequest(parse("nothing")), stop=stop)
    assert looked == 1


def test_groups_keep_the_order_and_are_bounded(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    files = list(load_events(days(local_tier).store).files.values())
    assert [len(group) for group in grouped(files)] == [64, 36]
    assert [file for group in grouped(files) for file in group] == files
    monkeypatch.setattr(small_files, "GROUP_ROWS", 10)
    assert [len(group) for group in grouped(files)] == [10] * 10
    monkeypatch.setattr(small_files, "SMALL_BYTES", 10)
    assert [len(group) for group in grouped(files)] == [1] * FILES
    assert not any(map(is_small, files))


def test_rows_of_files_with_other_columns_stay_apart(local_tier: TierStore) -> None:
    tier = Tier(local_tier).add([event(DAY, "map", status="200")], [event(DAY + timedelta(days=1), "neither")])
    tier.add([event(DAY + timedelta(days=2), "column", status="200")], promote=["status"])
    files = sorted(load_events(local_tier).files.values(), key=lambda file: file.min_time)
    read = read_small_files(local_tier, files, lambda names: [name for name in names if name in ("status", "_message")])
    assert {tuple(some.table.schema.names): some.table["_message"].to_pylist() for some in read} == {
        ("_message",): ["map", "neither"],
        ("_message", "status"): ["column"],
    }
    assert [(some.files.tolist(), some.file_of_row.tolist()) for some in read] == [([0, 1], [0, 1]), ([2], [2])]
