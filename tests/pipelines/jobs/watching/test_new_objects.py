"""Listing again: what was there before is passed over, what is new or has failed is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.jobs.watching.new_objects import RepeatedListing, manifest_of
from transforms.core.errors import RekindleError
from transforms.objects.discovery.object_filter import KeyPatterns, ObjectFilter
from transforms.storage import ObjectInfo, StorageOptions, open_store


@pytest.fixture
def listing(tmp_path: Path) -> RepeatedListing:
    filter = ObjectFilter(sources=(KeyPatterns(include=("*.log",)),))
    return RepeatedListing(open_store(f"file://{tmp_path}", StorageOptions()), filter, 10)


def new(listing: RepeatedListing) -> list[str]:
    keys: list[str] = listing.list_new().manifest["key"].to_pylist()
    return keys


def info_of(listing: RepeatedListing, key: str) -> ObjectInfo:
    return listing.store.look_up(key)


def test_each_content_is_new_once(tmp_path: Path, listing: RepeatedListing) -> None:
    for name in ("b.log", "a.log", "c.txt"):
        (tmp_path / name).write_text("x")
    assert new(listing) == ["a.log", "b.log"]
    assert listing.list_new().evaluated == 3
    assert new(listing) == []
    (tmp_path / "b.log").write_text("longer")
    (tmp_path / "d.log").write_text("x")
    assert new(listing) == ["b.log", "d.log"]
    os.remove(tmp_path / "a.log")
    assert new(listing) == []


def test_what_was_listed_before_is_not_new(tmp_path: Path, listing: RepeatedListing) -> None:
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text("x")
    listing.take_as_seen([info_of(listing, "a.log")])
    assert new(listing) == ["b.log"]


def test_what_fails_is_tried_again_a_few_times(tmp_path: Path, listing: RepeatedListing) -> None:
    (tmp_path / "a.log").write_text("x")
    (tmp_path / "b.log").write_text("x")
    found = []
    for _ in range(5):
        found.append(new(listing))
        if "a.log" in found[-1]:
            listing.forget(info_of(listing, "a.log"), has_failed=True)
    assert found == [["a.log", "b.log"], ["a.log"], ["a.log"], [], []]


def test_what_vanished_while_it_was_read_is_new_again(tmp_path: Path, listing: RepeatedListing) -> None:
    (tmp_path / "a.log").write_text("x")
    for _ in range(5):
        assert new(listing) == ["a.log"]
        listing.forget(info_of(listing, "a.log"), has_failed=False)


def test_what_could_not_be_ingested_at_all_is_new_again(tmp_path: Path, listing: RepeatedListing) -> None:
    (tmp_path / "a.log").write_text("x")
    assert new(listing) == ["a.log"]
    listing.forget_all()
    assert new(listing) == ["a.log"]


def test_too_many(tmp_path: Path, listing: RepeatedListing) -> None:
    for number in range(11):
        (tmp_path / f"{number}.log").write_text("x")
    with pytest.raises(RekindleError, match="more than 10 objects are under the whole bucket"):
        listing.list_new()
    os.remove(tmp_path / "0.log")
    assert len(new(listing)) == 10


def test_a_manifest_has_all_that_was_listed(tmp_path: Path, listing: RepeatedListing) -> None:
    (tmp_path / "a.log").write_text("x")
    one = info_of(listing, "a.log").with_source(2)
    (row,) = manifest_of([one]).to_pylist()
    assert ObjectInfo(bucket=one.bucket, **row) == one
