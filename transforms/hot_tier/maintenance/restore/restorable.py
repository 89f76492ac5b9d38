"""The deletions and undone jobs that can be restored, and the holds that keep their events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import yaml

from transforms.core.errors import ConfigurationError, TierError
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.ledger.undone import JobContents
from transforms.hot_tier.maintenance.accounting import kept_rules
from transforms.hot_tier.maintenance.commit_run import CommittedRun, committed_of_kinds, find_committed
from transforms.hot_tier.maintenance.restore.removed_rows import Pair, Superseded
from transforms.hot_tier.maintenance.undo import condition_of
from transforms.hot_tier.table.log_entries import commit_time
from transforms.hot_tier.table.purges import committed_purges, purge_number
from transforms.hot_tier.table.runs import DELETE, UNDO, MaintenanceRun, RunFolder, list_runs
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

_RESTORABLE = (DELETE, UNDO)
_SHOWN = 20
_MOST_CHARACTERS = 30_000
"""Of a hold; a query has at most 65,536."""


@dataclass(frozen=True)
class Deleted:
    """A deletion, or the undoing of a job, that is in the table.

    Attributes:
        run: The run.
        committed: What it changed.
    """

    run: MaintenanceRun
    committed: CommittedRun

    @property
    def restoring(self) -> str:
        """The app id of the commit that undoes it."""
        return f"restore/{self.run.id}"

    @property
    def job(self) -> str | None:
        """The job that it has undone, None of a deletion."""
        return self.run.parameters["job"] if self.run.kind == UNDO else None

    @property
    def k(self) -> int:
        """The number of the ledger's last commit when it was done; one that undoes a job makes a commit itself."""
        seen: int = self.committed.document["k"]
        return seen if self.job is None else seen + 1

    @property
    def pairs(self) -> list[Pair]:
        """The files that it took rows from."""
        return [Pair.from_document(file) for file in self.committed.document["files"]]

    @property
    def events(self) -> int:
        """How many events it has deleted."""
        return sum(pair.taken for pair in self.pairs)


@dataclass(frozen=True)
class RestorableRuns:
    """The runs that a restore is to take back.

    Attributes:
        runs: Those that can be restored, the oldest first.
        restored: The ids of those that were restored before.
    """

    runs: tuple[Deleted, ...]
    restored: tuple[str, ...]


def find_runs(
    tier: TierStore, snapshot: Snapshot, *, run_id: str | None = None, to: int | datetime | None = None
) -> RestorableRuns:
    """Find a deletion or undone job by the run's id, or all after a version or a time.

    Args:
        tier: The hot tier.
        snapshot: The table.
        run_id: The run.
        to: The version or time whose events the table is to have again; None finds all.

    Raises:
        ConfigurationError: there is no such run, or it has deleted nothing.
    """
    if run_id is None:
        deleted = [one for one in _deletions(tier, snapshot) if _is_after(tier, one, to)]
    else:
        deleted = [_deletion(tier, snapshot, run_id)]
    restored = {one.run.id for one in deleted if snapshot.transaction_version(one.restoring) is not None}
    runs = sorted((one for one in deleted if one.run.id not in restored), key=lambda one: one.committed.version)
    return RestorableRuns(tuple(runs), tuple(sorted(restored)))


def files_of_restorable(tier: TierStore, snapshot: Snapshot) -> set[str]:
    """Return the files that restoring any of the deletions would read."""
    return {path for one in find_runs(tier, snapshot).runs for pair in one.pairs for path in pair.paths}


def check_not_removed(tier: TierStore, snapshot: Snapshot, runs: Sequence[Deleted]) -> None:
    """Check that the files that restoring reads have not been removed from the store.

    Raises:
        TierError: it is too late: some were, or are about to be.
    """
    if not runs or not purge_number(snapshot):
        return
    needed = {one.run.id: {path for pair in one.pairs for path in pair.paths} for one in runs}
    gone: dict[str, str] = {}
    purges = committed_purges(tier, snapshot, since=min(one.committed.version for one in runs))
    for purge in sorted(purges, key=lambda purge: str(purge.document["at"])):
        by = f"removed at {purge.document['at']} by run {purge.run_id}"
        for run_id in (run_id for run_id, paths in needed.items() if not paths.isdisjoint(purge.files)):
            gone.setdefault(run_id, f"files of run {run_id} were {by}")
    if gone:
        others = _listed([f"--run {run_id}" for run_id in needed if run_id not in gone])
        hint = f". The others can still be restored, each by itself: {others}" if others else ""
        raise TierError(
            f"hot tier {tier.uri}: too late: {_listed(list(gone.values()), '; ')}, as their grace was over; "
            f"nothing was restored{hint}"
        )


@dataclass(frozen=True)
class Restorable:
    """What can come back of a run on a snapshot.

    Attributes:
        deleted: The run.
        superseded: Whose rows may not come back.
        contents: Which of the undone job's contents are known again; None of a deletion.
    """

    deleted: Deleted
    superseded: Superseded
    contents: JobContents | None


def with_superseded(tier: TierStore, ledger: Ledger, snapshot: Snapshot, runs: Sequence[Deleted]) -> list[Restorable]:
    """Return each run with what was superseded since.

    Args:
        tier: The hot tier.
        ledger: The ledger as of the snapshot.
        snapshot: The table.
        runs: All that are restored together: what one of them has undone, another may bring rows of.

    Raises:
        TierError: it is too late (`check_not_removed`).
    """
    check_not_removed(tier, snapshot, runs)
    undoings = frozenset(one.k for one in runs if one.job is not None)
    return [
        Restorable(
            one,
            ledger.superseded_since(one.k, restoring=undoings),
            None if one.job is None else JobContents.restorable(ledger, one.job, one.k, restoring=undoings),
        )
        for one in runs
    ]


@contextmanager
def reading(tier: TierStore, deleted: Deleted) -> Iterator[None]:
    """Report who has removed a file that is gone while it is read."""
    try:
        yield
    except FileNotFoundError as error:
        check_not_removed(tier, Snapshot.load(tier), [deleted])
        raise TierError(
            f"hot tier {tier.uri}: too late: a file of run {deleted.run.id} is gone from the store ({error}); "
            "nothing was restored"
        ) from error


def hold_for(runs: Sequence[Deleted]) -> str:
    """Return holds, as YAML for a rules file, that keep what these runs (at least one) took, nothing younger."""
    distinct = dict.fromkeys(condition for one in runs for condition in _conditions(one))
    conditions = [f"({condition})" for condition in distinct]
    others = f" and {len(runs) - 1} others" if len(runs) > 1 else ""
    parts = [" OR ".join(part) for part in _of_at_most(conditions, _MOST_CHARACTERS)]
    numbers = [""] if len(parts) == 1 else [f", {number}" for number in range(1, len(parts) + 1)]
    holds = [
        {"name": f"restored {runs[0].run.id}{others}{number}", "when": part}
        for number, part in zip(numbers, parts, strict=True)
    ]
    text: str = yaml.safe_dump({"holds": holds}, sort_keys=False, allow_unicode=True, width=10**9)
    return text


def _of_at_most(texts: Sequence[str], characters: int) -> Iterator[list[str]]:
    """Yield texts in groups of at most so many characters, or of one text."""
    part: list[str] = []
    for text in texts:
        if part and sum(map(len, part)) + len(text) > characters:
            yield part
            part = []
        part.append(text)
    yield part


def _conditions(deleted: Deleted) -> Iterator[str]:
    """Yield, for each rule that took events, a condition that holds for these: the rule's, and its cut-off."""
    if deleted.job is not None:
        yield condition_of(deleted.job)
        return
    known = {rule.name: rule.text for rule in kept_rules(deleted.run).rules}
    for rule in deleted.committed.document["rules"]:
        if rule["events"]:
            condition = known.get(rule["name"])
            yield f"({condition}) #time<{rule['cutoff']}" if condition else f"#time<{rule['cutoff']}"


def _deletions(tier: TierStore, snapshot: Snapshot) -> Iterator[Deleted]:
    return (
        Deleted(folder.run(), committed)
        for folder, committed in committed_of_kinds(snapshot, list_runs(tier), _RESTORABLE)
    )


def _deletion(tier: TierStore, snapshot: Snapshot, run_id: str) -> Deleted:
    names = [folder.run_id for folder in list_runs(tier)]
    begun = [name for name in names if name.startswith(run_id)]
    run_id = begun[0] if len(begun) == 1 else run_id  # its first characters will do
    committed = find_committed(snapshot, RunFolder(tier, run_id)) if run_id in names else None
    if committed is not None and (run := RunFolder(tier, run_id).run()).kind in _RESTORABLE:
        return Deleted(run, committed)
    there = [one.run.id for one in _deletions(tier, snapshot)][::-1]
    what = f"run {run_id} has deleted nothing" if run_id in names else f"there is no run {run_id}"
    raise ConfigurationError(
        f"{what} in {tier.uri}; deletions and undone jobs, the latest first: {_listed(there) or 'none'}", field="run"
    )


def _listed(texts: Sequence[str], between: str = ", ") -> str:
    """Join at most twenty texts, and the number of the others."""
    return between.join(texts[:_SHOWN]) + (f"{between}and {len(texts) - _SHOWN:,} more" if len(texts) > _SHOWN else "")


def _is_after(tier: TierStore, deleted: Deleted, to: int | datetime | None) -> bool:
    if to is None or isinstance(to, int):
        return to is None or deleted.committed.version > to
    return (commit_time(tier, deleted.committed.version) or deleted.run.started_at) > to
