"""What a search is for: a query, a range of time, a part of the tier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from transforms.query.bounds import TimeBounds, time_bounds
from transforms.query.instants import microseconds
from transforms.query.syntax import Expr, Field


@dataclass(frozen=True)
class SearchRequest:
    """What a search is for.

    Attributes:
        expr: the query; None means every event.
        start: the time from which on, inclusive.
        end: the time before which, exclusive.
        fields: what of each event; nothing means everything.
        tier_name: the partition `hot` or `cold`; None means both.
    """

    expr: Expr | None = None
    start: datetime | None = None
    end: datetime | None = None
    fields: tuple[Field, ...] = ()
    tier_name: str | None = None

    @cached_property
    def bounds(self) -> TimeBounds:
        """The range of times outside which nothing is wanted."""
        start = None if self.start is None else microseconds(self.start)
        end = None if self.end is None else microseconds(self.end)
        return TimeBounds(start, end).and_(time_bounds(self.expr))
