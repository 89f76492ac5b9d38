"""Compaction: small files of a partition become large ones, without readers noticing."""

from __future__ import annotations

from contextlib import closing

from pipelines.liveness import is_live, showing_life
from pipelines.maintenance.delete import GRACE
from pipelines.maintenance.reports import CompactReport, RemovedFiles
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from transforms.hot_tier.data.writer import TARGET_BYTES
from transforms.hot_tier.maintenance.accounting import file_changes, outcomes_of
from transforms.hot_tier.maintenance.commit_run import Change, commit_run
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.plan import plan_merging
from transforms.hot_tier.maintenance.restore.restorable import files_of_restorable
from transforms.hot_tier.maintenance.tasks import remove_left_results
from transforms.hot_tier.maintenance.vacuum.removal import remove_old_files
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.runs import COMPACT, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot

SMALL_FILES = 1000
"""A job that leaves more small files than this has them merged."""


def compact(settings: MaintenanceSettings, *, target_bytes: int = TARGET_BYTES) -> CompactReport:
    """Merge small files, and remove files that were replaced so long ago that nobody reads them any more.

    Deletions may have a longer grace: what these have replaced stays until `rekindle delete` removes it.

    Args:
        settings: Where the tier is.
        target_bytes: How large files should be; those of less than half are small.

    Raises:
        TierError: the tier can't be read or written; nothing was changed, as far as can be told.
    """
    run = MaintenanceRun.new(COMPACT, parameters={"targetBytes": target_bytes})
    with closing(Rewriter(settings, run.id)) as rewriter:
        tier = rewriter.tier
        before = load_events(tier)
        remove_left_results(tier, finish_interrupted(tier, lambda other: is_live(tier, other.id)))
        committed = None
        if plan_merging(before, target_bytes=target_bytes).tasks:
            folder = RunFolder.begin(tier, run)
            with showing_life(folder):
                committed = commit_run(folder, run, lambda snapshot: _change(snapshot, rewriter, target_bytes))
                finish(folder, run, committed)
        removal = remove_old_files(
            tier,
            run,
            GRACE,
            is_live=lambda writer: is_live(tier, writer),
            kept=lambda snapshot: files_of_restorable(tier, snapshot),
        )
    document = committed.document if committed else {}
    return CompactReport(
        run_id=run.id,
        files_before=len(before.files),
        files_after=len(load_events(tier).files),
        merged=len(document.get("files", ())),
        written=len(document.get("moved", ())),
        events=document.get("events", 0),
        bytes=document.get("bytes", 0),
        version_before=document.get("versionBefore", before.version),
        version_after=committed.version if committed else before.version,
        removed=RemovedFiles(files=removal.files, bytes=removal.bytes),
        warnings=[*(committed.warnings if committed else ()), *removal.warnings],
    )


def small_files(snapshot: Snapshot) -> int:
    """Return how many files a compaction would merge."""
    return sum(len(task.sources) for task in plan_merging(snapshot, target_bytes=TARGET_BYTES).tasks)


def _change(snapshot: Snapshot, rewriter: Rewriter, target_bytes: int) -> Change | None:
    """Have small files merged, and return what to commit; None where there are none."""
    tasks = plan_merging(snapshot, target_bytes=target_bytes).tasks
    results = rewriter.rewrite(tasks, snapshot.columns)
    moved = [file for result in results for file in result.moved]
    outcomes = outcomes_of(tasks, results)
    if not outcomes:
        return None
    document = {
        "files": file_changes(outcomes),
        "moved": [file.path for file in moved],
        "rules": [],
        "held": 0,
        "events": sum(file.rows for file in moved),
        "bytes": sum(file.size for file in moved),
    }
    return Change(moved, [file.path for file, _ in outcomes], document)
