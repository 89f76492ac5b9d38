"""The row groups of a data file, read to be written again whole or in part.

Dictionaries are read and written as such: 90 ms for 88,000 access-log events of 34 columns on one core, where text took
250.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.map_names import MapNames
from transforms.storage import TierStore

_DICTIONARY = "RLE_DICTIONARY"
_KEYS = "attributes.key_value.key"


@contextmanager
def open_rows(store: TierStore, path: str) -> Iterator[pq.ParquetFile]:
    """Open a data file.

    Text is read as `dictionary<int32, string>` where the first row group has dictionaries, else as `string`.

    Args:
        store: The tier.
        path: The file, relative to the table.
    """
    with store.open_input(f"{EVENTS}/{path}") as source:
        metadata = pq.read_metadata(source)
        # the columns of a row group in one read: on S3 each would be a request
        yield pq.ParquetFile(source, metadata=metadata, read_dictionary=dictionary_encoded(metadata), pre_buffer=True)


def dictionary_encoded(metadata: pq.FileMetaData) -> list[str]:
    """Return the text columns that have dictionaries in the first row group."""
    if metadata.num_row_groups == 0:
        return []
    group = metadata.row_group(0)
    return [
        group.column(number).path_in_schema
        for number in range(metadata.num_columns)
        if _is_text(metadata.schema.column(number)) and _DICTIONARY in group.column(number).encodings
    ]


def _is_text(column: pq.ColumnSchema) -> bool:
    """Whether this is a column of text, not one of a map's two."""
    return bool(column.logical_type.type == "STRING" and column.max_repetition_level == 0)


def map_names_without(store: TierStore, path: str, names: Collection[str]) -> MapNames | None:
    """Return the names in a data file's map, None where it has one of some names; of the map only keys are read."""
    found = MapNames()
    with store.open_input(f"{EVENTS}/{path}") as source:
        parquet = pq.ParquetFile(source, read_dictionary=[_KEYS])
        if _KEYS not in (parquet.schema.column(number).path for number in range(len(parquet.schema.names))):
            return found
        for number in range(parquet.num_row_groups):
            maps = parquet.read_row_group(number, columns=[_KEYS], use_threads=False).column(0)
            for chunk in maps.chunks:
                there = _distinct(chunk.flatten().field(0))
                if not there.isdisjoint(names):
                    return None
                found |= MapNames.of(there)
    return found


def _distinct(keys: pa.Array) -> set[str]:
    found = pc.unique(keys.cast(pa.string()) if not pa.types.is_dictionary(keys.type) else keys)
    return set((found.dictionary if pa.types.is_dictionary(found.type) else found).to_pylist())


def rows_taken(table: pa.Table, select: Callable[[pa.Table], pa.ChunkedArray | pa.Array]) -> pa.Table:
    """Return the rows for which a mask is true."""
    mask = select(table)
    taken = pc.sum(mask, min_count=0).as_py()
    if taken == table.num_rows:
        return table
    return without_unused(table.filter(mask)) if taken else table.slice(0, 0)


def without_unused(table: pa.Table) -> pa.Table:
    """Return a table whose dictionaries hold only values of its rows.

    Parquet stores a dictionary as it is given: without this, values of removed rows would stay in the file.
    """
    for number, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            used = _without_unused(column.unify_dictionaries().combine_chunks())
            table = table.set_column(number, table.field(number), used)
    return table


def without_empty(table: pa.Table) -> pa.Table:
    """Return a table without the columns that are null in every row."""
    columns = zip(table.schema.names, table.columns, strict=True)
    return table.select([name for name, column in columns if column.null_count < len(column)])


def _without_unused(array: pa.DictionaryArray) -> pa.DictionaryArray:
    if len(array.dictionary) == 0:
        return array
    codes = (array.indices.fill_null(-1) if array.null_count else array.indices).to_numpy()
    used = np.zeros(len(array.dictionary) + 1, bool)
    used[codes] = True  # a null's -1 is the last
    used = used[:-1]
    if used.all():
        return array
    new_codes = (np.cumsum(used) - 1).astype(np.int32)
    indices = pa.array(new_codes[codes], mask=codes < 0 if array.null_count else None)
    return pa.DictionaryArray.from_arrays(indices, array.dictionary.filter(pa.array(used)))
