"""Tiering by rules: what is older moves to the cold tier, a partition of the same table, in one commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pipelines.maintenance.rewriter import UpkeepSettings
from pipelines.maintenance.rules import Rules
from pipelines.maintenance.rules_run import RuledRun, run_rules
from transforms.hot_tier.maintenance.plan import COLD, plan_tiering
from transforms.hot_tier.table.runs import TIER


@dataclass(frozen=True, kw_only=True)
class Tiering:
    """One move to the cold tier, as it is asked for.

    Attributes:
        rules: The rules file.
        now: The time by which retention is reckoned; None is the clock's.
        execute: Whether to move, or only to report.
    """

    rules: Rules
    now: datetime | None = None
    execute: bool = False


def tier(settings: UpkeepSettings, tiering: Tiering) -> dict[str, Any]:
    """Move what the rules say to the cold tier, or report what they would move.

    Returns:
        The report, in the form of a deletion's (docs/jobs.md).

    Raises:
        TierError: the tier can't be read or written; nothing was moved, as far as can be told.
    """
    plan = partial(plan_tiering, destination=COLD)
    return run_rules(
        settings, RuledRun(kind=TIER, rules=tiering.rules, now=tiering.now, plan=plan, execute=tiering.execute)
    )
