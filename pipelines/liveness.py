"""Whether a job or a run is still at work somewhere: what it has written, and no commit names yet, must then stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from pipelines.background import watching
from pipelines.status import read_status
from transforms.hot_tier.table.liveness import SILENCE_SECONDS
from transforms.hot_tier.table.runs import RunFolder
from transforms.storage import TierStore
from transforms.storage.job_folder import JobFolder

_LIFE_SECONDS = 5.0


def is_live(tier: TierStore, writer: str) -> bool:
    """Whether a job, by its task id, or a run, by its id, may still commit what it has written."""
    job = JobFolder(tier, writer)
    if job.exists():
        return read_status(job).get("status") in ("Pending", "Running") or _has_workers(job)
    return RunFolder(tier, writer).is_live()


@contextmanager
def living(folder: RunFolder) -> Iterator[None]:
    """Let a run show that it is at work until the block ends."""
    folder.show_life()
    with watching(folder.show_life, lambda _: None, seconds=_LIFE_SECONDS):
        yield


def _has_workers(job: JobFolder) -> bool:
    """Whether workers of a job have shown a sign of life lately: on a cluster they go on without their launcher."""
    newest = max((file.modified for file in job.tier.list(job.path("progress/"))), default=None)
    return newest is not None and datetime.now(timezone.utc) - newest < timedelta(seconds=SILENCE_SECONDS)
