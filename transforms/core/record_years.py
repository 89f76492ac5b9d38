"""The years of an object's records whose stamps name none, by the order of its stamps (docs/formats.md)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RecordYears:
    """Which year holds from which record on.

    Attributes:
        starts: Records, ascending, each the first of its year. What lies before the first of them has its year too.
        years: The year of each.
    """

    starts: tuple[int, ...]
    years: tuple[int, ...]

    def of(self, first: int, rows: int) -> npt.NDArray[np.int64]:
        """Return the years of some records that follow each other."""
        near = self.within(first, first + rows)
        at = np.searchsorted(np.array(near.starts), np.arange(first, first + rows), side="right") - 1
        years: npt.NDArray[np.int64] = np.array(near.years, dtype=np.int64)[at.clip(0)]
        return years

    def within(self, low: int, high: int) -> RecordYears:
        """Return what holds for the records from `low` up to `high`."""
        start, end = max(bisect_right(self.starts, low) - 1, 0), max(bisect_right(self.starts, high - 1), 1)
        return RecordYears(self.starts[start:end], self.years[start:end])

    def counted_from(self, first: int) -> RecordYears:
        """Return the same with the records counted from another one: that one becomes 0."""
        return RecordYears(tuple(start - first for start in self.starts), self.years)


NO_ORDER = RecordYears((), ())
"""Those of an object whose stamps name no year and are in no order."""
