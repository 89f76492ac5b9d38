"""Rows sorted by key in bounded memory: an external sort (Knuth, The Art of Computer Programming, volume 3, §5.4).

Input is sorted parts, in the order of their first keys. When memory is full, the rows that no later row can precede are
output; where these are few, all rows go to the local disk as one sorted run (`spill.SortedRun`). Runs are read back
slice by slice, in the order of their first keys.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from transforms.hot_tier.data.buffer import BufferPart, Memory, Times, copy_of, is_sorted, merge
from transforms.hot_tier.data.row_groups import without_empty, without_unused
from transforms.hot_tier.data.spill import Slice, SortedRun

END = np.iinfo(np.int64).max
_KEY = "__key"
_MOST_SLICE_ROWS = 16 * 1024
_LEAST_SLICE_ROWS = 64


class SortedRows:
    """Takes sorted parts and outputs tables of about one size, sorted by key.

    Keys are unique but for neighbours of one part: rows of equal keys keep their order.
    """

    def __init__(
        self,
        kinds: Mapping[str, pa.DataType],
        output: Callable[[pa.Table], None],
        *,
        buffer_bytes: int,
        output_rows: int,
        runs: int,
    ) -> None:
        """Begin without rows.

        Args:
            kinds: The columns of the output, with their types; what a part lacks is null.
            output: Called with the tables, each sorted and none before the one before it.
            buffer_bytes: What may be in memory when runs are read back, besides a slice of each. A run is half as much:
                the other half is for rows that are read while it is written.
            output_rows: About how many rows a table has.
            runs: How many runs there may be.
        """
        self._kinds = kinds
        self._output = output
        self._buffer_bytes = buffer_bytes
        self._output_rows = output_rows
        self._runs = max(1, runs)
        self._memory = Memory()
        self._parts: list[BufferPart] = []
        # of equal first keys the newest run's come first, because they were read before
        self._slices: list[tuple[int, int, int, Slice]] = []
        self._spilled = 0

    def add(self, batch: pa.RecordBatch, keys: Times, until: int) -> None:
        """Add rows that are sorted by key; no later ones will have a key before `until`."""
        self._parts.append(BufferPart.of(batch, self._memory, keys))
        if self._memory.used <= self._buffer_bytes // 2:
            return
        rows = sum(len(one.times) for one in self._parts)
        ready = self._ready(until)
        if ready >= self._output_rows and 2 * ready >= rows:
            self._output_before(until)
        else:
            self._spill()

    def close(self) -> None:
        """Output all that is left."""
        self._output_before(END)

    def _spill(self) -> None:
        parts, self._parts = self._parts, []
        table, keys = merge(parts, list(self._kinds), self._kinds)
        del parts
        # one slice of each run is about as much as a run
        rows = max(_LEAST_SLICE_ROWS, min(_MOST_SLICE_ROWS, len(keys) // self._runs))
        table = without_empty(without_unused(table)).append_column(_KEY, pa.array(keys))
        for one in SortedRun(table, keys, np.zeros(len(keys), np.int64), slice_rows=rows).slices:
            heapq.heappush(self._slices, (one.min_time, -self._spilled, one.number, one))
        self._spilled += 1

    def _output_before(self, until: int) -> None:
        """Read back the slices before a key, and output the rows before it."""
        if self._slices and self._slices[0][0] < until and self._parts:
            self._spill()  # they would take the memory of the slices
        while self._slices and self._slices[0][0] < until:
            first, *_, waiting = heapq.heappop(self._slices)
            if self._memory.used > self._buffer_bytes:
                self._output_in_memory(first)
            self._parts.append(_read(waiting, self._memory))
        self._output_in_memory(until)

    def _ready(self, until: int) -> int:
        return sum(_before(part, until) for part in self._parts)

    def _output_in_memory(self, until: int) -> None:
        """Output the rows in memory before a key in tables of about one size; too few wait if more may come."""
        ready = self._ready(until)
        tables = -(-ready // self._output_rows) if until == END else ready // self._output_rows
        if tables == 0:
            return
        keys = np.sort(np.concatenate([part.times[: _before(part, until)] for part in self._parts]))
        rows = -(-ready // tables)
        bounds = [int(keys[start]) for start in range(rows, ready, rows)]
        for bound in sorted({*bounds, until} - {int(keys[0])}):
            self._output_table(bound)

    def _output_table(self, until: int) -> None:
        ready = [part.slice(0, stop) for part in self._parts if (stop := _before(part, until))]
        self._parts = [left for part in self._parts if (left := self._left(part, _before(part, until))) is not None]
        table, _ = merge(ready, list(self._kinds), self._kinds)
        self._output(without_unused(table))

    def _left(self, part: BufferPart, start: int) -> BufferPart | None:
        """Return what is left of a part from a row on, copied where that is little, to release the rest."""
        rows = len(part.times) - start
        if rows == 0:
            return None
        left = part.slice(start, len(part.times)) if start else part
        if 2 * rows > part.owner.rows:
            return left
        return copy_of(pa.Table.from_batches([left.batch]), self._memory, left.times.copy())


def batches_of(table: pa.Table, keys: Times) -> Iterator[tuple[pa.RecordBatch, Times]]:
    """Yield rows and their keys, sorted: one batch, unless a column's text is more than an array can hold."""
    if not is_sorted(keys):
        order = np.argsort(keys, kind="stable")
        table, keys = table.take(pa.array(order)), keys[order]
    start = 0
    for batch in without_empty(table.unify_dictionaries().combine_chunks()).to_batches():
        yield batch, keys[start : start + batch.num_rows]
        start += batch.num_rows


def _before(part: BufferPart, until: int) -> int:
    """Return how many rows of a part are before a key."""
    return int(np.searchsorted(part.times, until))


def _read(spilled: Slice, memory: Memory) -> BufferPart:
    batch = spilled.read()
    keys: Times = batch.column(_KEY).to_numpy()
    columns = [name for name in batch.schema.names if name != _KEY]
    return BufferPart.of(batch.select(columns), memory, keys)
