"""Which events a pipeline runs on: its `when`, in the query language (docs/query.md).

What is constant over the object (its `sourcetype`, its `filename`) is compared once for all its events, and first;
where that decides, a pipeline that does not match costs some microseconds a batch. Words of several conditions are
looked for together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Flags
from transforms.arrow.arrays import as_flags
from transforms.event_pipelines.message_search import (
    MOST_NEEDLES,
    Needles,
    contain_any,
    needles,
    rare_needles,
    without_needles,
)
from transforms.processors.kernels.events import Columns, Events
from transforms.query import Expr, columns_read, compile_query
from transforms.query.syntax import MESSAGE_COLUMN, And, Or

_WORTH = 3
"""A pass for all words takes as long as to look for two or three, one after the other (14 ms and 6 ms for 32 MiB)."""


class _SearchResult(NamedTuple):
    """What a pass found: pieces, and which messages have any of them."""

    needles: Needles
    rows: Flags


class Conditions:
    """The conditions of all pipelines that run on a batch."""

    def __init__(self, conditions: Sequence[Expr], columns: Columns) -> None:
        """Take all conditions and what they are asked of; nothing is looked for yet."""
        self._conditions = conditions
        self._columns = columns
        self._messages = columns.by_name.get(MESSAGE_COLUMN)
        self._patience = 1
        self._found: _SearchResult | None = None

    def select(self, condition: Expr | None, events: Events) -> Events | None:
        """Return the events that satisfy a condition, None where no event does; without a condition all."""
        if not len(events):
            return None
        if condition is None:
            return events
        decided = _decide(condition, events.columns)
        if isinstance(decided, bool):
            return events if decided else None
        chosen = self._flags(decided, events)
        return events.where(chosen) if chosen.any() else None

    def _flags(self, condition: Expr, events: Events) -> Flags:
        """Evaluate a condition in full only on events that may have a needle, else what is left of it without."""
        found = self._look(events) if needles(condition) else None
        if found is None:
            return _ask(condition, events)
        left = _decide(without_needles(condition, found.needles), events.columns)
        if left == condition:
            return _ask(condition, events)
        chosen = np.full(len(events), left) if isinstance(left, bool) else _ask(left, events)
        doubtful = found.rows if events.rows is None else found.rows[events.rows]
        if doubtful.any():
            chosen[doubtful] = _ask(condition, events.where(doubtful))
        return chosen

    def _look(self, events: Events) -> _SearchResult | None:
        """Return where needles may be in the messages as they are now, None where a search for all does not pay.

        Messages that a pipeline has changed may change again, so they are looked through once some conditions have been
        asked of them.
        """
        messages = self._columns.by_name.get(MESSAGE_COLUMN)
        if messages is not self._messages:
            self._messages, self._patience, self._found = messages, _WORTH, None
        if self._found is None and 2 * len(events) > self._columns.size:
            self._patience -= 1
            self._found = self._search() if self._patience == 0 else None
        return self._found

    def _search(self) -> _SearchResult | None:
        if self._messages is None or not pa.types.is_string_view(self._messages.type):
            return None
        open_ones = (left for one in self._conditions if not isinstance(left := _decide(one, self._columns), bool))
        sought = sorted(frozenset().union(*map(needles, open_ones)))[:MOST_NEEDLES]
        looked_for = rare_needles(self._columns.series(MESSAGE_COLUMN), sought) if len(sought) >= _WORTH else Needles()
        return _SearchResult(looked_for, contain_any(self._messages, looked_for)) if len(looked_for) >= _WORTH else None


def _decide(condition: Expr, columns: Columns) -> Expr | bool:
    """Return what is left of a condition when the parts that are the same for all events are decided."""
    if isinstance(condition, (And, Or)):
        ends = isinstance(condition, Or)
        left: list[Expr] = []
        for term in condition.terms:
            decided = _decide(term, columns)
            if decided is ends:
                return ends
            if not isinstance(decided, bool):
                left.append(decided)
        return (type(condition)(tuple(left)) if len(left) > 1 else left[0]) if left else not ends
    read = columns_read(condition, columns.by_name)
    values = {name: _constant(columns.by_name[name]) for name in read}
    if None in values.values():
        return condition
    return _holds(condition, tuple(sorted(values.items())))


@lru_cache(maxsize=4096)  # the same for every batch of an object; 0.2 ms each time otherwise
def _holds(condition: Expr, values: tuple[tuple[str, str], ...]) -> bool:
    frame = pl.DataFrame({name: [value] for name, value in values} or {"": [0]})
    return bool(frame.select(compile_query(condition, [name for name, _ in values])).to_series()[0])


def _constant(column: pa.Array) -> str | None:
    """Return the one value of a column, or None where there are several or none."""
    if pa.types.is_dictionary(column.type) and column.null_count == 0 and len(column.dictionary) == 1:
        return str(column.dictionary[0].as_py())
    return None


def _ask(condition: Expr, events: Events) -> Flags:
    names = events.columns.by_name
    frame = pl.DataFrame({name: _series(name, events) for name in columns_read(condition, names)})
    return as_flags(frame.select(compile_query(condition, names)).to_series())


def _series(name: str, events: Events) -> pl.Series:
    series = events.series(name)
    return pl.repeat(None, len(events), dtype=pl.String, eager=True) if series is None else series
