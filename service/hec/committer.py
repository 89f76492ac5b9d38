"""Brings the log into the hot tier: every ten seconds, or as soon as there is enough for a good file."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from service.hec.batches import EventReading
from service.hec.log_folder import Segment
from service.hec.write_ahead_log import BATCH_BYTES, LogClosedError, WriteAheadLog
from service.logs import log
from transforms.core.errors import RekindleError
from transforms.event_pipelines import Pipeline
from transforms.event_pipelines.definition import load_pipelines
from transforms.hot_tier.configuration.store import Configuration, load_configuration, name_of_kept
from transforms.hot_tier.data.writer import FileDescription, HotTierWriter
from transforms.hot_tier.ledger.append import LogBatch, OtherLogError, RemovedFilesError, append_events
from transforms.hot_tier.table.live_files import load_events
from transforms.storage import TierStore

SECONDS = 10.0
SECONDS_WHERE_WAITED_FOR = 0.5
"""Where clients wait for the commit itself."""
_LONGEST_PAUSE = 30.0

Step = Callable[[str], None]


def app_id(instance: str) -> str:
    """Return the app id of a log's commits."""
    return f"hec/{instance}"


@dataclass(frozen=True)
class _Written:
    """The files of a batch, its number of events, and the number of its last one."""

    files: list[FileDescription]
    events: int
    last: int


@dataclass
class Committer:
    """Commits what a log holds.

    Attributes:
        tier: The hot tier.
        wal: The log.
        seconds: So long events wait at most for others.
        step: Called with the name of each step when it is done: tests end the process there.
        added: Called with the number of files after each commit.
        failure: Why the last attempt failed, None where it did not.
    """

    tier: TierStore
    wal: WriteAheadLog
    seconds: float = SECONDS
    step: Step = lambda name: None
    added: Callable[[int], None] = lambda files: None
    failure: str | None = None
    _written: tuple[list[Segment], _Written] | None = None
    _tried: set[int] = field(default_factory=set)
    _has_committed: bool = False
    _pipelines: tuple[int, tuple[Pipeline, ...]] = (-1, ())
    _waiting: list[tuple[int, int, Future[int]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _wake: threading.Condition = field(default_factory=threading.Condition)
    _committing: threading.Lock = field(default_factory=threading.Lock)
    _closing: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Commit from now on."""
        self._thread = threading.Thread(target=self._run, name="rekindle-hec-commits", daemon=True)
        self._thread.start()

    def notice(self) -> None:
        """Look whether there is enough for a commit."""
        if self.wal.size >= BATCH_BYTES:
            with self._wake:
                self._wake.notify()

    def wait_for(self, number: int) -> Future[int]:
        """Return what is done when an event is in the hot tier."""
        done: Future[int] = Future()
        with self._wake:
            if number <= self.wal.committed:
                done.set_result(number)
            elif self._closing:
                done.set_exception(LogClosedError())
            else:
                heapq.heappush(self._waiting, (number, next(self._order), done))
        return done

    def close(self, seconds: float) -> bool:
        """End, after a last commit where it takes no longer than so many seconds; the log keeps what is left.

        Returns:
            Whether nothing is at work any more.
        """
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(seconds)
        with self._wake:
            for _, _, done in self._waiting:
                if done.set_running_or_notify_cancel():
                    done.set_exception(LogClosedError())
            self._waiting.clear()
        return self._thread is None or not self._thread.is_alive()

    def commit(self) -> bool:
        """Commit what is in the log, at most one batch; return whether there was anything.

        Raises:
            RekindleError: it failed; the log keeps it.
        """
        with self._committing:
            if self._written is None:
                segments = self.wal.seal()
                if not segments:
                    return False
                self.step("sealed")
                self._written = (segments, self._write(segments))
                self.step("written")
            self._commit(*self._written)
            self._release()
            return True

    def _commit(self, segments: list[Segment], written: _Written) -> None:
        """Commit what was written; where that fails, the next attempt takes the same files."""
        try:
            is_added = not written.last or self._append(written)
        except RemovedFilesError:
            self._written = None
            raise
        self._written = None
        if not is_added:
            return
        self.step("appended")
        self.wal.drop(written.last, segments)
        self.step("dropped")

    def _write(self, segments: list[Segment]) -> _Written:
        """Write the files of a batch."""
        instance = self.wal.folder.instance
        reading = EventReading(instance=instance, pipelines=self._load_pipelines())
        columns = load_events(self.tier).columns
        writer = HotTierWriter(self.tier, columns=columns)  # without a job: its files are nobody's for a day
        last = events = 0
        try:
            for entries in self.wal.portions(segments):
                last = max(last, entries[-1].last)
                for batch in reading.batches(entries):
                    events += batch.num_rows
                    writer.write(batch)
            return _Written(writer.close(), events, last)
        except BaseException:
            writer.abort()
            raise

    def _append(self, written: _Written) -> bool:
        """Commit what was written; False where an earlier attempt has added some of it, which the log drops then."""
        instance = self.wal.folder.instance
        batch = LogBatch(app_id=app_id(instance), previous=self.wal.committed, last=written.last)
        try:
            appended = append_events(self.tier, batch, written.files, step=self.step)
        except OtherLogError as error:
            if not self._is_own(error.known):
                raise
            self.wal.drop(error.known)
            return False
        except Exception:  # it may have been added all the same
            self._tried.add(written.last)
            raise
        self._has_committed = True
        self._tried.clear()
        for warning in appended.warnings:
            log(warning, level=logging.WARNING)
        log("HEC events were committed", events=written.events, files=len(written.files), version=appended.version)
        self.added(len(written.files))
        return True

    def _is_own(self, known: int) -> bool:
        """Whether a number that the table has is that of an earlier attempt, whose request came late.

        None of an earlier process comes any more once this one has committed: its version is taken.
        """
        return known in self._tried or (not self._has_committed and known < self.wal.next)

    def _run(self) -> None:
        failures = 0
        if self.wal.has_events:  # of a service that has ended: one that ends again and again still gets on
            failures = 0 if self._commit_all() else 1
        while self._wait(min(_LONGEST_PAUSE, 2.0**failures) if failures else self.seconds):
            failures = 0 if self._commit_all() else failures + 1
        self._commit_all()

    def _commit_all(self) -> bool:
        """Commit until little is left, and return whether that went well."""
        try:
            while self.commit() and self.wal.size >= BATCH_BYTES:
                pass
        except Exception as error:
            self.failure = str(error)
            text = f"HEC events wait in {self.wal.folder.path}, because they can't be committed now: {error}"
            unknown = not isinstance(error, (RekindleError, OSError))
            logging.getLogger("rekindle").error(text, exc_info=unknown)
            return False
        self.failure = None
        return True

    def _wait(self, seconds: float) -> bool:
        """Wait for the next commit; return False where the log is closed."""
        deadline = time.monotonic() + seconds
        with self._wake:
            while not self._closing and (left := deadline - time.monotonic()) > 0:
                self._wake.wait(left)
                if self.wal.size >= BATCH_BYTES and not self.failure:
                    break
            return not self._closing

    def _release(self) -> None:
        """Answer those who waited for what is committed now."""
        with self._wake:
            while self._waiting and self._waiting[0][0] <= self.wal.committed:
                number, _, done = heapq.heappop(self._waiting)
                if done.set_running_or_notify_cancel():
                    done.set_result(number)

    def _load_pipelines(self) -> tuple[Pipeline, ...]:
        """Return the pipelines that the tier keeps, as they are now."""
        kept: Configuration = load_configuration(self.tier)
        if kept.version != self._pipelines[0]:
            file = kept.pipelines
            loaded = () if file is None else load_pipelines(file.text, source=name_of_kept(file.file, kept.version))
            self._pipelines = (kept.version, loaded)
        return self._pipelines[1]
