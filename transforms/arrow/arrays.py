"""Columns of any Arrow type: rows taken from them, text of one layout made of another, constants and flags.

Strings stay views from end to end (docs/decisions/0001-events-are-record-batches.md): copying them runs at 150 MB/s.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import Flags, Indices
from transforms.arrow.strings import take_views
from transforms.core import schema

MAP = pa.map_(schema.TEXT, schema.TEXT)
"""The map of attributes while it is in memory; files hold `map<string, string>`."""


def take(array: pa.Array, rows: Indices) -> pa.Array:
    """Return the rows of an array, also of views and of maps of views; null where a row is negative (not of maps)."""
    if pa.types.is_string_view(array.type):
        return take_views(array, rows)
    if pa.types.is_map(array.type):
        return _take_maps(array, rows)
    return array.take(pa.array(rows, mask=rows < 0 if len(rows) and rows.min() < 0 else None))


def take_rows(table: pa.Table, rows: Indices) -> pa.Table:
    """Return rows of a table; those of constants, all the same, are sliced."""
    arrays = [single_chunk(column) for column in table.columns]
    columns = [
        array[: len(rows)] if len(rows) <= len(array) and _is_constant(array) else take(array, rows) for array in arrays
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def choose(condition: Flags, chosen: pa.Array, others: pa.Array) -> pa.Array:
    """Return the values of one column where a condition holds, else of the other."""
    if condition.all():
        return chosen
    rows = np.arange(len(condition))
    return take(pa.concat_arrays([others, chosen]), np.where(condition, rows + len(rows), rows))


def null_unless(condition: Flags, column: pa.Array) -> pa.Array:
    """Return the values where a condition holds, else null."""
    return column if condition.all() else take(column, np.where(condition, np.arange(len(condition)), -1))


def single_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; `combine_chunks` copies even one chunk."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def is_present(column: pa.Array) -> Flags:
    """Return which rows are not null, as flags that may be changed."""
    return np.array(column.is_valid().to_numpy(zero_copy_only=False), np.bool_)


def as_flags(values: pl.Series) -> Flags:
    """Return booleans as flags; null is false."""
    return values.fill_null(value=False).to_numpy().astype(np.bool_)


def as_series(values: pa.Array | pl.Series) -> pl.Series:
    """Return strings of any Arrow layout as a Polars series; views are not copied."""
    if isinstance(values, pl.Series):
        return values
    if pa.types.is_dictionary(values.type) or pa.types.is_null(values.type):
        values = values.cast(pa.string())
    return pl.Series(pl.from_arrow(values))


def as_view(array: pa.Array) -> pa.Array:
    """Return text of any Arrow type as string views."""
    if pa.types.is_string_view(array.type):
        return array
    if pa.types.is_dictionary(array.type):
        return take_views(as_view(array.dictionary), array.indices.cast(pa.int64()).fill_null(-1).to_numpy())
    return array.cast(schema.TEXT)


def as_constant(array: pa.Array) -> pa.DictionaryArray:
    """Return text of any Arrow type as a dictionary with 32-bit indices and plain strings."""
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    if encoded.type == schema.CONSTANT:
        return encoded
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(pa.int32()), encoded.dictionary.cast(pa.string()))


def constant(value: str | None, rows: int) -> pa.DictionaryArray:
    """Return a column that has one value, or null, in every row."""
    if value is None:
        return pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()), pa.array([], pa.string()))
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), pa.array([value], pa.string()))


def own_memory(array: pa.Array) -> pa.Array:
    """Return a copy that keeps none of the buffers that a slice or view refers to."""
    if pa.types.is_string_view(array.type):
        return array.cast(pa.string()).cast(schema.TEXT)
    if pa.types.is_map(array.type):
        copy = plain(array)
        return pa.MapArray.from_arrays(
            copy.offsets, copy.keys.cast(schema.TEXT), copy.items.cast(schema.TEXT), mask=_null_mask(copy)
        )
    return pa.concat_arrays([array, array[:0]])


def plain(array: pa.Array) -> pa.Array:
    """Return the array with plain strings in place of views: what leaves memory is then no more than its rows."""
    if pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_map(array.type):
        offsets, first, last = _offsets(array)
        keys, items = array.keys[first:last], array.items[first:last]
        return pa.MapArray.from_arrays(
            pa.array(offsets), keys.cast(pa.string()), items.cast(pa.string()), mask=_null_mask(array)
        )
    return array


def _take_maps(array: pa.Array, rows: Indices) -> pa.Array:
    offsets, first, last = _offsets(array)
    lengths = np.diff(offsets)[rows]
    ends = np.cumsum(lengths)
    starts = offsets[:-1].astype(np.int64)[rows]
    children = np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
    mask = _null_mask(array)
    return pa.MapArray.from_arrays(
        pa.array(np.concatenate([[0], ends]).astype(np.int32)),
        take(array.keys[first:last], children),
        take(array.items[first:last], children),
        mask=None if mask is None else mask.take(pa.array(rows)),
    )


def _offsets(array: pa.Array) -> tuple[npt.NDArray[np.int32], int, int]:
    """Return a map's offsets, from 0, and where its children begin and end; a null row takes none."""
    offsets = array.offsets.to_numpy()
    return offsets - offsets[0], int(offsets[0]), int(offsets[-1])


def _null_mask(array: pa.Array) -> pa.Array | None:
    return pc.is_null(array) if array.null_count else None


def _is_constant(array: pa.Array) -> bool:
    """Whether all rows are known to be the same, so that any of them will do."""
    if array.null_count:
        return int(array.null_count) == len(array)
    return pa.types.is_dictionary(array.type) and len(array.dictionary) == 1
