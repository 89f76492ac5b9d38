"""A worker: claims jobs of the queue and runs them, one at a time. `rekindle serve` starts some.

    python -m service.workers.worker SETTINGS [no-watches]

A watch goes on for ever: the worker that claims one tells so, for the service to start another worker for the
other jobs, and runs nothing else. With `no-watches` it leaves them to others.

A line on standard input wakes it; the end of standard input is that of the service. Then, and after a number of jobs,
it finishes the job that it runs, and ends; a watch it releases at once.
SIGTERM ends it at once: its claim is released, and the next worker
continues the job where its last wave was published.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias

from pipelines.jobs.queued.claims import SIGN_SECONDS, is_newest, write_claim
from pipelines.jobs.queued.job_queue import ClaimedJob, JobQueue
from pipelines.jobs.queued.uploads import remove_old_uploads
from pipelines.liveness import run_periodically
from service.logs import log, set_up_logging
from service.settings import ServiceSettings
from service.workers.counting import CountingConsole, WorkCount, print_count
from transforms.core.errors import RekindleError

if TYPE_CHECKING:
    from pipelines.console import Console
    from pipelines.jobs.job import JobResult
    from pipelines.jobs.settings import RunSettings

    RunJob: TypeAlias = Callable[[str, RunSettings, Console], JobResult]
_POLL_SECONDS = 2.0
_MOST_JOBS = 50
"""Then another process takes over: what libraries keep in memory goes with this one."""
_CLEAN_SECONDS = 600.0
_TERMINATED = 143
NO_WATCHES = "no-watches"


class Worker:
    """One worker of a service."""

    def __init__(self, settings: ServiceSettings, run_job: RunJob, *, watches: bool = True) -> None:
        """Open the tier, and take what runs a job; without `watches` it claims none."""
        self._watches = watches
        self._settings = settings
        self._run_queued = run_job
        self._queue = JobQueue(settings.tier_location.open(), skipped=self._tell_of_skipped)
        self._told: set[str] = set()
        self._current: ClaimedJob | None = None
        self._clean_at = 0.0

    def run(self) -> None:
        """Work until the service ends, or so many jobs are done."""
        signal.signal(signal.SIGTERM, self._end_at_once)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which ends its workers
        for _ in range(_MOST_JOBS):
            claimed = self._queue.claim_next(watches=self._watches)
            while claimed is None:
                self._remove_old_uploads()
                if not _wait():
                    return
                claimed = self._queue.claim_next(watches=self._watches)
            self._current = claimed
            # a thread, because signals arrive in the main one, and a job in that takes SIGTERM for a request to cancel
            thread = threading.Thread(target=self._work, args=(claimed,), name="rekindle-job")
            thread.start()
            if claimed.is_watch:
                self._wait_for_watch(thread)
                return
            thread.join()
            self._current = None

    def _wait_for_watch(self, thread: threading.Thread) -> None:
        """Wait for the end of a watch, or of the service."""
        print_count(WorkCount(is_watching=True))
        while thread.is_alive():
            if not _wait():
                self._end_at_once()

    def _tell_of_skipped(self, task_id: str, error: Exception) -> None:
        """Say once what keeps a job from being claimed."""
        text = f"job {task_id} can't be claimed, the others are run: {type(error).__name__}: {error}"
        if text not in self._told:
            self._told.add(text)
            log(text, level=logging.ERROR, taskId=task_id)

    def _remove_old_uploads(self) -> None:
        """Remove the files of uploads that no job will read, now and then."""
        if time.monotonic() < self._clean_at:
            return
        self._clean_at = time.monotonic() + _CLEAN_SECONDS
        try:
            for task_id in remove_old_uploads(self._queue.tier):
                log(f"The uploaded files of job {task_id} were removed", taskId=task_id)
        except Exception as error:  # noqa: BLE001 - jobs are run all the same
            log(f"old uploads could not be removed: {error}", level=logging.WARNING)

    def _work(self, claimed: ClaimedJob) -> None:
        """Run a job to its end, or end the process where the tier does not take that."""
        signs = run_periodically(lambda: _show_life(claimed), _warn, seconds=SIGN_SECONDS)
        try:
            with signs:
                failure = self._run_job(claimed)
            if failure is None:
                self._queue.close(claimed)
            else:
                self._queue.finish(claimed, "Failed", failure)
        except Exception:  # noqa: BLE001 - the claim of an ended process is taken over
            log("the worker ends", level=logging.ERROR, taskId=claimed.folder.task_id)
            logging.getLogger("rekindle").exception("the tier could not be written")
            os._exit(1)

    def _run_job(self, claimed: ClaimedJob) -> str | None:
        """Run a job; return why it failed, where the job itself could not write that."""
        task_id = claimed.folder.task_id
        console = CountingConsole(task_id, is_new=claimed.claim.number == 1)
        try:
            result = self._run_queued(task_id, self._settings.run_settings(), console)
        except RekindleError as error:
            log(f"Job {task_id} failed: {error}", level=logging.WARNING, taskId=task_id)
            print_count(WorkCount(ended="Failed"))
            return str(error)
        except Exception as error:  # noqa: BLE001 - a mistake in the program must not come back with each worker
            logging.getLogger("rekindle").exception("job %s failed", task_id)
            print_count(WorkCount(ended="Failed"))
            return f"unexpected: {type(error).__name__}: {error}"
        console.ended(result.report)
        log(f"Job {task_id} ended: {result.report.status}", taskId=task_id)
        return None

    def _end_at_once(self, number: int = 0, frame: FrameType | None = None) -> None:
        del number, frame
        if self._current is not None:
            try:
                write_claim(self._current.folder, self._current.claim, "released")
            except RekindleError:  # then it falls silent
                os._exit(_TERMINATED)
        os._exit(0)


def _show_life(claimed: ClaimedJob) -> None:
    if not is_newest(claimed.folder, claimed.claim):
        log("another worker has taken the job over", level=logging.WARNING, taskId=claimed.folder.task_id)
        os._exit(1)
    write_claim(claimed.folder, claimed.claim)


def _warn(error: Exception) -> None:
    log(f"the claim could not be written: {error}", level=logging.WARNING)


def _wait() -> bool:
    """Wait until it is time to look into the queue; return False where the service has ended."""
    readable, _, _ = select.select([sys.stdin], [], [], _POLL_SECONDS)
    return not readable or bool(os.read(sys.stdin.fileno(), 4096))


def main() -> int:
    """Run one worker."""
    settings = ServiceSettings.model_validate_json(sys.argv[1])
    set_up_logging(settings.log_format)
    from pipelines.jobs.job import run_queued_job  # Beam, which warns while it is imported; before there is a job

    try:
        Worker(settings, run_queued_job, watches=NO_WATCHES not in sys.argv[2:]).run()
    except RekindleError as error:
        log(f"a worker ends: {error}", level=logging.ERROR)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
