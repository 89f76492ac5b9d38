"""Physical removal: deleting files that no reader sees any more, once their grace is over (decision 18).

These are files that any run or wave removed from the table, and orphans of dead writers. They are listed on a snapshot,
the list is committed on that very snapshot (`table.purges`), and only then files are deleted. After an
interruption the list stays valid: no commit brings one of its files back, because who adds files after it checks that
they exist (`purges.check_not_purged`), and restoring writes rows to new files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from transforms.hot_tier.maintenance.commit_run import Change, CommittedRun, commit_run
from transforms.hot_tier.maintenance.finish import delete_listed, finish
from transforms.hot_tier.maintenance.vacuum.orphans import dead_orphans
from transforms.hot_tier.maintenance.vacuum.tombstones import removal_times
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.purges import APP_ID, committed_purges, purge_number
from transforms.hot_tier.table.runs import NEEDS, REMOVE, RESTORE, MaintenanceRun, RunFolder, unfinished_runs
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import format_instant
from transforms.storage import TierFile, TierStore

_PREFIX = f"{EVENTS}/"
LEFTOVERS_AGE = timedelta(days=1)


@dataclass(frozen=True)
class Removal:
    """What was removed from the store.

    Attributes:
        files: How many files.
        bytes: Their size.
        run_id: The run in the audit; None where there was nothing to remove, and no run.
        warnings: What failed after its commit.
    """

    files: int = 0
    bytes: int = 0
    run_id: str | None = None
    warnings: tuple[str, ...] = ()


def remove_old_files(
    tier: TierStore,
    run: MaintenanceRun,
    grace: timedelta,
    *,
    is_live: Callable[[str], bool],
    kept: Callable[[Snapshot], Collection[str]] = lambda _: (),
) -> Removal:
    """Remove the files whose grace is over.

    Args:
        tier: The hot tier.
        run: A removal's own run, or the run that it follows, which gets a run of its own; its clock counts.
        grace: How long a file stays after a commit has removed it, and an orphan after it was written.
        is_live: Whether a job (by its task id) or a run (by its id) may still commit what it has written, or needs what
            was removed.
        kept: Returns files that stay, although their grace is over, as of a snapshot.

    Raises:
        TierError: the store refuses; a later command removes the files that are listed by then (`finish_interrupted`).
    """
    tier.remove_leftovers(LEFTOVERS_AGE)
    own = (
        run
        if run.kind == REMOVE
        else MaintenanceRun.new(REMOVE, now=run.now, parameters={"after": run.id, "grace": grace.total_seconds()})
    )
    removing = _Removing(tier, own, grace, is_live, kept)
    if removing.plan(Snapshot.load(tier)) is None:
        return Removal()
    folder = RunFolder.begin(tier, own)

    def plan(snapshot: Snapshot) -> Change | None:
        folder.show_life()
        return removing.plan(snapshot)

    committed = commit_run(folder, own, plan)
    if committed is not None:
        delete_listed(folder, committed)
    finish(folder, own, committed)
    return _removal(own, committed)


def _removal(run: MaintenanceRun, committed: CommittedRun | None) -> Removal:
    if committed is None:
        return Removal(run_id=run.id)
    return Removal(len(committed.document["files"]), committed.document["bytes"], run.id, committed.warnings)


class _Removing:
    """Plans one removal anew on each snapshot."""

    def __init__(
        self,
        tier: TierStore,
        run: MaintenanceRun,
        grace: timedelta,
        is_live: Callable[[str], bool],
        kept: Callable[[Snapshot], Collection[str]],
    ) -> None:
        self._tier = tier
        self._run = run
        self._grace = grace
        self._is_live = is_live
        self._kept = kept
        self._planned: tuple[int, Change | None] = (-1, None)

    def plan(self, snapshot: Snapshot) -> Change | None:
        """Return the list of files to remove, as a change without actions; None where there are none."""
        if self._planned[0] != snapshot.version:
            self._planned = (snapshot.version, self._plan(snapshot))
        return self._planned[1]

    def _plan(self, snapshot: Snapshot) -> Change | None:
        before = {file.path.removeprefix(_PREFIX): file for file in self._tier.list(f"{_PREFIX}tier=")}
        removed = removal_times(self._tier, snapshot)
        stays = snapshot.files.keys() | self._needed() | self._going(snapshot) | set(self._kept(snapshot))
        there = {path: file for path, file in before.items() if path not in stays}
        limit = self._run.removal_time - self._grace // timedelta(milliseconds=1)
        at_once = not self._grace  # also what a run with a future --now has removed
        old = [file for path, file in there.items() if path in removed and (at_once or removed[path] <= limit)]
        unnamed = [file for path, file in there.items() if path not in removed and path.endswith(".parquet")]
        orphans = self._orphans(unnamed)
        files = sorted([*old, *orphans], key=lambda file: file.path)
        if not files:
            return None
        number = purge_number(snapshot) + 1
        document = {
            "files": [{"path": file.path.removeprefix(_PREFIX), "size": file.size} for file in files],
            "bytes": sum(file.size for file in files),
            "orphans": len(orphans),
            "grace": self._grace.total_seconds(),
            "at": format_instant(datetime.now(timezone.utc)),
            "purge": number,
        }
        forgotten = [file.path.removeprefix(_PREFIX) for file in old]
        return Change((), (), document, [(APP_ID, number)], forgotten=forgotten)

    def _orphans(self, files: list[TierFile]) -> list[TierFile]:
        """Return the dead orphans by the real clock: a future `--now` makes no orphan older."""
        now = datetime.now(timezone.utc)
        return dead_orphans(self._tier, files, now=now, grace=self._grace, is_live=self._is_live)

    def _needed(self) -> set[str]:
        """Return the files that running restores read."""
        needed: set[str] = set()
        for folder in unfinished_runs(self._tier):
            if folder.kind == RESTORE and self._is_live(folder.run_id):
                needed |= set(folder.read_json(NEEDS) or ())
        return needed

    def _going(self, snapshot: Snapshot) -> set[str]:
        """Return the files that another removal has listed and not finished deleting."""
        if not purge_number(snapshot):
            return set()
        return {path for purge in committed_purges(self._tier, snapshot, unfinished=True) for path in purge.files}
