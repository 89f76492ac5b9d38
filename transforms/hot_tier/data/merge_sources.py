"""What is merged: the row groups of many files, in the order of their first times, laid out for the table as it is
now.
"""

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
"""On S3, where each is a request or two."""

Select = Callable[[pa.Table], "pa.ChunkedArray | pa.Array"]


@dataclass(frozen=True)
class MergeInput:
    """A file to merge.

    Attributes:
        path: Relative to the table.
        select: From a row group, as `row_groups.open_rows` reads it, to a mask: which of its rows are taken; None takes
            all.
    """

    path: str
    select: Select | None = None


@dataclass(frozen=True)
class _RowGroup:
    """A row group: its file, its number there, and the least `_time` in it, in microseconds; rows, and bytes in memory,
    about.
    """

    source: MergeInput
    number: int
    first: int
    rows: int
    size: int


class Sources:
    """The row groups of the files.

    Attributes:
        rows: Of all files, taken or not.
        size: What they take in memory, about, in bytes.
        kinds: The columns and their types in memory: text is a dictionary where it is one in most of the files.
    """

    def __init__(self, store: TierStore, inputs: Sequence[MergeInput], promoted: Sequence[str]) -> None:
        """Read the footers."""
        self._store = store
        self._promoted = tuple(promoted)
        self._groups: list[_RowGroup] = []
        self._texts: Counter[str] = Counter()
        self._dictionaries: Counter[str] = Counter()
        with ThreadPoolExecutor(1 if store.is_local else _FOOTERS_AT_ONCE) as pool:
            for source, (metadata, firsts) in zip(inputs, pool.map(self._footer, inputs), strict=True):
                self._take(source, metadata, firsts)
        self.rows = sum(group.rows for group in self._groups)
        self.size = sum(group.size for group in self._groups)
        self.kinds = {name: self._kind(name) for name in (*schema.SYSTEM_COLUMNS, *promoted, schema.ATTRIBUTES_COLUMN)}

    def batches(self) -> Generator[tuple[pa.RecordBatch, Times, int, int], None, None]:
        """Yield the rows that are taken, row group by row group in the order of their first times.

        A row's key is its time, and then the place of its row group in the order of the inputs: keys are sorted where
        the rows are to be.

        Yields:
            The rows, without columns that are null in all of them; their keys; a key than which none that follows is
            less; how many rows have been looked at for them.
        """
        count = len(self._groups)
        start = min((group.first for group in self._groups), default=0)
        firsts = [(group.first - start) * count + place for place, group in enumerate(self._groups)]
        order = sorted(range(count), key=firsts.__getitem__)
        seen = 0
        for place, following in zip(order, [*order[1:], None], strict=False):
            table = self._read(self._groups[place])
            seen += self._groups[place].rows
            if table.num_rows:
                keys = (times_of(table) - start) * count + place
                for batch, own in batches_of(table, keys):
                    yield batch, own, END if following is None else firsts[following], seen

    def _footer(self, source: MergeInput) -> tuple[pq.FileMetaData, list[int]]:
        """Return a file's footer, and the least time in each row group."""
        with self._store.open_input(f"{EVENTS}/{source.path}") as file:
            metadata = pq.read_metadata(file)
            if layout_of(source.path) == 0:  # another writer's statistics may lack, or be of another unit
                parquet = pq.ParquetFile(file, metadata=metadata)
                groups = (
                    parquet.read_row_group(number, columns=["_time"]) for number in range(metadata.num_row_groups)
                )
                return metadata, [
                    int(times_of(own_columns(group, ())).min()) if group.num_rows else 0 for group in groups
                ]
            position = metadata.schema.names.index("_time")
            return metadata, [
                metadata.row_group(number).column(position).statistics.min_raw
                for number in range(metadata.num_row_groups)
            ]

    def _take(self, source: MergeInput, metadata: pq.FileMetaData, firsts: Sequence[int]) -> None:
        names = metadata.schema.to_arrow_schema().names
        self._texts.update(dict.fromkeys(names, metadata.num_rows))
        self._dictionaries.update(dict.fromkeys(dictionary_encoded(metadata), metadata.num_rows))
        for number, first in enumerate(firsts):
            group = metadata.row_group(number)
            size = group.total_byte_size + 4 * group.num_rows * metadata.num_columns
            self._groups.append(_RowGroup(source, number, first, group.num_rows, size))

    def _kind(self, name: str) -> pa.DataType:
        if name == schema.ATTRIBUTES_COLUMN:
            return MAP
        if schema.SYSTEM_COLUMNS.get(name) == schema.TIME:
            return schema.TIME
        return schema.CONSTANT if 2 * self._dictionaries[name] > self._texts[name] else schema.TEXT

    def _read(self, group: _RowGroup) -> pa.Table:
        with open_rows(self._store, group.source.path) as parquet:
            # small, and merges run side by side: 3.3 ms for 4.3
            table = parquet.read_row_group(group.number, use_threads=False)
        if group.source.select is not None:
            table = rows_taken(table, group.source.select)
        if layout_of(group.source.path) == 0:
            table = own_columns(table, self._promoted)
        return promote_attributes(table, self._promoted[layout_of(group.source.path) :])
