"""Deletion by rules: a Beam batch job of its own, for cron or any scheduler (docs/retention.md).

The log says which files go whole; Beam's workers write the others again (`pipelines.maintenance.rewriter`); one commit
swaps old for new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipelines.liveness import is_live
from pipelines.maintenance.rewriter import UpkeepSettings
from pipelines.maintenance.rules import Rules
from pipelines.maintenance.rules_run import RuledRun, RuledWork, run_rules
from transforms.core.errors import UnconfirmedError
from transforms.hot_tier.maintenance.plan import plan_deletion
from transforms.hot_tier.maintenance.vacuum.removal import remove_old_files
from transforms.hot_tier.table.runs import DELETE, MaintenanceRun
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

GRACE = timedelta(days=7)
MOST_SHARE = 0.5
"""More than this part of all events takes a `--yes`."""


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """One deletion, as it is asked for.

    Attributes:
        rules: The rules file.
        now: The time by which retention is reckoned; None is the clock's.
        grace: For how long deleted events can be restored.
        execute: Whether to delete, or only to report.
        confirm: Asked before more than half of the events are deleted, with what would be: a sentence, and what
            `account` returns.
    """

    rules: Rules
    now: datetime | None = None
    grace: timedelta = GRACE
    execute: bool = False
    confirm: Callable[[str, dict[str, Any]], bool] = lambda _, __: False


def delete(settings: UpkeepSettings, deletion: Deletion) -> dict[str, Any]:
    """Delete what the rules say and remove the files whose grace is over, or report what the rules would delete.

    Returns:
        The report of docs/jobs.md, with `removed`: the files and bytes that were removed from the store.

    Raises:
        UnconfirmedError: it is more than half of all events; nothing was done.
        TierError: the tier can't be read or written; nothing was deleted, as far as can be told.
    """

    def check(work: RuledWork, snapshot: Snapshot) -> None:
        if (much := _too_much(work, snapshot)) and not deletion.confirm(much, work.found):
            raise UnconfirmedError(f"{much}: more than half takes a --yes; nothing was done")

    def remove(tier: TierStore, run: MaintenanceRun) -> dict[str, Any]:
        removal = remove_old_files(tier, run, deletion.grace, is_live=lambda writer: is_live(tier, writer))
        return {"removed": {"files": removal.files, "bytes": removal.bytes}, "warnings": list(removal.warnings)}

    asked = RuledRun(kind=DELETE, rules=deletion.rules, now=deletion.now, plan=plan_deletion, execute=deletion.execute)
    return run_rules(settings, asked, check=check, after=remove)


def _too_much(work: RuledWork, snapshot: Snapshot) -> str | None:
    """Say how much would go where it is more than half of all events; rows are counted only where the log can't rule it
    out.
    """
    most = MOST_SHARE * snapshot.rows
    if work.plan(snapshot).most_rows <= most or (found := work.count(snapshot))["events"] <= most:
        return None
    return f"{found['events']:,} of {snapshot.rows:,} events ({found['share']:.0%}) would be deleted"
