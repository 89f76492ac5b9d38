"""Restoring: exactly the rows that runs have removed come back, in new files (docs/decisions/0017-restore.md).

Rows are only added, so nothing newer is lost, and compactions, replacements, moves and ingests in between make no
difference: the run's own files show what was removed. Rows of objects that were replaced or ingested again since are
left out. Objects of an undone job of which they come back are known again, by the same commit. The commit has the app
id `restore/RUN` for each run that it takes back, and is made only if none of these exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from transforms.core.errors import TierError
from transforms.hot_tier.data.layout import own_columns
from transforms.hot_tier.data.rewrite import lay_out_anew, write_rows
from transforms.hot_tier.data.row_groups import open_rows, rows_taken
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.ledger.undone import JobContents, restore_in_ledger
from transforms.hot_tier.maintenance.commit_run import Change, CommittedRun, commit_run
from transforms.hot_tier.maintenance.restore.plan import RestorePlan, plan_restore
from transforms.hot_tier.maintenance.restore.removed_rows import Mask, Pair, Superseded, removed_rows
from transforms.hot_tier.maintenance.restore.restorable import (
    Deleted,
    RestorableRuns,
    find_runs,
    hold_for,
    reading,
    with_superseded,
)
from transforms.hot_tier.table.file_description import FileDescription, layout_of
from transforms.hot_tier.table.runs import NEEDS, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

__all__ = ["Deleted", "RestorableRuns", "RestorePlan", "find_runs", "hold_for", "plan_restore", "restore"]


def restore(folder: RunFolder, run: MaintenanceRun, runs: Sequence[Deleted]) -> CommittedRun | None:
    """Bring back what deletions and undone jobs have removed, in one commit.

    Args:
        folder: The restoring run's folder, with its `run.json`.
        run: The run.
        runs: The deletions and undone jobs; those that another run has restored meanwhile are left out.

    Returns:
        What was committed: its document has `runs`, `events`, `newer`, `files` and `bytes`, and of undone jobs `jobs`
        and `objects`; None where all were restored before.

    Raises:
        TierError: it is too late, a file can't be read, or the store refuses; nothing was restored then.
    """
    folder.write_json(NEEDS, sorted({path for one in runs for pair in one.pairs for path in pair.paths}))
    return commit_run(folder, run, _Restoring(folder, run, runs).change)


@dataclass(frozen=True)
class _Written:
    """The rows of a pair, written to a new file; `newer` of them were left out because of `superseded`."""

    file: FileDescription | None
    newer: int
    superseded: Superseded

    def is_right_for(self, superseded: Superseded, promoted: Sequence[str]) -> bool:
        """Whether the same rows are to be restored now, and no attribute was promoted since that is in their maps."""
        there = self.file.objects if self.file else {}
        if self.file is not None and self.file.misplaced(promoted):
            return False
        if any(jobs != self.superseded.get(uri) for uri, jobs in superseded.items() if uri in there):
            return False
        # what was left out may come back by now: an undone job that it is of was restored
        return not self.newer or all(jobs == superseded.get(uri) for uri, jobs in self.superseded.items())


class _Restoring:
    """Plans one restore anew on each snapshot, and keeps what it has written for the same rows."""

    def __init__(self, folder: RunFolder, run: MaintenanceRun, runs: Sequence[Deleted]) -> None:
        self._tier = folder.tier
        self._run = run
        self._runs = runs
        self._written: dict[str, _Written] = {}
        self._ledger: Ledger | None = None

    def change(self, snapshot: Snapshot) -> Change | None:
        """Return what to commit on a snapshot; None where nothing is left."""
        left = [one for one in self._runs if snapshot.transaction_version(one.restoring) is None]
        if not left:
            return None
        self._ledger = ledger = Ledger.load(self._tier, snapshot, self._ledger)
        written: list[_Written] = []
        known: dict[str, JobContents] = {}
        for one in with_superseded(self._tier, ledger, snapshot, left):
            with reading(self._tier, one.deleted):
                of_run = [self._write(pair, one.superseded, snapshot.columns) for pair in one.deleted.pairs]
            written += of_run
            if one.contents is not None and (one.contents.rows.num_rows or any(pair.file for pair in of_run)):
                known[one.deleted.run.id] = one.contents
        files = [one.file for one in written if one.file is not None]
        events, newer = sum(file.rows for file in files), sum(one.newer for one in written)
        if events + newer != sum(one.events for one in left):
            raise TierError(
                f"hot tier {self._tier.uri}: {events + newer:,} rows are not those deleted; nothing was restored"
            )
        change = restore_in_ledger(ledger, known, run_id=self._run.id, version=snapshot.version + 1) if known else None
        document = {
            "runs": [one.run.id for one in left],
            "events": events,
            "newer": newer,
            "files": [file.path for file in files],
            "bytes": sum(file.size for file in files),
        }
        if change is not None:
            document |= {"jobs": list(change.jobs), "objects": change.objects}
        return Change(files, (), document, [(one.restoring, 1) for one in left], ledger=change)

    def _write(self, pair: Pair, superseded: Superseded, promoted: Sequence[str]) -> _Written:
        known = self._written.get(pair.old)
        if known is None or not known.is_right_for(superseded, promoted):
            known = _write_pair(self._tier, pair, superseded, promoted=promoted, run_id=self._run.id)
            self._written[pair.old] = known
        return known


def _write_pair(
    tier: TierStore, pair: Pair, superseded: Superseded, *, promoted: Sequence[str], run_id: str
) -> _Written:
    """Write a pair's rows to restore to a new file in the old one's partition and layout."""
    newer = 0
    layout = layout_of(pair.old)

    def tables() -> Iterator[pa.Table]:
        nonlocal newer
        for rows in removed_rows(tier, pair, superseded):
            newer += rows.newer
            if rows.restorable.any():
                yield rows_taken(parquet.read_row_group(rows.group), partial(_mask, rows.restorable))

    with open_rows(tier, pair.old) as parquet:
        restorable = _own(list(tables()), promoted) if layout == 0 else tables()
        file = write_rows(
            tier, restorable, tier_name=pair.tier, date=pair.date, promoted=promoted, layout=layout, job=run_id
        )
    return _Written(file and lay_out_anew(tier, file, promoted=promoted, job=run_id), newer, superseded)


def _mask(mask: Mask, _: pa.Table) -> pa.Array:
    return pa.array(mask)


def _own(tables: list[pa.Table], promoted: Sequence[str]) -> Iterator[pa.Table]:
    """Yield rows of another writer's file, unsorted and of other types, as the product stores rows."""
    if tables:
        yield own_columns(pa.concat_tables(tables), promoted).unify_dictionaries().sort_by("_time")
