"""A run's one commit: planned on a new snapshot at each attempt, told apart from all others by the file of its changes.

An exception of a commit does not mean that it did not land, nor its absence that it did: the next snapshot tells, by the path of the
changes, which the commit bears as an app id (docs/design.md §5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from transforms.hot_tier.attempts import Attempts
from transforms.hot_tier.commits import commit, settle
from transforms.hot_tier.data_file import FileDescription
from transforms.hot_tier.ledger import APP_ID
from transforms.hot_tier.snapshot import Snapshot
from transforms.hot_tier.upkeep.runs import Run, RunFolder


@dataclass(frozen=True)
class Change:
    """What a run wants to commit.

    Attributes:
        added: New files.
        removed: Paths of live files that they take the place of.
        document: What is to be known of it later, as JSON takes it: what it did by rule, and which file took the place of which.
    """

    added: Sequence[FileDescription]
    removed: Sequence[str]
    document: dict[str, Any]


@dataclass(frozen=True)
class Landed:
    """A change that is in the table.

    Attributes:
        path: The file of its changes.
        version: The table's version that has it.
        document: What that file says: `Change.document`, and `versionBefore`, `version`, `k` (the commits of the ledger that it has seen).
        warnings: What failed after the commit.
    """

    path: str
    version: int
    document: dict[str, Any]
    warnings: tuple[str, ...] = ()


def carry_through(folder: RunFolder, run: Run, plan: Callable[[Snapshot], Change | None]) -> Landed | None:
    """Commit what a run plans, once.

    Args:
        folder: The run's folder, which bears its `run.json` already.
        run: The run.
        plan: Says what to commit on a snapshot; None where there is nothing. It is asked again wherever the table has changed meanwhile.

    Returns:
        What landed; None where there was nothing to do.

    Raises:
        TierError: the store refuses; nothing landed, as far as can be told.
    """
    attempts = Attempts(folder.tier, f"run {run.id} can't commit")
    tried: list[Landed] = []
    for snapshot in attempts:
        landed = next((one for one in tried if snapshot.transaction_version(one.path) is not None), None)
        if landed is not None:
            return replace(landed, warnings=tuple(settle(folder.tier, landed.version)))
        change = plan(snapshot)
        if change is None:
            return None
        with attempts.unless_refused():
            tried.append(_record(folder, snapshot, change))
            commit(
                snapshot,
                added=change.added,
                removed=change.removed,
                transactions=[(f"{run.kind}/{run.id}", 1), (tried[-1].path, 1)],
                removal_time=run.removal_time,
            )
    raise AssertionError  # they end by raising


def _record(folder: RunFolder, snapshot: Snapshot, change: Change) -> Landed:
    """Write what is about to be committed: it counts if and only if the commit names it."""
    version = snapshot.version + 1
    seen = {"versionBefore": snapshot.version, "version": version, "k": snapshot.transaction_version(APP_ID) or 0}
    document = change.document | seen
    return Landed(folder.new_changes(document), version, document)
