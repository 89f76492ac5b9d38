"""Undoing a job: what it has brought goes in one commit, audited and restorable like a deletion (decision 24)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from pipelines.liveness import is_live, showing_life
from pipelines.maintenance.reports import RunCounts, UndoReport
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from pipelines.maintenance.rules_run import RuledWork, counts_if_most, counts_of
from pipelines.status import read_status
from transforms.core.errors import ConflictError, UnconfirmedError
from transforms.hot_tier.ledger.undone import JobContents, undo_in_ledger
from transforms.hot_tier.maintenance.commit_run import Change, CommittedRun, commit_run
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.tasks import remove_left_results
from transforms.hot_tier.maintenance.undo import JobUndoing
from transforms.hot_tier.table import location
from transforms.hot_tier.table.live_files import load_events
from transforms.hot_tier.table.runs import UNDO, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore
from transforms.storage.job_folder import JobFolder


@dataclass(frozen=True, kw_only=True)
class Undo:
    """One undoing, as it is requested.

    Attributes:
        task_id: The job.
        dry_run: Only count what would go.
        confirm: Asked before more than half of the events of the tier go: a sentence, and what would go.
    """

    task_id: str
    dry_run: bool = False
    confirm: Callable[[str, RunCounts], bool] = lambda _, __: False


def undo(settings: MaintenanceSettings, request: Undo) -> UndoReport:
    """Take away what a job has brought, or count it; its objects are then no longer known.

    Args:
        settings: Where the tier is.
        request: What is to be undone.

    Raises:
        ConflictError: the job is running.
        UnconfirmedError: it is more than half of all events; nothing was done.
        TierError: the tier can't be read or written; nothing was undone, as far as can be told.
    """
    run = MaintenanceRun.new(UNDO, parameters={"job": request.task_id})
    with closing(Rewriter(settings, run.id)) as rewriter:
        tier = rewriter.tier
        _check_not_running(tier, request.task_id)
        if not location.exists(tier):
            return _report(run, _UndoWork(rewriter, request.task_id), None, 0)
        if request.dry_run:
            return _count(run, _UndoWork(rewriter, request.task_id), load_events(tier))
        remove_left_results(tier, finish_interrupted(tier, lambda other: is_live(tier, other.id)))
        work = _UndoWork(rewriter, request.task_id)
        snapshot = load_events(tier)
        if work.has_nothing(snapshot):
            return _report(run, work, None, snapshot.version)
        _check_share(work, snapshot, request)
        run = replace(run, holds=work.ruled.holds)
        folder = RunFolder.begin(tier, run)
        with showing_life(folder):
            committed = commit_run(folder, run, lambda newer: work.change(newer, run.id))
            finish(folder, run, committed)
    return _report(run, work, committed, snapshot.version)


def _check_not_running(tier: TierStore, task_id: str) -> None:
    if read_status(JobFolder(tier, task_id)).status in ("Pending", "Running"):
        raise ConflictError(
            f"job {task_id} is running: cancel it first (`rekindle jobs cancel {task_id}`), or, where its machine is "
            "gone, wait two minutes; nothing was undone"
        )


def _check_share(work: _UndoWork, snapshot: Snapshot, request: Undo) -> None:
    counts = counts_if_most(work.ruled, snapshot)
    if counts is None:
        return
    question = f"{counts.events:,} of {snapshot.rows:,} events ({counts.share:.0%}) would be taken away"
    if replaced := work.undoing.contents(snapshot).replaced:
        question += f", and the older content that {replaced:,} object{'s' * (replaced != 1)} had does not come back"
    if not request.confirm(question, counts):
        raise UnconfirmedError(f"{question}: nothing was undone; add --yes to take away more than half of all events")


def _count(run: MaintenanceRun, work: _UndoWork, snapshot: Snapshot) -> UndoReport:
    """Return the report of what undoing a job would do."""
    gone, left = work.count(snapshot)
    report = _report(run, work, None, snapshot.version)
    found = {"files": work.files, "objects": gone.rows.num_rows, "replaced": gone.replaced, "objects_held": len(left)}
    return report.model_copy(update=found | {"executed": False, "version_after": None})


class _UndoWork:
    """What undoing a job does, planned anew on each snapshot.

    Attributes:
        undoing: What it takes from the table and from the ledger.
        ruled: The same as a run of one rule: all events of the job.
        objects_held: How many objects stay known, by the newest plan.
    """

    def __init__(self, rewriter: Rewriter, task_id: str) -> None:
        """Prepare; nothing is read yet."""
        self.undoing = JobUndoing(rewriter.tier, task_id)
        self.ruled = RuledWork(rewriter, self.undoing.rules, self.undoing.plan)
        self.objects_held = 0

    def has_nothing(self, snapshot: Snapshot) -> bool:
        """Whether nothing of the job is in the table."""
        return not self.ruled.plan(snapshot).most_rows and not self.undoing.contents(snapshot).rows.num_rows

    @property
    def files(self) -> int:
        """Of how many files the newest plan takes something."""
        return sum(any(result.taken) for _, result in self.ruled.outcomes)

    def count(self, snapshot: Snapshot) -> tuple[JobContents, set[str]]:
        """Count what would go; return the contents that would not be known any more, and the objects that would."""
        self.ruled.count(snapshot)
        return self._objects(snapshot)

    def _objects(self, snapshot: Snapshot) -> tuple[JobContents, set[str]]:
        left = self.undoing.objects_left(self.ruled.outcomes, self.ruled.rules)
        return self.undoing.contents(snapshot).without(left), left

    def change(self, snapshot: Snapshot, run_id: str) -> Change | None:
        """Have the new files written, and return what to commit; None where there is nothing to undo."""
        change = self.ruled.change(snapshot)
        gone, left = self._objects(snapshot)
        self.objects_held = len(left)
        if change is None and not gone.rows.num_rows:
            return None
        change = change or Change((), (), self.ruled.counts.as_document() | {"files": [], "moved": []})
        document = {
            "jobs": [self.undoing.job],
            "objects": gone.rows.num_rows,
            "replaced": gone.replaced,
            "leftAlone": self.ruled.left_alone,
        }
        if left:
            document["objectsHeld"] = len(left)
        ledger = self.undoing.ledger(snapshot)
        in_ledger = undo_in_ledger(ledger, gone, run_id=run_id, version=snapshot.version + 1)
        return replace(change, document=change.document | document, ledger=in_ledger)


def _report(run: MaintenanceRun, work: _UndoWork, committed: CommittedRun | None, version: int) -> UndoReport:
    document = committed.document if committed else {}
    counts = counts_of(committed) if committed else work.ruled.counts
    return UndoReport(
        run_id=run.id,
        executed=True,
        task_id=work.undoing.job,
        undone_by=work.undoing.undone_by,
        events=counts.events,
        files=len(document.get("files", ())),
        files_whole=sum(rule.files_whole for rule in counts.rules),
        bytes=counts.bytes,
        share=counts.share,
        objects=document.get("objects", 0),
        replaced=document.get("replaced", 0),
        holds=counts.holds,
        held=counts.held,
        objects_held=document.get("objectsHeld", 0) if committed else work.objects_held,
        version_before=document.get("versionBefore", version),
        version_after=committed.version if committed else version,
        warnings=[*document.get("leftAlone", work.ruled.left_alone), *(committed.warnings if committed else ())],
    )
