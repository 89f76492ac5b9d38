"""What a search asks for: a query, a range of time, a part of the tier; and the buckets that a histogram counts by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from transforms.query.bounds import TimeBounds, time_bounds
from transforms.query.instants import microseconds
from transforms.query.syntax import Expr, Field


@dataclass(frozen=True)
class SearchRequest:
    """What a search asks for.

    Attributes:
        expr: The query; None means every event.
        start: The time from which on, inclusive.
        end: The time before which, exclusive.
        fields: What to return of each event; nothing means everything.
        tier_name: The partition `hot` or `cold`; None means both.
        oldest_first: Whether the oldest events come first, not the newest.
    """

    expr: Expr | None = None
    start: datetime | None = None
    end: datetime | None = None
    fields: tuple[Field, ...] = ()
    tier_name: str | None = None
    oldest_first: bool = False

    @cached_property
    def bounds(self) -> TimeBounds:
        """The range of times outside which no event matches."""
        start = None if self.start is None else microseconds(self.start)
        end = None if self.end is None else microseconds(self.end)
        return TimeBounds(start, end).and_(time_bounds(self.expr))


@dataclass(frozen=True)
class TimeBuckets:
    """Adjacent ranges of one length: number n begins at `origin + n * width`, in microseconds since 1970 UTC."""

    origin: int
    width: int

    def number(self, time: int) -> int:
        """Return the number of the bucket that holds a time."""
        return (time - self.origin) // self.width
