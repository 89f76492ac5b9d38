"""Rows that wait on the local disk, where no date's share of them fills a row group in memory.

A *run* is what was in memory at once, sorted by time, in slices of one date. Merging a date's slices from all runs, in
the order of their times, holds about one slice of each run.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow.arrays import plain

SLICE_ROWS = 2048


@dataclass(frozen=True)
class Slice:
    """Rows of one date in a run, sorted by time.

    Attributes:
        run: The run.
        number: Which batch of the run.
        day: Days since 1970.
        min_time: The least `_time`, in microseconds, or what else orders the rows.
    """

    run: SortedRun
    number: int
    day: int
    min_time: int

    def read(self) -> pa.RecordBatch:
        """Return the rows; text is `string` or `dictionary<int32, string>`."""
        return self.run.read(self.number)


class SortedRun:
    """A temporary file of sorted rows, removed with the last reference to it, also after a kill."""

    def __init__(
        self,
        table: pa.Table,
        times: npt.NDArray[np.int64],
        days: npt.NDArray[np.int64],
        *,
        slice_rows: int = SLICE_ROWS,
    ) -> None:
        """Write a table that is sorted by `_time`.

        Args:
            table: Stored columns; dictionaries are the same in all chunks.
            times: Its `_time`, in microseconds, or what else orders the rows.
            days: Its dates, in days since 1970.
            slice_rows: The most rows of a slice.
        """
        self._file = tempfile.TemporaryFile(prefix="rekindle-")  # noqa: SIM115 - lives as long as the run
        self.slices: list[Slice] = []
        with pa.ipc.new_file(
            self._file, _plain_schema(table), options=pa.ipc.IpcWriteOptions(compression="lz4")
        ) as writer:
            for start, stop in _slice_bounds(days, slice_rows):
                for batch in table.slice(start, stop - start).combine_chunks().to_batches():
                    self.slices.append(Slice(self, len(self.slices), int(days[start]), int(times[start])))
                    writer.write_batch(_plain_batch(batch))
        self.size = self._file.tell()
        # slices are small: 0.05 ms, not 0.1
        self._reader = pa.ipc.open_file(self._file, options=pa.ipc.IpcReadOptions(use_threads=False))

    def read(self, number: int) -> pa.RecordBatch:
        """Read one of the slices."""
        return self._reader.get_batch(number)


def _slice_bounds(days: npt.NDArray[np.int64], rows: int) -> list[tuple[int, int]]:
    """Return the ranges of at most so many rows of one date."""
    bounds = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    return [
        (first, min(first + rows, stop))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
        for first in range(start, stop, rows)
    ]


def _plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows without views.

    Slice by slice this reuses memory; new memory for a whole run took longer.
    """
    return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], names=batch.schema.names)


def _plain_schema(table: pa.Table) -> pa.Schema:
    return _plain_batch(table.slice(0, 1).combine_chunks().to_batches()[0]).schema
