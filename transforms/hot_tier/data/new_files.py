"""The files that a merge writes: each about as large as its target, and small ones only if unavoidable."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import pyarrow as pa

from transforms.core.errors import TierError
from transforms.hot_tier.data.data_file import DataFile
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import FileDescription
from transforms.storage import TierStore

_LARGEST = 1.125
"""Of the target: two files of a little more than half of it each are none that the next compaction would merge."""


class NewFiles:
    """Files written one after the other from ordered rows; until `close`, `abort` removes all of them."""

    def __init__(self, store: TierStore, open_file: Callable[[pa.Table], DataFile], *, target_bytes: int) -> None:
        """Begin without a file.

        Args:
            store: The tier.
            open_file: Opens a file for tables like the given one.
            target_bytes: The size that files should have.
        """
        self._store = store
        self._open_file = open_file
        self._largest = target_bytes * _LARGEST
        self._file: DataFile | None = None
        self._done: list[FileDescription] = []

    def append(self, table: pa.Table, rows_left: float) -> None:
        """Write rows; about `rows_left` are still to come."""
        if self._file is None:
            self._file = self._open_file(table)
        self._file.append(table)
        size = self._file.size
        expected = size * (1 + rows_left / self._file.rows)
        if size >= expected / math.ceil(expected / self._largest) and rows_left:
            self._close_file()

    def close(self) -> list[FileDescription]:
        """Close the last file, and describe all."""
        if self._file is not None:
            self._close_file()
        return self._done

    def abort(self) -> None:
        """Remove all files."""
        if self._file is not None:
            self._file.abort()
        for file in self._done:
            with suppress(TierError):  # the error before counts; no commit names the file
                self._store.delete(f"{EVENTS}/{file.path}")

    def _close_file(self) -> None:
        assert self._file is not None
        self._done.append(self._file.close())
        self._file = None
