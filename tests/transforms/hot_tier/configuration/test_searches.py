"""Searches that the tier keeps, whoever saves at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms.core.errors import ConfigurationError, ConflictError, TierError
from transforms.hot_tier.configuration.searches import (
    MOST_NAME,
    MOST_SEARCHES,
    ROOT,
    delete_search,
    load_searches,
    save_search,
)
from transforms.hot_tier.configuration.store import load_configuration
from transforms.storage import TierStore


def test_of_many_who_save_at_once_nothing_is_lost(empty_store: TierStore) -> None:
    names = [f"name {number:02}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda name: save_search(empty_store, name, {"query": name}), names))
    assert sorted(one.version for one in saved) == list(range(1, 17))
    found = load_searches(empty_store)
    assert [(one.name, one.parameters) for one in found.searches] == [(name, {"query": name}) for name in names]
    assert (found.version, load_configuration(empty_store).version) == (16, 0)


def test_of_two_who_take_one_name_the_second_is_told(empty_store: TierStore) -> None:
    first = save_search(empty_store, "errors", {"query": "a"})
    assert save_search(empty_store, "errors", {"query": "a"}) == first
    with pytest.raises(ConflictError, match="there is a search 'errors' already, which .* saved at"):
        save_search(empty_store, "errors", {"query": "b"})
    second = save_search(empty_store, "errors", {"query": "b"}, expected=first.version)
    for expected in (first.version, 99):
        with pytest.raises(ConflictError, match="already"):
            save_search(empty_store, "errors", {"query": "c"}, expected=expected)
    with pytest.raises(ConflictError, match="already"):
        delete_search(empty_store, "errors", expected=first.version)
    assert delete_search(empty_store, "errors", expected=second.version) == second
    with pytest.raises(ConflictError, match="deleted meanwhile"):
        save_search(empty_store, "errors", {"query": "c"}, expected=second.version)
    with pytest.raises(KeyError):
        delete_search(empty_store, "errors")
    assert load_searches(empty_store).searches == ()


@pytest.mark.parametrize("name", ["", " a", "a ", "a/b", "a\\b", "..", "a\u202eb", "a\nb", "x" * (MOST_NAME + 1)])
def test_names_that_are_not_allowed(empty_store: TierStore, name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        save_search(empty_store, name, {})
    assert raised.value.field == "name"


def test_there_are_limits(empty_store: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="8,192 bytes"):
        save_search(empty_store, "large", {"query": "x" * 8200})
    monkeypatch.setattr("transforms.hot_tier.configuration.searches.MOST_SEARCHES", 2)
    assert MOST_SEARCHES == 500
    for name in "ab":
        save_search(empty_store, name, {})
    with pytest.raises(ConfigurationError, match="keeps 2 searches already"):
        save_search(empty_store, "c", {})
    save_search(empty_store, "a", {"query": "b"}, expected=1)


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"format": 2, "version": 1, "searches": []}'])
def test_what_cannot_be_read_is_named(empty_store: TierStore, content: bytes) -> None:
    empty_store.put_new(f"{ROOT}/00000001.json", content)
    with pytest.raises(TierError, match=r"00000001\.json can't be read"):
        load_searches(empty_store)
