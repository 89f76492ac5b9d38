"""Search (docs/query.md): the newest events that match a query, without reading more of the tier than they need.

The log knows which files a time range needs and how new the events of each are; a file's footer knows it of its row
groups. Row groups are read newest first, whichever files they lie in, and an event is returned as soon as nothing
unread can be newer. Of a row group only the columns of the query are read; the others only for the rows found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.reading.unread import UnreadRowGroups
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import flat_rows, row_field
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.live_files import as_snapshot, files_for, never_in_map
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.syntax import Expr
from transforms.storage import TierStore

_THREADS = 4
_MOST_AT_ONCE = 8
_FEW = 10_000
"""Up to so many events a row group may find without filling the memory, so that more of them may be read at once."""


def search(
    events: TierStore | Snapshot,
    expr: Expr | None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = 100,
    fields: Sequence[str] = (),
    oldest_first: bool = False,
) -> Iterator[dict[str, Any]]:
    """Return the newest events that match a query as flat rows (`rows.flat_rows`), newest first.

    Args:
        events: The hot tier, or a version of its table.
        expr: The query; None means every event.
        start: The time from which on; None from the first event.
        end: The time before which; None to the last event.
        limit: The most events; None means all.
        fields: The columns and attributes to keep; nothing means everything.
        oldest_first: Return the oldest, oldest first.

    Raises:
        ConfigurationError: a field can't exist.
        TierError: the table can't be read; also later, while rows are taken.
    """
    kept = [row_field(name) for name in fields]
    frames = search_frames(events, SearchRequest(expr, start, end, tuple(kept), oldest_first=oldest_first), limit=limit)
    return (row for frame in frames for row in flat_rows(frame, kept))


def search_frames(
    events: TierStore | Snapshot, request: SearchRequest, *, limit: int | None = None
) -> Iterator[pl.DataFrame]:
    """Return the events as `Search.frames` does; the table is opened at once."""
    return Search.begin(events, request).frames(limit=limit)


@dataclass(frozen=True)
class Search:
    """A search in one version of the table.

    Attributes:
        request: What to search for.
        files: The files that may hold it.
        promoted: The attributes that have a column of their own in that version.
    """

    request: SearchRequest
    files: Sequence[EventFile]
    promoted: Sequence[str]

    @classmethod
    def begin(cls, events: TierStore | Snapshot, request: SearchRequest) -> Search:
        """Leave out the files that can't hold matching events; of a tier, its newest version is opened."""
        snapshot = as_snapshot(events)
        live = files_for(snapshot, request.expr, request.bounds, request.tier_name)
        files = [EventFile(snapshot.tier, file, never_in_map(snapshot, [file.path])) for file in live]
        return cls(request, files, snapshot.columns)

    def frames(self, *, limit: int | None = None, stop: StopSignal | None = None) -> Iterator[pl.DataFrame]:
        """Return the events as frames of the tier's columns, within and between them in the request's order.

        Columns that a file lacks are null; those that no file of a frame has may be missing. What was promoted after a
        file was written is in that file's map.

        Args:
            limit: The most events; None means all.
            stop: What ends it early, by its errors.
        """
        return _in_order(self, limit, stop or StopSignal())


def _in_order(search: Search, limit: int | None, stop: StopSignal) -> Iterator[pl.DataFrame]:
    """Read row groups, few at first and then more at a time, and yield what nothing unread can precede."""
    request = search.request
    unread = UnreadRowGroups(search.files, request, stop)

    def read(file: EventFile, group: RowGroup) -> pl.DataFrame:
        stop.check()
        return file.read(group, request, limit)

    found = pl.DataFrame()
    at_once = 1
    most = _MOST_AT_ONCE if limit is not None and limit <= _FEW else 2
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="search") as pool:
        while limit is None or limit > 0:
            stop.check()
            reading = [pool.submit(read, file, group) for file, group in unread.take(at_once)]
            found = _merge([found, *(frame.result() for frame in reading)], request)
            found = found if limit is None else found.head(limit)
            ready, found = _split(found, unread.bound(), request)
            if ready.height:
                yield ready
            limit = None if limit is None else limit - ready.height
            at_once = min(2 * at_once, most)
            if unread.bound() is None and not found.height:
                return


def _merge(frames: Sequence[pl.DataFrame], request: SearchRequest) -> pl.DataFrame:
    """Return the events of sorted frames in the request's order; those of one time in the order of the frames."""
    filled = [frame for frame in frames if frame.height]
    if len(filled) < 2:
        return filled[0] if filled else pl.DataFrame()
    together = pl.concat(filled, how="diagonal")
    return together.sort("_time", descending=not request.oldest_first, maintain_order=True)


def _split(found: pl.DataFrame, bound: int | None, request: SearchRequest) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split events into those that nothing unread can precede, and the others."""
    if bound is None or not found.height:
        return found, found.clear()
    times = found["_time"].to_physical()
    ready = int((times <= bound if request.oldest_first else times >= bound).sum())
    return found.head(ready), found.slice(ready)
