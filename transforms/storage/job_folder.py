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
"""An entry for each job, a file whose name begins with what is left of time at its start: the newest are listed first.

Those of an hour are in a folder of their own, because a folder on disk is listed whole. The entry is empty while the
job may change, and holds what a list shows of it once it has ended. So one file tells what three in the job's folder
do, and an entry that could not be written tells nothing wrong.
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

    def register(self, started: datetime) -> str:
        """Put the job among those that are listed by the time of their start; return the path of its entry."""
        path = entry_path(self.task_id, started)
        self.tier.put(path, b"")
        return path

    def unregister(self) -> None:
        """Take a job that has just begun out of those that are listed."""
        for one in newest_jobs(self.tier, 1000):
            if one.task_id == self.task_id:
                self.tier.delete(one.path)

    def keep_row(self, entry: str | None, row: dict[str, Any] | None) -> None:
        """Write what a list shows of the job into its entry: None before the job changes, the row when it has ended.

        Args:
            entry: The entry's path; of a job that has none nothing is written.
            row: The row.
        """
        if entry is not None:
            self.tier.put(entry, b"" if row is None else orjson.dumps(row))

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
            entry, undone = status.get("listed"), {} if by is None else {"undone": by}
            row = read_row(self.tier, entry) if entry is not None else None
            if row is not None:
                self.keep_row(entry, None)
            self.write_json(STATUS_FILE, _without_undone(status) | undone)
            if row is not None:
                self.keep_row(entry, _without_undone(row) | undone)

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


def read_row(tier: TierStore, entry: str) -> dict[str, Any] | None:
    """Return the row that an entry of the list holds, None where it is empty, gone or damaged."""
    try:
        row: dict[str, Any] = orjson.loads(tier.get(entry))
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    return row


def _without_undone(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "undone"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """A job as it is listed.

    Attributes:
        task_id: The job.
        path: Its entry.
        modified: When the entry was last written, as before and after each change of the job; by the store's clock.
        has_row: Whether the entry holds a row.
        etag: The entry's, which changes with what is in it; empty in a folder on disk.
    """

    task_id: str
    path: str
    modified: datetime
    has_row: bool
    etag: str


def entry_path(task_id: str, started: datetime) -> str:
    """Return the path of a job's entry."""
    left = _END_OF_TIME - int(started.timestamp() * 1000)
    return f"{_BY_TIME}{left // _HOUR:08d}/{left:014d}-{task_id}"


def newest_jobs(tier: TierStore, number: int | None = None) -> list[ListedJob]:
    """Return so many of the jobs that were started last, or all, the newest first.

    On S3 a thousand are one request: keys are listed in their order. On disk as many hours are listed as have them.
    """
    return [
        ListedJob(
            task_id=file.path.rpartition("/")[2].partition("-")[2],
            path=file.path,
            modified=file.modified,
            has_row=file.size > 0,
            etag=file.etag,
        )
        for file in islice(_entries(tier), number)
    ]


def _entries(tier: TierStore) -> Iterator[TierFile]:
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
