"""What deletion and tiering have in common: a run of rules over the table, a dry one or one that commits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.liveness import is_live, living
from pipelines.maintenance.rewriter import Rewriter, UpkeepSettings
from pipelines.maintenance.rules import Rules
from transforms.hot_tier.maintenance.accounting import Outcome, account, file_changes, outcomes_of, without_use
from transforms.hot_tier.maintenance.commit_run import Change, CommittedRun, commit_run
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.plan import MaintenancePlan
from transforms.hot_tier.maintenance.tasks import remove_left_results
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.runs import MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import format_instant
from transforms.retention.compiled_rules import CompiledRules
from transforms.storage import TierStore


@dataclass(frozen=True, kw_only=True)
class RuledRun:
    """One run of rules, as it is asked for.

    Attributes:
        kind: `delete` or `tier`.
        rules: The rules file.
        now: The time by which retention is reckoned; None is the clock's.
        plan: What is to be done on a snapshot.
        execute: Whether to do it, or only to report.
    """

    kind: str
    rules: Rules
    now: datetime | None
    plan: Callable[[Snapshot, CompiledRules], MaintenancePlan]
    execute: bool


def run_rules(
    settings: UpkeepSettings,
    asked: RuledRun,
    *,
    check: Callable[[RuledWork, Snapshot], None] = lambda _, __: None,
    after: Callable[[TierStore, MaintenanceRun], dict[str, Any]] = lambda _, __: {},
) -> dict[str, Any]:
    """Do what rules say, or report what they would do.

    Args:
        settings: Where the tier is.
        asked: What is to be done.
        check: Called before anything is done; what it raises is the end of it.
        after: Called when it is done; what it returns is added to the report, its `warnings` to the others.

    Returns:
        The report of docs/jobs.md.

    Raises:
        TierError: the tier can't be read or written; nothing was changed, as far as can be told.
    """
    run = asked.rules.new_run(asked.kind, now=asked.now)
    with closing(Rewriter(settings, run.id)) as rewriter:
        work = RuledWork(rewriter, CompiledRules.of(asked.rules.file, run.now), asked.plan)
        snapshot = load_events(rewriter.tier)
        if not asked.execute:
            return _report(run, work.count(snapshot), snapshot.version) | {"warnings": work.warnings}
        return _execute(rewriter.tier, run, work, lambda: check(work, snapshot), after)


def _execute(
    tier: TierStore,
    run: MaintenanceRun,
    work: RuledWork,
    check: Callable[[], None],
    after: Callable[[TierStore, MaintenanceRun], dict[str, Any]],
) -> dict[str, Any]:
    remove_left_results(tier, finish_interrupted(tier, lambda other: is_live(tier, other.id)))
    check()
    folder = RunFolder.begin(tier, run)
    with living(folder):
        landed = commit_run(folder, run, work.change)
        finish(folder, run, landed)
        more = after(tier, run)
    report = _report(run, work.found, work.version) | _outcome(landed, work.version)
    warnings = [*_of_the_future(run), *work.warnings, *report["warnings"], *more.get("warnings", ())]
    return report | more | {"warnings": warnings}


class RuledWork:
    """What rules do to the table, planned anew on each snapshot.

    Attributes:
        found: What the newest plan has come to, as the report has it (`account`).
        version: The table's version that this is about.
        warnings: Which files are left alone although a rule may take rows of them, and why; which rules and holds match
            nothing.
    """

    def __init__(
        self, rewriter: Rewriter, compiled: CompiledRules, plan: Callable[[Snapshot, CompiledRules], MaintenancePlan]
    ) -> None:
        """Prepare; nothing is looked at yet."""
        self._plan = plan
        self.found: dict[str, Any] = {}
        self.version = -1
        self.warnings: list[str] = []
        self._rewriter = rewriter
        self._rules = compiled

    def plan(self, snapshot: Snapshot) -> MaintenancePlan:
        """Return what is to be done on a snapshot, by the log alone."""
        return self._plan(snapshot, self._rules)

    def count(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return what the rules would do, and do nothing."""
        plan = self.plan(snapshot)
        return self._account(snapshot, [*plan.decided, *outcomes_of(plan.tasks, self._rewriter.count(plan.tasks))])

    def change(self, snapshot: Snapshot) -> Change | None:
        """Have the files written that the rules ask for, and return what to commit; None where no rule takes
        anything.
        """
        plan = self.plan(snapshot)
        results = self._rewriter.rewrite(plan.tasks, snapshot.columns)
        outcomes = [*plan.decided, *outcomes_of(plan.tasks, results)]
        moved = [file for result in results for file in result.moved]
        document = self._account(snapshot, outcomes) | {
            "files": file_changes(outcomes),
            "moved": [file.path for file in moved],
        }
        touched = [(file, result) for file, result in outcomes if any(result.taken)]
        if not touched:
            return None
        return Change(
            [*(result.rest for _, result in touched if result.rest), *moved],
            [file.path for file, _ in touched],
            document,
        )

    def _account(self, snapshot: Snapshot, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        self.found, self.version = account(self._rules, outcomes, snapshot.rows), snapshot.version
        left_alone = [result.warning for _, result in outcomes if result.warning]
        self.warnings = [*left_alone, *without_use(self._rules, self.found, snapshot)]
        return self.found


def _report(run: MaintenanceRun, found: dict[str, Any], version: int) -> dict[str, Any]:
    named = {"runId": run.id, "executed": False, "now": format_instant(run.now)}
    return named | found | {"versionBefore": version, "versionAfter": None, "warnings": []}


def _of_the_future(run: MaintenanceRun) -> list[str]:
    if run.now <= run.started_at:
        return []
    return [
        f"--now is later than the clock: events, and files whose grace is over, went as if it were {format_instant(run.now)}"
    ]


def _outcome(landed: CommittedRun | None, version: int) -> dict[str, Any]:
    if landed is None:  # no rule took anything
        return {"executed": True, "versionAfter": version}
    done = {
        name: landed.document[name] for name in ("rules", "holds", "held", "events", "bytes", "share", "versionBefore")
    }  # of what was tried
    return done | {"executed": True, "versionAfter": landed.version, "warnings": list(landed.warnings)}
