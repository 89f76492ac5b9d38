"""One object as it is now: the same as a listing has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import S3
from transforms.core.errors import AccessError, VanishedError
from transforms.storage import StorageOptions, open_store

_NO_EMPTY_PARTS = pytest.mark.moto_only(reason="its keys are paths of files: none has an empty part")


@pytest.mark.parametrize("key", ["a.log", "a b+c/é%20.log", pytest.param("a//b", marks=_NO_EMPTY_PARTS), "dir/"])
def test_of_s3(s3: S3, key: str) -> None:
    s3.put(key, b"hello")
    store = open_store(s3.bucket, s3.options)
    (listed,) = next(store.list_pages(""))
    found = store.look_up(key)
    assert (found.identity, found.storage_class, found.is_archived) == (listed.identity, "STANDARD", False)
    assert abs((found.modified - listed.modified).total_seconds()) < 1


def test_gone_from_s3(s3: S3) -> None:
    with pytest.raises(VanishedError, match="gone"):
        open_store(s3.bucket, s3.options).look_up("a.log")


@pytest.mark.moto_only(reason="it has no storage class GLACIER")
def test_archived(s3: S3) -> None:
    s3.put("a.log", b"hello", StorageClass="GLACIER")
    assert open_store(s3.bucket, s3.options).look_up("a.log").is_archived


def test_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("hello")
    store = open_store(f"file://{tmp_path}", StorageOptions())
    assert [store.look_up("a.log")] == next(store.list_pages(""))


@pytest.mark.parametrize("key", ["b.log", "../a.log", "", "a.log/", "./a.log"])
def test_gone_from_a_folder(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (tmp_path / "a.log").write_text("hello")
    with pytest.raises(VanishedError, match="there is no such file"):
        open_store(f"file://{folder}", StorageOptions()).look_up(key)


def test_a_folder_that_is_gone_is_no_object_that_is(tmp_path: Path) -> None:
    with pytest.raises(AccessError):
        open_store(f"file://{tmp_path / 'none'}", StorageOptions()).look_up("a.log")
