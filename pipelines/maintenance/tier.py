"""Tiering by rules: older events move to the cold tier, a partition of the same table, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pipelines.maintenance.reports import RulesReport
from pipelines.maintenance.rewriter import MaintenanceSettings
from pipelines.maintenance.rules import Rules
from pipelines.maintenance.rules_run import RuledRun, run_rules
from transforms.hot_tier.maintenance.accounting import Outcome
from transforms.hot_tier.maintenance.plan import COLD, plan_tiering
from transforms.hot_tier.table.runs import TIER
from transforms.retention.rules_file import TIERS


@dataclass(frozen=True, kw_only=True)
class Tiering:
    """One move to the cold tier, as it is requested.

    Attributes:
        rules: The rules; None are those that the tier keeps.
        now: The time by which retention is reckoned; None is the clock's.
        execute: Whether to move, or only to report.
        examine: Called with the files that are moved from and what of each, before a commit; what it raises ends the
            run, and nothing was moved.
    """

    rules: Rules | None = None
    now: datetime | None = None
    execute: bool = False
    examine: Callable[[Sequence[Outcome]], None] = lambda _: None


def tier(settings: MaintenanceSettings, request: Tiering) -> RulesReport:
    """Move events to the cold tier by rules, or report what they would move.

    Raises:
        ConfigurationError: no rules were given, and the tier has none of its own.
        TierError: the tier can't be read or written; nothing was moved, as far as can be told.
    """
    plan = partial(plan_tiering, destination=COLD)
    rules = request.rules or Rules.of_tier(settings.open_tier(), TIERS)
    ruled = RuledRun(
        kind=TIER, rules=rules, now=request.now, plan=plan, execute=request.execute, examine=request.examine
    )
    return run_rules(settings, ruled)
