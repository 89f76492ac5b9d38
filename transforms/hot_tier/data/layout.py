"""Rows of an older layout as the table stores them now: what was promoted since moves to columns (docs/hot-tier.md)."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import or_

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.arrays import plain
from transforms.core import schema
from transforms.hot_tier.table.map_names import MapNames

_MAP = pa.map_(pa.string(), pa.string())


def promote_attributes(table: pa.Table, names: Collection[str]) -> pa.Table:
    """Move the map's entries of these names to columns of their own.

    Args:
        table: Rows of a file without columns for these names, or of another writer's, which may keep an attribute in
            its column in some rows and in the map in others; where a row has both, the column's value counts. Its map
            is of `string`.
        names: Promoted attributes.

    Returns:
        The table, with a column of `string` for each of the names that a row has. The other entries keep their order; a
        map without entries left is null. No Python runs for each row.
    """
    if not names or schema.ATTRIBUTES_COLUMN not in table.schema.names:
        return table
    entries = _Entries(table[schema.ATTRIBUTES_COLUMN].combine_chunks())
    moved = [name for name in names if name in entries.names]
    for name in moved:
        table = _with_values(table, name, entries.column(name))
    if moved:
        position = table.schema.get_field_index(schema.ATTRIBUTES_COLUMN)
        table = table.set_column(position, schema.ATTRIBUTES_COLUMN, entries.without(moved))
    return table


def names_in_maps(table: pa.Table) -> MapNames:
    """Return the names in the maps of rows; 19 ms for 128 Ki rows of ten entries each."""
    if schema.ATTRIBUTES_COLUMN not in table.schema.names:
        return MapNames()
    found = (pc.unique(_keys(maps)).to_pylist() for maps in table[schema.ATTRIBUTES_COLUMN].chunks)
    return reduce(or_, map(MapNames.of, found), MapNames())


def _keys(maps: pa.MapArray) -> pa.Array:
    """Return the keys of a column of maps, without those that a slice leaves out."""
    if len(maps) == 0:
        return maps.keys[:0]
    return maps.keys[maps.offsets[0].as_py() : maps.offsets[-1].as_py()]


def own_columns(table: pa.Table, names: Collection[str]) -> pa.Table:
    """Return rows of another writer's file in the product's types, without columns that the table does not have.

    Args:
        table: The rows.
        names: The promoted attributes.
    """
    kinds = {**schema.SYSTEM_COLUMNS, **dict.fromkeys(names, schema.TEXT), schema.ATTRIBUTES_COLUMN: _MAP}
    arrays = {name: _own(table[name], kind) for name, kind in kinds.items() if name in table.schema.names}
    return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))


def _own(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if kind in (schema.TIME, _MAP):
        return column.cast(kind)
    return column if column.type == schema.CONSTANT else column.cast(pa.string())


def _with_values(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """Return a table with a column; where it exists, with these values instead of its nulls."""
    position = table.schema.get_field_index(name)
    if position < 0:
        return table.append_column(name, values)
    return table.set_column(position, name, pc.coalesce(table[name].cast(pa.string()), pa.chunked_array([values])))


class _Entries:
    """The entries of a column of maps: the row, the name's number and the value of each."""

    def __init__(self, maps: pa.MapArray) -> None:
        self._maps = plain(maps)  # its offsets begin at 0, and a null row has no entries
        self._counts = np.diff(self._maps.offsets.to_numpy())
        encoded = self._maps.keys.dictionary_encode()
        self._codes: npt.NDArray[np.int32] = encoded.indices.to_numpy()
        self.names: dict[str, int] = {name: code for code, name in enumerate(encoded.dictionary.to_pylist())}

    def column(self, name: str) -> pa.Array:
        """Return each row's value of a name, or null."""
        found = np.flatnonzero(self._codes == self.names[name])
        rows = np.repeat(np.arange(len(self._counts)), self._counts)[found]
        chosen = np.zeros(len(self._counts), np.int64)
        chosen[rows] = found
        absent = np.ones(len(self._counts), bool)
        absent[rows] = False
        return self._maps.items.take(pa.array(chosen, mask=absent))

    def without(self, names: Collection[str]) -> pa.Array:
        """Return the maps without these names."""
        kept = ~np.isin(self._codes, [self.names[name] for name in names])
        offsets = np.concatenate([[0], np.cumsum(kept)])[self._maps.offsets.to_numpy()]
        emptied = (np.diff(offsets) == 0) & (self._counts > 0)
        null = emptied | self._maps.is_null().to_numpy(zero_copy_only=False)
        chosen = pa.array(kept)
        return pa.MapArray.from_arrays(
            pa.array(offsets.astype(np.int32)),
            self._maps.keys.filter(chosen),
            self._maps.items.filter(chosen),
            mask=pa.array(null),
        )
