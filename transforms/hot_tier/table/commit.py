"""Commits to a table: each a compare-and-swap, and the attempts around it (decision 4).

delta-rs's own conflict checker is not relied on: a commit becomes the version after the snapshot's, or fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from operator import or_
from typing import Generic, Protocol, TypeVar

from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from transforms.core import schema
from transforms.core.errors import TierError
from transforms.hot_tier.table import log_entries
from transforms.hot_tier.table.delta import EVENTS, NO_HOOKS, back_off, flush_log, one_line
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.log_entries import clean_log, write_entry
from transforms.hot_tier.table.map_names import MAP_NAMES, MapNames
from transforms.hot_tier.table.snapshot import Snapshot, unnamed_file
from transforms.hot_tier.table.statistics import PROPERTY, complete_statistics, statistics_columns, statistics_property
from transforms.storage import TierStore

CHECKPOINT_INTERVAL = 10


def commit(
    snapshot: Snapshot,
    *,
    added: Sequence[FileDescription] = (),
    removed: Collection[str] = (),
    transactions: Sequence[tuple[str, int]],
    removal_time: int | None = None,
    columns: Sequence[str] = (),
    off_maps: Collection[str] = (),
    forgotten: Collection[str] = (),
    map_names: MapNames | None = None,
) -> None:
    """Try once to commit the version after the snapshot's.

    An exception does not mean that the commit failed (the answer may be lost), nor its absence that it succeeded: open
    a new snapshot and look for one of the transactions.

    Args:
        snapshot: What the change was planned on; it can't be used again.
        added: New files.
        removed: Paths of live files.
        transactions: App ids and their versions.
        removal_time: When the removed files count as removed, in milliseconds since 1970 UTC; None is now.
        columns: Attributes that get a column; the statistics of the files that stay show that these lack it.
        off_maps: Those among them that the added files hold in place of removed ones which had them in their maps.
        forgotten: Paths of files that were removed before, and that no checkpoint needs to remember any more.
        map_names: The names in the maps of the product's files that stay; None are those that the snapshot has.

    Raises:
        ValueError: a path to remove is not live in the snapshot, or an added file has a promoted attribute in its map.
        DeltaError: the commit was refused, or the answer was lost.
        OSError: likewise.
    """
    promoted = [*snapshot.columns, *columns]
    _check_places(snapshot, added, promoted)
    actions: list[AddAction | RemoveAction] = [
        *_removals(snapshot, removed, removal_time),
        *_forgettings(snapshot, forgotten),
        *(_restatements(snapshot, removed, promoted) if columns else ()),
        *(_addition(file, promoted) for file in added),
    ]
    stay = snapshot.map_names if map_names is None else map_names
    all_names = reduce(or_, (MapNames.parse(file.map_names) for file in added), stay).without(off_maps)
    if not columns and all_names == snapshot.map_names:
        commit_actions(snapshot.events, actions, transactions=transactions, partition_by=schema.PARTITION_COLUMNS)
    else:
        _commit_with_metadata(snapshot, actions, columns, all_names, transactions)


def _commit_with_metadata(
    snapshot: Snapshot,
    actions: list[AddAction | RemoveAction],
    columns: Sequence[str],
    map_names: MapNames,
    transactions: Sequence[tuple[str, int]],
) -> None:
    """Try once to commit actions together with new columns, or with what the maps hold now."""
    known = snapshot.events.schema().fields
    write_entry(
        snapshot.tier,
        snapshot.events,
        actions,
        columns=Schema([*known, *(Field(name, PrimitiveType("string")) for name in columns)]),
        configuration={
            **snapshot.events.metadata().configuration,
            PROPERTY: statistics_property([*snapshot.columns, *columns]),
            MAP_NAMES: map_names.text,
        },
        transactions=transactions,
    )


def commit_actions(
    table: DeltaTable,
    actions: list[AddAction | RemoveAction],
    *,
    transactions: Sequence[tuple[str, int]],
    partition_by: Sequence[str] = (),
) -> None:
    """Try once to commit the version after the handle's to any of the tier's tables; raises as `commit` does."""
    table.create_write_transaction(
        actions,
        "append",
        table.schema(),
        list(partition_by),
        commit_properties=CommitProperties(
            max_commit_retries=0, app_transactions=[Transaction(app_id, number) for app_id, number in transactions]
        ),
        post_commithook_properties=NO_HOOKS,
    )


def finish_commit(tier: TierStore, version: int, table: str = EVENTS) -> list[str]:
    """Flush a commit's log entry to the disk, and now and then make a checkpoint, and clean the log.

    Returns:
        Warnings: a failure here does not undo the commit.
    """
    warnings = []
    try:
        flush_log(tier, version, table)
        if version % CHECKPOINT_INTERVAL == 0:
            DeltaTable(tier.table_uri(table), version=version, storage_options=tier.delta_options()).create_checkpoint()
        if version % log_entries.CLEANUP_INTERVAL == 0:
            clean_log(tier, table)
    except (DeltaError, OSError, TierError) as error:
        message = f"version {version} of the hot tier's {table} is committed, but flushing it or its checkpoint failed"
        warnings.append(f"{message}: {one_line(error)}")
    return warnings


def _removals(snapshot: Snapshot, removed: Collection[str], removal_time: int | None) -> list[RemoveAction]:
    if not removed:
        return []
    paths = set(removed)
    stale = sorted(paths - snapshot.files.keys())
    if stale or len(paths) != len(removed):
        raise ValueError(f"not live in version {snapshot.version}, or named twice: {stale or sorted(removed)}")
    now = time.time_ns() // 1_000_000 if removal_time is None else removal_time
    unnamed = [path for path in sorted(paths) if not snapshot.can_be_named(path)]
    if unnamed:
        raise TierError(f"{snapshot.events.table_uri}: {unnamed_file(unnamed[0])}; nothing was changed")
    live = [snapshot.files[path] for path in sorted(paths)]
    return [RemoveAction(file.path, True, now, file.size, {**file.partition}) for file in live]


def _check_places(snapshot: Snapshot, added: Sequence[FileDescription], promoted: Sequence[str]) -> None:
    """Refuse files that would give an attribute a second place in the table (decision 22)."""
    for file in added:
        if misplaced := file.misplaced(promoted):
            raise ValueError(
                f"{file.path}: its map has {', '.join(misplaced[:3])}, a column since version {snapshot.version} or "
                "before: it must be laid out anew"
            )


def _forgettings(snapshot: Snapshot, paths: Collection[str]) -> list[RemoveAction]:
    """Return tombstones so old that the next checkpoint leaves them out, and those in whose place they come."""
    live = sorted(snapshot.files.keys() & set(paths))
    if live:
        raise ValueError(f"live in version {snapshot.version}: {live}")
    return [RemoveAction(path, False, 0, 0, _partition(path)) for path in paths]


def _partition(path: str) -> dict[str, str | None]:
    folders = (part.partition("=") for part in path.split("/")[:-1])
    return {name: value for name, _, value in folders if name in schema.PARTITION_COLUMNS}


def _restatements(snapshot: Snapshot, removed: Collection[str], promoted: Sequence[str]) -> list[AddAction]:
    """Return the files that stay once more, where columns that have statistics are added; no row changes."""
    if statistics_columns(promoted) == statistics_columns(snapshot.columns):
        return []
    gone = set(removed)
    stay = (file for path, file in snapshot.files.items() if path not in gone and snapshot.can_be_named(path))
    return [
        AddAction(
            file.path,
            file.size,
            file.partition,
            file.modified,
            False,
            complete_statistics(snapshot.statistics(file.path), file.rows, promoted),
        )
        for file in stay
    ]


def _addition(file: FileDescription, promoted: Sequence[str]) -> AddAction:
    """Return a new file's action; columns that others added since it was written are null in all its rows."""
    partition = {"tier": file.tier, "date": file.date}
    return AddAction(
        file.path,
        file.size,
        partition,
        time.time_ns() // 1_000_000,
        True,
        complete_statistics(file.stats, file.rows, promoted),
    )


MOST_FAILURES = 30
"""Attempts that may fail in a row although nobody else commits: more are no rivalry."""


class Versioned(Protocol):
    """A table at one version."""

    version: int


S = TypeVar("S", bound=Versioned)


class Attempts(Generic[S]):
    """Yields new snapshots, with pauses between them, until the caller breaks off."""

    def __init__(self, tier: TierStore, complaint: str, load: Callable[[TierStore], S]) -> None:
        """Prepare; nothing is read yet.

        Args:
            tier: The hot tier.
            complaint: What can't be done, for the error.
            load: Returns the table as it is now, by a handle of its own.
        """
        self._tier = tier
        self._complaint = complaint
        self._load = load
        self._cause: Exception | None = None

    def __iter__(self) -> Iterator[S]:
        """Yield new snapshots.

        Raises:
            TierError: too many attempts failed.
        """
        version, failures = -1, 0
        while failures < MOST_FAILURES:
            if failures:
                time.sleep(back_off(min(failures, 5)))
            snapshot = self._load(self._tier)
            failures = failures + 1 if snapshot.version <= version else max(1, failures // 2)
            version = snapshot.version
            yield snapshot
        why = one_line(self._cause) if self._cause else "commits are accepted but do not appear"
        raise TierError(f"hot tier {self._tier.uri}: {self._complaint}: {why}") from self._cause

    @contextmanager
    def unless_refused(self) -> Iterator[None]:
        """Let an attempt fail: the next snapshot shows whether it was committed all the same."""
        try:
            yield
        except (DeltaError, OSError, TierError) as error:
            self._cause = error
