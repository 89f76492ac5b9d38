"""Rows of an older layout as the table lays them out now: what was promoted since moves from the map to columns (spec §8)."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms import schema
from transforms.hot_tier.arrays import plain


def with_promoted(table: pa.Table, names: Collection[str]) -> pa.Table:
    """Return rows whose map has no entry of these names: their values stand in columns of their own.

    Args:
        table: Rows of a file that has no column for these names; its map is of `string`.
        names: Promoted attributes.

    Returns:
        The table, with a column of `string` for each of the names that a row has. The other entries keep their order; a map of which
        nothing is left is null. No Python runs a row.
    """
    if not names or schema.ATTRIBUTES_COLUMN not in table.schema.names:
        return table
    entries = _Entries(table[schema.ATTRIBUTES_COLUMN].combine_chunks())
    moved = [name for name in names if name in entries.names]
    for name in moved:
        table = table.append_column(name, entries.column(name))
    if moved:
        position = table.schema.get_field_index(schema.ATTRIBUTES_COLUMN)
        table = table.set_column(position, schema.ATTRIBUTES_COLUMN, entries.without(moved))
    return table


class _Entries:
    """The entries of a column of maps: of each its row, its name by number, and its value."""

    def __init__(self, maps: pa.MapArray) -> None:
        self._maps = plain(maps)  # its offsets begin at 0, and a null row has no entries
        self._counts = np.diff(self._maps.offsets.to_numpy())
        encoded = self._maps.keys.dictionary_encode()
        self._codes: npt.NDArray[np.int32] = encoded.indices.to_numpy()
        self.names: dict[str, int] = {name: code for code, name in enumerate(encoded.dictionary.to_pylist())}

    def column(self, name: str) -> pa.Array:
        """Return the value of each row under a name; null where it has none."""
        places = np.flatnonzero(self._codes == self.names[name])
        rows = np.repeat(np.arange(len(self._counts)), self._counts)[places]
        chosen = np.zeros(len(self._counts), np.int64)
        chosen[rows] = places
        absent = np.ones(len(self._counts), bool)
        absent[rows] = False
        return self._maps.items.take(pa.array(chosen, mask=absent))

    def without(self, names: Collection[str]) -> pa.Array:
        """Return the maps less these names."""
        kept = ~np.isin(self._codes, [self.names[name] for name in names])
        offsets = np.concatenate([[0], np.cumsum(kept)])[self._maps.offsets.to_numpy()]
        emptied = (np.diff(offsets) == 0) & (self._counts > 0)
        null = emptied | self._maps.is_null().to_numpy(zero_copy_only=False)
        chosen = pa.array(kept)
        return pa.MapArray.from_arrays(
            pa.array(offsets.astype(np.int32)), self._maps.keys.filter(chosen), self._maps.items.filter(chosen), mask=pa.array(null)
        )
