"""The events around one event: what its object or host logged just before and after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.paging.pages import MOST_ROWS, first_rows, reversed_rows, without_keys
from transforms.hot_tier.search.paging.position import EventPosition, PageCursor, position_of
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import flat_rows
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.syntax import Comparison, Expr, Field, Operator, Pattern

SCOPES = {"object": Field("_object", system=True), "host": Field("host")}
"""What an event and those around it have in common."""
_LAST_YEAR = 9999
_ID = Field("_event_id", system=True)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """An event and its neighbours, each frame oldest first.

    Attributes:
        before: The events before it.
        event: The event itself: one row.
        after: The events after it.
        version: The version of the table.
        query: The condition that all meet, None where they have nothing in common.
        earlier: The cursor of the events before these, among those that meet the condition, the oldest first; None
            where there are none.
        later: The cursor of the events after them, likewise.
    """

    before: pl.DataFrame
    event: pl.DataFrame
    after: pl.DataFrame
    version: int
    query: Expr | None = None
    earlier: PageCursor | None = None
    later: PageCursor | None = None


def surroundings(
    snapshot: Snapshot,
    event_id: str,
    time: datetime | None,
    *,
    before: int = 10,
    after: int = 10,
    scope: str | None = "object",
    stop: StopSignal | None = None,
) -> Surroundings | None:
    """Return an event and the events around it; those of one time in the order of their object.

    Args:
        snapshot: A version of the table.
        event_id: The event's `_event_id`.
        time: Its `_time`, which spares a look into all files; None where it is not known.
        before: The most events before it.
        after: The most events after it.
        scope: What they have in common: `object`, `host`, or None for all events. An event without a host is alone.
        stop: What ends the search early.

    Returns:
        None where there is no such event.

    Raises:
        ConfigurationError: there is no such scope, or the numbers can't be.
        TierError: a file can't be read.
    """
    stop = stop or StopSignal()
    _check(before, after, scope)
    event = _find(snapshot, event_id, time, stop)
    if not event.height:
        return None
    position = position_of(event, 0)
    found: list[pl.DataFrame] = [event.clear(), event.clear()]
    request = SearchRequest() if scope is None else _same(event, SCOPES[scope])
    for number, (most, oldest_first) in enumerate(((before, False), (after, True))):
        if most and request is not None:
            asked = replace(request, oldest_first=oldest_first)
            found[number] = first_rows(snapshot, asked, most, position, stop)
    earlier, later = (
        _cursor(rows, most, position, backwards=backwards) if request is not None else None
        for rows, most, backwards in ((found[0], before, True), (found[1], after, False))
    )
    return Surroundings(
        before=without_keys(reversed_rows(found[0])),
        event=without_keys(event),
        after=without_keys(found[1]),
        version=snapshot.version,
        query=None if request is None else request.expr,
        earlier=earlier,
        later=later,
    )


def find_event(
    snapshot: Snapshot, event_id: str, time: datetime | None, *, stop: StopSignal | None = None
) -> pl.DataFrame | None:
    """Return an event as one row, None where there is none of this id and, if it is given, this time.

    Raises:
        TierError: a file can't be read.
    """
    found = _find(snapshot, event_id, time, stop or StopSignal())
    return without_keys(found) if found.height else None


def _find(snapshot: Snapshot, event_id: str, time: datetime | None, stop: StopSignal) -> pl.DataFrame:
    end = None if time is None or time.year == _LAST_YEAR else time + timedelta(microseconds=1)
    return first_rows(snapshot, SearchRequest(_is(_ID, event_id), time, end), 1, None, stop)


def _cursor(rows: pl.DataFrame, most: int, position: EventPosition, *, backwards: bool) -> PageCursor | None:
    """Return the cursor behind the last of the rows on one side, None where these are all."""
    if rows.height < most:
        return None
    return PageCursor(position_of(rows, -1) if rows.height else position, backwards=backwards)


def _check(before: int, after: int, scope: str | None) -> None:
    for field, number in (("before", before), ("after", after)):
        if not 0 <= number <= MOST_ROWS:
            raise ConfigurationError(f"must be from 0 to {MOST_ROWS:,}, not {number:,}", field=field)
    if scope is not None and scope not in SCOPES:
        raise ConfigurationError(f"must be {' or '.join(SCOPES)}, not {scope}", field="scope")


def _same(event: pl.DataFrame, field: Field) -> SearchRequest | None:
    """Return the request for the events that have an event's value of a field, None where it has none."""
    row = next(flat_rows(without_keys(event), [field]))
    value = next(iter(row.values()), None)
    return None if value is None else SearchRequest(_is(field, str(value)))


def _is(field: Field, value: str) -> Expr:
    return Comparison(field, Operator.EQUAL, Pattern((value,), exact_case=True))
