"""One Parquet file of the table, from its first row to the description that a commit needs.

Measured on the reference workloads (pyarrow 25.0.1, one core of two, ms for a MB of text): zstd level 1 takes 3.1,
level 3 3.9 and is no smaller; `_event_id` takes 0.03 MiB as DELTA_BYTE_ARRAY and 0.31 with a dictionary; a dictionary
costs 0.5 where values hardly repeat and plain pages 0.3, so each file decides by a sample of its first rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.core import schema
from transforms.hot_tier.data.layout import names_in_maps
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import JOB_METADATA, FileDescription, ObjectRows, new_path
from transforms.hot_tier.table.map_names import MapNames
from transforms.hot_tier.table.statistics import ColumnStatistics, from_footer, statistics_columns, statistics_json
from transforms.storage import TierStore

COMPRESSION_LEVEL = 1
ROW_GROUP_ROWS = 128 * 1024
SAMPLE_ROWS = 16 * 1024
REPEATS = 8
"""A column gets a dictionary where each value of the sample repeats so often, on average."""
_ENCODINGS = {"_event_id": "DELTA_BYTE_ARRAY", "_time": "DELTA_BINARY_PACKED"}
_NO_DICTIONARY = frozenset({*_ENCODINGS, "_message"})
_MAP_LEAVES = ("attributes.key_value.key", "attributes.key_value.value")
_WRITE_BYTES = 1 << 20
"""Pages go to the store together: a small file has hundreds, and a call for each took 0.3 ms a MB of text."""


class DataFile:
    """A file being written, from rows sorted by `_time`; the store has nothing before `close`."""

    def __init__(
        self,
        store: TierStore,
        table: pa.Table,
        *,
        date: str,
        promoted: Sequence[str],
        tier_name: str = "hot",
        layout: int | None = None,
        job: str | None = None,
        level: int = COMPRESSION_LEVEL,
    ) -> None:
        """Open the file for tables of this table's schema, whose first rows choose the encodings; nothing is written.

        Args:
            store: The tier.
            table: The first rows: stored columns, text as `string_view` or `dictionary<int32, string>`.
            date: The partition's date.
            promoted: The attributes that have a column of their own, in the table's order; they and `_time` and
                `_object` get statistics, in the log the first of them (`statistics_columns`).
            tier_name: The partition's tier.
            layout: How many of them had a column when the rows were laid out (`new_path`), by default all.
            job: The job, for the footer, so that orphans can be attributed.
            level: zstd's.
        """
        self.path = new_path(tier_name, date, len(promoted) if layout is None else layout)
        self.rows = 0
        self.last_time: int | None = None
        self._partition = (tier_name, date)
        self._store = store
        logged = [name for name in statistics_columns(promoted) if name != "_time"]
        self._text_statistics = [name for name in logged if name in table.schema.names]
        self._absent = [name for name in logged if name in promoted and name not in table.schema.names]
        self._min_time = 0
        self._objects: dict[str, ObjectRows] = {}
        self._map_names = MapNames()
        self._footer: list[pq.FileMetaData] = []
        self._output = store.open_output(f"{EVENTS}/{self.path}")
        self._sink = pa.BufferedOutputStream(pa.PythonFile(self._output, mode="w"), _WRITE_BYTES)
        self._writer = pq.ParquetWriter(
            self._sink,
            table.schema,
            compression="zstd",
            compression_level=level,
            use_dictionary=dictionary_columns(table),
            column_encoding={name: encoding for name, encoding in _ENCODINGS.items() if name in table.schema.names},
            write_statistics=[name for name in ("_time", "_object", *promoted) if name in table.schema.names],
            store_schema=False,
            metadata_collector=self._footer,
        )
        if job is not None:
            self._writer.add_key_value_metadata({JOB_METADATA: job})
        self.schema: pa.Schema = table.schema

    @property
    def size(self) -> int:
        """The bytes written so far."""
        return int(self._sink.tell())

    def append(self, table: pa.Table) -> None:
        """Write rows, sorted by `_time` and none before those that were written."""
        times = _microseconds(table["_time"])
        if self.last_time is None:
            self._min_time = int(times[0])
        elif times[0] < self.last_time:
            raise ValueError(f"{self.path}: rows of {times[0]} after {self.last_time}")
        self.last_time = int(times[-1])
        self._count_objects(object_rows(table, times))
        self._map_names |= names_in_maps(table)
        groups = max(1, round(table.num_rows / ROW_GROUP_ROWS))
        self._writer.write_table(table, row_group_size=-(-table.num_rows // groups))
        self.rows += table.num_rows

    def close(self) -> FileDescription:
        """Finish the file in the store, and describe it."""
        if self.last_time is None:
            raise ValueError(f"{self.path} has no rows")
        self._writer.close()
        size = self.size
        self._sink.flush()
        self._output.close()
        columns, missing = from_footer(self._footer[0], self._text_statistics)
        columns |= {name: self._measure(name) for name in missing}
        columns |= {name: ColumnStatistics(self.rows, None, None) for name in self._absent}
        tier_name, date = self._partition
        return FileDescription(
            path=self.path,
            size=size,
            rows=self.rows,
            tier=tier_name,
            date=date,
            stats=statistics_json(self.rows, min_time=self._min_time, max_time=self.last_time, columns=columns),
            objects=self._objects,
            min_time=self._min_time,
            max_time=self.last_time,
            map_names=self._map_names.text,
        )

    def abort(self) -> None:
        """Discard the file."""
        self._writer.is_open = False  # else it writes a footer when it is collected
        self._output.abort()

    def _count_objects(self, found: Mapping[str, ObjectRows]) -> None:
        for uri, more in found.items():
            known = self._objects.get(uri)
            self._objects[uri] = (
                more if known is None else ObjectRows(known.rows + more.rows, known.min_time, more.max_time)
            )

    def _measure(self, name: str) -> ColumnStatistics:
        """Read back a column whose bounds are too long for Parquet's footer."""
        with self._store.open_input(f"{EVENTS}/{self.path}") as source:
            values = pq.read_table(source, columns=[name])[name]
        bounds = pc.min_max(values).as_py()
        return ColumnStatistics(values.null_count, bounds["min"], bounds["max"])


def dictionary_columns(table: pa.Table) -> list[str]:
    """Return the columns that get a dictionary: constants, and those whose values repeat in the first rows."""
    chosen = [name for name in table.schema.names if name not in _NO_DICTIONARY and _repeats(table[name])]
    return [*chosen, *_MAP_LEAVES] if schema.ATTRIBUTES_COLUMN in table.schema.names else chosen


def _repeats(column: pa.ChunkedArray) -> bool:
    if pa.types.is_dictionary(column.type) or pa.types.is_timestamp(column.type) or column.null_count == len(column):
        return True
    if pa.types.is_map(column.type):
        return False
    sample = column.slice(0, SAMPLE_ROWS).combine_chunks()
    values = len(sample) - sample.null_count
    return values == 0 or len(sample.dictionary_encode().dictionary) * REPEATS <= int(values)


def object_rows(table: pa.Table, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, ObjectRows]:
    """Return the rows of each object in a table that is sorted by `_time`, whose `_object` is a dictionary or text.

    Rows without an object, which other programs may have appended, are left out.
    """
    column = (
        table["_object"]
        if "_object" in table.schema.names
        else pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    )
    if column.null_count:
        present = column.is_valid()
        column, times = column.filter(present), times[present.to_numpy()]
    if not len(times):
        return {}
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    encoded = encoded.unify_dictionaries().combine_chunks()
    # 16 bits are sorted by radix: a fifth of the time
    codes = encoded.indices.to_numpy().astype(np.min_scalar_type(len(encoded.dictionary)))
    order = np.argsort(codes, kind="stable")
    bounds = [0, *(np.flatnonzero(np.diff(codes[order])) + 1).tolist(), len(order)]
    uris = encoded.dictionary.to_pylist()
    return {
        uris[codes[order[start]]]: ObjectRows(stop - start, int(times[order[start]]), int(times[order[stop - 1]]))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
    }


def _microseconds(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    array: np.ndarray[tuple[int], np.dtype[np.int64]] = column.cast(pa.int64()).to_numpy()
    return array
