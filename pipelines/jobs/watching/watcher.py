"""What a watch does after its backfill: it gathers what arrives, ingests that in waves, and keeps the tier tidy.

Queue and listing only tell which objects to look at. What is ingested is decided as for any job: by what the object is
when it is looked up, and by the ledger as it is when the wave is published. So it does not matter how often and in
which order something is announced, or how many watchers share a queue. A message is deleted when the ledger has each of
its objects.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from threading import Event
from typing import Protocol

import pyarrow as pa

from pipelines.console import Console
from pipelines.jobs.context import JobContext
from pipelines.jobs.families import family_name
from pipelines.jobs.job_files.watch_options import WatchSpecification
from pipelines.jobs.plan import Decisions, JobPlan, WorkPolicy, cut_waves, objects_of
from pipelines.jobs.reporting import TableView
from pipelines.jobs.settings import FIRST_WAVE_BYTES
from pipelines.jobs.watching.accounts import WatchAccounts
from pipelines.jobs.watching.gathering import MOST_WAITING, RECEIVE_SECONDS, Gathering
from pipelines.jobs.watching.new_objects import RepeatedListing, manifest_of
from pipelines.jobs.watching.tidying import CHECK_WAVES, merge_small_files
from pipelines.maintenance.rewriter import MaintenanceSettings
from pipelines.runner.engine import Engine
from pipelines.runner.errors import RunnerError
from pipelines.status import StatusFile, now
from transforms.core.errors import (
    CanceledError,
    ConfigurationError,
    ConflictError,
    DeniedError,
    ObjectError,
    RekindleError,
    VanishedError,
)
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry
from transforms.objects.discovery.notifications import CreatedObject
from transforms.storage import ObjectInfo
from transforms.storage.job_folder import JobFolder

_LOOK_UPS = 16
_SMALL_WAVE = 16 << 20
"""Of so many bytes one worker makes one file."""
_MOST_FAMILIES = 10_000
_LONGEST_PAUSE = 60.0
_MOST_CRASHES = 5
"""After so many failures of the workers in a row, an object that is alone is given back to the queue."""
_REREAD = "vanished"
_FAILED = ("failed", "quarantined")


class WatchingJob(Protocol):
    """What a watch needs of the job that it is."""

    task_id: str
    console: Console
    context: JobContext
    engine: Engine
    folder: JobFolder
    status: StatusFile
    view: TableView
    canceled: Event

    def stop_if_canceled(self) -> None:
        """Raise CanceledError where somebody asked the job to stop."""

    def promote_sampled(self, work: Iterable[ObjectInfo]) -> None:
        """Give the attributes of some objects columns."""

    def run_wave(self, plan: JobPlan, wave: int) -> None:
        """Run a wave until it is published."""

    def maintenance(self) -> MaintenanceSettings:
        """Return how to run over the job's tier."""


@dataclass
class _Retrying:
    """Pauses after failures, which get longer."""

    failures: int = 0

    @property
    def seconds(self) -> float:
        return min(_LONGEST_PAUSE, 2.0**self.failures)


@dataclass
class Watcher:
    """A watch, from the end of its backfill on.

    Attributes:
        job: The job that it is.
        watch: By what it learns of new objects.
        clock: The time in seconds, for tests.
    """

    job: WatchingJob
    watch: WatchSpecification
    clock: Callable[[], float] = time.monotonic
    _retrying: _Retrying = field(default_factory=_Retrying)
    _families: set[str] = field(default_factory=set)
    _waves_since_merge: int = 0
    _crashes: int = 0

    def __post_init__(self) -> None:
        """Take up what an earlier run of the job has counted."""
        context = self.job.context
        self._interval = self.watch.interval.total_seconds() if self.watch.interval is not None else None
        self._next_listing = self.clock() + (self._interval or 0.0)
        self._listing = RepeatedListing(context.store, context.filter, context.settings.max_objects)
        self._matcher = context.filter.compile()
        self._accounts = WatchAccounts(self.job.task_id, context.specification, self.job.folder, self.job.status)
        self._gathering = Gathering(
            queue=context.open_queue(),
            bucket=context.store.bucket,
            matcher=self._matcher,
            wait_seconds=self.watch.wait.total_seconds(),
            most_bytes=min(FIRST_WAVE_BYTES, context.settings.wave_bytes),
            accounts=self._accounts,
            clock=self.clock,
        )

    def begin(self) -> None:
        """Let the job's folder show that it is a watch, before its backfill.

        Raises:
            RekindleError: the queue can't be used.
        """
        if self._gathering.queue is not None:
            self._gathering.queue.state()
        self._accounts.save_totals()
        self._show()

    def take_backfill(self, plan: JobPlan) -> None:
        """Count what the backfill has done; its plan is not needed any more."""
        self._accounts.count_unread(plan.counts())
        self._listing.take_as_seen(self._listed_and_done(plan))
        self.sum_up()

    def _listed_and_done(self, plan: JobPlan) -> Iterator[ObjectInfo]:
        """Yield the objects of the backfill but those that could not be read: the next listing tries them again."""
        ledger = self.job.view.ledger
        infos = objects_of(plan.bucket, plan.table)
        for info, kind in zip(infos, plan.table["disposition"].to_pylist(), strict=True):
            if kind != "work" or _is_known(ledger, info):
                yield info

    def run(self) -> None:
        """Go on until somebody asks the job to stop.

        Raises:
            CanceledError: somebody did.
            RekindleError: it can't go on: the job was undone, or the configuration is wrong.
        """
        with self._gathering.holding_messages(self.job.console.message):
            while True:
                self.job.stop_if_canceled()
                try:
                    self._go_on()
                except (CanceledError, ConfigurationError, ConflictError):
                    raise
                except Exception as error:  # noqa: BLE001 - a watch outlives whatever a store's client raises
                    self._pause_after(error)
                else:
                    self._retrying.failures = 0
                self._show()

    def _go_on(self) -> None:
        """Gather for some seconds, or ingest what has come together."""
        if self._interval is not None and self.clock() >= self._next_listing:
            self._list_again()
        elif self._gathering.is_due():
            self._ingest_announced()
        elif self._gathering.queue is not None:
            self._gathering.receive(self._gathering.queue, until=None if self._interval is None else self._next_listing)
        else:
            self.job.canceled.wait(min(RECEIVE_SECONDS, max(0.0, self._next_listing - self.clock())))
        self._accounts.forget_error()

    def _list_again(self) -> None:
        assert self._interval is not None
        self._next_listing = self.clock() + self._interval
        found = self._listing.list_new()
        self._accounts.counts["listings"] += 1
        self._accounts.note(last_listing_at=now())
        new = found.manifest.num_rows
        self._accounts.count_evaluated(new)
        if not new:
            return
        try:
            self._ingest(found.manifest)
        except BaseException:
            self._listing.forget_all()
            raise

    # Ingesting

    def _ingest_announced(self) -> None:
        """Look up the announced objects, and ingest them as they are now."""
        announced = list(self._gathering.arrivals.announced.values())[: self._most_at_once()]
        with ThreadPoolExecutor(_LOOK_UPS) as pool:
            found = list(pool.map(self._look_up, announced))
        present = [info for info in found if info is not None]
        gone = [one.key for one, info in zip(announced, found, strict=True) if info is None]
        numbers = self._matcher.sources_of(present)
        taken = [info.with_source(number) for info, number in zip(present, numbers, strict=True) if number >= 0]
        outside = [info.key for info, number in zip(present, numbers, strict=True) if number < 0]  # by their dates
        self._accounts.counts["gone"] += len(gone)
        self._accounts.counts["unmatched"] += len(outside)
        self._gathering.finish([*gone, *outside], ())
        if taken:
            try:
                self._ingest(manifest_of(taken).sort_by("key"))
            except RunnerError:
                if len(taken) == 1 and self._crashes >= _MOST_CRASHES:  # it is what the workers can't bear
                    self._gathering.finish([taken[0].key], [taken[0].key])
                self._crashes += 1
                raise
            self._crashes = 0
        self._gathering.begin_anew()

    def _most_at_once(self) -> int:
        """Return how many objects are ingested together: fewer each time the workers fail, until one is alone."""
        return max(1, MOST_WAITING >> min(14, 4 * max(0, self._crashes - 1)))

    def _look_up(self, announced: CreatedObject) -> ObjectInfo | None:
        """Return an object as it is now, None where it is gone."""
        store = self.job.context.store
        try:
            return store.look_up(announced.key)
        except VanishedError:
            return None
        except DeniedError:
            # as the notification has it: when it is read it fails in the ledger, with the reason
            return ObjectInfo(
                bucket=store.bucket,
                key=announced.key,
                etag=announced.etag,
                size=announced.size or 1,
                modified=datetime.now(timezone.utc),
            )
        except ObjectError as error:  # no more of this one than of the others: the store does not answer
            raise RekindleError(str(error)) from error

    def _ingest(self, manifest: pa.Table) -> None:
        """Ingest objects, wave by wave, and finish what the ledger has of them."""
        job, context = self.job, self.job.context
        ledger = job.view.refresh().ledger
        if run := ledger.undone_by(job.task_id):
            raise ConflictError(f"job {job.task_id} was undone by run {run}: start a new watch")
        decisions = Decisions(
            context.tier, ledger, WorkPolicy.of(context.specification, context.settings), context.digests
        )
        small = sum(manifest["size"].to_pylist()) < _SMALL_WAVE
        cut = partial(
            cut_waves,
            wave_bytes=context.settings.wave_bytes,
            workers=1 if small else job.engine.workers,
            split_bytes=job.engine.split_bytes,
        )
        plan = JobPlan.make(
            context.specification.bucket,
            manifest,
            decisions.decide,
            cut,
            first_wave=ledger.next_wave_of_job(job.task_id),
        )
        self._finish_unread(plan)
        if not plan.waves:
            return
        self._promote(list(plan.work()))
        for wave in plan.wave_numbers:
            job.stop_if_canceled()
            job.status.update(wave=wave)
            job.run_wave(plan, wave)
            self._finish_wave(list(plan.objects(wave)), wave)
        self._merge_where_it_pays()

    def _promote(self, work: Sequence[ObjectInfo]) -> None:
        """Look for attributes in objects of kinds that were not looked into yet."""
        names = {info.key: f"{info.source} {family_name(info.key)}" for info in work}
        unknown = [info for info in work if names[info.key] not in self._families]
        if not unknown:
            return
        self.job.promote_sampled(unknown)
        if len(self._families) >= _MOST_FAMILIES:
            self._families.clear()
        self._families.update(names[info.key] for info in unknown)

    def _finish_unread(self, plan: JobPlan) -> None:
        self._accounts.count_unread(plan.counts())
        keys, dispositions = plan.table["key"].to_pylist(), plan.table["disposition"].to_pylist()
        self._gathering.finish([key for key, kind in zip(keys, dispositions, strict=True) if kind != "work"], ())

    def _finish_wave(self, objects: Sequence[ObjectInfo], wave: int) -> None:
        """Finish the objects of a wave that the ledger has; what vanished is looked up again."""
        ledger = self.job.view.ledger
        own = {_identity(entry): entry for entry in ledger.of_job(self.job.task_id, wave)}
        again = [info for info in objects if self._must_be_read_again(info, own.get(info.identity))]
        failed = [info for info in objects if (entry := own.get(info.identity)) and entry.status in _FAILED]
        for info in again:
            self._listing.forget(info, has_failed=False)
        for info in failed:
            self._listing.forget(info, has_failed=True)
        reread = {info.key for info in again}
        done = [info.key for info in objects if info.key not in reread]
        self._accounts.unread["known"] += sum(info.identity not in own and info.key not in reread for info in objects)
        self._measure_lag(objects)
        self.sum_up()
        self._gathering.finish(done, [info.key for info in failed])
        self._waves_since_merge += 1

    def _must_be_read_again(self, info: ObjectInfo, entry: LedgerEntry | None) -> bool:
        """Whether an object of a wave vanished while it was read, or the ledger does not know it after all."""
        if entry is not None:
            return entry.status == _REREAD
        skips = self.job.context.specification.on_changed == "skip"
        return not skips and not _is_known(self.job.view.ledger, info)

    def _measure_lag(self, objects: Sequence[ObjectInfo]) -> None:
        sent = self._gathering.arrivals.oldest_sent(info.key for info in objects)
        oldest = min(info.modified.timestamp() for info in objects) if sent is None else sent
        lag = round(max(0.0, time.time() - oldest), 3)
        self._accounts.note(lag_seconds=lag, last_wave_at=now())

    def sum_up(self) -> None:
        """Add what the ledger has of the job since the last time to its totals."""
        self._accounts.sum_up(self.job.view.ledger)
        self._show()

    def _show(self) -> None:
        self._accounts.show(waiting=len(self._gathering.arrivals), queued=self._gathering.queued)

    def _merge_where_it_pays(self) -> None:
        """Merge small files now and then; if that fails, they stay as they are."""
        snapshot = self.job.view.snapshot
        if self._waves_since_merge < CHECK_WAVES or snapshot is None:
            return
        self._waves_since_merge = 0
        try:
            merged = merge_small_files(snapshot, self.job.maintenance())
        except RekindleError as error:
            self.job.console.message(f"Warning: small files could not be merged: {error}")
        else:
            self._accounts.counts["merges"] += merged

    def _pause_after(self, error: Exception) -> None:
        """Report a failure of the whole, and wait; what is held stays so."""
        self._retrying.failures += 1
        self._accounts.counts["errors"] += 1
        text = str(error) if isinstance(error, RekindleError) else f"unexpected: {type(error).__name__}: {error}"
        self._accounts.note(last_error=text)
        self._show()
        seconds = self._retrying.seconds
        self.job.console.message(f"Warning: {text}; it is tried again in {seconds:.0f} s")
        self.job.canceled.wait(seconds)


def _is_known(ledger: Ledger, info: ObjectInfo) -> bool:
    """Whether the events of an object, as its content is, are in the table."""
    return any((one.etag, one.size) == (info.etag, info.size) for one in ledger.published(info.bucket, info.key))


def _identity(entry: LedgerEntry) -> tuple[str, str, str, int]:
    return (entry.bucket, entry.key, entry.etag, entry.size)
