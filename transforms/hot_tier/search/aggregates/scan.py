"""Files read row group by row group, a few at a time: what is read of each is made small before the next comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.live_files import never_in_map
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.query.syntax import fields

_THREADS = 2
"""Polars reads each row group by all cores; more of them at once would only go on for longer after a cancel."""
_THREADS_REMOTE = 4
_LOOK_SECONDS = 0.05
_VALUES = "values"
_ROWS = "rows"
_T = TypeVar("_T")


@dataclass(frozen=True)
class DistinctValues:
    """All values of an attribute in a file; None where these are not known."""

    values: pl.Series | None

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return 200 + (0 if self.values is None else int(self.values.estimated_size()))


@dataclass(frozen=True)
class Rows:
    """Numbers of rows."""

    numbers: npt.NDArray[np.uint32]

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return 300 + self.numbers.nbytes


@dataclass(frozen=True)
class RowsOfFile:
    """Which rows of a file match a query: what one scan has found, the next ones look up (`KeptRows`).

    Attributes:
        cache: Where they are kept.
        path: The file's.
        condition: The query.
    """

    cache: FileCache
    path: str
    condition: str

    def get(self, group: int) -> npt.NDArray[np.uint32] | None:
        """Return the numbers of a row group's rows that match, counted from its first; None where it is not known."""
        kept = self.cache.get(self.path, (_ROWS, self.condition, group), Rows)
        return None if kept is None else kept.numbers

    def finding(self, group: int) -> Lock:
        """Return a lock for finding them out."""
        return self.cache.finding(self.path, (_ROWS, self.condition, group))

    def put(self, group: int, rows: npt.NDArray[np.uint32]) -> None:
        """Keep them."""
        self.cache.put(self.path, (_ROWS, self.condition, group), Rows(rows))


def read_row_groups(
    selection: Selection,
    files: Sequence[LiveFile],
    read: Callable[[EventFile, RowGroup], _T],
    stop: StopSignal,
    cache: FileCache | None = None,
) -> Iterator[tuple[LiveFile, _T]]:
    """Yield what is read of each row group that the time range needs, file by file.

    Where answers are kept, conditions on attributes with few values are decided once for each value of a file, and
    which rows meet other conditions is kept for the next scan.

    Args:
        selection: The table and the request.
        files: Which of its files, in this order.
        read: Reads a row group, on another thread.
        stop: What ends it early; looked at before each row group.
        cache: Where values of files are kept; None keeps none.

    Raises:
        TierError: a file can't be read.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    waiting: deque[tuple[LiveFile, Future[_T]]] = deque()
    threads = _THREADS if selection.tier.local_path is not None else _THREADS_REMOTE

    def read_unless_stopped(file: EventFile, group: RowGroup) -> _T:
        stop.check()
        return read(file, group)

    with ThreadPoolExecutor(threads, thread_name_prefix="scan") as pool:
        try:
            for live, file, groups in _footers(selection, files, pool, stop, cache):
                for group in groups:
                    waiting.append((live, pool.submit(read_unless_stopped, file, group)))
                    if len(waiting) > threads:
                        done, future = waiting.popleft()
                        yield done, _result(future, stop)
            while waiting:
                done, future = waiting.popleft()
                yield done, _result(future, stop)
            stop.check()
        finally:
            pool.shutdown(cancel_futures=True)


def _footers(
    selection: Selection,
    files: Sequence[LiveFile],
    pool: ThreadPoolExecutor,
    stop: StopSignal,
    cache: FileCache | None,
) -> Iterator[tuple[LiveFile, EventFile, list[RowGroup]]]:
    """Yield files and their row groups; on S3 each footer is a request, so some are read ahead."""
    condition = repr(selection.request.expr)

    def open_file(live: LiveFile) -> tuple[LiveFile, EventFile, list[RowGroup]]:
        stop.check()
        file = event_file(selection, live)
        groups = file.row_groups(selection.request)
        if groups and cache is not None and not _learn_values(file, selection, cache):
            file.set_kept_rows(RowsOfFile(cache, file.path, condition))
        return live, file, groups

    opening: deque[Future[tuple[LiveFile, EventFile, list[RowGroup]]]] = deque()
    for live in files:
        opening.append(pool.submit(open_file, live))
        if len(opening) > _THREADS_REMOTE:
            yield _result(opening.popleft(), stop)
    while opening:
        yield _result(opening.popleft(), stop)


def _learn_values(file: EventFile, selection: Selection, cache: FileCache) -> bool:
    """Let a file know the values of the attributes that the query names; return whether these are few of each."""
    named = () if selection.request.expr is None else dict.fromkeys(fields(selection.request.expr))
    are_few = True
    for field in named:
        known = cache.get(file.path, (_VALUES, field), DistinctValues)
        if known is None:
            known = DistinctValues(file.learn_values(field))
            cache.put(file.path, (_VALUES, field), known)
        if known.values is not None:
            file.set_values(field, known.values)
        else:
            are_few = False
    return are_few


def _result(future: Future[_T], stop: StopSignal) -> _T:
    """Wait for a result no longer than the query may take."""
    while not future.done():
        stop.check()
        wait([future], timeout=_LOOK_SECONDS)
    return future.result()


def event_file(selection: Selection, live: LiveFile) -> EventFile:
    """Return a file of a selection, to be read."""
    return EventFile(selection.tier, live, never_in_map(selection.snapshot, [live.path]))


def newest_first(files: Sequence[LiveFile]) -> list[LiveFile]:
    """Return files in an order that is always the same."""
    return sorted(files, key=lambda file: (-file.max_time, file.path))
