"""`HotTierWriter`: from batches of events to sorted Parquet files, one partition each, within bounded memory.

Events gather in memory by date. When the memory is full, the largest date is written:

- to its open file, where its rows come after the file's (the usual case: one file grows to its full size in time
  order), else to a new one;
- up to the beginning of its last batch, which stays, because logs are only nearly sorted.

Where events are spread over so many dates that the largest is still small, all of them go to the local disk and are
merged at the end: a thousand dates open no thousand files, and each gets one of its own size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from transforms.core import schema
from transforms.hot_tier.data.buffer import (
    DAY,
    BufferPart,
    Memory,
    copy_of,
    cut_by_date,
    merge,
    part_of_slice,
    stored_part,
)
from transforms.hot_tier.data.data_file import DataFile
from transforms.hot_tier.data.row_groups import without_empty
from transforms.hot_tier.data.spill import Slice, SortedRun
from transforms.hot_tier.table.file_description import FileDescription, ObjectRows
from transforms.storage import TierStore

__all__ = ["FileDescription", "HotTierWriter", "ObjectRows"]

BUFFER_BYTES = 64 << 20
TARGET_BYTES = 256 << 20
SPILL_BYTES = 1 << 30
OPEN_FILES = 4
MANY_DATES = 16
"""A batch of more dates than this goes to the local disk uncut."""
SMALL_SHARE = 4
"""A date is worth writing from memory when it fills this part of the buffer."""


@dataclass
class _Partition:
    """The rows of one date: parts in memory, slices on disk."""

    day: int
    parts: list[BufferPart] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)

    @property
    def weight(self) -> int:
        return sum(part.weight for part in self.parts)


class HotTierWriter:
    """Writes events into new files of the hot tier, which readers see once a commit names them.

    A file that is not closed leaves nothing; a writer that is dropped leaves files that no reader sees.
    """

    def __init__(
        self,
        tier: TierStore,
        *,
        columns: Sequence[str],
        job: str | None = None,
        buffer_bytes: int = BUFFER_BYTES,
        target_bytes: int = TARGET_BYTES,
    ) -> None:
        """Begin without a file.

        Args:
            tier: The hot tier.
            columns: All promoted attributes, in the table's order (`table.promoted_columns`).
            job: The job's task id, for the files' footers.
            buffer_bytes: The memory for events, besides one batch.
            target_bytes: A file that has reached this size is closed.
        """
        self._tier = tier
        self._promoted = tuple(columns)
        self._promoted_set = frozenset(columns)
        self._columns = (*schema.SYSTEM_COLUMNS, *columns, schema.ATTRIBUTES_COLUMN)
        self._job = job
        self._buffer_bytes = buffer_bytes
        self._target_bytes = target_bytes
        self._memory = Memory()
        self._partitions: dict[int, _Partition] = {}
        self._scattered: list[BufferPart] = []
        self._files: OrderedDict[int, DataFile] = OrderedDict()
        self._spilled = 0
        self._done: list[FileDescription] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch of events in flight (`transforms.core.schema`), all with a `_time`."""
        if batch.num_rows:
            with self._aborted_on_error():
                self._take(batch)

    def close(self) -> list[FileDescription]:
        """Write what is left, close all files, and describe them."""
        with self._aborted_on_error():
            self._write_all()
            for day in list(self._files):
                self._close_file(day)
        return self._done

    def abort(self) -> None:
        """Discard the open files; the closed ones stay, unknown to any commit."""
        self._partitions.clear()
        self._scattered.clear()
        while self._files:
            self._files.popitem()[1].abort()

    @contextmanager
    def _aborted_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.abort()
            raise

    def _take(self, batch: pa.RecordBatch) -> None:
        part = stored_part(batch, self._promoted_set, self._memory)
        if len(part.days) > MANY_DATES and len(np.unique(part.times // DAY)) > MANY_DATES:
            self._scattered.append(part)
        else:
            for of_date in cut_by_date(part, self._memory):
                self._partition(of_date.days[0]).parts.append(of_date)
        del part
        while self._memory.used > self._buffer_bytes and self._in_memory():
            self._make_room()

    def _partition(self, day: int) -> _Partition:
        return self._partitions.setdefault(day, _Partition(day))

    def _in_memory(self) -> list[BufferPart]:
        return [*self._scattered, *(part for partition in self._partitions.values() for part in partition.parts)]

    def _make_room(self) -> None:
        largest = max(self._partitions.values(), key=lambda partition: partition.weight, default=None)
        if largest is not None and largest.weight * SMALL_SHARE >= self._buffer_bytes:
            self._write_most(largest)
        else:
            self._spill()
        if self._spilled > SPILL_BYTES:
            self._write_all()

    def _write_most(self, partition: _Partition) -> None:
        """Write a date's rows up to its last batch's first, or all where these are few: then it is unsorted."""
        *earlier, last = partition.parts
        ready = sum(int(np.count_nonzero(part.times <= last.first)) for part in earlier)
        if 2 * ready < sum(len(part.times) for part in partition.parts):
            self._append(partition)
        else:
            partition.parts = earlier
            self._append(partition, until=last.first)
            partition.parts.append(last)
        if not partition.parts and not partition.slices:
            del self._partitions[partition.day]

    def _spill(self) -> None:
        """Move all that is in memory to the local disk."""
        parts = self._in_memory()
        if not parts:
            return
        table, times = merge(parts, self._columns)
        del parts
        self._scattered = []
        for partition in self._partitions.values():
            partition.parts = []
        run = SortedRun(without_empty(table), times, times // DAY)
        self._spilled += run.size
        for of_date in run.slices:
            self._partition(of_date.day).slices.append(of_date)

    def _write_all(self) -> None:
        if self._scattered or any(partition.slices for partition in self._partitions.values()):
            self._spill()
        for day in sorted(self._partitions):
            partition = self._partitions.pop(day)
            self._merge_slices(partition)
            if partition.parts:
                self._append(partition)
        self._spilled = 0

    def _merge_slices(self, partition: _Partition) -> None:
        """Read a date's slices back in the order of their times, and write when memory is full."""
        waiting = sorted(partition.slices, key=lambda spilled: spilled.min_time)
        partition.slices = []
        for spilled in waiting:
            if partition.parts and self._memory.used > self._buffer_bytes:
                self._append(partition, until=spilled.min_time)  # what no later slice can precede
            partition.parts.append(part_of_slice(spilled.read(), self._memory))

    def _append(self, partition: _Partition, *, until: int | None = None) -> None:
        """Write a date's rows, up to and with a time, to its open file, or to a new one where they don't come after."""
        file = self._files.get(partition.day)
        if (
            file is not None
            and file.last_time is not None
            and min(part.first for part in partition.parts) < file.last_time
        ):
            self._close_file(partition.day)
            file = None
        kinds = None if file is None else {column.name: column.type for column in file.schema}
        table, times = merge(partition.parts, self._columns, kinds)
        stop = len(times) if until is None else int(np.searchsorted(times, until, side="right"))
        partition.parts = [copy_of(table.slice(stop), self._memory)] if stop < len(times) else []
        if stop == 0:
            return
        table = table.slice(0, stop)
        if file is None:
            file = self._open_file(partition.day, table)
        self._files.move_to_end(partition.day)
        file.append(table)
        if file.size >= self._target_bytes:
            self._close_file(partition.day)

    def _open_file(self, day: int, table: pa.Table) -> DataFile:
        while len(self._files) >= OPEN_FILES:
            self._close_file(next(iter(self._files)))
        text = (date(1970, 1, 1) + timedelta(days=day)).isoformat()
        self._files[day] = DataFile(self._tier, table, date=text, promoted=self._promoted, job=self._job)
        return self._files[day]

    def _close_file(self, day: int) -> None:
        file = self._files.pop(day)
        try:
            self._done.append(file.close())
        except BaseException:
            file.abort()
            raise
