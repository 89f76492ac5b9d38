"""Small data files read many at once.

What a file costs by itself (0.2 ms to open it, 2 ms to ask Polars about it) is far more than what its few rows do:
files of which the same columns are read become one table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.storage import TierStore

SMALL_ROWS = 1 << 14
SMALL_BYTES = 1 << 20
GROUP_FILES = 64
GROUP_ROWS = 1 << 17
GROUP_BYTES = 16 << 20
_REQUESTS = 8
"""Files of S3 that are read at once."""

ColumnsRead = Callable[[tuple[str, ...]], Sequence[str]]
"""From the names of a file's columns to those that are read of it."""


@dataclass(frozen=True)
class SmallFiles:
    """Some columns of several files.

    Attributes:
        table: Their rows, file by file.
        files: Which files, by their numbers among those that were asked for.
        ends: Behind which row of the table each of them ends.
    """

    table: pa.Table
    files: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @property
    def file_of_row(self) -> npt.NDArray[np.int64]:
        """Which file each row is of."""
        return np.repeat(self.files, np.diff(self.ends, prepend=0))


def is_small(file: LiveFile) -> bool:
    """Whether a file is one of the product's own and costs more by itself than its rows do."""
    return layout_of(file.path) > 0 and file.rows <= SMALL_ROWS and file.size <= SMALL_BYTES


def grouped(files: Iterable[LiveFile]) -> Iterator[list[LiveFile]]:
    """Yield files in their order, those that are small and follow each other together, all others alone."""
    group: list[LiveFile] = []
    for file in files:
        if group and not _fits(group, file):
            yield group
            group = []
        group.append(file)
    if group:
        yield group


def _fits(group: Sequence[LiveFile], file: LiveFile) -> bool:
    return (
        len(group) < GROUP_FILES
        and is_small(file)
        and is_small(group[0])
        and sum(one.rows for one in group) + file.rows <= GROUP_ROWS
        and sum(one.size for one in group) + file.size <= GROUP_BYTES
    )


def read_small_files(store: TierStore, files: Sequence[LiveFile], columns: ColumnsRead) -> list[SmallFiles]:
    """Return columns of small files, those together that have the same ones.

    What columns a file lacks says where it keeps its attributes: a condition means the same for all rows of a table.
    Each table is in one piece: Polars looks a name up in a map of 64 pieces for 25 ms, in one of as many rows for 0.7.

    Args:
        store: The tier.
        files: Files that are small.
        columns: Which columns are read; of none, the times.

    Raises:
        FileNotFoundError: a file is gone.
        TierError: the store fails.
        pa.ArrowException: a file is damaged.
    """
    alike: defaultdict[tuple[tuple[str, pa.DataType], ...], list[tuple[int, pa.Table]]] = defaultdict(list)
    for number, table in enumerate(_tables(store, files, columns)):
        alike[tuple((field.name, field.type) for field in table.schema)].append((number, table))
    return [
        SmallFiles(
            pa.concat_tables([table for _, table in tables]).combine_chunks(),
            np.array([number for number, _ in tables], np.int64),
            np.cumsum([table.num_rows for _, table in tables]),
        )
        for tables in alike.values()
    ]


def _tables(store: TierStore, files: Sequence[LiveFile], columns: ColumnsRead) -> Iterable[pa.Table]:
    """Return columns of each file; on S3 each is a request."""
    columns = cache(columns)  # most files have the same
    if store.is_local:
        return [_table(store, file, columns) for file in files]
    with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="small") as pool:
        return list(pool.map(_table, repeat(store), files, repeat(columns)))


def _table(store: TierStore, file: LiveFile, columns: ColumnsRead) -> pa.Table:
    with pq.ParquetFile(pa.BufferReader(store.get(f"{EVENTS}/{file.path}"))) as parquet:
        names = list(columns(tuple(parquet.schema_arrow.names))) or ["_time"]
        return parquet.read(columns=names, use_threads=False).replace_schema_metadata()
