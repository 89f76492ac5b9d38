"""Merging many sorted files of one date into few, for compaction and tiering."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pyarrow as pa

from transforms.hot_tier.data.buffer import Times
from transforms.hot_tier.data.data_file import COMPRESSION_LEVEL, ROW_GROUP_ROWS, DataFile
from transforms.hot_tier.data.external_sort import SortedRows
from transforms.hot_tier.data.merge_sources import MergeInput, MergeSources
from transforms.hot_tier.data.new_files import NewFiles
from transforms.hot_tier.table.file_description import FileDescription
from transforms.storage import TierStore
from transforms.storage.read_ahead import read_ahead

__all__ = ["MergeInput", "merge_files"]

BUFFER_BYTES = 128 << 20
ROW_GROUP_BYTES = 32 << 20
"""About what a row group of fewer than 128 Ki rows takes in memory."""
_LEAST_AHEAD = 2
"""Row groups that may wait to be sorted, however large; more where they are small, up to half the buffer."""
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
    """Write the rows of files of one date into new files, sorted by time.

    Rows of one time keep the order of the inputs and of their rows, and every value stays as it is; an attribute that
    was promoted after its file was written moves from the map to its column. New files overlap only in a time whose
    rows lie in two. After an error nothing is left behind.

    Args:
        store: The tier.
        inputs: The files, and which of their rows are taken.
        tier_name: The new files' tier.
        date: The partition's date.
        promoted: The table's promoted attributes; the new files have columns for all of them.
        target_bytes: About the size of the new files; one is small only where all rows together are.
        level: zstd's.
        buffer_bytes: What may wait in memory, besides a row group being read and one being written.
        job: For the new files' footers.

    Returns:
        The new files, in the order of their times; none where no row is taken.
    """

    def open_file(table: pa.Table) -> DataFile:
        return DataFile(store, table, date=date, promoted=promoted, tier_name=tier_name, job=job, level=level)

    files = NewFiles(store, open_file, target_bytes=target_bytes)
    table_bytes = min(ROW_GROUP_BYTES, target_bytes // 4, buffer_bytes // 4)
    try:
        _merge(MergeSources(store, inputs, promoted), files, buffer_bytes, table_bytes)
        return files.close()
    except BaseException:
        files.abort()
        raise


def _merge(sources: MergeSources, files: NewFiles, buffer_bytes: int, table_bytes: int) -> None:
    """Read, sort and write in a thread each: a partition is one task, which would else use one core."""
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
