"""A hot tier in a local folder. What is written is synced to the disk, the file and its folder, before it counts."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from transforms.core.errors import AccessError, TierError
from transforms.storage.local import LocalStore
from transforms.storage.objects import FILE_SCHEME, ObjectStore
from transforms.storage.tier import TierFile, TierOutput, TierStore, check_path, new_name

UNFINISHED = "_rekindle/tmp/"
"""Where files lie until they are whole; a killed process may leave some there."""
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class LocalTier(TierStore):
    """The files of a hot tier below a folder."""

    def __init__(self, path: str) -> None:
        """Take a path; a relative one begins where the process stands now. Nothing is made yet."""
        self._root = Path(os.path.abspath(path))
        self.uri = str(self._root)

    @property
    def local_path(self) -> Path:
        """The root folder."""
        return self._root

    def put(self, path: str, data: bytes) -> None:
        """Write a file under another name, sync it, and rename it."""
        with self.open_output(path) as output:
            output.write(data)

    def put_new(self, path: str, data: bytes) -> None:
        """Write a file under another name, sync it, and link it to its own: of several writers one succeeds."""
        with _tier_errors(self._root, path):
            target = self._target(path)
            temporary = self._temporary()
            try:
                _write_synced(temporary, data)
                _link(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(target.parent)

    def get(self, path: str) -> bytes:
        """Return a file's bytes."""
        with _tier_errors(self._root, path):
            return (self._root / check_path(path)).read_bytes()

    def exists(self, path: str) -> bool:
        """Whether the file is there."""
        with _tier_errors(self._root, path):
            return (self._root / check_path(path)).is_file()

    def list(self, prefix: str) -> Iterator[TierFile]:
        """Yield the files whose paths begin with the prefix."""
        if not self._root.is_dir():
            return
        try:
            for page in LocalStore(FILE_SCHEME + self.uri).list_pages(prefix):
                yield from (
                    TierFile(info.key, info.size, info.modified) for info in page if not info.key.startswith(UNFINISHED)
                )
        except AccessError as error:
            raise TierError(f"hot tier {self.uri}: {error}") from error

    def delete(self, path: str) -> None:
        """Remove a file."""
        with _tier_errors(self._root, path):
            (self._root / check_path(path)).unlink(missing_ok=True)

    def open_output(self, path: str) -> TierOutput:
        """Begin a new file, under another name until it is whole."""
        with _tier_errors(self._root, path):
            return _LocalOutput(self._root, path, self._temporary(), self._target(path))

    def open_input(self, path: str) -> BinaryIO:
        """Open a file."""
        with _tier_errors(self._root, path):
            return (self._root / check_path(path)).open("rb")

    def delta_options(self) -> dict[str, str]:
        """Return nothing: a folder needs no options."""
        return {}

    def polars_options(self) -> dict[str, str]:
        """Return nothing: a folder needs no options."""
        return {}

    def free_bytes(self) -> int:
        """Return the bytes that are free on the disk of the folder, or of the one it will be made in."""
        folder = self._root
        while not folder.exists():
            folder = folder.parent
        with _tier_errors(self._root, "."):
            status = os.statvfs(folder)
            return status.f_bavail * status.f_frsize

    def remove_leftovers(self, age: timedelta) -> int:
        """Remove old files from the folder where they lie until they are whole."""
        oldest = time.time() - age.total_seconds()
        folder = self._root / UNFINISHED
        removed = 0
        with _tier_errors(self._root, UNFINISHED):
            for path in folder.iterdir() if folder.is_dir() else ():
                with suppress(FileNotFoundError):  # it has become whole meanwhile
                    if path.stat().st_mtime < oldest:
                        path.unlink()
                        removed += 1
        return removed

    def as_source(self) -> tuple[ObjectStore, str]:
        """Return the folder."""
        return LocalStore(FILE_SCHEME + self.uri), ""

    def key_prefix_in(self, bucket: str) -> str | None:
        """Return where the tier lies in a folder, whichever links lead to either."""
        if not bucket.startswith(FILE_SCHEME):
            return None
        folder = Path(os.path.realpath(bucket.removeprefix(FILE_SCHEME)))
        root = Path(os.path.realpath(self._root))
        if folder.is_relative_to(root):
            return ""
        return f"{root.relative_to(folder)}/" if root.is_relative_to(folder) else None

    def _target(self, path: str) -> Path:
        target = self._root / check_path(path)
        _make_folder(target.parent)
        return target

    def _temporary(self) -> Path:
        folder = self._root / UNFINISHED
        _make_folder(folder)
        return folder / new_name()


class _LocalOutput(TierOutput):
    def __init__(self, root: Path, path: str, temporary: Path, target: Path) -> None:
        self._root = root
        self._path = path
        self._temporary = temporary
        self._target = target
        self._file = temporary.open("xb")

    def write(self, data: bytes, /) -> int:
        if self.closed:  # aborted; what Arrow still had in its buffer when it let go of the file is not wanted
            return len(data)
        with _tier_errors(self._root, self._path):
            return self._file.write(data)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        with _tier_errors(self._root, self._path):
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                self._temporary.rename(self._target)
            except BaseException:
                self._drop()
                raise
            sync_folder(self._target.parent)

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            self._drop()

    def _drop(self) -> None:
        with suppress(OSError):  # the disk is full, and the buffer can't be written: it is not wanted any more
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or raise FileExistsError."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # a file system without links: still one of several only, but a kill may leave a part
        _write_synced(target, source.read_bytes())


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each synced in the one above."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder") from error
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _tier_errors(root: Path, path: str) -> Iterator[None]:
    """Raise the system's errors as TierErrors; whether a file may exist or not is up to the caller."""
    try:
        yield
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError as error:
        advice = {
            errno.ENOSPC: "; free some space, or choose another disk",
            errno.EACCES: "; give the user who runs this the right to read and write the tier's folder",
        }
        raise TierError(f"hot tier {root}: {path}: {error.strerror}{advice.get(error.errno or 0, '')}") from error
