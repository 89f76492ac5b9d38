"""What is merged: the row groups of many files in the order of their first times, in the table's present layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.arrow.arrays import MAP
from transforms.core import schema
from transforms.hot_tier.data.buffer import Times, times_of
from transforms.hot_tier.data.external_sort import END, batches_of
from transforms.hot_tier.data.layout import own_columns, promote_attributes
from transforms.hot_tier.data.row_groups import dictionary_encoded, open_rows, rows_taken
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import layout_of
from transforms.storage import TierStore

_FOOTERS_AT_ONCE = 16
"""On S3, where each takes a request or two."""

Select = Callable[[pa.Table], "pa.ChunkedArray | pa.Array"]


@dataclass(frozen=True)
class MergeInput:
    """A file to merge.

    Attributes:
        path: Relative to the table.
        select: From a row group, as `row_groups.open_rows` reads it, to a mask of the rows to take; None takes all.
    """

    path: str
    select: Select | None = None


@dataclass(frozen=True)
class _SourceGroup:
    """A row group: its file and number there, its least `_time` in microseconds, its rows, and about its bytes."""

    source: MergeInput
    number: int
    first: int
    rows: int
    size: int


class MergeSources:
    """The row groups of the files.

    Attributes:
        rows: Those of all files, taken or not.
        size: About what they take in memory, in bytes.
        kinds: The columns and their types in memory: text is a dictionary where it is one in most of the files.
    """

    def __init__(self, store: TierStore, inputs: Sequence[MergeInput], promoted: Sequence[str]) -> None:
        """Read the footers."""
        self._store = store
        self._promoted = tuple(promoted)
        self._groups: list[_SourceGroup] = []
        self._texts: Counter[str] = Counter()
        self._dictionaries: Counter[str] = Counter()
        with ThreadPoolExecutor(1 if store.is_local else _FOOTERS_AT_ONCE) as pool:
            for source, (metadata, firsts) in zip(inputs, pool.map(self._footer, inputs), strict=True):
                self._take(source, metadata, firsts)
        self.rows = sum(group.rows for group in self._groups)
        self.size = sum(group.size for group in self._groups)
        self.kinds = {name: self._kind(name) for name in (*schema.SYSTEM_COLUMNS, *promoted, schema.ATTRIBUTES_COLUMN)}

    def batches(self) -> Generator[tuple[pa.RecordBatch, Times, int, int], None, None]:
        """Yield the rows to take, row group by row group in the order of their first times.

        A row's key is its time, and then the number of its row group in the order of the inputs, so sorting by key
        sorts the rows.

        Yields:
            The rows, without columns that are null in all of them; their keys; a lower bound of all keys that follow;
            how many rows were read so far.
        """
        count = len(self._groups)
        start = min((group.first for group in self._groups), default=0)
        firsts = [(group.first - start) * count + number for number, group in enumerate(self._groups)]
        order = sorted(range(count), key=firsts.__getitem__)
        seen = 0
        for number, following in zip(order, [*order[1:], None], strict=False):
            table = self._read(self._groups[number])
            seen += self._groups[number].rows
            if table.num_rows:
                keys = (times_of(table) - start) * count + number
                for batch, own in batches_of(table, keys):
                    yield batch, own, END if following is None else firsts[following], seen

    def _footer(self, source: MergeInput) -> tuple[pq.FileMetaData, list[int]]:
        """Return a file's footer, and the least time in each row group."""
        with self._store.open_input(f"{EVENTS}/{source.path}") as file:
            metadata = pq.read_metadata(file)
            if layout_of(source.path) == 0:  # another writer's statistics may lack, or be of another unit
                parquet = pq.ParquetFile(file, metadata=metadata)
                groups = (parquet.read_row_group(n, columns=["_time"]) for n in range(metadata.num_row_groups))
                times = (times_of(own_columns(group, ())) for group in groups)
                return metadata, [int(of_group.min()) if len(of_group) else 0 for of_group in times]
            position = metadata.schema.names.index("_time")
            columns = (metadata.row_group(number).column(position) for number in range(metadata.num_row_groups))
            return metadata, [column.statistics.min_raw for column in columns]

    def _take(self, source: MergeInput, metadata: pq.FileMetaData, firsts: Sequence[int]) -> None:
        names = metadata.schema.to_arrow_schema().names
        self._texts.update(dict.fromkeys(names, metadata.num_rows))
        self._dictionaries.update(dict.fromkeys(dictionary_encoded(metadata), metadata.num_rows))
        for number, first in enumerate(firsts):
            group = metadata.row_group(number)
            size = group.total_byte_size + 4 * group.num_rows * metadata.num_columns
            self._groups.append(_SourceGroup(source, number, first, group.num_rows, size))

    def _kind(self, name: str) -> pa.DataType:
        if name == schema.ATTRIBUTES_COLUMN:
            return MAP
        if schema.SYSTEM_COLUMNS.get(name) == schema.TIME:
            return schema.TIME
        return schema.CONSTANT if 2 * self._dictionaries[name] > self._texts[name] else schema.TEXT

    def _read(self, group: _SourceGroup) -> pa.Table:
        with open_rows(self._store, group.source.path) as parquet:
            # small, and merges run side by side: 3.3 ms for 4.3
            table = parquet.read_row_group(group.number, use_threads=False)
        if group.source.select is not None:
            table = rows_taken(table, group.source.select)
        if layout_of(group.source.path) == 0:
            table = own_columns(table, self._promoted)
        return promote_attributes(table, self._promoted[layout_of(group.source.path) :])
