"""The range of times that a query allows, by which files and row groups are skipped.

Never too narrow, often too wide.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.query.instants import microseconds, parse_instant
from transforms.query.syntax import And, Comparison, Expr, Operator, Or

_TIME = "_time"


@dataclass(frozen=True)
class TimeBounds:
    """A range of times in microseconds since 1970 UTC, from `low` on and before `high`; None is unbounded."""

    low: int | None = None
    high: int | None = None

    def overlaps(self, oldest: int, newest: int) -> bool:
        """Whether any time from `oldest` to `newest`, both inclusive, lies in the range."""
        return (self.low is None or newest >= self.low) and (self.high is None or oldest < self.high)

    def holds(self, oldest: int, newest: int) -> bool:
        """Whether all times from `oldest` to `newest`, both inclusive, lie in the range."""
        return (self.low is None or oldest >= self.low) and (self.high is None or newest < self.high)

    def and_(self, other: TimeBounds) -> TimeBounds:
        """Return the range of what lies in both."""
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return TimeBounds(max(lows, default=None), min(highs, default=None))

    def or_(self, other: TimeBounds) -> TimeBounds:
        """Return the least range that holds both."""
        low = None if self.low is None or other.low is None else min(self.low, other.low)
        high = None if self.high is None or other.high is None else max(self.high, other.high)
        return TimeBounds(low, high)


def time_bounds(expr: Expr | None) -> TimeBounds:
    """Return a range outside which no event satisfies a query; None means every event."""
    match expr:
        case And(terms):
            bounds = TimeBounds()
            for term in terms:
                bounds = bounds.and_(time_bounds(term))
            return bounds
        case Or(terms):
            bounds = time_bounds(terms[0])
            for term in terms[1:]:
                bounds = bounds.or_(time_bounds(term))
            return bounds
        case Comparison(field, operator, value) if field.system and field.name == _TIME:
            return _comparison_bounds(operator, value.literal)
        case _:
            return TimeBounds()


def _comparison_bounds(operator: Operator, literal: str | None) -> TimeBounds:
    moment = parse_instant(literal or "")
    if moment is None:
        return TimeBounds()
    time = microseconds(moment)
    match operator:
        case Operator.GREATER:
            return TimeBounds(low=time + 1)
        case Operator.GREATER_OR_EQUAL:
            return TimeBounds(low=time)
        case Operator.LESS:
            return TimeBounds(high=time)
        case Operator.LESS_OR_EQUAL:
            return TimeBounds(high=time + 1)
        case Operator.EQUAL | Operator.NOT_EQUAL:  # these compare text
            return TimeBounds()
