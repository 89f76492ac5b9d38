"""Spans of time side by side, as a histogram counts by them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TimeBuckets:
    """Spans of time side by side: number n begins at `origin + n * width`, in microseconds since 1970 UTC."""

    origin: int
    width: int

    def number(self, time: int) -> int:
        """Return the number of the span that a time lies in."""
        return (time - self.origin) // self.width
