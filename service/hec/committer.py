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
from service.hec.write_ahead_log import BATCH_BYTES, WriteAheadLog
from service.logs import log
from transforms.core.errors import RekindleError
from transforms.event_pipelines import Pipeline
from transforms.event_pipelines.definition import load_pipelines
from transforms.hot_tier.configuration.store import Configuration, load_configuration, name_of_kept
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.append import LogBatch, append_events, last_appended
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

SECONDS = 10.0
SECONDS_WHERE_WAITED_FOR = 0.5
"""Where clients wait for the commit itself."""
_LONGEST_PAUSE = 30.0

Step = Callable[[str], None]


def app_id(instance: str) -> str:
    """Return the app id of a log's commits."""
    return f"hec/{instance}"


@dataclass
class Committer:
    """Commits what a log holds.

    Attributes:
        tier: The hot tier.
        wal: The log.
        seconds: So long events wait at most for others.
        step: Called with the name of each step when it is done: tests end the process there.
    """

    tier: TierStore
    wal: WriteAheadLog
    seconds: float = SECONDS
    step: Step = lambda name: None
    failure: str | None = None
    """Why the last attempt failed, None where it did not."""
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
            else:
                heapq.heappush(self._waiting, (number, next(self._order), done))
        return done

    def close(self, seconds: float) -> None:
        """End, after a last commit where it takes no longer than so many seconds; the log keeps what is left."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def commit(self) -> bool:
        """Commit what is in the log, at most one batch; return whether there was anything.

        Raises:
            RekindleError: it failed; the log keeps it.
        """
        with self._committing:
            return self._commit()

    def _commit(self) -> bool:
        segments = self.wal.seal()
        if not segments:
            return False
        self.step("sealed")
        instance = self.wal.folder.instance
        reading = EventReading(instance=instance, pipelines=self._load_pipelines())
        snapshot = Snapshot.load(self.tier)
        writer = HotTierWriter(self.tier, columns=snapshot.columns, job=instance)
        last = events = 0
        try:
            for entries in self.wal.portions(segments):
                last = max(last, entries[-1].last)
                for batch in reading.batches(entries):
                    events += batch.num_rows
                    writer.write(batch)
            files = writer.close()
        except BaseException:
            writer.abort()
            raise
        self.step("written")
        if last:
            batch_of_log = LogBatch(app_id=app_id(instance), previous=self.wal.committed, last=last, job=instance)
            appended = append_events(self.tier, batch_of_log, files, step=self.step)
            for warning in appended.warnings:
                log(warning, level=logging.WARNING)
            log("HEC events were committed", events=events, files=len(files), version=appended.version)
        self.step("appended")
        self.wal.drop(last, segments)
        self.step("dropped")
        self._release()
        return True

    def _run(self) -> None:
        failures = 0
        while True:
            if not self._wait(min(_LONGEST_PAUSE, 2.0**failures) if failures else self.seconds):
                return
            try:
                while self.commit() and self.wal.size >= BATCH_BYTES:
                    pass
                failures, self.failure = 0, None
            except Exception as error:
                failures += 1
                self.failure = str(error)
                is_known = isinstance(error, (RekindleError, OSError))
                log(
                    f"HEC events wait in {self.wal.folder.path}: they can't be committed: {error}",
                    level=logging.ERROR,
                )
                if not is_known:
                    logging.getLogger("rekindle").exception("the commit of HEC events failed")

    def _wait(self, seconds: float) -> bool:
        """Wait for the next commit; return False where it was the last."""
        deadline = time.monotonic() + seconds
        with self._wake:
            if self._closing:
                return False
            while not self._closing and (left := deadline - time.monotonic()) > 0:
                self._wake.wait(left)
                if self.wal.size >= BATCH_BYTES and not self.failure:
                    break
        return True

    def _release(self) -> None:
        """Answer those who waited for what is committed now."""
        with self._wake:
            while self._waiting and self._waiting[0][0] <= self.wal.committed:
                number, _, done = heapq.heappop(self._waiting)
                if not done.cancelled():
                    done.set_result(number)

    def _load_pipelines(self) -> tuple[Pipeline, ...]:
        """Return the pipelines that the tier keeps, as they are now."""
        kept: Configuration = load_configuration(self.tier)
        if kept.version != self._pipelines[0]:
            file = kept.pipelines
            loaded = () if file is None else load_pipelines(file.text, source=name_of_kept(file.file, kept.version))
            self._pipelines = (kept.version, loaded)
        return self._pipelines[1]


def committed_of(tier: TierStore, instance: str) -> int:
    """Return the number of the last event of a log that is in the hot tier."""
    return last_appended(Snapshot.load(tier), app_id(instance))
