"""A run's one commit: planned on a new snapshot at each attempt, told apart from all others by the file of its changes.

An exception of a commit does not mean that it did not land, nor its absence that it did: the next snapshot tells, by
the path of the changes, which the commit bears as an app id (docs/design.md §5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from transforms.core.errors import GoneError, TierError
from transforms.hot_tier.ledger.ledger import APP_ID
from transforms.hot_tier.table.commit import Attempts, commit, finish_commit
from transforms.hot_tier.table.delta import flush_log
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.purges import check_not_purged
from transforms.hot_tier.table.runs import DONE, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore


@dataclass(frozen=True)
class Change:
    """What a run wants to commit.

    Attributes:
        added: New files.
        removed: Paths of live files that they take the place of.
        document: What is to be known of it later, as JSON takes it: what it did by rule, and which file took the place
            of which.
        transactions: App ids and their versions that the commit bears besides the run's own.
    """

    added: Sequence[FileDescription]
    removed: Sequence[str]
    document: dict[str, Any]
    transactions: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class CommittedRun:
    """A change that is in the table.

    Attributes:
        path: The file of its changes.
        version: The table's version that has it.
        document: What that file says: `Change.document`, and `versionBefore`, `version`, `k` (the commits of the ledger
            that it has seen).
        warnings: What failed after the commit.
    """

    path: str
    version: int
    document: dict[str, Any]
    warnings: tuple[str, ...] = ()


def commit_run(
    folder: RunFolder, run: MaintenanceRun, plan: Callable[[Snapshot], Change | None]
) -> CommittedRun | None:
    """Commit what a run plans, once.

    Args:
        folder: The run's folder, which bears its `run.json` already.
        run: The run.
        plan: Says what to commit on a snapshot; None where there is nothing. It is asked again wherever the table has
            changed meanwhile.

    Returns:
        What landed; None where there was nothing to do.

    Raises:
        TierError: the store refuses, or the run was given up by another; nothing landed, as far as can be told.
    """
    attempts = Attempts(folder.tier, f"run {run.id} can't commit", Snapshot.load)
    tried: list[CommittedRun] = []
    for snapshot in attempts:
        landed = next((one for one in tried if snapshot.transaction_version(one.path) is not None), None)
        if landed is not None:
            return replace(landed, warnings=tuple(finish_commit(folder.tier, landed.version)))
        if snapshot.transaction_version(app_id(run)) is not None:
            raise _given_up(folder)
        try:
            change = plan(snapshot)
        except GoneError as error:
            newest = Snapshot.load(folder.tier)
            if newest.transaction_version(app_id(run)) is not None:
                raise _given_up(folder) from error
            if newest.version == snapshot.version:
                raise
            continue  # another run has taken the files out of the table, and of the store
        if change is None:
            return None
        check_not_purged(folder.tier, snapshot, [file.path for file in change.added])
        with attempts.unless_refused():
            tried.append(_record(folder, snapshot, change))
            commit(
                snapshot,
                added=change.added,
                removed=change.removed,
                transactions=[(app_id(run), 1), (tried[-1].path, 1), *change.transactions],
                removal_time=run.removal_time,
            )
    raise AssertionError  # they end by raising


def find_committed(snapshot: Snapshot, folder: RunFolder) -> CommittedRun | None:
    """Return what of a run is in the table; of one that is done the log need not be asked, which costs 25 requests on
    S3.
    """
    done = folder.read_json(DONE) or {}
    known = done.get("changes") if (done.get("version") or 0) <= snapshot.version else None
    path = known or next((path for path in folder.changes() if snapshot.transaction_version(path) is not None), None)
    if path is None:
        return None
    document = orjson.loads(folder.tier.get(path))
    return CommittedRun(path, document["version"], document)


def committed_of_kind(
    snapshot: Snapshot, folders: Iterable[RunFolder], kind: str
) -> Iterator[tuple[RunFolder, CommittedRun]]:
    """Yield those of some runs that are of a kind and in the table, each with what it has changed."""
    for folder in folders:
        if folder.kind == kind and (landed := find_committed(snapshot, folder)) is not None:
            yield folder, landed


def give_up(tier: TierStore, run: MaintenanceRun) -> bool:
    """See to it that a run whose process seems to be gone never commits any more, also if it still lives, or its
    request is on its way.

    A commit without actions that bears the run's own app id takes the place that the run's would take; the run looks
    for it.

    Returns:
        Whether it is so; False where the run has landed.
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


def _given_up(folder: RunFolder) -> TierError:
    """Return the error of a run that can't commit any more."""
    done = folder.read_json(DONE) or {}  # written after the commit that gives it up
    who = f" ({done['givenUpBy']}, {done['at']})" if "givenUpBy" in done else ""
    return TierError(
        f"run {folder.run_id} was silent for so long that another command{who} took it for dead and gave it up; nothing was changed: "
        "run it again"
    )


def app_id(run: MaintenanceRun) -> str:
    """Return the app id that marks a run's one commit, or that there is none."""
    return f"{run.kind}/{run.id}"


def _record(folder: RunFolder, snapshot: Snapshot, change: Change) -> CommittedRun:
    """Write what is about to be committed: it counts if and only if the commit names it."""
    version = snapshot.version + 1
    seen = {"versionBefore": snapshot.version, "version": version, "k": snapshot.transaction_version(APP_ID) or 0}
    document = change.document | seen
    return CommittedRun(folder.new_changes(document), version, document)
