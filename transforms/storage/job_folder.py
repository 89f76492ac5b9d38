"""A job's folder in the hot tier: its specification, plan, progress, report, and the sign to stop.

`_rekindle/jobs/TASK_ID/` is all that the launcher, its workers and other `rekindle` commands share about a job, so that
they may run on different machines. Nothing in it decides what is published: that is the ledger's
(`transforms.hot_tier.ledger.ledger`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from transforms.core.errors import CanceledError
from transforms.storage import TierFile, TierLocation, TierStore
from transforms.storage.json_folder import JsonFolder, folders_in

ROOT = "_rekindle/jobs"
STATUS_FILE = "status.json"
_BY_TIME = "_rekindle/jobs-by-time/"
"""A file without content for each job, whose name begins with what is left of time at its start: the newest first.

Those of an hour are in a folder of their own: a folder on disk is listed whole.
"""
_HOUR = 3_600_000
_END_OF_TIME = 10**14
"""In milliseconds since 1970 UTC: the year 5138."""


class JobFolder(JsonFolder):
    """The folder of one job. Methods raise what the tier's store raises."""

    def __init__(self, tier: TierStore, task_id: str) -> None:
        """Name the folder; nothing is read or written yet."""
        super().__init__(tier, f"{ROOT}/{task_id}")
        self.task_id = task_id

    def exists(self) -> bool:
        """Whether the job was ever started here."""
        return self.tier.exists(self.path("job.json"))

    def register(self, started: datetime) -> None:
        """Put the job among those that are listed by the time of their start."""
        left = _END_OF_TIME - int(started.timestamp() * 1000)
        self.tier.put(f"{_BY_TIME}{left // _HOUR:08d}/{left:014d}-{self.task_id}", b"")

    def unregister(self) -> None:
        """Take a job that has just begun out of those that are listed."""
        for path, _, task_id in _by_time(self.tier, 1000):
            if task_id == self.task_id:
                self.tier.delete(path)

    def touch(self) -> None:
        """Write the job's entry among those that are listed again: who keeps what it has read sees that it changed."""
        for path, _, task_id in _by_time(self.tier, 1000):
            if task_id == self.task_id:
                self.tier.put(path, b"")

    def discard(self) -> None:
        """Leave nothing of a job that has just begun."""
        self.unregister()
        self.remove()

    def request_cancel(self) -> None:
        """Ask the job to stop at its next safe point."""
        self.tier.put(self.path("cancel"), b"")

    def withdraw_cancel(self) -> None:
        """Take an earlier request to stop back, before the job goes on."""
        if self.cancel_requested():
            self.tier.delete(self.path("cancel"))

    def cancel_requested(self) -> bool:
        """Whether somebody asked the job to stop."""
        return self.tier.exists(self.path("cancel"))

    def mark_undone(self, by: dict[str, str] | None) -> None:
        """Let a list of jobs show by which run the job was undone, and when; None where it no longer is."""
        status = self.read_json(STATUS_FILE)
        if status is not None and status.get("undone") != by:
            rest = {name: value for name, value in status.items() if name != "undone"}
            self.write_json(STATUS_FILE, rest if by is None else rest | {"undone": by})

    def progress(self) -> list[dict[str, Any]]:
        """Return the latest progress of each worker of the running wave."""
        found = []
        for file in self.tier.list(self.path("progress/")):
            try:
                found.append(orjson.loads(self.tier.get(file.path)))
            except FileNotFoundError:  # cleared between listing and reading
                continue
        return found

    def clear_listing(self) -> None:
        """Forget what was listed."""
        self.remove("listing/")

    def clear_parts(self) -> None:
        """Forget where large objects were cut."""
        self.remove("parts/")

    def clear_progress(self) -> None:
        """Forget the workers' progress: a wave has begun or ended."""
        self.remove("progress/")


def list_jobs(tier: TierStore) -> Iterator[JobFolder]:
    """Yield the folder of every job the tier knows, in no order."""
    return (JobFolder(tier, task_id) for task_id in folders_in(tier, ROOT))


def jobs_of_prefix(tier: TierStore, prefix: str) -> set[str]:
    """Return the ids of the jobs that begin with a text."""
    return {file.path.split("/")[2] for file in tier.list(f"{ROOT}/{prefix}")}


def newest_jobs(tier: TierStore, number: int) -> list[JobFolder]:
    """Return the folders of the jobs that were started last, the newest first.

    On S3 this is one request however many jobs there were: keys are listed in their order. On disk as many hours are
    listed as have these jobs.
    """
    return [folder for folder, _ in newest_changes(tier, number)]


def newest_changes(tier: TierStore, number: int) -> list[tuple[JobFolder, datetime]]:
    """Return what `newest_jobs` does, with when each was last put there (`JobFolder.touch`), by the store's clock."""
    return [(JobFolder(tier, task_id), modified) for _, modified, task_id in _by_time(tier, number)]


def _by_time(tier: TierStore, number: int) -> list[tuple[str, datetime, str]]:
    """Return path, time and job of the newest entries."""
    files = islice(_files_by_time(tier), number)
    return [(file.path, file.modified, file.path.rpartition("/")[2].partition("-")[2]) for file in files]


def _files_by_time(tier: TierStore) -> Iterator[TierFile]:
    if tier.local_path is None:
        yield from tier.list(_BY_TIME)
        return
    folder = tier.local_path / _BY_TIME
    for hour in sorted(one.name for one in folder.iterdir()) if folder.is_dir() else ():
        yield from sorted(tier.list(f"{_BY_TIME}{hour}/"), key=lambda file: file.path)


@dataclass
class Heartbeat:
    """A worker's sign of life: now and then it writes how far it is, and looks whether it should stop.

    Attributes:
        tier: Where the job's folder is.
        task_id: The job.
        seconds: How often, in seconds.
        clock: The time in seconds, for tests.
    """

    tier: TierLocation
    task_id: str
    wave: int
    seconds: float = 1.0
    clock: Callable[[], float] = time.monotonic
    counts: dict[str, int] = field(default_factory=lambda: {"objects": 0, "bytesRead": 0, "events": 0})

    def __post_init__(self) -> None:
        """Open the folder and take a name among the workers."""
        self._folder = JobFolder(self.tier.open(), self.task_id)
        self._name = f"progress/{uuid.uuid4().hex}.json"
        self._last = self.clock()

    def tick(self, *, objects: int = 0, bytes_read: int = 0, events: int = 0) -> None:
        """Count, and write the progress once every `seconds`.

        Raises:
            CanceledError: somebody asked the job to stop.
        """
        self.counts["objects"] += objects
        self.counts["bytesRead"] += bytes_read
        self.counts["events"] += events
        now = self.clock()
        if now - self._last >= self.seconds:
            self._last = now
            self.flush()
            if self._folder.cancel_requested():
                raise CanceledError(f"job {self.task_id} was canceled")

    def flush(self) -> None:
        """Write the counts now."""
        self._folder.write_json(self._name, {"wave": self.wave, **self.counts})
