"""A folder as a source: its files by their paths, whatever lies among them."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

import pytest

from transforms.core.errors import AccessError, ConfigurationError, DeniedError, ObjectError, VanishedError
from transforms.storage import ObjectInfo, ObjectStore, StorageOptions, open_store

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store(f"file://{tmp_path}", StorageOptions())


def write(folder: Path, *keys: str, content: bytes | None = None) -> None:
    for key in keys:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(key.encode() if content is None else content)


def all_objects(store: ObjectStore, prefix: str = "") -> dict[str, ObjectInfo]:
    return {info.key: info for info in chain.from_iterable(store.list_pages(prefix))}


def read(store: ObjectStore, info: ObjectInfo, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(store.read(info, start=start, end=end))


def test_what_is_known_of_a_file(tmp_path: Path, store: ObjectStore) -> None:
    write(tmp_path, "a/b c%20😀.log", content=b"12345")
    os.utime(tmp_path / "a/b c%20😀.log", ns=(0, 1_700_000_000_123_456_789))
    (info,) = all_objects(store).values()
    modified = datetime(2023, 11, 14, 22, 13, 20, 123456, timezone.utc)
    assert info == ObjectInfo(f"file://{tmp_path}", "a/b c%20😀.log", "5-1700000000123456789", 5, modified)
    assert info.uri == f"file://{tmp_path}/a/b c%20😀.log"
    assert info.modified.tzinfo is timezone.utc


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        ("", {"a", "logs/2024", "logs/2025-01", "logs/2025-02/x", "logs/2025-02/y/z", "logsx", "line\nbreak"}),
        ("logs", {"logs/2024", "logs/2025-01", "logs/2025-02/x", "logs/2025-02/y/z", "logsx"}),
        ("logs/", {"logs/2024", "logs/2025-01", "logs/2025-02/x", "logs/2025-02/y/z"}),
        ("logs/2025-", {"logs/2025-01", "logs/2025-02/x", "logs/2025-02/y/z"}),
        ("logs/2025-02/x", {"logs/2025-02/x"}),
        ("logs/2025-02/x/", set()),
        ("nowhere/", set()),
        ("/", set()),
        ("/logs", set()),
        ("logs//", set()),
        ("../", set()),
        ("logs/../", set()),
        ("./logs", set()),
        (".", set()),
    ],
)
def test_prefixes(tmp_path: Path, store: ObjectStore, prefix: str, keys: set[str]) -> None:
    write(tmp_path, "a", "logs/2024", "logs/2025-01", "logs/2025-02/x", "logs/2025-02/y/z", "logsx", "line\nbreak")
    (tmp_path / "empty folder").mkdir()
    assert set(all_objects(store, prefix)) == keys


def test_a_delimiter_leaves_out_what_lies_deeper(tmp_path: Path, store: ObjectStore) -> None:
    write(tmp_path, "logs/a", "logs/b/c")
    assert [info.key for page in store.list_pages("logs/", delimiter="/") for info in page] == ["logs/a"]


def test_pages(tmp_path: Path, store: ObjectStore) -> None:
    for n in range(1001):
        (tmp_path / str(n)).touch()
    assert sorted(len(page) for page in store.list_pages("")) == [1, 1000]


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (1, None), (0, 1), (2_097_150, 2_097_155), (5, 5), (0, 10**9), (5_000_000, None)]
)
def test_ranges(tmp_path: Path, store: ObjectStore, start: int, end: int | None) -> None:
    content = bytes(range(250)) * 20_000
    write(tmp_path, "a", content=content)
    chunks = list(store.read(all_objects(store)["a"], start=start, end=end))
    assert b"".join(chunks) == content[start:end]
    assert all(0 < len(chunk) <= 4 << 20 for chunk in chunks)


class TestOddNeighbours:
    def test_names_that_are_not_utf8_have_keys_and_are_read(self, tmp_path: Path, store: ObjectStore) -> None:
        folder = os.fsencode(tmp_path)
        os.mkdir(folder + b"/d\xff")
        for name in (b"/caf\xe9.log", b"/d\xff/x\\xe9", b"/caf\xc3\xa9.log"):
            with open(folder + name, "wb") as file:
                file.write(name)
        found = all_objects(store)
        assert {key: read(store, info) for key, info in found.items()} == {
            "caf\\xe9.log": b"/caf\xe9.log",
            "d\\xff/x\\xe9": b"/d\xff/x\\xe9",
            "café.log": b"/caf\xc3\xa9.log",
        }
        assert set(all_objects(store, "d\\xff/")) == {"d\\xff/x\\xe9"}
        for key in found:
            key.encode()

    def test_a_name_that_looks_like_such_a_key_is_its_own(self, tmp_path: Path, store: ObjectStore) -> None:
        write(tmp_path, "caf\\xe9.log", content=b"backslash")
        assert read(store, all_objects(store)["caf\\xe9.log"]) == b"backslash"

    def test_links_to_files_are_files(self, tmp_path: Path) -> None:
        write(tmp_path, "inside/a", "outside/b", content=b"12345")
        (tmp_path / "inside/link").symlink_to("../outside/b")
        store = open_store(f"file://{tmp_path}/inside", StorageOptions())
        found = all_objects(store)
        assert {key: read(store, info) for key, info in found.items()} == {"a": b"12345", "link": b"12345"}

    def test_links_may_be_kept_from_leading_out(self, tmp_path: Path) -> None:
        write(tmp_path, "allowed/inside/a", "allowed/b", "outside/c", content=b"12345")
        (tmp_path / "allowed/inside/near").symlink_to("../b")
        (tmp_path / "allowed/inside/far").symlink_to("../../outside/c")
        (tmp_path / "allowed/inside/farther").symlink_to("far")
        (tmp_path / "allow").symlink_to("allowed")
        options = StorageOptions(inside=(f"{tmp_path}/nothing", f"{tmp_path}/allow"))
        store = open_store(f"file://{tmp_path}/allowed/inside", options)
        found = all_objects(store)
        assert {key: read(store, found[key]) for key in ("a", "near")} == {"a": b"12345", "near": b"12345"}
        for key in ("far", "farther"):
            with pytest.raises(DeniedError, match="a link to a file in none of the folders"):
                read(store, found[key])

    def test_links_to_folders_are_not_followed(self, tmp_path: Path) -> None:
        write(tmp_path, "inside/a", "outside/b")
        (tmp_path / "inside/circle").symlink_to(".")
        (tmp_path / "inside/out").symlink_to("../outside")
        store = open_store(f"file://{tmp_path}/inside", StorageOptions())
        assert set(all_objects(store)) == {"a"}
        assert set(all_objects(store, "out/")) == set(all_objects(store, "circle/a")) == set()

    def test_the_folder_itself_may_be_a_link(self, tmp_path: Path) -> None:
        write(tmp_path, "real/a")
        (tmp_path / "link").symlink_to("real")
        assert set(all_objects(open_store(f"file://{tmp_path}/link/", StorageOptions()))) == {"a"}

    @pytest.mark.parametrize(("target", "error"), [("nowhere", VanishedError), ("dangling", ObjectError)])
    def test_links_to_nothing_are_reported_when_they_are_read(
        self, tmp_path: Path, store: ObjectStore, target: str, error: type[ObjectError]
    ) -> None:
        (tmp_path / "dangling").symlink_to(target)
        info = all_objects(store)["dangling"]
        assert info.size > 0
        with pytest.raises(error, match="dangling: (no such file; it is a link to|can't be opened: Too many levels)"):
            read(store, info)

    def test_pipes_and_sockets_are_no_objects(
        self, tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, "a")
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link to pipe").symlink_to("pipe")
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket")
            assert set(all_objects(store)) == {"a"}

    @pytest.mark.skipif(IS_ROOT, reason="root may read everything")
    def test_a_file_that_may_not_be_read(self, tmp_path: Path, store: ObjectStore) -> None:
        write(tmp_path, "secret")
        (tmp_path / "secret").chmod(0)
        with pytest.raises(DeniedError, match="no permission to read it"):
            read(store, all_objects(store)["secret"])

    def test_a_file_that_the_system_refuses(
        self, tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, "secret", "broken", "bad sector")
        found = all_objects(store)
        system_open, errors = (
            os.open,
            {"secret": PermissionError(13, "Permission denied"), "broken": OSError(5, "Input/output error")},
        )

        def refuse(path: bytes, flags: int) -> int:
            name = os.fsdecode(os.path.basename(path))
            if name in errors:
                raise errors[name]
            return system_open(path, flags)

        def fail(descriptor: int, size: int) -> bytes:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "open", refuse)
        monkeypatch.setattr(os, "read", fail)
        for key, error, message in [
            ("secret", DeniedError, "no permission"),
            ("broken", ObjectError, "can't be opened: Input/output"),
            ("bad sector", ObjectError, "can't be read: Input/output"),
        ]:
            with pytest.raises(error, match=message):
                read(store, found[key])

    def test_a_folder_that_may_not_be_listed(
        self, tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, "a", "closed/b")
        scandir = os.scandir

        def refuse(path: bytes) -> Iterator[os.DirEntry[bytes]]:
            if path.endswith(b"closed"):
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert set(all_objects(store, "a")) == {"a"}
        with pytest.raises(AccessError, match="closed' can't be listed: Permission denied") as raised:
            all_objects(store)
        assert not isinstance(raised.value, ObjectError)


class TestChanges:
    @pytest.fixture
    def info(self, tmp_path: Path, store: ObjectStore) -> ObjectInfo:
        write(tmp_path, "a", content=b"x" * 5_000_000)
        return all_objects(store)["a"]

    def test_gone(self, tmp_path: Path, store: ObjectStore, info: ObjectInfo) -> None:
        (tmp_path / "a").unlink()
        with pytest.raises(VanishedError, match="no such file; it was there when it was listed"):
            read(store, info)

    def test_on_a_machine_that_does_not_have_the_folder(
        self, tmp_path: Path, store: ObjectStore, info: ObjectInfo
    ) -> None:
        shutil.rmtree(tmp_path)
        with pytest.raises(AccessError, match="name a folder that is there, on every machine"):
            read(store, info)

    @pytest.mark.parametrize("content", [b"y" * 5_000_000, b"y", b""])
    def test_other_content(self, tmp_path: Path, store: ObjectStore, info: ObjectInfo, content: bytes) -> None:
        write(tmp_path, "a", content=content)
        os.utime(tmp_path / "a", ns=(0, 1))
        with pytest.raises(VanishedError, match="changed since it was listed"):
            read(store, info)

    def test_grown_while_it_was_read(self, tmp_path: Path, store: ObjectStore, info: ObjectInfo) -> None:
        chunks = store.read(info)
        next(chunks)
        with (tmp_path / "a").open("ab") as file:
            file.write(b"one more")
        with pytest.raises(VanishedError, match="changed since it was listed"):
            list(chunks)

    def test_cut_while_it_was_read(self, tmp_path: Path, store: ObjectStore, info: ObjectInfo) -> None:
        chunks = store.read(info)
        next(chunks)
        os.truncate(tmp_path / "a", 10)
        with pytest.raises(VanishedError, match="became shorter"):
            list(chunks)

    def test_replaced_by_a_pipe(self, tmp_path: Path, store: ObjectStore, info: ObjectInfo) -> None:
        (tmp_path / "a").unlink()
        os.mkfifo(tmp_path / "a")
        with pytest.raises(VanishedError, match="changed since it was listed"):
            read(store, info)

    @pytest.mark.parametrize("key", ["../a", "b/../../a", "", "/etc/passwd", "a//b", "./a"])
    def test_no_key_leads_out(self, store: ObjectStore, info: ObjectInfo, key: str) -> None:
        with pytest.raises(VanishedError, match="no file can have this name"):
            read(store, replace(info, key=key))


class TestTheFolder:
    @pytest.mark.parametrize(
        "spelling", ["file://{}", "file://{}/", "file://{}/../{name}", "file:///{}", "file://{}//."]
    )
    def test_one_name_for_all_spellings(self, tmp_path: Path, spelling: str) -> None:
        write(tmp_path, "a")
        store = open_store(spelling.format(tmp_path, name=tmp_path.name), StorageOptions())
        assert store.bucket == f"file://{tmp_path}"
        assert [info.uri for info in all_objects(store).values()] == [f"file://{tmp_path}/a"]

    def test_names_are_not_unescaped(self, tmp_path: Path) -> None:
        write(tmp_path, "a%20b/c")
        assert set(all_objects(open_store(f"file://{tmp_path}/a%20b", StorageOptions()))) == {"c"}

    def test_the_root_folder(self) -> None:
        store = open_store("file:///", StorageOptions())
        assert store.bucket == "file:///"
        assert ObjectInfo(store.bucket, "etc/hosts", "", 0, datetime.now(timezone.utc)).uri == "file:///etc/hosts"

    @pytest.mark.parametrize("bucket", ["file://logs", "file://", "file://~/logs"])
    def test_not_a_whole_path(self, bucket: str) -> None:
        with pytest.raises(ConfigurationError, match="whole path") as raised:
            open_store(bucket, StorageOptions())
        assert raised.value.field == "bucket"

    def test_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(AccessError, match="nowhere: No such file or directory"):
            all_objects(open_store(f"file://{tmp_path}/nowhere", StorageOptions()))

    def test_a_file(self, tmp_path: Path) -> None:
        write(tmp_path, "a")
        with pytest.raises(AccessError, match="this is a file; name its folder"):
            all_objects(open_store(f"file://{tmp_path}/a", StorageOptions()))
