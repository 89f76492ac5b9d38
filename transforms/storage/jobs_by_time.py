"""The jobs of a hot tier by the time of their start: the newest are listed without a look at all others.

Each job has an entry, a file whose name begins with what is left of time at its start; those of an hour are in a folder
of their own, because a folder on disk is listed whole. The entry is empty while the job may change, and holds what a
list shows of it once it has ended. So one file tells what three in the job's folder do, and an entry that could not be
written tells nothing wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from transforms.storage.tier import TierFile, TierStore

ROOT = "_rekindle/jobs-by-time/"
_HOUR = 3_600_000
_END_OF_TIME = 10**14
"""In milliseconds since 1970 UTC: the year 5138."""


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
    return f"{ROOT}{left // _HOUR:08d}/{left:014d}-{task_id}"


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
        yield from tier.list(ROOT)
        return
    folder = tier.local_path / ROOT
    for hour in sorted(one.name for one in folder.iterdir()) if folder.is_dir() else ():
        yield from sorted(tier.list(f"{ROOT}{hour}/"), key=lambda file: file.path)
