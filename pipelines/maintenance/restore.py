"""Restore: what deletion runs and undone jobs have removed comes back, within the grace.

It only adds files; no workers are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.liveness import is_live, showing_life
from pipelines.maintenance.reports import RestoreReport
from pipelines.maintenance.rewriter import MaintenanceSettings, check_disk
from pipelines.maintenance.rules import Rules
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.maintenance.commit_run import CommittedRun
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.restore import restore as restoring
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.runs import RESTORE, MaintenanceRun, RunFolder
from transforms.storage import TierStore


@dataclass(frozen=True, kw_only=True)
class Restore:
    """One restore, as it is requested.

    Attributes:
        run_id: The deletion or undone job to take back; None where `to` is given.
        to: The table's version, or the time, after which all are taken back.
        rules: The rules that may delete the events again; None are those that the deletions went by.
        execute: Whether to restore, or only to report.
    """

    run_id: str | None = None
    to: int | datetime | None = None
    rules: Rules | None = None
    execute: bool = False


def restore(settings: MaintenanceSettings, request: Restore) -> RestoreReport:
    """Restore what deletions and undone jobs have removed, or report what would come back.

    Raises:
        ConfigurationError: there is no such run.
        TierError: it is too late, or the tier can't be read or written; nothing was restored then.
    """
    tier = settings.open_tier()
    if request.execute:
        finish_interrupted(tier, lambda other: is_live(tier, other.id))
    snapshot = load_events(tier)
    if isinstance(request.to, int) and request.to > snapshot.version:
        raise ConfigurationError(
            f"--to {request.to}: the table's version is {snapshot.version}; write a time as 2026-11-20", field="to"
        )
    found = restoring.find_runs(tier, snapshot, run_id=request.run_id, to=request.to)
    plan = restoring.plan_restore(tier, snapshot, found.runs, rules=request.rules.file if request.rules else None)
    run = MaintenanceRun.new(RESTORE, parameters={"runs": list(plan.runs)})
    report = RestoreReport(
        run_id=run.id,
        executed=request.execute,
        runs=list(plan.runs),
        already_restored=list(found.restored),
        events=plan.events,
        newer=plan.newer,
        files=plan.files,
        objects=plan.objects,
        deleted_again=plan.rules,
        hold=restoring.hold_for(found.runs) if plan.rules else None,
        version_before=snapshot.version,
        version_after=None,
        warnings=[],
    )
    if not request.execute:
        return report
    check_disk(tier, sum(one.committed.document["bytes"] for one in found.runs), "would come back")
    committed = _execute(tier, run, found) if found.runs else None
    return report.model_copy(update=_outcome(committed, snapshot.version))


def _execute(tier: TierStore, run: MaintenanceRun, found: restoring.RestorableRuns) -> CommittedRun | None:
    folder = RunFolder.begin(tier, run)
    with showing_life(folder):
        committed = restoring.restore(folder, run, found.runs)
        finish(folder, run, committed)
    return committed


def _outcome(committed: CommittedRun | None, version: int) -> dict[str, object]:
    """Return the fields of the report that are known after the commit."""
    if committed is None:  # taken back before, or meanwhile by another
        nothing = {"events": 0, "newer": 0, "files": 0, "objects": 0}
        return nothing | {"deleted_again": {}, "hold": None, "version_after": version}
    document = committed.document
    return {
        "runs": document["runs"],
        "events": document["events"],
        "newer": document["newer"],
        "files": len(document["files"]),
        "objects": document.get("objects", 0),
        "version_before": document["versionBefore"],
        "version_after": committed.version,
        "warnings": list(committed.warnings),
    }
