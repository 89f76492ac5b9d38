"""What Arrow can't do with string views yet: take rows, and make maps.

Strings stay views from end to end (docs/design.md §11): copying them runs at 150 MB/s. pyarrow 25 has no `take` or
`filter` for views; Polars, whose strings they are, takes 200,000 rows of a column in 1.5 ms.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from transforms.core import schema

MAP = pa.map_(schema.TEXT, schema.TEXT)
"""The map of attributes while it is in memory; files hold `map<string, string>`."""

Int64Array = npt.NDArray[np.int64]


def as_view(array: pa.Array) -> pa.Array:
    """Return text of any Arrow type as string views."""
    if pa.types.is_string_view(array.type):
        return array
    if pa.types.is_dictionary(array.type):
        return take(as_view(array.dictionary), array.indices)
    return array.cast(schema.TEXT)


def as_constant(array: pa.Array) -> pa.DictionaryArray:
    """Return text of any Arrow type as a dictionary with 32-bit indices and plain strings."""
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    if encoded.type == schema.CONSTANT:
        return encoded
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(pa.int32()), encoded.dictionary.cast(pa.string()))


def null_constant(rows: int) -> pa.DictionaryArray:
    """Return a constant column that is null in every row."""
    return pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()), pa.array([], pa.string()))


def take(array: pa.Array, indices: Int64Array | pa.Array) -> pa.Array:
    """Return the rows of an array at the indices (no nulls among them but for string views), also of views and of maps
    of views.
    """
    if pa.types.is_string_view(array.type):
        return _take_views(array, indices)
    if pa.types.is_map(array.type):
        return _take_maps(array, np.asarray(indices))
    return array.take(indices if isinstance(indices, pa.Array) else pa.array(indices))


def take_rows(table: pa.Table, indices: Int64Array) -> pa.Table:
    """Return the rows of a table at the indices."""
    rows = pa.array(indices.astype(np.uint32))
    columns = []
    for column in table.columns:
        array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        columns.append(
            array[: len(indices)] if _is_constant(array) and len(indices) <= len(array) else take(array, rows)
        )
    return pa.Table.from_arrays(columns, schema=table.schema)


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


def _take_views(array: pa.Array, indices: Int64Array | pa.Array) -> pa.Array:
    if len(array) == 0:
        return pa.nulls(len(indices), schema.TEXT)
    places = _series(indices) if isinstance(indices, pa.Array) else pl.Series(indices)
    # three times as fast as `gather`, which takes nulls
    by_itself = places.dtype == pl.UInt32 and not places.has_nulls()
    taken = _series(array)[places] if by_itself else _series(array).gather(places)
    return taken.to_arrow(compat_level=pl.CompatLevel.newest())


def _series(array: pa.Array) -> pl.Series:
    return cast(pl.Series, pl.from_arrow(array))


def _take_maps(array: pa.Array, indices: Int64Array) -> pa.Array:
    offsets, first, last = _offsets(array)
    lengths = np.diff(offsets)[indices]
    ends = np.cumsum(lengths)
    starts = offsets[:-1].astype(np.int64)[indices]
    children = np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
    places = np.concatenate([[0], ends]).astype(np.int32)
    mask = _null_mask(array)
    return pa.MapArray.from_arrays(
        pa.array(places),
        take(array.keys[first:last], children),
        take(array.items[first:last], children),
        mask=None if mask is None else mask.take(pa.array(indices)),
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
