"""How many events have each value of a field, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

MOST_VALUES = 100_000
"""Values that are counted at once."""
MOST_BYTES = 64 << 20
"""Their size at most."""
VALUE, COUNT = "value", "count"
_SCHEMA = {VALUE: pl.String, COUNT: pl.Int64}


@dataclass(frozen=True)
class ValueCounts:
    """Values and how many events have each.

    Attributes:
        frame: The columns `value` and `count`, each value once.
        events: How many events have a value at all.
        is_exact: Whether all values are there with all their events. If not, there were too many: the rarest may be
            missing, and counts may be too small.
    """

    frame: pl.DataFrame
    events: int
    is_exact: bool = True

    @classmethod
    def of(cls, values: pl.Series) -> ValueCounts:
        """Count a column's values."""
        there = values.drop_nulls().alias(VALUE)
        counts = there.value_counts(name=COUNT).cast({COUNT: pl.Int64})
        return cls(counts, len(there))

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return int(self.frame.estimated_size()) + 200


class ValueCounter:
    """Adds up the counts of parts; of too many values the most frequent are kept."""

    def __init__(self, *, most: int = MOST_VALUES) -> None:
        """Begin with none."""
        self._most = most
        self._parts: list[pl.DataFrame] = []
        self._rows = self._bytes = self._merged_bytes = 0
        self._events = 0
        self._is_exact = True

    def add(self, counts: ValueCounts) -> None:
        """Add the counts of a part."""
        self._parts.append(counts.frame)
        self._rows += counts.frame.height
        self._bytes += int(counts.frame.estimated_size())
        self._events += counts.events
        self._is_exact &= counts.is_exact
        if self._rows > 2 * self._most or self._bytes > MOST_BYTES + 2 * self._merged_bytes:
            self._merge()

    def counts(self) -> ValueCounts:
        """Return the counts of all parts."""
        self._merge()
        return ValueCounts(self._parts[0], self._events, self._is_exact)

    def _merge(self) -> None:
        together = pl.concat([pl.DataFrame(schema=_SCHEMA), *self._parts])
        merged = together.group_by(VALUE).agg(pl.col(COUNT).sum())
        most = self._most
        while merged.height > most or merged.estimated_size() > MOST_BYTES:
            most = min(most, merged.height // 2 if merged.estimated_size() > MOST_BYTES else most)
            merged = merged.top_k(most, by=COUNT)
            self._is_exact = False
        self._parts = [merged]
        self._rows = merged.height
        self._bytes = self._merged_bytes = int(merged.estimated_size())


def ranked(counts: pl.DataFrame, limit: int | None, *, rarest_first: bool = False) -> list[tuple[str, int]]:
    """Return values and their counts, the most frequent or the rarest first; those of one count in order of text."""
    order = counts.sort(COUNT, VALUE, descending=[not rarest_first, False])
    return [(value, count) for value, count in (order if limit is None else order.head(limit)).iter_rows()]
