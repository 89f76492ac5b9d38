"""The end of a run: write it to the audit, and mark it as done.

The next command finishes what a killed process has left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone
from itertools import islice

from transforms.core.errors import TierError
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.maintenance.audit import audit_configuration, write_audit
from transforms.hot_tier.maintenance.audit_merging import merge_audit
from transforms.hot_tier.maintenance.commit_run import CommittedRun, find_committed, give_up
from transforms.hot_tier.maintenance.deleted_objects import mark_cutoff
from transforms.hot_tier.maintenance.undo import describe_undoing
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.runs import (
    DELETE,
    DONE,
    REMOVE,
    MaintenanceRun,
    RunFolder,
    forget_ended_runs,
    unfinished_runs,
    who,
)
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import format_instant
from transforms.storage import TierStore
from transforms.storage.job_folder import JobFolder

_DELETERS = 8
_BLOCK = 1000


def finish(folder: RunFolder, run: MaintenanceRun, committed: CommittedRun | None) -> None:
    """Write a run to the audit and mark it as done; may be repeated.

    Args:
        folder: The run's folder.
        run: The run.
        committed: What it changed; None where there was nothing to change.

    Raises:
        TierError: the store refuses; a later command finishes the run then (`finish_interrupted`).
    """
    audit_configuration(folder.tier)
    write_audit(folder.tier, run, committed)
    if committed is not None and (jobs := committed.document.get("jobs")):
        _mark_jobs(folder.tier, jobs)
    merge_audit(folder.tier)
    _mark_done(folder, committed)
    with suppress(TierError, OSError):  # what stays is removed by the next run
        forget_ended_runs(folder.tier)


def finish_interrupted(tier: TierStore, is_live: Callable[[MaintenanceRun], bool]) -> list[MaintenanceRun]:
    """Finish the runs whose processes are gone.

    A run that has changed the table is written to the audit, a physical removal after its remaining files are removed.
    A run that has not is given up. Where nothing is left to finish this costs one listing.

    Args:
        tier: The hot tier.
        is_live: Whether a run may still be at work.

    Returns:
        The runs that were finished.

    Raises:
        TierError: the store refuses.
    """
    finished = []
    for folder in unfinished_runs(tier):
        run = folder.run()
        if not is_live(run):
            _finish(folder, run)
            finished.append(run)
    return finished


def _finish(folder: RunFolder, run: MaintenanceRun) -> None:
    if give_up(folder.tier, run):
        by = {"givenUpBy": who(), "at": format_instant(datetime.now(timezone.utc))}
        _mark_done(folder, None, **by)
        return
    committed = find_committed(Snapshot.load(folder.tier), folder)
    if committed is not None and run.kind == REMOVE:
        delete_listed(folder, committed)
    finish(folder, run, committed)


def _mark_jobs(tier: TierStore, jobs: Sequence[str]) -> None:
    """Let a list of jobs show which of these are undone now; the ledger alone decides it."""
    ledger = Ledger.load(tier, Snapshot.load(tier))
    for job in jobs:
        JobFolder(tier, job).mark_undone(describe_undoing(ledger, job))


def _mark_done(folder: RunFolder, committed: CommittedRun | None, **more: str) -> None:
    if folder.kind == DELETE:
        mark_cutoff(folder, committed)
    path, version = (committed.path, committed.version) if committed else (None, None)
    folder.write_json(DONE, {"changes": path, "version": version, **more})


def delete_listed(folder: RunFolder, committed: CommittedRun) -> None:
    """Delete the files of a removal's list that still exist.

    Raises:
        TierError: the store refuses; the list stays, and the next command continues.
    """
    paths = iter(file["path"] for file in committed.document["files"])
    with ThreadPoolExecutor(_DELETERS) as pool:
        while block := list(islice(paths, _BLOCK)):
            list(pool.map(lambda path: folder.tier.delete(f"{EVENTS}/{path}"), block))
            folder.show_life()
