"""Restore: what deletion runs have removed comes back, within their grace (docs/retention.md).

It only adds files; no workers are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.liveness import is_live, living
from pipelines.maintenance.rewriter import UpkeepSettings, check_disk
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
    """One restore, as it is asked for.

    Attributes:
        run_id: The deletion to take back; None where `to` is given.
        to: The table's version, or the time, after which all deletions are taken back.
        rules: The rules that may delete the events again; None are those that the deletions went by.
        execute: Whether to restore, or only to report.
    """

    run_id: str | None = None
    to: int | datetime | None = None
    rules: Rules | None = None
    execute: bool = False


def restore(settings: UpkeepSettings, asked: Restore) -> dict[str, Any]:
    """Restore what deletions have removed, or report what would come back.

    Returns:
        `runId`, `executed`, `runs` (the deletions), `alreadyRestored`, `events`, `newer` (events that stay away,
        because their objects were replaced or forced since), `files`, `deletedAgain` (events by rule that the next
        deletion would take), `hold` (YAML that keeps them, null where nothing is to be kept), `versionBefore`,
        `versionAfter` (null in a dry run) and `warnings`.

    Raises:
        ConfigurationError: there is no such deletion.
        TierError: it is too late, or the tier can't be read or written; nothing was restored then.
    """
    tier = settings.open_tier()
    if asked.execute:
        finish_interrupted(tier, lambda other: is_live(tier, other.id))
    snapshot = load_events(tier)
    if isinstance(asked.to, int) and asked.to > snapshot.version:
        raise ConfigurationError(
            f"--to {asked.to}: the table's version is {snapshot.version}; a time is written 2026-11-20", field="to"
        )
    found = restoring.find_runs(tier, snapshot, run_id=asked.run_id, to=asked.to)
    plan = restoring.plan_restore(tier, snapshot, found.runs, rules=asked.rules.file if asked.rules else None)
    run = MaintenanceRun.new(RESTORE, parameters={"runs": list(plan.runs)})
    report = {
        "runId": run.id,
        "executed": asked.execute,
        "runs": list(plan.runs),
        "alreadyRestored": list(found.restored),
        "events": plan.events,
        "newer": plan.newer,
        "files": plan.files,
        "deletedAgain": plan.rules,
        "hold": restoring.hold_for(found.runs) if plan.rules else None,
        "versionBefore": snapshot.version,
        "versionAfter": None,
        "warnings": [],
    }
    if not asked.execute:
        return report
    check_disk(tier, sum(one.committed.document["bytes"] for one in found.runs), "would come back")
    landed = _carry_out(tier, run, found) if found.runs else None
    return report | _outcome(landed, snapshot.version)


def _carry_out(tier: TierStore, run: MaintenanceRun, found: restoring.RestorableRuns) -> CommittedRun | None:
    folder = RunFolder.begin(tier, run)
    with living(folder):
        landed = restoring.restore(folder, run, found.runs)
        finish(folder, run, landed)
    return landed


def _outcome(landed: CommittedRun | None, version: int) -> dict[str, Any]:
    if landed is None:  # taken back before, or meanwhile by another
        return {"events": 0, "newer": 0, "files": 0, "deletedAgain": {}, "hold": None, "versionAfter": version}
    document = landed.document
    done = {name: document[name] for name in ("runs", "events", "newer")} | {"files": len(document["files"])}
    return done | {
        "versionBefore": document["versionBefore"],
        "versionAfter": landed.version,
        "warnings": list(landed.warnings),
    }
