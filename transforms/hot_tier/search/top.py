"""The most frequent values of a field (docs/query.md); Polars is imported only where DuckDB can't answer."""

from __future__ import annotations

from datetime import datetime
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from transforms.hot_tier.search.grouping import count_values
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.selection import Selection
from transforms.query.instants import format_instant
from transforms.query.syntax import Field
from transforms.storage import TierStore

if TYPE_CHECKING:
    import polars as pl


def top(tier: TierStore, request: SearchRequest, field: Field, *, limit: int | None = None) -> list[tuple[str, int]]:
    """Return the values of a field and how many matching events have each, the most frequent first.

    An event whose attribute holds several values (a JSON list) counts once for each: the number is that of the events
    that `field=value` finds, but for case. Events without the field are not counted.

    Args:
        tier: The hot tier.
        request: Which events.
        field: Whose values.
        limit: The most values; None means all.
    """
    selection = Selection.of(tier, request)
    if not selection.files:
        return []
    found = count_values(selection, field, limit)
    return _count_by_polars(selection, field, limit) if found is None else found


def _count_by_polars(selection: Selection, field: Field, limit: int | None) -> list[tuple[str, int]]:
    import polars as pl

    from transforms.hot_tier.search.polars_scan import collect, select

    counts = collect(selection, select(selection, value=field).drop_nulls().group_by("value").len("count"))
    if not field.system:
        counts = _split_lists(counts)
    # those that share the last place stay for the order of their values
    if limit is not None and counts.height > limit:
        least = counts["count"].top_k(limit).min()
        counts = counts.filter(pl.col("count") >= least)
    rows = [(_text(value), number) for value, number in counts.iter_rows()]
    return nsmallest(len(rows) if limit is None else limit, rows, key=lambda row: (-row[1], row[0]))


def _split_lists(counts: pl.DataFrame) -> pl.DataFrame:
    """Count the values of JSON lists one by one, once for each distinct text and not for each event."""
    import polars as pl

    from transforms.query.multiple import array_items

    is_list = pl.col("value").str.starts_with("[") & pl.col("value").str.ends_with("]")
    arrays = counts.filter(is_list)
    if not arrays.height:
        return counts
    items = [list(dict.fromkeys([text] if (found := array_items(text)) is None else found)) for text in arrays["value"]]
    single = arrays.with_columns(value=pl.Series(items, dtype=pl.List(pl.String))).explode("value").drop_nulls("value")
    return pl.concat([counts.filter(~is_list), single]).group_by("value").agg(pl.col("count").sum())


def _text(value: Any) -> str:
    return format_instant(value) if isinstance(value, datetime) else str(value)
