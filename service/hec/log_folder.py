"""The folder of a write-ahead log: whose it is, and its segments.

A service holds one folder, `log-0`, `log-1` and so on below `--hec-dir`, by a lock of the operating system that ends
with its process. The folders that nobody holds are those of services that have ended: what they left is taken over.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from transforms.core.errors import RekindleError
from transforms.core.file_lock import try_lock
from transforms.storage.local_tier import sync_folder

_IDENTITY = "log.json"
_LOCK = "lock"
_SUFFIX = ".log"
_MOST_FOLDERS = 1000


@dataclass(frozen=True)
class Segment:
    """A file of the log.

    Attributes:
        path: Where it is.
        first: The number of the first event that it may hold.
    """

    path: Path
    first: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size


class LogFolder:
    """A folder that this process alone uses, until it is closed."""

    def __init__(self, path: Path, lock: int, table: str) -> None:
        """Take over a locked folder; see `hold_folder`.

        Raises:
            RekindleError: it is of another hot tier, and has events for it.
        """
        self.path = path
        self._lock = lock
        self.table = table
        self.instance = self._find_identity(table)

    def close(self) -> None:
        """Let others use it."""
        os.close(self._lock)

    def check(self) -> None:
        """Check that the folder is still there: what is written to one that was removed is lost.

        Raises:
            OSError: it was removed; another service may have made it anew.
        """
        held = os.fstat(self._lock)
        try:
            found = os.stat(self.path / _LOCK)
        except FileNotFoundError:
            found = None
        if found is None or (found.st_dev, found.st_ino) != (held.st_dev, held.st_ino):
            text = "the folder was removed while the service uses it: start the service again"
            raise FileNotFoundError(errno.ENOENT, text, str(self.path))

    def segments(self) -> list[Segment]:
        """Return its segments, the oldest first."""
        found = (path for path in self.path.iterdir() if path.suffix == _SUFFIX)
        return sorted((Segment(path, int(path.stem)) for path in found), key=lambda segment: segment.first)

    def segment_path(self, first: int) -> Path:
        """Return the path of a new segment."""
        return self.path / f"{first:020d}{_SUFFIX}"

    def sync(self) -> None:
        """Make its names durable."""
        sync_folder(self.path)

    def _find_identity(self, table: str) -> str:
        """Return the log's own id, which is that of one log of one table."""
        path = self.path / _IDENTITY
        known = orjson.loads(path.read_bytes()) if path.exists() else {}
        if known.get("table") == table:
            return str(known["instance"])
        if known and any(segment.size for segment in self.segments()):
            raise RekindleError(
                f"--hec-dir: {self.path} has events for another hot tier ({known.get('table')}): serve that one until "
                "they are in it, or name another folder"
            )
        instance = str(uuid.uuid4())
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(orjson.dumps({"instance": instance, "table": table}))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        self.sync()
        return instance


def hold_folder(base: Path, table: str) -> LogFolder:
    """Hold the first folder below a path that no other process holds.

    Args:
        base: The path; it is made where it is missing.
        table: The id of the hot tier's table.

    Raises:
        RekindleError: the folder can't be used.
    """
    for number in range(_MOST_FOLDERS):
        path = base / f"log-{number}"
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_folder(base)
            lock = try_lock(path / _LOCK, create=True)
        except OSError as error:
            raise RekindleError(f"--hec-dir: {path} can't be used: {error.strerror or error}") from error
        if lock is not None:
            return _opened(path, lock, table)
    raise RekindleError(f"--hec-dir: {base} has {_MOST_FOLDERS} folders that are in use: name another")


def left_folders(base: Path, table: str) -> Iterator[LogFolder]:
    """Yield, held, the folders of services that have ended and left something."""
    for path in sorted(base.glob("log-*")):
        lock = try_lock(path / _LOCK, create=True)
        if lock is None:
            continue
        if any(path.glob(f"*{_SUFFIX}")):
            yield _opened(path, lock, table)
        else:
            os.close(lock)


def _opened(path: Path, lock: int, table: str) -> LogFolder:
    try:
        return LogFolder(path, lock, table)
    except BaseException:
        os.close(lock)
        raise
