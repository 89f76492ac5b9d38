"""Physical removal: files that no reader of the table sees any more leave the store once their grace is over
(docs/design.md §9).

Whatever took them out of the table: deletion, replacement, compaction, a move between tiers; and files that no commit
ever named, of dead writers. What goes is listed on a snapshot, and the list becomes the document of a commit on that
very snapshot, without actions (`purges`); only then are files deleted. Interrupted, the list is legitimate for ever: no
commit brings one of its files back, because who adds files after it looks whether they are there
(`purges.check_not_purged`), and restoring writes rows to new files.
"""

from __future__ import annotations

from collections.abc import Callable
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
        run_id: The run that is in the audit; None where there was nothing to remove, and no run.
        warnings: What failed after its commit.
    """

    files: int = 0
    bytes: int = 0
    run_id: str | None = None
    warnings: tuple[str, ...] = ()


def remove_old_files(
    tier: TierStore, run: MaintenanceRun, grace: timedelta, *, is_live: Callable[[str], bool]
) -> Removal:
    """Remove the files whose grace is over.

    Args:
        tier: The hot tier.
        run: The deletion that it follows, or a removal's own run; its clock counts, and where it is a deletion, a run
            of its own begins.
        grace: How long a file stays after a commit has removed it, and an orphan after it was written.
        is_live: Whether a job (by its task id) or a run (by its id) may still commit what it has written, or needs what
            was removed.

    Raises:
        TierError: the store refuses; files that are listed by then are removed by a later command
            (`finish_interrupted`).
    """
    tier.remove_leftovers(LEFTOVERS_AGE)
    own = (
        run
        if run.kind == REMOVE
        else MaintenanceRun.new(REMOVE, now=run.now, parameters={"after": run.id, "grace": grace.total_seconds()})
    )
    removing = _Removing(tier, own, grace, is_live)
    if removing.plan(Snapshot.load(tier)) is None:
        return Removal()
    folder = RunFolder.begin(tier, own)

    def plan(snapshot: Snapshot) -> Change | None:
        folder.show_life()
        return removing.plan(snapshot)

    landed = commit_run(folder, own, plan)
    if landed is not None:
        delete_listed(folder, landed)
    finish(folder, own, landed)
    return _removal(own, landed)


def _removal(run: MaintenanceRun, landed: CommittedRun | None) -> Removal:
    if landed is None:
        return Removal(run_id=run.id)
    return Removal(len(landed.document["files"]), landed.document["bytes"], run.id, landed.warnings)


class _Removing:
    """Plans one removal, on each snapshot anew."""

    def __init__(self, tier: TierStore, run: MaintenanceRun, grace: timedelta, is_live: Callable[[str], bool]) -> None:
        self._tier = tier
        self._run = run
        self._grace = grace
        self._is_live = is_live
        self._planned: tuple[int, Change | None] = (-1, None)

    def plan(self, snapshot: Snapshot) -> Change | None:
        """Return the list of what goes, as a change without actions; None where nothing goes."""
        if self._planned[0] != snapshot.version:
            self._planned = (snapshot.version, self._plan(snapshot))
        return self._planned[1]

    def _plan(self, snapshot: Snapshot) -> Change | None:
        before = {file.path: file for file in self._tier.list(f"{_PREFIX}tier=")}
        removed = removal_times(self._tier, snapshot)
        stays = snapshot.files.keys() | self._needed() | self._going(snapshot)
        there = {
            path.removeprefix(_PREFIX): file for path, file in before.items() if path.removeprefix(_PREFIX) not in stays
        }
        limit = self._run.removal_time - self._grace // timedelta(milliseconds=1)
        at_once = not self._grace  # also what a rehearsal in the future has removed
        old = [file for path, file in there.items() if path in removed and (at_once or removed[path] <= limit)]
        orphans = self._orphans(
            [file for path, file in there.items() if path not in removed and path.endswith(".parquet")]
        )
        going = sorted([*old, *orphans], key=lambda file: file.path)
        if not going:
            return None
        number = purge_number(snapshot) + 1
        document = {
            "files": [{"path": file.path.removeprefix(_PREFIX), "size": file.size} for file in going],
            "bytes": sum(file.size for file in going),
            "orphans": len(orphans),
            "grace": self._grace.total_seconds(),
            "at": format_instant(datetime.now(timezone.utc)),
            "purge": number,
        }
        return Change((), (), document, [(APP_ID, number)])

    def _orphans(self, files: list[TierFile]) -> list[TierFile]:
        """The real clock counts: a rehearsal in the future makes no orphan older."""
        now = datetime.now(timezone.utc)
        return dead_orphans(self._tier, files, now=now, grace=self._grace, is_live=self._is_live)

    def _needed(self) -> set[str]:
        """Return what restores that are at work read."""
        needed: set[str] = set()
        for folder in unfinished_runs(self._tier):
            if folder.kind == RESTORE and self._is_live(folder.run_id):
                needed |= set(folder.read_json(NEEDS) or ())
        return needed

    def _going(self, snapshot: Snapshot) -> set[str]:
        """Return what another removal has listed, and is deleting or will be finished by the next command."""
        if not purge_number(snapshot):
            return set()
        return {path for purge in committed_purges(self._tier, snapshot, unfinished=True) for path in purge.files}
