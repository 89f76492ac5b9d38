"""Many sorted files of one date as few: what compaction and tiering do to rows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pyarrow as pa

from transforms.hot_tier.data.buffer import Times
from transforms.hot_tier.data.data_file import COMPRESSION_LEVEL, ROW_GROUP_ROWS, DataFile
from transforms.hot_tier.data.external_sort import SortedRows
from transforms.hot_tier.data.merge_sources import MergeInput, Sources
from transforms.hot_tier.data.new_files import NewFiles
from transforms.hot_tier.table.file_description import FileDescription
from transforms.storage import TierStore
from transforms.storage.read_ahead import read_ahead

__all__ = ["MergeInput", "merge_files"]

BUFFER_BYTES = 128 << 20
ROW_GROUP_BYTES = 32 << 20
"""About what a row group takes in memory, if it has fewer than 128 k rows."""
_LEAST_AHEAD = 2
"""Row groups that may wait to be sorted, however large; small ones may be more, together half as much as the buffer."""
_MEBIBYTE = 1 << 20


def merge_files(
    store: TierStore,
    inputs: Sequence[MergeInput],
    *,
    tier_name: str,
    date: str,
    promoted: Sequence[str],
    target_bytes: int,
    level: int = COMPRESSION_LEVEL,
    buffer_bytes: int = BUFFER_BYTES,
    job: str | None = None,
) -> list[FileDescription]:
    """Write the rows of files of one date into new files, sorted by time; rows of one time in the order of the inputs
    and their rows.

    Every value stays as it is; an attribute that was promoted after its file was written moves from the map to its
    column. The new files don't overlap in time but where one time's rows lie in two. After an error nothing is left
    behind.

    Args:
        store: The tier.
        inputs: The files, and which of their rows are taken.
        tier_name: The new files' tier.
        date: The partition's date.
        promoted: The table's promoted attributes; the new files have columns for all of them.
        target_bytes: About how large the new files are; a small one is left only where all rows together make no more.
        level: zstd's.
        buffer_bytes: What may wait in memory. A row group that is being read and one that is being written come on top.
        job: For the new files' footers.

    Returns:
        The new files, in the order of their times; none where no row is taken.
    """

    def open_file(table: pa.Table) -> DataFile:
        return DataFile(store, table, date=date, promoted=promoted, tier_name=tier_name, job=job, level=level)

    files = NewFiles(store, open_file, target_bytes=target_bytes)
    try:
        _merge(
            Sources(store, inputs, promoted),
            files,
            buffer_bytes,
            min(ROW_GROUP_BYTES, target_bytes // 4, buffer_bytes // 4),
        )
        return files.close()
    except BaseException:
        files.abort()
        raise


def _merge(sources: Sources, files: NewFiles, buffer_bytes: int, table_bytes: int) -> None:
    """Read, sort and write side by side, each in a thread: a partition is one task, and would else take one core."""
    seen = taken = written = 0
    pending: Future[None] | None = None

    def write(table: pa.Table) -> None:
        nonlocal written, pending
        written += table.num_rows
        if pending is not None:
            pending.result()
        pending = writer.submit(files.append, table, sources.rows * taken / seen - written)

    rows = SortedRows(
        sources.kinds,
        write,
        buffer_bytes=buffer_bytes,
        output_rows=min(ROW_GROUP_ROWS, max(1, table_bytes * sources.rows // max(1, sources.size))),
        runs=-(-2 * sources.size // buffer_bytes),
    )
    depth = max(_LEAST_AHEAD, buffer_bytes // 2 // _MEBIBYTE)

    def weight(found: tuple[pa.RecordBatch, Times, int, int]) -> int:
        return min(1 + int(found[0].nbytes) // _MEBIBYTE, depth // _LEAST_AHEAD)

    ahead = read_ahead(sources.batches(), threading.Event(), depth=depth, weight=weight)
    with ThreadPoolExecutor(1) as writer, closing(ahead) as found:
        for batch, keys, until, looked_at in found:
            seen = looked_at
            taken += len(keys)
            rows.add(batch, keys, until)
            del batch
        rows.close()
        if pending is not None:
            pending.result()
