"""A store is asked no further once a check raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from transforms.core.errors import CanceledError
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.objects.discovery.stoppable_store import StoppableStore
from transforms.storage import SourceLocation, StorageOptions


def test_listing_and_reading_end(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"hello")
    stop = StopSignal()
    store = StoppableStore(SourceLocation(f"file://{tmp_path}", StorageOptions(), None).open(), stop.check)
    assert store.bucket == f"file://{tmp_path}"
    (info,) = next(store.list_pages(""))
    assert store.look_up("a.log").size == 5
    assert b"".join(store.read(info)) == b"hello"
    pages, chunks = store.list_pages(""), store.read(info)
    assert (len(next(pages)), next(chunks)) == (1, b"hello")
    stop.cancel()
    for ask in (
        lambda: next(pages),
        lambda: next(chunks),
        lambda: next(store.list_pages("")),
        lambda: next(store.read(info)),
        lambda: store.look_up("a.log"),
    ):
        with pytest.raises(CanceledError):
            ask()
