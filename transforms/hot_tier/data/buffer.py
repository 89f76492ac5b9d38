"""Events in memory before they are written: parts, cut by date and merged by time.

A slice keeps all of its batch in memory, so a batch is counted whole until its last slice is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow.arrays import MAP, as_constant, as_view, constant, own_memory, take_rows
from transforms.core import schema
from transforms.hot_tier.data.attributes import stored_columns

DAY = 86_400_000_000
PART_OVERHEAD = 16 << 10
"""About what a batch takes besides its values; small objects make many small batches."""

Times = npt.NDArray[np.int64]


class Memory:
    """The bytes that the parts of one writer keep in memory, counted across threads.

    Attributes:
        used: The bytes.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.used = 0
        self._lock = threading.RLock()

    def add(self, size: int) -> None:
        """Count bytes that were taken, or, negative, released."""
        with self._lock:
            self.used += size


class _Owner:
    """One batch in memory, released with its last part."""

    def __init__(self, memory: Memory, batch: pa.RecordBatch) -> None:
        self.size = batch.get_total_buffer_size() + PART_OVERHEAD
        self.rows = batch.num_rows
        self._memory = memory
        memory.add(self.size)

    def __del__(self) -> None:
        self._memory.add(-self.size)


@dataclass(frozen=True)
class BufferPart:
    """Rows in memory, of one date or, from a batch with very many dates, of all of them.

    Attributes:
        batch: Stored columns (`attributes.stored_columns`).
        times: Their `_time`, in microseconds since 1970 UTC, or what else orders them, in the order of the rows.
        first: The least.
        last: The greatest.
    """

    batch: pa.RecordBatch
    times: Times
    first: int
    last: int
    owner: _Owner = field(repr=False)

    @classmethod
    def of(cls, batch: pa.RecordBatch, memory: Memory, times: Times | None = None) -> BufferPart:
        """Return all rows of a batch of stored columns."""
        times = times_of(batch) if times is None else times
        return cls(batch, times, int(times.min()), int(times.max()), _Owner(memory, batch))

    @property
    def weight(self) -> int:
        """Its share of the batch that it keeps in memory, in bytes."""
        return int(self.owner.size * len(self.times) / self.owner.rows)

    @property
    def days(self) -> range:
        """The dates from its first to its last, in days since 1970."""
        return range(self.first // DAY, self.last // DAY + 1)

    def slice(self, start: int, stop: int) -> BufferPart:
        """Return some of the rows, which are sorted."""
        times = self.times[start:stop]
        return BufferPart(self.batch.slice(start, stop - start), times, int(times[0]), int(times[-1]), self.owner)

    def by_date(self) -> Iterator[BufferPart]:
        """Yield the rows of each date; the rows are sorted."""
        days = self.times // DAY
        bounds = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            yield self.slice(start, stop)


def stored_part(batch: pa.RecordBatch, promoted: frozenset[str], memory: Memory) -> BufferPart:
    """Return a batch of events in flight as the hot tier stores it.

    Raises:
        ValueError: an event has no `_time`, or no `_object`.
    """
    if missing := batch.column("_object").null_count:
        raise ValueError(f"{missing} events have no _object")
    columns = stored_columns(batch, promoted)
    return BufferPart.of(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), memory)


def cut_by_date(part: BufferPart, memory: Memory) -> list[BufferPart]:
    """Return a part of a few dates as parts of one date each: slices, where it is sorted."""
    if len(part.days) == 1:
        return [part]
    if not is_sorted(part.times):
        table = take_rows(pa.Table.from_batches([part.batch]), np.argsort(part.times, kind="stable"))
        part = BufferPart.of(_one_batch(table), memory)
    return list(part.by_date())


def copy_of(table: pa.Table, memory: Memory, times: Times | None = None) -> BufferPart:
    """Copy rows, so that they don't keep the batches they came from in memory."""
    arrays = [own_memory(column.combine_chunks()) for column in table.columns]
    return BufferPart.of(pa.RecordBatch.from_arrays(arrays, names=table.schema.names), memory, times)


def part_of_slice(batch: pa.RecordBatch, memory: Memory) -> BufferPart:
    """Return a part that was spilled (`spill.Slice.read`)."""
    return BufferPart.of(
        pa.RecordBatch.from_arrays([_as_stored(column) for column in batch.columns], names=batch.schema.names), memory
    )


def times_of(rows: pa.RecordBatch | pa.Table) -> Times:
    """Return the `_time` of rows, in microseconds since 1970 UTC.

    Raises:
        ValueError: a row has none.
    """
    column = rows.column("_time")
    if column.null_count:
        raise ValueError(f"{column.null_count} events have no _time")
    times: Times = column.cast(pa.int64()).to_numpy()
    return times


def merge(
    parts: Sequence[BufferPart], columns: Sequence[str], kinds: Mapping[str, pa.DataType] | None = None
) -> tuple[pa.Table, Times]:
    """Return the rows of parts as one table, sorted by time.

    Args:
        parts: At least one.
        columns: The table's columns; what a part lacks is null.
        kinds: The columns' types; None makes text a dictionary where it is one in all parts that have it.

    Returns:
        The table, and its `_time` in microseconds.
    """
    ordered = sorted(parts, key=lambda part: part.first)
    times = np.concatenate([part.times for part in ordered])
    absent = cache(_nulls)  # one for all columns that no part has
    held = [dict(zip(part.batch.schema.names, part.batch.columns, strict=True)) for part in ordered]
    arrays = [
        _column(
            name,
            [one.get(name) for one in held],
            [len(part.times) for part in ordered],
            kinds[name] if kinds else None,
            absent,
        )
        for name in columns
    ]
    table = pa.table(arrays, names=list(columns)).unify_dictionaries()
    if is_sorted(times):
        return table, times
    order = np.argsort(times, kind="stable")
    return take_rows(table, order), times[order]


def is_sorted(times: Times) -> bool:
    """Whether no time is less than the one before it."""
    return bool((times[1:] >= times[:-1]).all())


def _column(
    name: str,
    arrays: Sequence[pa.Array | None],
    rows: Sequence[int],
    kind: pa.DataType | None,
    absent: Callable[[int, pa.DataType], pa.Array],
) -> pa.ChunkedArray:
    found = [array for array in arrays if array is not None]
    kind = kind or _kind(name, found)
    if not found:
        return pa.chunked_array([absent(sum(rows), kind)])
    return pa.chunked_array(
        [
            _nulls(count, kind) if array is None else _as_kind(array, kind)
            for count, array in zip(rows, arrays, strict=True)
        ],
        kind,
    )


def _kind(name: str, found: Sequence[pa.Array]) -> pa.DataType:
    if name == schema.ATTRIBUTES_COLUMN:
        return MAP
    if schema.SYSTEM_COLUMNS.get(name) == schema.TIME:
        return schema.TIME
    return schema.CONSTANT if found and all(pa.types.is_dictionary(array.type) for array in found) else schema.TEXT


def _as_kind(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if kind == MAP:
        return own_memory(array)
    return as_constant(array) if kind == schema.CONSTANT else as_view(array)


def _nulls(rows: int, kind: pa.DataType) -> pa.Array:
    return constant(None, rows) if kind == schema.CONSTANT else pa.nulls(rows, kind)


def _as_stored(array: pa.Array) -> pa.Array:
    if pa.types.is_string(array.type):
        return as_view(array)
    return own_memory(array) if pa.types.is_map(array.type) else array


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([column.combine_chunks() for column in table.columns], names=table.schema.names)
