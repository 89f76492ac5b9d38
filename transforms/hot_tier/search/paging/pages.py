"""Pages of found events, in both directions of time, without reading more of the tier than they need.

A page begins where another ended, whatever was added to the tier in between: its cursor is a position in time, not a
number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.events import Search
from transforms.hot_tier.search.paging import position as keys
from transforms.hot_tier.search.paging.position import EventPosition, PageCursor
from transforms.hot_tier.search.reading.unread import UnreadRowGroups
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.syntax import Field

MOST_ROWS = 10_000
_THREADS = 4
_MOST_AT_ONCE = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_IDS = (Field("_event_id", system=True),)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of the found events.

    Attributes:
        events: The rows in the request's order (`rows.flat_rows`, `export.event_tables`).
        version: The version of the table.
        next: Where the page after this one begins; None where there is none.
        previous: Where the page before this one begins; None where there is none.
    """

    events: pl.DataFrame
    version: int
    next: PageCursor | None
    previous: PageCursor | None


def read_page(
    snapshot: Snapshot,
    request: SearchRequest,
    *,
    limit: int = 100,
    cursor: PageCursor | None = None,
    stop: StopSignal | None = None,
) -> Page:
    """Return a page of the events that match.

    Args:
        snapshot: A version of the table; pages of one search may be of several.
        request: What to search for, and in which order.
        limit: The most events, from 1 to 10,000.
        cursor: Where the page begins; None is the first page.
        stop: What ends the search early.

    Raises:
        ConfigurationError: the limit or the cursor can't be.
        TierError: a file can't be read.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise ConfigurationError(f"must be from 1 to {MOST_ROWS:,}, not {limit:,}", field="limit")
    backwards = cursor is not None and cursor.backwards
    asked = replace(request, oldest_first=request.oldest_first != backwards)
    found = first_rows(snapshot, asked, limit + 1, None if cursor is None else cursor.position, stop or StopSignal())
    has_more, found = found.height > limit, found.head(limit)
    found = reversed_rows(found) if backwards else found
    behind, before = (has_more, cursor is not None) if not backwards else (True, has_more)
    return Page(
        events=without_keys(found),
        version=snapshot.version,
        next=_at(found, -1, cursor, backwards=False) if behind else None,
        previous=_at(found, 0, cursor, backwards=True) if before else None,
    )


def first_rows(
    snapshot: Snapshot, request: SearchRequest, limit: int, after: EventPosition | None, stop: StopSignal
) -> pl.DataFrame:
    """Return the first matching events behind a position, with their keys."""
    request = _narrowed(request, after)
    unread = UnreadRowGroups(Search.begin(snapshot, request).files, request, stop)
    found = pl.DataFrame()
    at_once = 1
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="page") as pool:
        while (bound := unread.bound()) is not None and not _is_full(found, limit, bound, request):
            stop.check()
            reading = [
                pool.submit(_read, file, group, request, limit, after, stop) for file, group in unread.take(at_once)
            ]
            found = _merged([found, *(frame.result() for frame in reading)], request).head(limit)
            at_once = min(2 * at_once, _MOST_AT_ONCE)
    stop.check()
    return found


def without_keys(found: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `first_rows` as the tier has them."""
    return found.drop(*keys.KEY_COLUMNS, strict=False)


def reversed_rows(found: pl.DataFrame) -> pl.DataFrame:
    """Return rows in the other order; Polars 2.1 can't reverse a map column of nulls."""
    return found.select(pl.all().gather(np.arange(found.height)[::-1])) if found.height else found


def _at(found: pl.DataFrame, row: int, cursor: PageCursor | None, *, backwards: bool) -> PageCursor | None:
    """Return the cursor at a row; of a page without rows, the one at which it was asked for."""
    if found.height:
        return PageCursor(keys.position_of(found, row), backwards=backwards)
    return None if cursor is None else PageCursor(cursor.position, backwards=backwards)


def _narrowed(request: SearchRequest, after: EventPosition | None) -> SearchRequest:
    """Return a request without the times that a position excludes."""
    if after is None:
        return request
    try:
        moment = _EPOCH + timedelta(microseconds=after.time)
        if request.oldest_first:
            return replace(request, start=moment if request.start is None else max(request.start, moment))
        end = moment + timedelta(microseconds=1)
        return replace(request, end=end if request.end is None else min(request.end, end))
    except OverflowError as error:
        raise ConfigurationError("the cursor's time is beyond the years 1 to 9999", field="cursor") from error


def _is_full(found: pl.DataFrame, limit: int, bound: int, request: SearchRequest) -> bool:
    """Whether nothing unread can come before the last of enough rows; one of its time could."""
    if found.height < limit:
        return False
    last = int(found.get_column(keys.TIME).to_physical()[-1])
    return last < bound if request.oldest_first else last > bound


def _read(
    file: EventFile,
    group: RowGroup,
    request: SearchRequest,
    limit: int,
    after: EventPosition | None,
    stop: StopSignal,
) -> pl.DataFrame:
    """Return the first matching rows of a row group behind a position, with their keys, in order."""
    stop.check()
    times, rows = file.find(group, request)
    stop.check()
    rows = _candidates(times, rows, limit, oldest_first=request.oldest_first, after=after)
    if not len(rows):
        return pl.DataFrame()
    ids = file.take(group, times, rows, replace(request, fields=_IDS))
    event_ids = ids.get_column("_event_id") if "_event_id" in ids.columns else pl.Series([None] * len(rows))
    found = pl.DataFrame(
        {
            keys.TIME: pl.Series(times[rows]).cast(pl.Datetime("us", "UTC")),
            keys.ID: event_ids.cast(pl.String).fill_null(""),
            keys.FILE: pl.repeat(keys.file_number(file.path), len(rows), dtype=pl.Int64, eager=True),
            keys.ROW: pl.Series(rows + group.first),
        }
    )
    found = keys.with_keys(found)
    if after is not None:
        found = found.filter(keys.behind(after, oldest_first=request.oldest_first))
    if not found.height:
        return pl.DataFrame()
    found = keys.in_order(found, oldest_first=request.oldest_first).head(limit)
    events = file.take(group, times, found.get_column(keys.ROW).to_numpy() - group.first, request)
    events = events.with_columns(pl.col(keys.TIME).cast(pl.Datetime("us", "UTC")))
    return events.hstack(found.select(keys.KEY_COLUMNS))


def _candidates(
    times: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    limit: int,
    *,
    oldest_first: bool,
    after: EventPosition | None,
) -> npt.NDArray[np.int64]:
    """Return the rows that may be among the first: by their times, all of those of the last time too.

    As many rows as have the time of the position may come before it, so they don't count.
    """
    own = times[rows]
    beyond = own if after is None else own[own != after.time]
    if len(beyond) > limit:
        nth = limit - 1 if oldest_first else len(beyond) - limit
        edge = np.partition(beyond, nth)[nth]
        rows = rows[own <= edge] if oldest_first else rows[own >= edge]
    return rows


def _merged(frames: Sequence[pl.DataFrame], request: SearchRequest) -> pl.DataFrame:
    filled = [frame for frame in frames if frame.height]
    if len(filled) < 2:
        return filled[0] if filled else pl.DataFrame()
    return keys.in_order(pl.concat(filled, how="diagonal"), oldest_first=request.oldest_first)
