"""Compaction: small files of a partition become large ones, without readers noticing (docs/hot-tier.md)."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from pipelines.liveness import is_live, living
from pipelines.maintenance.rewriter import Rewriter, UpkeepSettings
from transforms.hot_tier.data.writer import TARGET_BYTES
from transforms.hot_tier.maintenance.accounting import file_changes, outcomes_of
from transforms.hot_tier.maintenance.commit_run import Change, commit_run
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.plan import plan_merging
from transforms.hot_tier.maintenance.tasks import remove_left_results
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.runs import COMPACT, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot

SMALL_FILES = 1000
"""A job that leaves more small files than this has them merged."""


def compact(settings: UpkeepSettings, *, target_bytes: int = TARGET_BYTES) -> dict[str, Any]:
    """Merge small files.

    Args:
        settings: Where the tier is.
        target_bytes: How large files should be; those of less than half are small.

    Returns:
        `runId`, `filesBefore`, `filesAfter`, `merged` (how many files were), `written` (into how many), `events` and
        `bytes` in these, `versionBefore`, `versionAfter` (the same where there was nothing to merge) and `warnings`.

    Raises:
        TierError: the tier can't be read or written; nothing was changed, as far as can be told.
    """
    run = MaintenanceRun.new(COMPACT, parameters={"targetBytes": target_bytes})
    with closing(Rewriter(settings, run.id)) as rewriter:
        tier = rewriter.tier
        before = load_events(tier)
        remove_left_results(tier, finish_interrupted(tier, lambda other: is_live(tier, other.id)))
        landed = None
        if plan_merging(before, target_bytes=target_bytes).tasks:
            folder = RunFolder.begin(tier, run)
            with living(folder):
                landed = commit_run(folder, run, lambda snapshot: _change(snapshot, rewriter, target_bytes))
                finish(folder, run, landed)
    document: dict[str, Any] = (
        landed.document
        if landed
        else {"files": [], "moved": [], "events": 0, "bytes": 0, "versionBefore": before.version}
    )
    return {
        "runId": run.id,
        "filesBefore": len(before.files),
        "filesAfter": len(load_events(tier).files),
        "merged": len(document["files"]),
        "written": len(document["moved"]),
        "events": document["events"],
        "bytes": document["bytes"],
        "versionBefore": document["versionBefore"],
        "versionAfter": landed.version if landed else before.version,
        "warnings": list(landed.warnings) if landed else [],
    }


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
