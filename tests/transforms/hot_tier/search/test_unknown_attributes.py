"""Attributes that no event has: the table's list of names in maps is asked, and the files only where it can't tell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.transforms.hot_tier.tiers import Tier, event, foreign_file
from transforms.hot_tier.search import selection
from transforms.hot_tier.search.selection import unknown_attributes
from transforms.query.syntax import Field
from transforms.storage import TierStore

DAY = "2026-01-01"
WILD = {f"wild{number}": "x" for number in range(4097)}


def unknown(store: TierStore, *names: str) -> dict[str, list[str]]:
    return unknown_attributes(store, [Field(name) for name in names])


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return which files' maps are looked through."""
    paths: list[str] = []
    original = selection._names_in_map

    def names_in_map(tier: TierStore, path: str) -> set[str]:
        paths.append(path)
        return original(tier, path)

    monkeypatch.setattr(selection, "_names_in_map", names_in_map)
    return paths


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        pytest.param(["stauts"], {"stauts": ["status"]}, id="typing error"),
        pytest.param(["status", "service", "host"], {}, id="map, column, always a column"),
        pytest.param(["http.code", "htttp.code"], {"htttp.code": []}, id="a member of JSON"),
        pytest.param(["zzz", "stauts", "zzz"], {"zzz": [], "stauts": ["status"]}, id="several"),
    ],
)
@pytest.mark.parametrize("most", [200, 0])
def test_the_tables_list_is_enough(
    local_tier: TierStore, opened: Sequence[str], monkeypatch: pytest.MonkeyPatch, asked: list[str],
    missing: dict[str, list[str]], most: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(selection, "_MOST_FILES", most)
    Tier(local_tier).add([event(DAY, status="1", service="a", http="{}")], promote=["service"])
    assert unknown(local_tier, *asked) == missing
    assert opened == []


@pytest.mark.parametrize("kind", ["no column's name", "too many names", "another program's file"])
def test_files_are_looked_through_where_it_cannot_tell(
    local_tier: TierStore, opened: Sequence[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    others = WILD if kind == "too many names" else {}
    if kind == "another program's file":
        foreign_file(local_tier)
    else:
        Tier(local_tier).add([event(DAY, status="1", **{"a b": "2"}, **others)])
    odd = ("a b", "a c") if kind == "no column's name" else ("status", "stauts")
    assert unknown(local_tier, *odd).keys() == {odd[1]}
    assert opened
    monkeypatch.setattr(selection, "_MOST_FILES", 0)
    assert unknown(local_tier, *odd) == {}
