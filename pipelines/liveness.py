"""Signs of life: a run shows that it is at work, and others ask whether a job or a run still is.

What a live one has written, and no commit names yet, must stay.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from pipelines.status import read_status
from transforms.hot_tier.table.liveness import SILENCE_SECONDS
from transforms.hot_tier.table.runs import RunFolder
from transforms.storage import TierStore
from transforms.storage.job_folder import JobFolder

_SIGN_SECONDS = 5.0


def is_live(tier: TierStore, writer: str) -> bool:
    """Whether a job, by its task id, or a run, by its id, may still commit what it has written."""
    job = JobFolder(tier, writer)
    if job.exists():
        return read_status(job).status in ("Pending", "Running") or _has_workers(job)
    return RunFolder(tier, writer).is_live()


@contextmanager
def run_periodically(
    action: Callable[[], None], on_error: Callable[[Exception], None], *, seconds: float
) -> Iterator[None]:
    """Run an action every so many seconds in a thread of its own, until the block ends.

    What the action raises goes to `on_error`, and the next time it is run again.
    """
    ended = threading.Event()

    def loop() -> None:
        while not ended.wait(seconds):
            try:
                action()
            except Exception as error:  # noqa: BLE001 - a job does not end because its progress could not be shown
                on_error(error)

    thread = threading.Thread(target=loop, name="rekindle-periodically", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def showing_life(folder: RunFolder) -> Iterator[None]:
    """Let a run show that it is at work until the block ends."""
    folder.show_life()
    with run_periodically(folder.show_life, lambda _: None, seconds=_SIGN_SECONDS):
        yield


def _has_workers(job: JobFolder) -> bool:
    """Whether workers of a job have shown a sign of life lately: on a cluster they go on without their launcher."""
    newest = max((file.modified for file in job.tier.list(job.path("progress/"))), default=None)
    return newest is not None and datetime.now(timezone.utc) - newest < timedelta(seconds=SILENCE_SECONDS)
