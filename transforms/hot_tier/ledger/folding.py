"""Folding: many small files of the ledger become few, so that reading it does not take longer with every commit.

A folded file is made of valid sidecars alone, which never change, and commits are never undone: so it is the same
whoever makes it and when, and no commit needs to name it. What it replaces is removed once it is there; who is about to
read that lists the files again (docs/decisions/0023-folded-ledger.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby

import pyarrow as pa

from transforms.core.errors import TierError
from transforms.hot_tier.ledger.ledger_files import LastCommit, LedgerFile, choose_files, folded_path
from transforms.hot_tier.ledger.sidecar import read_whole, records_in, write_tables
from transforms.hot_tier.table.delta import one_line
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

SIDECARS = 8
"""So many sidecars are folded into one file,"""
FILES = 8
"""and so many folded files of one size into one of the next."""
MOST_BYTES = 16 << 20
"""More are not folded into one: 600,000 objects, whose entries take 100 MB of memory."""
_WORKERS = 8


def fold_ledger(tier: TierStore, snapshot: Snapshot) -> list[str]:
    """Fold what can be folded of a snapshot's ledger; several processes may do so at once.

    Returns:
        Warnings: where it fails, a later commit does it.
    """
    try:
        _Folding(tier, LastCommit.of(snapshot)).run()
    except FileNotFoundError:  # somebody else is folding
        return []
    except (TierError, OSError, pa.ArrowException) as error:
        return [f"hot tier {tier.uri}: files of the ledger could not be brought together: {one_line(error)}"]
    return []


class _Folding:
    """One folding of all commits up to the last."""

    def __init__(self, tier: TierStore, last: LastCommit) -> None:
        self._tier = tier
        self._last = last

    def run(self) -> None:
        chosen = choose_files(self._tier, self._last)
        files: Sequence[LedgerFile] = chosen.files
        for size in _sizes(self._last.k):
            files = [file for block in _blocks(files, size) for file in self._fold_block(block, size)]
        # an attempt to make a commit that somebody else has made can't succeed any more
        self._remove(other.path for other in chosen.others if any(file.has_all_of(other) for file in files))

    def _fold_block(self, files: list[LedgerFile], size: int) -> list[LedgerFile]:
        """Return the one file that a whole block becomes, else its files."""
        commits = sum(file.last - file.first + 1 for file in files)
        if len(files) == 1 or commits != size or sum(file.size for file in files) > MOST_BYTES:
            return files
        folded = self._fold(files)
        self._remove(file.path for file in files)
        return [folded]

    def _fold(self, files: Sequence[LedgerFile]) -> LedgerFile:
        first, last = files[0].first, files[-1].last
        with ThreadPoolExecutor(_WORKERS) as pool:
            tables = list(pool.map(lambda file: read_whole(self._tier.get(file.path)), files))
        numbers = [k for table in tables for k in records_in(table)["k"].to_pylist()]
        if numbers != list(range(first, last + 1)):
            raise TierError(f"{files[0].path} to {files[-1].path} have the commits {numbers[:5]}…: nothing was folded")
        data, path = write_tables(tables), folded_path(first, last)
        with suppress(FileExistsError):  # made by somebody else, from the same files
            self._tier.put_new(path, data)
        return LedgerFile(path, first, last, len(data))

    def _remove(self, paths: Iterable[str]) -> None:
        with ThreadPoolExecutor(_WORKERS) as pool:
            list(pool.map(self._tier.delete, paths))


def _sizes(commits: int) -> Iterator[int]:
    size = SIDECARS
    while size <= commits:
        yield size
        size *= FILES


def _blocks(files: Iterable[LedgerFile], size: int) -> Iterator[list[LedgerFile]]:
    """Yield the files of each block of so many commits; larger files by themselves."""
    return (list(block) for _, block in groupby(files, key=lambda file: (file.first - 1) // size))
