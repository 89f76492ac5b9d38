"""The receiver: takes what calls bring into the log, and has it committed."""

from __future__ import annotations

import hashlib
import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from service.hec.acks import Acknowledgements, register_log
from service.hec.answers import Code, HecError
from service.hec.bodies import MemoryBudget
from service.hec.committer import SECONDS, SECONDS_WHERE_WAITED_FOR, Committer, app_id
from service.hec.entries import RequestContext
from service.hec.envelopes import Payload
from service.hec.log_folder import LogFolder, hold_folder, left_folders
from service.hec.merging import Merging
from service.hec.write_ahead_log import LogClosedError, LogFullError, WriteAheadLog
from service.logs import log
from service.settings import ServiceSettings
from transforms.hot_tier.ledger.append import last_appended
from transforms.hot_tier.table.prepare import prepare
from transforms.storage import TierStore

NEARLY_FULL = 0.8
CLOSE_SECONDS = 4.0
_LOOK_SECONDS = 60.0
"""So often it looks for logs of services that have ended."""


@dataclass
class OpenLog:
    """A log that takes events, its committer, and what looks for logs that others have left."""

    wal: WriteAheadLog
    committer: Committer
    acks: Acknowledgements
    left: LeftLogs
    merging: Merging

    def close(self) -> None:
        """End; the folder stays held where a commit is still at work."""
        self.wal.close()
        self.left.close()
        if self.committer.close(CLOSE_SECONDS):
            self.wal.folder.close()


@dataclass
class HecReceiver:
    """What the calls of HEC share.

    Attributes:
        settings: How the service runs.
        tier: The hot tier.
        is_closing: Whether it takes nothing more.
        seconds: So long events wait for others before they are committed; None for the default.
        budget: What all bodies may take of the memory.
    """

    settings: ServiceSettings
    tier: TierStore
    is_closing: bool = False
    seconds: float | None = None
    budget: MemoryBudget = field(default_factory=MemoryBudget)
    log: OpenLog | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base(self) -> Path:
        """The folder of the logs: `--hec-dir`, else in a local hot tier, else below the user's state."""
        if self.settings.hec_dir is not None:
            return Path(self.settings.hec_dir)
        if self.tier.local_path is not None:
            return self.tier.local_path / "_rekindle" / "hec"
        name = hashlib.sha256(self.tier.uri.encode()).hexdigest()[:12]
        return Path.home() / ".local" / "state" / "rekindle" / "hec" / name

    def start(self) -> None:
        """Open the log where there is one, and bring into the hot tier what earlier services have left.

        Raises:
            RekindleError: the folder that was named can't be used.
        """
        if self.settings.hec_dir is not None or self.base.exists():
            self.open()

    def open(self) -> OpenLog:
        """Return the log; the first call opens it.

        Raises:
            HecError: the service ends.
            RekindleError: the folder or the hot tier can't be used.
        """
        with self._opening:
            if self.is_closing:
                raise HecError(Code.SHUTTING_DOWN)
            if self.log is None:
                self.log = self._open()
            return self.log

    def accept(self, log: OpenLog, payload: Payload, context: RequestContext) -> Future[int]:
        """Write a request to the log, and return the number of its last event once it is there.

        Raises:
            HecError: there is no room, or the service ends.
        """
        if self.is_closing:
            raise HecError(Code.SHUTTING_DOWN)
        try:
            done = log.wal.append(context.dump(), payload.data, events=payload.events)
        except LogFullError:
            raise HecError(Code.QUEUE_FULL) from None
        except LogClosedError:
            raise HecError(Code.SHUTTING_DOWN) from None
        log.committer.notice()
        return done

    @property
    def log_bytes(self) -> int:
        """What the log takes on the disk."""
        opened = self.log
        return 0 if opened is None else opened.wal.size

    @property
    def log_fill(self) -> float:
        """How full the log is, 1 where it takes nothing more."""
        opened = self.log
        return 0.0 if opened is None else opened.wal.fill

    @property
    def is_commit_failing(self) -> bool:
        """Whether the last commit failed."""
        opened = self.log
        return opened is not None and opened.committer.failure is not None

    @property
    def health(self) -> Code:
        """How it is."""
        if self.is_closing:
            return Code.SHUTTING_DOWN
        fill = self.log_fill
        return Code.QUEUES_FULL if fill >= 1 else Code.QUEUE_NEARLY_FULL if fill >= NEARLY_FULL else Code.HEALTHY

    def close(self) -> None:
        """Take nothing more, write what waits, and commit it where that is quick; else the next service does."""
        self.is_closing = True
        with self._opening:
            if self.log is not None:
                self.log.close()
                self.log = None

    def _open(self) -> OpenLog:
        snapshot = prepare(self.tier)
        folder = hold_folder(self.base, snapshot.table_id)
        try:
            number = register_log(self.tier, folder.instance)
            committed = last_appended(snapshot, app_id(folder.instance))
            wal = WriteAheadLog(folder, committed=committed, most_bytes=self.settings.hec_log_bytes, report=_report)
        except BaseException:
            folder.close()
            raise
        seconds = SECONDS_WHERE_WAITED_FOR if self.settings.hec_durable == "tier" else SECONDS
        seconds = seconds if self.seconds is None else self.seconds
        merging = Merging(self.settings)
        committer = Committer(self.tier, wal, seconds=seconds, added=merging.count)
        committer.start()
        left = LeftLogs(self.base, folder.table, self.tier)
        left.start()
        return OpenLog(wal, committer, Acknowledgements(self.tier, wal, number), left, merging)


class LeftLogs:
    """Brings into the hot tier what services have left that have ended, as soon as nobody holds it any more."""

    def __init__(self, base: Path, table: str, tier: TierStore) -> None:
        """Look for nothing yet."""
        self._base, self._table, self._tier = base, table, tier
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rekindle-hec-left", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; what is at work ends with the process."""
        self._over.set()

    def take_over(self) -> None:
        """Bring in what is left now.

        Raises:
            RekindleError: it can't be committed; it stays where it is.
        """
        for folder in left_folders(self._base, self._table):
            drain(folder, self._tier)

    def _watch(self) -> None:
        while True:
            try:
                self.take_over()
            except Exception as error:  # noqa: BLE001 - it is tried again
                log(f"HEC events that a service has left can't be committed now: {error}", level=logging.ERROR)
            if self._over.wait(_LOOK_SECONDS):
                return


def drain(folder: LogFolder, tier: TierStore) -> None:
    """Commit what is in a folder, and let go of it.

    Raises:
        RekindleError: it can't be committed; the folder keeps it.
    """
    try:
        committed = last_appended(prepare(tier), app_id(folder.instance))
        wal = WriteAheadLog(folder, committed=committed, report=_report)
        try:
            committer = Committer(tier, wal)
            while committer.commit():
                pass
        finally:
            wal.close()
    finally:
        folder.close()


def _report(text: str) -> None:
    log(text, level=logging.ERROR)
