"""Which events a pipeline runs on: its `when`, in the query language (spec §7).

What is constant over the object (its `sourcetype`, its `filename`) is compared once for all its events, and first; where that decides,
a pipeline that does not match costs some microseconds a batch.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.processors.events import Columns, Events, as_flags
from transforms.query import Expr, columns_read, compile_query
from transforms.query.syntax import And, Or


def select(condition: Expr | None, events: Events) -> Events | None:
    """Return the events that satisfy a condition, None where no event does; without a condition all."""
    if not len(events):
        return None
    if condition is None:
        return events
    decided = _decide(condition, events.columns)
    if decided is False:
        return None
    if decided is True:
        return events
    chosen = _flags(decided, events)
    return events.where(chosen) if chosen.any() else None


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


def _flags(condition: Expr, events: Events) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    names = events.columns.by_name
    frame = pl.DataFrame({name: _series(name, events) for name in columns_read(condition, names)})
    return as_flags(frame.select(compile_query(condition, names)).to_series())


def _series(name: str, events: Events) -> pl.Series:
    series = events.series(name)
    return pl.repeat(None, len(events), dtype=pl.String, eager=True) if series is None else series
