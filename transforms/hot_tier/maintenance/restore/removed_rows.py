"""Which rows of a file a deletion has removed: those that are not in the file that replaced it.

The new file has the remaining rows of the old one in their order. So the old file is read row group by row group, and
of the new one at most as many rows as the group has: memory holds one group's keys of each, however many rows have the
same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.core.errors import TierError
from transforms.hot_tier.data.rewrite import without_contents
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import layout_of
from transforms.storage import TierStore

_KEYS = ("_event_id", "_correlation_id")
_OBJECT = "_object"
_BATCH_ROWS = 64 * 1024
Superseded = Mapping[str, frozenset[str]]
"""Objects whose contents were replaced or published again, and the jobs that had brought these."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """A file that a deletion took rows from, and the one that replaced it.

    Attributes:
        old: Its path.
        new: The path of the file that replaced it; None where no row was left.
        tier: The partition's `hot` or `cold`.
        date: The partition's date.
        rows: How many rows the old file has.
        taken: How many of them were removed.
    """

    old: str
    new: str | None
    tier: str
    date: str
    rows: int
    taken: int

    @classmethod
    def from_document(cls, file: Mapping[str, Any]) -> Pair:
        """Return one of a run's pairs, from the document of its changes."""
        return cls(**{name: file[name] for name in cls.__dataclass_fields__})

    @property
    def paths(self) -> list[str]:
        """The files that restoring its rows reads."""
        return [self.old] if self.new is None else [self.old, self.new]


class RemovedRows(NamedTuple):
    """The removed rows of one row group of the old file.

    Attributes:
        group: Its number.
        restorable: Which of its rows were removed, and not superseded since.
        newer: How many were removed, and superseded since.
    """

    group: int
    restorable: Mask
    newer: int


def removed_rows(store: TierStore, pair: Pair, superseded: Superseded) -> Iterator[RemovedRows]:
    """Yield for each row group which rows were removed.

    Args:
        store: The tier.
        pair: The files.
        superseded: Whose rows are not to be restored.

    Raises:
        TierError: the new file is not what was left of the old one, so nothing can be concluded.
        FileNotFoundError: a file is gone.
    """
    current = without_contents(superseded) if superseded else None
    taken = 0
    with ExitStack() as stack:
        old = pq.ParquetFile(stack.enter_context(store.open_input(f"{EVENTS}/{pair.old}")))
        opened = None if pair.new is None else stack.enter_context(store.open_input(f"{EVENTS}/{pair.new}"))
        new = None if opened is None else pq.ParquetFile(opened)
        remaining = _RemainingRows(new) if layout_of(pair.old) else _ForeignRemainingRows(new, pair)
        for group in range(old.num_row_groups):
            keys = old.read_row_group(group, columns=[*_KEYS, *([_OBJECT] if current else ())])
            removed = ~remaining.take(_key(keys))
            taken += int(removed.sum())
            restorable = removed & current(keys).to_numpy() if current else removed
            yield RemovedRows(group, restorable, int(removed.sum() - restorable.sum()))
        if remaining.is_left() or taken != pair.taken:
            raise TierError(
                f"hot tier {store.uri}: {EVENTS}/{pair.new} is not what the run left of {EVENTS}/{pair.old}: {taken:,} "
                f"rows are missing in it, but {pair.taken:,} were deleted; nothing was restored"
            )


class _RemainingRows:
    """The rows that were left, in their order, taken one row group of the old file after the other."""

    def __init__(self, parquet: pq.ParquetFile | None) -> None:
        batches = iter(()) if parquet is None else parquet.iter_batches(_BATCH_ROWS, columns=list(_KEYS))
        self._keys = (_key(pa.Table.from_batches([batch])) for batch in batches)
        self._next = pa.chunked_array([], pa.string())

    def take(self, keys: pa.ChunkedArray) -> Mask:
        """Return which of the old file's next rows stayed."""
        self._fill(len(keys))
        next_keys = self._next.slice(0, len(keys))
        stayed: Mask = pc.is_in(keys, next_keys).to_numpy()
        if not keys.filter(pa.array(stayed)).equals(next_keys.slice(0, int(stayed.sum()))):
            stayed = _in_order(keys.to_pylist(), next_keys.to_pylist())  # keys that are there twice
        self._next = self._next.slice(int(stayed.sum()))
        return stayed

    def is_left(self) -> bool:
        """Whether there are rows that the old file did not have."""
        self._fill(1)
        return len(self._next) > 0

    def _fill(self, rows: int) -> None:
        chunks = self._next.chunks
        have = len(self._next)
        while have < rows and (more := next(self._keys, None)) is not None:
            chunks += more.chunks
            have += len(more)
        self._next = pa.chunked_array(chunks, pa.string())


class _ForeignRemainingRows:
    """The rows that were left of another writer's file, which may be unsorted, where the new file is sorted."""

    def __init__(self, parquet: pq.ParquetFile | None, pair: Pair) -> None:
        keys = [] if parquet is None else _key(parquet.read(columns=list(_KEYS))).to_pylist()
        if any(key.startswith("\0") for key in keys):
            raise TierError(
                f"{EVENTS}/{pair.old}: another program wrote this file, with events that have no _event_id, so the "
                "deleted ones can't be found; nothing was restored"
            )
        self._left = Counter(keys)

    def take(self, keys: pa.ChunkedArray) -> Mask:
        """Return which of the old file's next rows stayed."""
        stayed = np.zeros(len(keys), np.bool_)
        for number, key in enumerate(keys.to_pylist() if self._left else ()):
            if self._left[key] > 0:
                self._left[key] -= 1
                stayed[number] = True
        return stayed

    def is_left(self) -> bool:
        """Whether there are rows that the old file did not have."""
        return any(self._left.values())


def _in_order(keys: list[str], remaining: list[str]) -> Mask:
    """Return which keys match the next remaining ones, one after the other."""
    stayed = np.zeros(len(keys), np.bool_)
    position = 0
    for number, key in enumerate(keys):
        if position < len(remaining) and key == remaining[position]:
            stayed[number] = True
            position += 1
    return stayed


def _key(table: pa.Table) -> pa.ChunkedArray:
    """Return what identifies a row in its file: its id, and the job that brought it."""
    columns = [pc.fill_null(table[name].cast(pa.string()), "") for name in _KEYS if name in table.schema.names]
    joined = pc.binary_join_element_wise(*columns, "\0")
    return joined if isinstance(joined, pa.ChunkedArray) else pa.chunked_array([joined])
