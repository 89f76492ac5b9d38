"""The life of a backfill job, and of one that is resumed (docs/decisions/0002-waves.md).

Validate, discover, plan, wave after wave, report.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timezone

import pyarrow.compute as pc

from pipelines.console import Console, Progress, Silent, stop_signals
from pipelines.jobs import discover as discovery
from pipelines.jobs.context import JobContext
from pipelines.jobs.plan import JobPlan
from pipelines.jobs.planner import RefusedError, make_plan
from pipelines.jobs.report import JobReport
from pipelines.jobs.reporting import REPORT_FILE, TableView, check_not_undone, find_job, finished_report, report_of
from pipelines.jobs.rows.kept_rows import keep_ended_row
from pipelines.jobs.sample import attributes_of, promoting_samples, read_samples
from pipelines.jobs.settings import RunSettings, StoredJob
from pipelines.jobs.specification import JobSpecification
from pipelines.jobs.watching.watcher import Watcher
from pipelines.jobs.waves import PastReadings, run_wave
from pipelines.liveness import run_periodically
from pipelines.maintenance.compact import SMALL_FILES, compact, small_files
from pipelines.maintenance.promote import promote
from pipelines.maintenance.rewriter import MaintenanceSettings
from pipelines.runner.engine import Engine
from pipelines.status import StatusFile, now, read_progress
from transforms.core.errors import CanceledError, RekindleError, TierError
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.maintenance.past_deletions import PastDeletions
from transforms.hot_tier.table import prepare as table
from transforms.hot_tier.table.promoted_columns import promote_new
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import ObjectInfo
from transforms.storage.job_folder import JobFolder
from transforms.storage.uploads import UploadFolder

_WATCH_SECONDS = 1.0
_WATCH_TICKS = 5
_NAMES_SHOWN = 20


@dataclass(frozen=True)
class JobResult:
    """How a job ended: its report, and the exit code of `rekindle backfill`."""

    report: JobReport
    exit_code: int


def run_job(specification: JobSpecification, settings: RunSettings, console: Console | None = None) -> JobResult:
    """Run a new job to its end.

    Raises:
        RekindleError: it was refused before it began, and nothing was written.
    """
    return _Job(str(uuid.uuid4()), specification, settings, console or Silent()).run()


def resume_job(task_id: str, settings: RunSettings, console: Console | None = None) -> JobResult:
    """Continue a job under its id, with its plan and its waves.

    Args:
        task_id: The job.
        settings: Where the hot tier is, and how stores are reached now; the rest is as the job was started.
        console: Where the job reports to.

    Raises:
        ConfigurationError: there is no such job.
        ConflictError: it was undone.
    """
    tier = settings.tier_location.open()
    folder = find_job(tier, task_id)
    check_not_undone(folder)
    if (report := finished_report(folder)) is not None:
        (console or Silent()).message(f"Job {folder.task_id} has succeeded: there is nothing left to do")
        return JobResult(report, report.exit_code(require_match=False))
    stored = StoredJob.load(folder)
    specification = stored.checked()
    return _Job(folder.task_id, specification, stored.settings.reached_like(settings), console or Silent()).run(
        resume=True
    )


def run_queued_job(task_id: str, settings: RunSettings, console: Console) -> JobResult:
    """Begin or continue a job of the queue, as its worker does.

    A request to cancel it stays, and so does its folder, whatever becomes of the job: who has put it into the queue
    asks for it.

    Args:
        task_id: The job.
        settings: Where the hot tier is, and how stores are reached now; the rest is as the job was submitted.
        console: Where the job reports to.
    """
    folder = JobFolder(settings.tier_location.open(), task_id)
    stored = StoredJob.load(folder)
    specification = stored.checked()
    return _Job(task_id, specification, stored.settings.reached_like(settings), console, queued=True).run(resume=True)


class _Job:
    """One job, from its start or its resumption to its end."""

    def __init__(
        self,
        task_id: str,
        specification: JobSpecification,
        settings: RunSettings,
        console: Console,
        *,
        queued: bool = False,
    ) -> None:
        self.task_id = task_id
        self.console = console
        self.queued = queued
        self.context = JobContext.open(task_id, specification, settings)
        self.settings, self.tier = self.context.settings, self.context.tier
        self.folder = JobFolder(self.tier, task_id)
        self.status = StatusFile(self.folder, console)
        self.view = TableView(self.tier)
        self.columns: tuple[str, ...] = ()
        self.published = Progress()
        self.deletions: PastDeletions | None = None
        self.canceled = threading.Event()
        self.engine = Engine(
            settings.beam_flags, workers=settings.workers, message=console.message, canceled=self.canceled
        )
        watch = specification.watch
        self.watcher_of: Callable[[], Watcher] | None = None if watch is None else (lambda: Watcher(self, watch))
        self.watcher: Watcher | None = None
        self.watching = self.terminated = False
        self.ticks = 0

    def run(self, *, resume: bool = False) -> JobResult:
        """Run the job, and report how it ended."""
        table.check_is_tier_or_empty(self.tier)
        discovery.prove_access(self.context.store, self.context.filter)
        self._start(resume=resume)
        began, before = time.monotonic(), self.status.current.seconds
        watching = run_periodically(self._watch, self._warn_of_watching, seconds=_WATCH_SECONDS)
        try:
            with closing(self.engine), stop_signals(self._stop), watching:
                status, reason = self._outcome()
        except RefusedError:
            if not self.queued:
                self.folder.discard()  # not before the thread that saves the status has ended
            raise
        seconds = before + time.monotonic() - began
        self.status.save(status=status, reason=reason, finished_at=now(), seconds=seconds)
        self.folder.clear_progress()
        if status != "Succeeded":
            self.view.refresh()  # a wave may have been published after all
        report = report_of(self.folder, self.view.ledger)
        if status == "Succeeded" and not report.objects.matched and not self.queued:
            self.folder.discard()  # there is nothing to show, to resume, or to find in a list
        else:
            self.folder.write_json(REPORT_FILE, report.as_document())
            self._forget_work(status)
            keep_ended_row(self.folder)
        code = report.exit_code(require_match=self.settings.require_match)
        return JobResult(report, 0 if self.terminated and self.watching else code)

    def _stop(self, number: int) -> None:
        self.terminated = number == signal.SIGTERM
        self.canceled.set()

    def _forget_work(self, status: str) -> None:
        """Remove what the report of a job that has succeeded has too: a job's folder is kept for ever."""
        if status == "Succeeded":
            with suppress(TierError, OSError):  # what stays only takes room
                JobPlan.forget(self.folder)
                self.folder.clear_parts()
                if self.settings.upload is not None:
                    UploadFolder(self.tier, self.settings.upload).remove()

    def _outcome(self) -> tuple[str, str | None]:
        """Do the job, and return its last status, with the reason where it is not `Succeeded`."""
        try:
            self._work()
        except RefusedError:
            raise
        except RekindleError as error:
            if isinstance(error, CanceledError) or self.canceled.is_set():
                if self.watching:
                    return "Canceled", f"the watch was ended; `rekindle jobs resume {self.task_id}` continues it"
                return "Canceled", self._what_stays() or "nothing was published"
            return "Failed", f"{error}\n{self._what_stays()}".rstrip()
        return "Succeeded", None

    def _what_stays(self) -> str:
        planned = JobPlan.load(self.context.specification.bucket, self.folder)
        return f"What was published stays; `rekindle jobs resume {self.task_id}` continues" if planned else ""

    def _work(self) -> None:
        if self.watcher_of is None:
            self._backfill()
            return
        watcher = self.watcher = self.watcher_of()
        watcher.begin()
        plan = self._backfill()
        self.view.refresh(self.view.snapshot or table.prepare(self.tier))
        if plan is not None:
            watcher.take_backfill(plan)
            JobPlan.forget(self.folder)
            self.folder.clear_parts()
        self.watching = True
        self.status.save(stage="Watching")
        self.console.message(f"Job {self.task_id} watches {self.context.source}")
        watcher.run()

    def _backfill(self) -> JobPlan | None:
        """Ingest what is there, and return its plan; None where another launcher of this job has done all."""
        plan = JobPlan.load(self.context.specification.bucket, self.folder)
        if plan is None and finished_report(self.folder) is not None:
            return None  # another launcher of this job has done all
        if plan is None:
            plan = make_plan(self.context, self.engine, self.folder, self.status, self.view)
        else:
            self.view.refresh()
        self.stop_if_canceled()
        self.status.save(stage="Processing")
        if plan.waves:
            self.view.refresh(table.prepare(self.tier))
        if self.settings.promote and self.view.snapshot is not None:
            self._promote_named()
        if plan.waves:
            with self.engine.worker_processes(plan.work_bytes):  # they start while the sample is read
                self.promote_sampled(plan.work())
                self._process(plan)
            self._compact_where_it_pays()
        return plan

    def _compact_where_it_pays(self) -> None:
        """Merge small files where there are very many; if that fails, they stay as they are."""
        small = small_files(self.view.snapshot) if self.view.snapshot is not None else 0
        if small <= SMALL_FILES:
            return
        self.console.message(f"Merging {small:,} small files")
        try:
            compact(self.maintenance())
        except RekindleError as error:
            self.status.warn(f"{small:,} small files could not be merged; try again by `rekindle compact`: {error}")

    def maintenance(self) -> MaintenanceSettings:
        """Return how to run over the job's tier."""
        settings = self.settings
        return MaintenanceSettings(
            hot_tier=settings.hot_tier,
            tier_options=settings.tier_options,
            beam_flags=settings.beam_flags,
            workers=settings.workers,
            console=self.console,
        )

    # Status

    def _start(self, *, resume: bool) -> None:
        if resume:
            if not self.queued:
                self.folder.withdraw_cancel()
            self.folder.clear_progress()
            self.status.restore()
            self.folder.keep_row(self.status.current.listed, None)
            again = now() if self.status.current.started_at else None
            self.status.update(resumed_at=again, finished_at=None, reason=None, undone=None, queued=self.queued or None)
        else:
            self.status.update(listed=self.folder.register(datetime.now(timezone.utc)))
        started = self.status.current.started_at or now()
        self.status.update(status="Running", host=socket.gethostname(), pid=os.getpid(), started_at=started)
        StoredJob(job=self.context.specification, settings=self.settings).save(self.folder)
        self.status.save()
        begins = "resumes" if self.status.current.resumed_at else "starts"
        self.console.message(f"Job {self.task_id} {begins}: {self.context.source} → {self.settings.hot_tier}")

    def _watch(self) -> None:
        if not self.canceled.is_set():
            if not self.engine.is_local and self.folder.cancel_requested():
                self.canceled.set()
        elif not self.folder.cancel_requested():
            self.folder.request_cancel()
            self.console.message("Stopping at the next safe point; press Ctrl-C again to stop at once.")
        self.ticks += 1
        if self.watching and self.ticks % _WATCH_TICKS:
            return  # a watch goes on for ever, and each time is a request
        self.status.save()
        if self.published.bytes_in_all and not self.watching:
            running = read_progress(self.folder, self.status.current.wave)
            self.console.progress(self.published.plus(running))

    def _warn_of_watching(self, error: Exception) -> None:
        self.console.message(f"Warning: the progress could not be shown: {error}")

    def stop_if_canceled(self) -> None:
        """Raise CanceledError where somebody asked the job to stop."""
        if self.canceled.is_set() or self.folder.cancel_requested():
            raise CanceledError(f"job {self.task_id} was canceled")

    # Processing

    def _promote_named(self) -> None:
        """Give what `--promote` names a column, also where files keep it in their maps: these are written anew."""
        choice = promote_new(self.tier, self.settings.promote, limit=None, known=self.view.snapshot)
        self._add_columns(choice.added)
        if choice.in_maps:
            self.console.message(
                f"--promote: files keep {_listed(choice.in_maps)} in their maps; these files are written anew"
            )
            self._add_columns(promote(self.maintenance(), choice.in_maps).columns_added)
        columns = self.view.refresh().columns
        if twins := [name for name in self.settings.promote if name not in columns]:
            self.status.warn(f"--promote: {_listed(twins)} differ from columns only in case, and stay in the map")

    def promote_sampled(self, work: Iterable[ObjectInfo]) -> None:
        """Give the attributes of the job's sample columns, those that most events have first."""
        samples = read_samples(promoting_samples(work), self.context.store, self.context.readings)
        choice = promote_new(self.tier, attributes_of(samples, self.context.shaping), known=self.view.snapshot)
        self.columns = choice.columns
        self._add_columns(choice.added)
        cure = "`rekindle promote NAME` gives one a column"
        if choice.in_maps:
            self.console.message(f"{_listed(choice.in_maps)} stay in the map, where older files keep them; {cure}")
        if choice.no_room:
            self.status.warn(f"no room for more columns: {_listed(choice.no_room)} stay in the map; {cure}")

    def _add_columns(self, names: Sequence[str]) -> None:
        self.status.update(columns_added=(*self.status.current.columns_added, *names))

    def _process(self, plan: JobPlan) -> None:
        for wave in plan.wave_numbers:
            ledger = self.view.ledger
            if self.watcher_of is None:  # what a watch has done in all its time is not read again
                entries = ledger.table_of_job(self.task_id)
                read, events = (pc.sum(entries[name]).as_py() or 0 for name in ("size", "events"))
                self.published = Progress(entries.num_rows, read, events, plan.work_bytes)
            if ledger.waves_of_job(self.task_id, wave):
                continue
            self.status.save(wave=wave)
            self.run_wave(plan, wave)
            if self.watcher is not None:
                self.watcher.sum_up()

    def run_wave(self, plan: JobPlan, wave: int) -> None:
        """Run a wave until it is published."""
        while True:
            self.stop_if_canceled()
            self.folder.clear_progress()
            past = self._past_readings(self.view.ledger)
            run_wave(plan, wave, self.context, self.engine, self.folder, columns=self.columns, past=past)
            snapshot = self.view.refresh().snapshot
            self.columns = self.view.columns  # others may have added some
            if self.view.ledger.waves_of_job(self.task_id, wave):
                return
            if past is None or (snapshot is not None and past.deletions.is_current(self.tier, snapshot)):
                raise TierError(
                    f"hot tier {self.settings.hot_tier}: wave {wave} has run, and is not in the table: check that the "
                    "workers write to the same folder or bucket"
                )
            self.console.message(
                f"A deletion or restore has changed events that wave {wave} replaces: its objects are read once more"
            )

    def _past_readings(self, ledger: Ledger) -> PastReadings | None:
        """Return what is known of objects whose events are replaced; None where none of this job are."""
        settings = self.settings
        if settings.force or not (settings.reprocess or settings.retry_failed):
            return None
        if self.deletions is None or not self.deletions.is_current(self.tier, Snapshot.load(self.tier)):
            self.deletions = PastDeletions.load(self.tier)
        return PastReadings(ledger, self.deletions)


def _listed(names: Sequence[str]) -> str:
    """Return names joined by commas, those after the twentieth as a number."""
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
