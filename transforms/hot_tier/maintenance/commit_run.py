"""A run's one commit: planned on a new snapshot at each attempt, and identified by the file of its changes.

An exception does not mean that a commit failed, nor its absence that it succeeded: the next snapshot shows it, by the
path of the changes, which is an app id of the commit (docs/decisions/0004-commit-by-compare-and-swap.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from transforms.core.errors import GoneError, TierError
from transforms.hot_tier.ledger import folding
from transforms.hot_tier.ledger.ledger_files import LastCommit
from transforms.hot_tier.ledger.undone import LedgerChange
from transforms.hot_tier.table.commit import Attempts, commit, finish_commit
from transforms.hot_tier.table.delta import flush_log
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.purges import check_not_purged, purge_number
from transforms.hot_tier.table.runs import DONE, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore


@dataclass(frozen=True)
class Change:
    """What a run is to commit.

    Attributes:
        added: New files.
        removed: Paths of the live files that they replace.
        document: What must be known of it later, as a JSON document: what it did by rule, and which file replaced
            which.
        transactions: App ids of the commit and their versions, besides the run's own.
        columns: Attributes that get a column; no file keeps them in its map any more.
        forgotten: Paths of removed files that the log need not remember any more.
        ledger: The commit of the ledger that belongs to it.
    """

    added: Sequence[FileDescription]
    removed: Sequence[str]
    document: dict[str, Any]
    transactions: Sequence[tuple[str, int]] = ()
    columns: Sequence[str] = field(default=(), kw_only=True)
    forgotten: Sequence[str] = field(default=(), kw_only=True)
    ledger: LedgerChange | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class CommittedRun:
    """A run's change that is in the table.

    Attributes:
        path: The file of its changes.
        version: The table's version that has it.
        document: That file's content: `Change.document`, and `versionBefore`, `version`, `k` (how many commits of the
            ledger it has seen).
        warnings: What failed after the commit.
    """

    path: str
    version: int
    document: dict[str, Any]
    warnings: tuple[str, ...] = ()


def commit_run(
    folder: RunFolder, run: MaintenanceRun, plan: Callable[[Snapshot], Change | None]
) -> CommittedRun | None:
    """Commit what a run plans, exactly once.

    Args:
        folder: The run's folder, with its `run.json`.
        run: The run.
        plan: Returns what to commit on a snapshot, None where there is nothing; called again if the table has changed
            meanwhile.

    Returns:
        What was committed; None where there was nothing to do.

    Raises:
        TierError: the store refuses, or another command gave the run up; as far as can be seen nothing was committed.
    """
    attempts = Attempts(folder.tier, f"run {run.id} can't commit", Snapshot.load)
    tried: list[_Attempt] = []
    for snapshot in attempts:
        committed = next((one for one in tried if snapshot.transaction_version(one.run.path) is not None), None)
        if committed is not None:
            return committed.finished(folder.tier, snapshot)
        for one in tried[-1:]:
            one.clear(folder.tier, snapshot)
        if snapshot.transaction_version(app_id(run)) is not None:
            raise _given_up(folder)
        purge_number(snapshot), LastCommit.of(snapshot)  # asked now: the log may be cleaned while a change is planned
        try:
            change = plan(snapshot)
        except GoneError as error:
            _check_changed(folder, run, snapshot, error)
            continue  # another run has removed the files from the table and the store
        if change is None:
            return None
        check_not_purged(folder.tier, snapshot, [file.path for file in change.added])
        with attempts.unless_refused():
            tried.append(_record(folder, snapshot, change))
            _commit(snapshot, run, change, tried[-1].run.path)
    raise AssertionError  # they end by raising


@dataclass(frozen=True)
class _Attempt:
    """A commit that was tried.

    Attributes:
        run: What was committed if it succeeded.
        ledger: The commit of the ledger that belongs to it.
    """

    run: CommittedRun
    ledger: LedgerChange | None

    def finished(self, tier: TierStore, snapshot: Snapshot) -> CommittedRun:
        """Do what follows the commit, and return it."""
        warnings = finish_commit(tier, self.run.version)
        if self.ledger is not None and (self.run.document["k"] + 1) % folding.SIDECARS == 0:
            warnings += folding.fold_ledger(tier, snapshot)
        return replace(self.run, warnings=tuple(warnings))

    def clear(self, tier: TierStore, snapshot: Snapshot) -> None:
        """Remove the sidecar of an attempt that can't succeed any more; one that is left only costs a look."""
        if self.ledger is not None and snapshot.version >= self.run.version:
            with suppress(TierError, OSError):
                tier.delete(self.ledger.path)


def _commit(snapshot: Snapshot, run: MaintenanceRun, change: Change, path: str) -> None:
    of_ledger = () if change.ledger is None else (change.ledger.transaction,)
    commit(
        snapshot,
        added=change.added,
        removed=change.removed,
        transactions=[(app_id(run), 1), (path, 1), *change.transactions, *of_ledger],
        removal_time=run.removal_time,
        columns=change.columns,
        off_maps=change.columns,
        forgotten=change.forgotten,
    )


def find_committed(snapshot: Snapshot, folder: RunFolder) -> CommittedRun | None:
    """Return a run's change if it is in the table; without asking the log (25 requests on S3) if it is done."""
    done = folder.read_json(DONE) or {}
    known = done.get("changes") if (done.get("version") or 0) <= snapshot.version else None
    path = known or next((path for path in folder.changes() if snapshot.transaction_version(path) is not None), None)
    if path is None:
        return None
    document = orjson.loads(folder.tier.get(path))
    return CommittedRun(path, document["version"], document)


def committed_of_kinds(
    snapshot: Snapshot, folders: Iterable[RunFolder], kinds: Collection[str]
) -> Iterator[tuple[RunFolder, CommittedRun]]:
    """Yield the runs of some kinds that are in the table, each with its change."""
    for folder in folders:
        if folder.kind in kinds and (committed := find_committed(snapshot, folder)) is not None:
            yield folder, committed


def give_up(tier: TierStore, run: MaintenanceRun) -> bool:
    """Prevent a run whose process seems gone from committing, also if it still runs or its request is on its way.

    A commit without actions takes the run's own app id, which the run looks for before it commits.

    Returns:
        Whether the run will never commit; False where it has committed.
    """
    folder = RunFolder(tier, run.id)
    attempts = Attempts(tier, f"run {run.id} can't be given up", Snapshot.load)
    for snapshot in attempts:
        if snapshot.transaction_version(app_id(run)) is not None:
            return find_committed(snapshot, folder) is None
        with attempts.unless_refused():
            commit(snapshot, transactions=[(app_id(run), 1)])
            flush_log(tier, snapshot.version + 1)
    raise AssertionError  # they end by raising


def _check_changed(folder: RunFolder, run: MaintenanceRun, snapshot: Snapshot, error: GoneError) -> None:
    """Raise an error of planning again, unless the table has changed since the snapshot and the run may go on."""
    newest = Snapshot.load(folder.tier)
    if newest.transaction_version(app_id(run)) is not None:
        raise _given_up(folder) from error
    if newest.version == snapshot.version:
        raise error


def _given_up(folder: RunFolder) -> TierError:
    """Return the error of a run that can't commit any more."""
    done = folder.read_json(DONE) or {}  # written after the commit that gives it up
    who = f" ({done['givenUpBy']}, {done['at']})" if "givenUpBy" in done else ""
    return TierError(
        f"run {folder.run_id} was silent for so long that another command{who} took it for dead and gave it up; "
        "nothing was changed: run it again"
    )


def app_id(run: MaintenanceRun) -> str:
    """Return the app id of a run's one commit, or of the one that gives it up."""
    return f"{run.kind}/{run.id}"


def _record(folder: RunFolder, snapshot: Snapshot, change: Change) -> _Attempt:
    """Write what is about to be committed: it is valid if and only if the commit names it."""
    version = snapshot.version + 1
    seen = {"versionBefore": snapshot.version, "version": version, "k": LastCommit.of(snapshot).k}
    document = change.document | seen
    if change.ledger is not None:
        folder.tier.put_new(change.ledger.path, change.ledger.data)
    return _Attempt(CommittedRun(folder.new_changes(document), version, document), change.ledger)
