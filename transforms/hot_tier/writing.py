"""`HotTierWriter`: from batches of events to sorted Parquet files, one partition each, within bounded memory.

Events gather in memory by date. When the memory is full, the largest date is written: onto its open file where its rows come after those
that are there (the usual case: one file grows to its full size in time order), else into a new one. Logs are only nearly sorted, so the
last batch stays behind, and what is written stops where it begins. Where events are spread over so many dates that the largest is still
small, all of them go to the local disk, and are merged at the end: a thousand dates open no thousand files, and each gets one of its own
size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa

from transforms import schema
from transforms.hot_tier.buffering import DAY, Memory, Part, cut_by_date, merge, part_of_slice, split_at
from transforms.hot_tier.data_file import DataFile, FileDescription, ObjectRows
from transforms.hot_tier.spilling import Run, Slice
from transforms.storage import TierStore

__all__ = ["FileDescription", "HotTierWriter", "ObjectRows"]

BUFFER_BYTES = 64 << 20
TARGET_BYTES = 256 << 20
SPILL_BYTES = 1 << 30
OPEN_FILES = 4
SMALL_SHARE = 4
"""A date is worth writing from memory when it fills this part of the buffer."""


@dataclass
class _Partition:
    """What is known of one date: parts in memory, slices on disk."""

    day: int
    parts: list[Part] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)

    @property
    def weight(self) -> int:
        return sum(part.weight for part in self.parts)


class HotTierWriter:
    """Writes events into new files of the hot tier, under names that no commit knows yet.

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
            columns: The promoted attributes, as the table has them.
            job: The job's task id, for the files' footers.
            buffer_bytes: What the events in memory may keep alive; a batch may come on top.
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
        self._files: OrderedDict[int, DataFile] = OrderedDict()
        self._spilled = 0
        self._done: list[FileDescription] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a batch of events in flight (`transforms.schema`), all with a `_time`."""
        if batch.num_rows == 0:
            return
        for day, part in cut_by_date(batch, self._promoted_set, self._memory):
            self._partition(day).parts.append(part)
        while self._memory.used > self._buffer_bytes and any(partition.parts for partition in self._partitions.values()):
            self._make_room()

    def close(self) -> list[FileDescription]:
        """Write what is left, and describe all files."""
        self._write_all()
        for day in list(self._files):
            self._close_file(day)
        return self._done

    def abort(self) -> None:
        """Leave no file half-written; those that are closed stay, unknown to any commit."""
        self._partitions.clear()
        while self._files:
            self._files.popitem()[1].abort()

    def _partition(self, day: int) -> _Partition:
        return self._partitions.setdefault(day, _Partition(day))

    def _make_room(self) -> None:
        largest = max(self._partitions.values(), key=lambda partition: partition.weight)
        if largest.weight * SMALL_SHARE >= self._buffer_bytes or len(self._partitions) == 1:
            self._write_most(largest)
        else:
            self._spill()
        if self._spilled > SPILL_BYTES:
            self._write_all()

    def _write_most(self, partition: _Partition) -> None:
        """Write a date's rows up to the first of its last batch, or all where these are few: its batches are in no order."""
        *earlier, last = partition.parts
        ready, kept = split_at(earlier, int(last.times[0]), self._memory)
        if 2 * sum(part.weight for part in ready) < partition.weight:
            ready, kept = partition.parts, []
        else:
            kept.append(last)
        partition.parts = kept
        if not kept and not partition.slices:
            del self._partitions[partition.day]
        self._append(partition.day, ready)

    def _spill(self) -> None:
        """Bring all that is in memory to the local disk."""
        parts = [part for partition in self._partitions.values() for part in partition.parts]
        if not parts:
            return
        table, times = merge(parts, self._columns)
        del parts
        for partition in self._partitions.values():
            partition.parts = []
        run = Run(table, times, times // DAY)
        self._spilled += run.size
        for piece in run.slices:
            self._partition(piece.day).slices.append(piece)

    def _write_all(self) -> None:
        if any(partition.slices for partition in self._partitions.values()):
            self._spill()
        for day in sorted(self._partitions):
            partition = self._partitions.pop(day)
            self._merge_slices(partition)
            if partition.parts:
                self._append(day, partition.parts)
        self._spilled = 0

    def _merge_slices(self, partition: _Partition) -> None:
        """Bring a date's slices back, in the order of their times, writing what no later slice can precede when memory is full."""
        waiting = sorted(partition.slices, key=lambda piece: piece.min_time)
        partition.slices = []
        for number, piece in enumerate(waiting):
            partition.parts.append(part_of_slice(piece.read(), self._memory))
            if self._memory.used > self._buffer_bytes and number + 1 < len(waiting):
                ready, partition.parts = split_at(partition.parts, waiting[number + 1].min_time, self._memory)
                if ready:
                    self._append(partition.day, ready)

    def _append(self, day: int, parts: list[Part]) -> None:
        """Write parts of one date onto its open file, or into a new one where they don't come after it."""
        file = self._files.get(day)
        if file is not None and file.last_time is not None and min(int(part.times[0]) for part in parts) < file.last_time:
            self._close_file(day)
            file = None
        kinds = None if file is None else {column.name: column.type for column in file.schema}
        table, _ = merge(parts, self._columns, kinds)
        parts.clear()
        if file is None:
            file = self._open_file(day, table)
        self._files.move_to_end(day)
        file.append(table)
        if file.size >= self._target_bytes:
            self._close_file(day)

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
