"""Deletion by rules: a Beam batch job of its own, for cron or any scheduler.

The log shows which files go whole; Beam's workers write the others again (`pipelines.maintenance.rewriter`); one commit
swaps old for new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.liveness import is_live
from pipelines.maintenance.reports import RulesReport, RunCounts
from pipelines.maintenance.rewriter import MaintenanceSettings
from pipelines.maintenance.rules import Rules
from pipelines.maintenance.rules_run import RuledRun, RuledWork, counts_if_most, run_rules
from transforms.core.errors import UnconfirmedError
from transforms.hot_tier.maintenance.accounting import Outcome
from transforms.hot_tier.maintenance.plan import plan_deletion
from transforms.hot_tier.maintenance.vacuum.removal import Removal, remove_old_files
from transforms.hot_tier.table.runs import DELETE, MaintenanceRun
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.retention.rules_file import RULES
from transforms.storage import TierStore

GRACE = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """One deletion, as it is requested.

    Attributes:
        rules: The rules; None are those that the tier keeps.
        now: The time by which retention is reckoned; None is the clock's.
        grace: For how long deleted events can be restored.
        execute: Whether to delete, or only to report.
        confirm: Asked before more than half of the events are deleted: a sentence, and what would be deleted.
        examine: Called with the files that are deleted from and what of each, before a commit; what it raises ends the
            run, and nothing was deleted.
    """

    rules: Rules | None = None
    now: datetime | None = None
    grace: timedelta = GRACE
    execute: bool = False
    confirm: Callable[[str, RunCounts], bool] = lambda _, __: False
    examine: Callable[[Sequence[Outcome]], None] = lambda _: None


def delete(settings: MaintenanceSettings, request: Deletion) -> RulesReport:
    """Delete events by rules and remove the files whose grace is over, or report what the rules would delete.

    Raises:
        ConfigurationError: no rules were given, and the tier has none of its own.
        UnconfirmedError: it is more than half of all events; nothing was done.
        TierError: the tier can't be read or written; nothing was deleted, as far as can be told.
    """

    def check(work: RuledWork, snapshot: Snapshot) -> None:
        if (warning := _warning_of_share(work, snapshot)) and not request.confirm(warning, work.counts):
            raise UnconfirmedError(f"{warning}: nothing was deleted; add --yes to delete more than half of all events")

    def remove(tier: TierStore, run: MaintenanceRun) -> Removal:
        return remove_old_files(tier, run, request.grace, is_live=lambda writer: is_live(tier, writer))

    rules = request.rules or Rules.of_tier(settings.open_tier(), RULES)
    ruled = RuledRun(
        kind=DELETE,
        rules=rules,
        now=request.now,
        plan=plan_deletion,
        execute=request.execute,
        examine=request.examine,
    )
    return run_rules(settings, ruled, check=check, remove=remove)


def _warning_of_share(work: RuledWork, snapshot: Snapshot) -> str | None:
    """Return how much would be deleted where it is more than half."""
    counts = counts_if_most(work, snapshot)
    if counts is None:
        return None
    return f"{counts.events:,} of {snapshot.rows:,} events ({counts.share:.0%}) would be deleted"
