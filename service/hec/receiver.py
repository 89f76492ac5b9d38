"""The receiver: takes what calls bring into the log, and has it committed."""

from __future__ import annotations

import hashlib
import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from service.hec.answers import Code, HecError
from service.hec.committer import SECONDS, SECONDS_WHERE_WAITED_FOR, Committer, app_id
from service.hec.entries import RequestContext
from service.hec.envelopes import Payload
from service.hec.log_folder import LogFolder, hold_folder, left_folders
from service.hec.write_ahead_log import LogClosedError, LogFullError, WriteAheadLog
from service.logs import log
from service.settings import ServiceSettings
from transforms.hot_tier.ledger.append import last_appended
from transforms.hot_tier.table.prepare import prepare
from transforms.storage import TierStore

NEARLY_FULL = 0.8
_CLOSE_SECONDS = 5.0


def log_base(settings: ServiceSettings, tier: TierStore) -> Path:
    """Return the folder below which the logs are: `--hec-dir`, else in a local hot tier, else in the user's state."""
    if settings.hec_dir is not None:
        return Path(settings.hec_dir)
    if tier.local_path is not None:
        return tier.local_path / "_rekindle" / "hec"
    name = hashlib.sha256(tier.uri.encode()).hexdigest()[:12]
    return Path.home() / ".local" / "state" / "rekindle" / "hec" / name


@dataclass
class HecReceiver:
    """What the calls of HEC share.

    Attributes:
        settings: How the service runs.
        tier: The hot tier.
        is_closing: Whether it takes nothing more.
        seconds: So long events wait for others before they are committed; None for the default.
    """

    settings: ServiceSettings
    tier: TierStore
    is_closing: bool = False
    seconds: float | None = None
    _open: _OpenLog | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base(self) -> Path:
        """The folder below which the logs are."""
        return log_base(self.settings, self.tier)

    def start(self) -> None:
        """Open the log where there is one, and bring into the hot tier what earlier services have left.

        Raises:
            RekindleError: the folder that was named can't be used.
        """
        if self.settings.hec_dir is not None or self.base.exists():
            self.open()

    def open(self) -> _OpenLog:
        """Return the log; the first call opens it.

        Raises:
            RekindleError: the folder or the hot tier can't be used.
        """
        with self._opening:
            if self._open is None:
                self._open = _OpenLog.at(self)
            return self._open

    @property
    def is_open(self) -> bool:
        """Whether the log is open."""
        return self._open is not None

    def accept(self, payload: Payload, context: RequestContext) -> Future[int]:
        """Write a request to the log, and return the number of its last event once it counts as received.

        Raises:
            HecError: there is no room, or the service ends.
        """
        if self.is_closing or self._open is None:
            raise HecError(Code.SHUTTING_DOWN)
        try:
            return self._open.wal.append(context.dump(), payload.data, events=payload.events)
        except LogFullError:
            raise HecError(Code.QUEUE_FULL) from None
        except LogClosedError:
            raise HecError(Code.SHUTTING_DOWN) from None

    def committed(self, number: int) -> Future[int]:
        """Return what is done when an event is in the hot tier."""
        assert self._open is not None
        return self._open.committer.wait_for(number)

    def written(self) -> None:
        """Take note that a request was written."""
        assert self._open is not None
        self._open.committer.notice()

    def is_committed(self, number: int) -> bool:
        """Whether an event is in the hot tier."""
        return self._open is not None and 0 < number <= self._open.wal.committed

    @property
    def health(self) -> Code:
        """How it is."""
        if self.is_closing:
            return Code.SHUTTING_DOWN
        fill = self._open.wal.fill if self._open is not None else 0.0
        return Code.QUEUES_FULL if fill >= 1 else Code.QUEUE_NEARLY_FULL if fill >= NEARLY_FULL else Code.HEALTHY

    def close(self) -> None:
        """Take nothing more, write what waits, and commit it where that is quick; the next service does it else."""
        self.is_closing = True
        with self._opening:
            if self._open is not None:
                self._open.close()
                self._open = None


@dataclass
class _OpenLog:
    """A log with its committer."""

    wal: WriteAheadLog
    committer: Committer
    recovery: threading.Thread

    @classmethod
    def at(cls, receiver: HecReceiver) -> _OpenLog:
        base, settings, tier = receiver.base, receiver.settings, receiver.tier
        snapshot = prepare(tier)
        folder = hold_folder(base, snapshot.table_id)
        wal = WriteAheadLog(
            folder,
            committed=last_appended(snapshot, app_id(folder.instance)),
            most_bytes=settings.hec_log_bytes,
            report=_report,
        )
        seconds = SECONDS_WHERE_WAITED_FOR if settings.hec_durable == "tier" else SECONDS
        committer = Committer(tier, wal, seconds=seconds if receiver.seconds is None else receiver.seconds)
        committer.start()
        recovery = threading.Thread(
            target=_take_over, args=(base, snapshot.table_id, tier), name="rekindle-hec-recovery", daemon=True
        )
        recovery.start()
        return cls(wal, committer, recovery)

    def close(self) -> None:
        self.wal.close()
        self.committer.close(_CLOSE_SECONDS)
        self.wal.folder.close()


def _take_over(base: Path, table: str, tier: TierStore) -> None:
    """Bring into the hot tier what services have left that have ended."""
    try:
        for folder in left_folders(base, table):
            _drain(folder, tier)
    except Exception as error:  # noqa: BLE001 - the next start tries again
        log(f"HEC events that another service has left can't be committed now: {error}", level=logging.ERROR)


def _drain(folder: LogFolder, tier: TierStore) -> None:
    try:
        snapshot = prepare(tier)
        wal = WriteAheadLog(folder, committed=last_appended(snapshot, app_id(folder.instance)), report=_report)
        try:
            while Committer(tier, wal).commit():
                pass
        finally:
            wal.close()
    finally:
        folder.close()


def _report(text: str) -> None:
    log(text, level=logging.ERROR)
