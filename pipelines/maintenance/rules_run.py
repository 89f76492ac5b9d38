"""A run of rules over the table, dry or one that commits: what deletion and tiering have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from pipelines.liveness import is_live, showing_life
from pipelines.maintenance.reports import RemovedFiles, RulesReport, RunCounts
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from pipelines.maintenance.rules import Rules
from transforms.hot_tier.configuration.holds import load_holds, with_holds
from transforms.hot_tier.maintenance.accounting import Outcome, account, file_changes, outcomes_of, without_use
from transforms.hot_tier.maintenance.commit_run import Change, CommittedRun, commit_run
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.plan import MaintenancePlan
from transforms.hot_tier.maintenance.tasks import remove_left_results
from transforms.hot_tier.maintenance.vacuum.removal import Removal
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.runs import MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import format_instant
from transforms.retention.compiled_rules import CompiledRules
from transforms.storage import TierStore

MOST_SHARE = 0.5
"""To delete more than this part of all events takes a `--yes`."""


@dataclass(frozen=True, kw_only=True)
class RuledRun:
    """One run of rules, as it is requested.

    Attributes:
        kind: `delete` or `tier`.
        rules: The rules, of a file or of the tier.
        now: The time by which retention is reckoned; None is the clock's.
        plan: Decides what is to be done on a snapshot.
        execute: Whether to do it, or only to report.
        examine: Called with the files that are taken from and what of each, before a commit; what it raises ends the
            run, and nothing was done.
    """

    kind: str
    rules: Rules
    now: datetime | None
    plan: Callable[[Snapshot, CompiledRules], MaintenancePlan]
    execute: bool
    examine: Callable[[Sequence[Outcome]], None] = lambda _: None


def run_rules(
    settings: MaintenanceSettings,
    request: RuledRun,
    *,
    check: Callable[[RuledWork, Snapshot], None] = lambda _, __: None,
    remove: Callable[[TierStore, MaintenanceRun], Removal] | None = None,
) -> RulesReport:
    """Apply rules to the table, or report what they would do.

    Args:
        settings: Where the tier is.
        request: What is to be done.
        check: Called before anything is done; raises where it must not be.
        remove: Called after the commit: removes the files whose grace is over.

    Raises:
        TierError: the tier can't be read or written; nothing was changed, as far as can be told.
    """
    run = request.rules.new_run(request.kind, now=request.now)
    with closing(Rewriter(settings, run.id)) as rewriter:
        work = RuledWork(rewriter, CompiledRules.of(request.rules.file, run.now), request.plan, request.examine)
        snapshot = load_events(rewriter.tier)
        if request.execute:
            return _execute(rewriter.tier, run, work, lambda: check(work, snapshot), remove)
        return _report(run, work.count(snapshot), before=snapshot.version, after=None, warnings=work.warnings)


def _execute(
    tier: TierStore,
    run: MaintenanceRun,
    work: RuledWork,
    check: Callable[[], None],
    remove: Callable[[TierStore, MaintenanceRun], Removal] | None,
) -> RulesReport:
    remove_left_results(tier, finish_interrupted(tier, lambda other: is_live(tier, other.id)))
    check()
    run = replace(run, holds=work.holds)
    folder = RunFolder.begin(tier, run)
    with showing_life(folder):
        committed = commit_run(folder, run, work.change)
        finish(folder, run, committed)
        removal = remove(tier, run) if remove else None
    warnings = [
        *_warnings_of_time(run),
        *work.warnings,
        *(committed.warnings if committed else ()),
        *(removal.warnings if removal else ()),
    ]
    removed = RemovedFiles(files=removal.files, bytes=removal.bytes) if removal else None
    if committed is None:  # no rule takes anything
        return _report(run, work.counts, before=work.version, after=work.version, warnings=warnings, removed=removed)
    before = committed.document["versionBefore"]
    return _report(
        run, counts_of(committed), before=before, after=committed.version, warnings=warnings, removed=removed
    )


class RuledWork:
    """What rules do to the table, planned anew on each snapshot.

    Attributes:
        counts: What the newest plan comes to.
        version: The table's version that this is about.
        rules: What it goes by, with the holds that were in force.
        outcomes: The files that it has examined, and the result of each.
        left_alone: Which files are left alone although a rule may take rows of them, and why.
        idle: Which rules and holds match nothing.
    """

    counts: RunCounts
    outcomes: Sequence[Outcome]

    def __init__(
        self,
        rewriter: Rewriter,
        rules: CompiledRules,
        plan: Callable[[Snapshot, CompiledRules], MaintenancePlan],
        examine: Callable[[Sequence[Outcome]], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is read yet."""
        self._plan = plan
        self._examine = examine
        self.version = -1
        self.counts = RunCounts(rules=[], holds=[], held=0, events=0, bytes=0, share=0.0)
        self.outcomes = ()
        self.left_alone: list[str] = []
        self.idle: list[str] = []
        self._rewriter = rewriter
        self._given = rules
        self.rules = rules

    @property
    def warnings(self) -> list[str]:
        """What its user should know."""
        return [*self.left_alone, *self.idle]

    @property
    def holds(self) -> tuple[tuple[str, str | None], ...]:
        """Name and condition of the holds that are in force now, the tier's and the file's."""
        return tuple((hold.name, hold.text) for hold in self._with_kept_holds().holds)

    def plan(self, snapshot: Snapshot) -> MaintenancePlan:
        """Return what is to be done on a snapshot, by the log alone.

        The tier's holds are read after the snapshot was taken: one that is set later makes its commit fail.
        """
        rules = self._with_kept_holds()
        if rules != self.rules:
            self.rules = rules
            self._rewriter.forget_results()
        return self._plan(snapshot, rules)

    def _with_kept_holds(self) -> CompiledRules:
        return with_holds(self._given, load_holds(self._rewriter.tier))

    def count(self, snapshot: Snapshot) -> RunCounts:
        """Return what the rules would do, and do nothing."""
        plan = self.plan(snapshot)
        return self._account(snapshot, [*plan.decided, *outcomes_of(plan.tasks, self._rewriter.count(plan.tasks))])

    def change(self, snapshot: Snapshot) -> Change | None:
        """Have the new files written, and return what to commit; None where no rule takes anything."""
        plan = self.plan(snapshot)
        results = self._rewriter.rewrite(plan.tasks, snapshot.columns)
        outcomes = [*plan.decided, *outcomes_of(plan.tasks, results)]
        moved = [file for result in results for file in result.moved]
        counts = self._account(snapshot, outcomes)
        changed = [(file, result) for file, result in outcomes if any(result.taken)]
        if not changed:
            return None
        added = [*(result.rest for _, result in changed if result.rest), *moved]
        files = {"files": file_changes(outcomes), "moved": [file.path for file in moved]}
        return Change(added, [file.path for file, _ in changed], counts.as_document() | files)

    def _account(self, snapshot: Snapshot, outcomes: Sequence[Outcome]) -> RunCounts:
        self._examine(outcomes)
        counts = account(self.rules, outcomes, snapshot.rows)
        self.outcomes = outcomes
        self.left_alone = [result.warning for _, result in outcomes if result.warning]
        self.idle = without_use(self.rules, counts, snapshot)
        self.counts, self.version = RunCounts.model_validate(counts), snapshot.version
        return self.counts


def counts_if_most(work: RuledWork, snapshot: Snapshot) -> RunCounts | None:
    """Return what would go where it is more than half of all events; count only if the log can't rule that out."""
    most = MOST_SHARE * snapshot.rows
    if work.plan(snapshot).most_rows <= most or (counts := work.count(snapshot)).events <= most:
        return None
    return counts


def _report(
    run: MaintenanceRun,
    counts: RunCounts,
    *,
    before: int,
    after: int | None,
    warnings: list[str],
    removed: RemovedFiles | None = None,
) -> RulesReport:
    return RulesReport(
        run_id=run.id,
        executed=after is not None,
        now=format_instant(run.now),
        rules_file=run.rules_file,
        rules_sha256=run.rules_sha256,
        rules_version=run.rules_version,
        version_before=before,
        version_after=after,
        warnings=warnings,
        removed=removed,
        **dict(counts),
    )


def counts_of(committed: CommittedRun) -> RunCounts:
    """Return the numbers of the attempt that was committed, which need not be the last."""
    return RunCounts.model_validate({name: committed.document[name] for name in RunCounts.model_fields})


def _warnings_of_time(run: MaintenanceRun) -> list[str]:
    if run.now <= run.started_at:
        return []
    now = format_instant(run.now)
    return [f"--now is later than the clock: events, and files whose grace is over, were treated as of {now}"]
