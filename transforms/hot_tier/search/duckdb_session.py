"""A private DuckDB in memory, on a thread of its own, so that Ctrl-C can end a running statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import TypeVar

import _duckdb  # what the package duckdb wraps; the wrapping takes 0.07 s to import

from transforms.hot_tier.search.serving.spill import SpillFolder
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.storage import TierStore

_SIGNAL_SECONDS = 0.05
_PATTERN_CHARACTERS = frozenset("*?[]{}\\")
_T = TypeVar("_T")

DatabaseError = _duckdb.Error


def can_read(tier: TierStore, paths: Iterable[str] = ()) -> bool:
    """Whether DuckDB can read a tier's files: S3 needs an extension to download, and it takes some names for patterns.

    Args:
        tier: The tier.
        paths: The files, if other programs may have named them.
    """
    return tier.local_path is not None and all(map(_PATTERN_CHARACTERS.isdisjoint, (tier.uri, *paths)))


class Database:
    """A connection and its thread; a context manager that removes what was spilled to the disk.

    Attributes:
        connection: Only for `wait` while anything runs.
    """

    def __init__(self, stop: StopSignal | None = None, *, memory: int | None = None) -> None:
        """Open an empty database.

        Args:
            stop: What ends its statements early.
            memory: How many bytes it may use before it spills to the disk; None is DuckDB's own limit.
        """
        self._stop = stop or StopSignal()
        self._spill = SpillFolder()
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": str(self._spill.path),
            "max_temp_directory_size": f"{self._spill.limit}B",
        }
        if memory is not None:
            config["memory_limit"] = f"{memory}B"
        self.connection = _duckdb.connect(":memory:", config=config)
        self._thread = futures.ThreadPoolExecutor(1, thread_name_prefix="sql")
        self._thread.submit(int)  # starts the thread: Ctrl-C in the middle of that would lose sight of it
        self._closed = False

    def wait(self, work: Callable[[], _T]) -> _T:
        """Run work on the thread and return its result; Ctrl-C and the signal end the wait, and `close` the work.

        Raises:
            CanceledError: the query was canceled.
            TimeLimitError: its time is over.
        """
        self._stop.check()
        future = self._thread.submit(work)
        while not future.done():  # a wait without end would sleep through a signal that came just before it
            self._stop.check()
            futures.wait([future], timeout=_SIGNAL_SECONDS)
        return future.result()

    def close(self) -> None:
        """Interrupt what runs and clean up; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        # done once all before it is; of that nobody may know: Ctrl-C can come while work is handed to the thread
        last = self._thread.submit(int)
        while not last.done():
            self.connection.interrupt()  # one that comes before the statement begins is forgotten
            futures.wait([last], timeout=_SIGNAL_SECONDS)
        self._thread.shutdown()
        self.connection.close()
        self._spill.remove()

    def __enter__(self) -> Database:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()
