"""The most frequent values of a field (docs/query.md); Polars is imported only where DuckDB can't answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from transforms.hot_tier.search.grouping import count_values
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import format_instant
from transforms.query.syntax import Field
from transforms.storage import TierStore

if TYPE_CHECKING:
    import polars as pl


def top(
    events: TierStore | Snapshot, request: SearchRequest, field: Field, *, limit: int | None = None
) -> list[tuple[str, int]]:
    """Return the values of a field and how many matching events have each, the most frequent first.

    An event whose attribute holds several values (a JSON list) counts once for each: the number is that of the events
    that `field=value` finds, but for case. Events without the field are not counted.

    Args:
        events: The hot tier, or a version of its table.
        request: Which events.
        field: Whose values.
        limit: The most values; None means all.
    """
    selection = Selection.of(events, request)
    if not selection.files:
        return []
    found = count_values(selection, field, limit)
    return _count_by_polars(selection, field, limit) if found is None else found


def top_together(
    events: TierStore | Snapshot, request: SearchRequest, fields: Sequence[Field], *, limit: int | None = None
) -> list[tuple[tuple[str | None, ...], int]]:
    """Return the values that events have of several fields together, and how many have these, the most frequent first.

    An event with several values of a field (a JSON list) counts once for each. Events that have none of the fields are
    not counted; None is a field that an event lacks.
    """
    selection = Selection.of(events, request)
    if not selection.files:
        return []
    import polars as pl

    from transforms.hot_tier.search.polars_scan import collect, select

    names = [f"value{number}" for number in range(len(fields))]
    frame = select(selection, **dict(zip(names, fields, strict=True)))
    missing = [pl.lit(None, pl.String).alias(name) for name in names if name not in frame.collect_schema().names()]
    frame = frame.with_columns(missing).filter(pl.any_horizontal(pl.col(names).is_not_null()))
    counts = collect(selection, frame.group_by(names).len("count"))
    for name, field in zip(names, fields, strict=True):
        counts = counts if field.system else split_lists(counts, name)
    rows = [
        (tuple(None if value is None else _text(value) for value in row[:-1]), row[-1])
        for row in counts.select(*names, "count").iter_rows()
    ]
    order = ((-number, tuple((value is None, value or "") for value in values)) for values, number in rows)
    ranked = [row for _, row in sorted(zip(order, rows, strict=True))]
    return ranked if limit is None else ranked[:limit]


def _count_by_polars(selection: Selection, field: Field, limit: int | None) -> list[tuple[str, int]]:
    import polars as pl

    from transforms.hot_tier.search.polars_scan import collect, select

    counts = collect(selection, select(selection, value=field).drop_nulls().group_by("value").len("count"))
    if not field.system:
        counts = split_lists(counts)
    # those that share the last place stay for the order of their values
    if limit is not None and counts.height > limit:
        least = counts["count"].top_k(limit).min()
        counts = counts.filter(pl.col("count") >= least)
    rows = [(_text(value), number) for value, number in counts.iter_rows()]
    return nsmallest(len(rows) if limit is None else limit, rows, key=lambda row: (-row[1], row[0]))


def split_lists(counts: pl.DataFrame, name: str = "value") -> pl.DataFrame:
    """Count the values of JSON lists one by one, once for each distinct text and not for each event."""
    import polars as pl

    from transforms.query.multiple import array_items

    is_list = (pl.col(name).str.starts_with("[") & pl.col(name).str.ends_with("]")).fill_null(value=False)
    arrays = counts.filter(is_list)
    if not arrays.height:
        return counts
    items = [list(dict.fromkeys([text] if (found := array_items(text)) is None else found)) for text in arrays[name]]
    single = arrays.with_columns(pl.Series(name, items, dtype=pl.List(pl.String))).explode(name).drop_nulls(name)
    others = [column for column in counts.columns if column != "count"]
    return pl.concat([counts.filter(~is_list), single]).group_by(others).agg(pl.col("count").sum())


def _text(value: Any) -> str:
    return format_instant(value) if isinstance(value, datetime) else str(value)
