"""The queue: an entry for each job that a worker is to begin or to continue, beside the jobs' folders in the tier.

`_rekindle/queue/TASK_ID` is there from the submission of a job to its end, so that workers list what is to be done, and
not all jobs that ever were. It holds the number of the claim after which it was put there: of a job that ended and is
to be resumed, the older claims don't count.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import orjson

from pipelines.console import Silent
from pipelines.jobs.queued.claims import JobClaim, SilenceWatch, newest_claim, take_claim, write_claim
from pipelines.jobs.queued.uploads import check_files_are_kept
from pipelines.jobs.reporting import REPORT_FILE, check_not_undone, finished_report, load_ledger, report_of
from pipelines.jobs.rows.kept_rows import keep_ended_row
from pipelines.jobs.settings import RunSettings, StoredJob
from pipelines.jobs.specification import JobSpecification
from pipelines.status import JobStatus, StatusFile, now
from transforms.core.errors import ConflictError, DamagedFileError
from transforms.storage import TierFile, TierStore
from transforms.storage.job_folder import STATUS_FILE, JobFolder

ROOT = "_rekindle/queue/"
MOST_CRASHES = 10
"""A job whose workers died so many times in a row without a word has failed: it may be what kills them."""
_ABANDONED = timedelta(hours=1)
"""An entry without a job is of a submission that was killed: it is removed when it is so old."""


@dataclass(frozen=True, kw_only=True)
class ClaimedJob:
    """A job that this process has claimed."""

    folder: JobFolder
    claim: JobClaim
    is_watch: bool = False


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """What an entry of the queue holds.

    Attributes:
        after: The number of the claim after which the job was put into the queue.
        is_watch: Whether the job goes on for ever.
    """

    after: int
    is_watch: bool

    def text(self) -> bytes:
        return orjson.dumps({"after": self.after, "watch": self.is_watch})


@dataclass
class JobQueue:
    """The queue of one tier, as a process that submits or works sees it.

    Attributes:
        tier: The tier.
        watch: Which claims are silent.
        skipped: Called for a job that can't be claimed, because its files are damaged: the others are run.
    """

    tier: TierStore
    watch: SilenceWatch = field(default_factory=SilenceWatch)
    skipped: Callable[[str, Exception], None] = lambda task_id, error: None

    def submit(self, specification: JobSpecification, settings: RunSettings) -> str:
        """Put a new job into the queue, and return its task id: from then on it will be run, whoever is killed.

        That of an upload is the one for which its files came. The job's file is written last. Without it there is no
        job, and nobody was told its id.
        """
        folder = JobFolder(self.tier, settings.upload or str(uuid.uuid4()))
        self.tier.put(ROOT + folder.task_id, _Entry(after=0, is_watch=specification.watch is not None).text())
        status = JobStatus(
            status="Pending", queued=True, updated_at=now(), listed=folder.register(datetime.now(timezone.utc))
        )
        folder.write_json(STATUS_FILE, status.document())
        StoredJob(job=specification, settings=settings).save(folder)
        return folder.task_id

    def resume(self, folder: JobFolder) -> None:
        """Put a job that has failed or was canceled into the queue again.

        Raises:
            ConflictError: it is in the queue, was undone, has succeeded, or its uploaded files are gone.
        """
        check_not_undone(folder)
        check_files_are_kept(folder)
        last = newest_claim(folder)
        status = StatusFile(folder, Silent())
        status.restore()
        if self.contains(folder.task_id):
            raise ConflictError(f"job {folder.task_id} is in the queue already: wait for its end, or cancel it")
        if finished_report(folder) is not None:
            raise ConflictError(f"job {folder.task_id} has succeeded: what has come since is for a new job")
        is_watch = StoredJob.load(folder).job.watch is not None
        entry = _Entry(after=last.number if last else 0, is_watch=is_watch)
        folder.withdraw_cancel()
        folder.keep_row(status.current.listed, None)
        folder.remove(REPORT_FILE)
        status.save(status="Pending", queued=True, reason=None, finished_at=None, stage=None)
        try:
            self.tier.put_new(ROOT + folder.task_id, entry.text())
        except FileExistsError:
            return  # another has just resumed it

    def cancel(self, folder: JobFolder) -> None:
        """Ask a job to stop; one of the queue that no worker has claimed ends at once."""
        folder.request_cancel()
        claimed = self._claim(folder.task_id) if self.contains(folder.task_id) else None
        if claimed is not None:
            self.finish(claimed, "Canceled", "it was canceled before a worker began or continued it")

    def contains(self, task_id: str) -> bool:
        """Whether a job is in the queue: it waits for a worker, or one runs it."""
        return self.tier.exists(ROOT + task_id)

    def task_ids(self) -> set[str]:
        """Return the jobs that are in the queue."""
        return {entry.path.removeprefix(ROOT) for entry in self.tier.list(ROOT)}

    def claim_next(self, *, watches: bool = True) -> ClaimedJob | None:
        """Claim the job that has waited longest; return None where there is none, or others were faster.

        Args:
            watches: Whether to claim watches too, which go on for ever.
        """
        for entry in sorted(self.tier.list(ROOT), key=lambda file: (file.modified, file.path)):
            task_id = entry.path.removeprefix(ROOT)
            try:
                if not JobFolder(self.tier, task_id).exists():
                    self._remove_abandoned(entry)
                    continue
                claimed = self._claim(task_id, watches=watches)
                if claimed is not None and not self._ends_at_once(claimed):
                    return claimed
            except Exception as error:  # noqa: BLE001 - whatever is wrong about one job, the others are run
                self.skipped(task_id, error)
        return None

    def finish(self, claimed: ClaimedJob, status: str, reason: str | None) -> None:
        """End a job that is not run, or could not be: write its status and its report, and take it out of the queue."""
        folder = claimed.folder
        file = StatusFile(folder, Silent())
        file.restore()
        started = file.current.started_at or now()
        file.save(status=status, reason=reason, started_at=started, finished_at=now(), queued=True)
        self._write_report(folder)
        self.close(claimed)

    def close(self, claimed: ClaimedJob) -> None:
        """Take a job that has ended out of the queue."""
        write_claim(claimed.folder, claimed.claim, "ended")
        self.tier.delete(ROOT + claimed.folder.task_id)
        self.watch.forget(claimed.folder)

    def _claim(self, task_id: str, *, watches: bool = True) -> ClaimedJob | None:
        """Claim a job of the queue, if nobody holds it."""
        folder = JobFolder(self.tier, task_id)
        entry = self._entry(task_id)
        if entry is None or (entry.is_watch and not watches):
            return None
        last = newest_claim(folder)
        number, crashes = 1, 0
        if last is not None:
            number = last.number + 1
            if last.number > entry.after:
                if last.content.state == "ended":
                    self.tier.delete(ROOT + task_id)
                    return None
                if last.content.state == "held":
                    if not self.watch.is_silent(folder, last):
                        return None
                    crashes = last.content.crashes + 1
        claim = take_claim(folder, number, crashes=crashes)
        return None if claim is None else ClaimedJob(folder=folder, claim=claim, is_watch=entry.is_watch)

    def _ends_at_once(self, claimed: ClaimedJob) -> bool:
        """End a job that has ended and could not be closed, is to be canceled, or kills its workers."""
        folder = claimed.folder
        file = StatusFile(folder, Silent())
        file.restore()
        if file.current.has_ended:
            if folder.read_json(REPORT_FILE) is None:
                self._write_report(folder)
            self.close(claimed)
            return True
        if folder.cancel_requested():
            self.finish(claimed, "Canceled", "it was canceled before a worker began or continued it")
            return True
        if claimed.claim.content.crashes >= MOST_CRASHES:
            cure = f"`rekindle jobs resume {folder.task_id}` shows why"
            self.finish(claimed, "Failed", f"its workers ended {MOST_CRASHES} times without a message: {cure}")
            return True
        return False

    def _write_report(self, folder: JobFolder) -> None:
        folder.write_json(REPORT_FILE, report_of(folder, load_ledger(self.tier)).as_document())
        keep_ended_row(folder)

    def _entry(self, task_id: str) -> _Entry | None:
        """Return the entry of a job, None where it is not in the queue.

        Raises:
            DamagedFileError: it can't be read.
        """
        try:
            document = orjson.loads(self.tier.get(ROOT + task_id))
            return _Entry(after=int(document["after"]), is_watch=bool(document.get("watch")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            cure = f"remove it, and `rekindle jobs resume {task_id}` puts the job into the queue again"
            raise DamagedFileError(f"{ROOT}{task_id} of the hot tier is damaged: {cure}") from error

    def _remove_abandoned(self, entry: TierFile) -> None:
        if datetime.now(timezone.utc) - entry.modified > _ABANDONED:
            JobFolder(self.tier, entry.path.removeprefix(ROOT)).discard()
            self.tier.delete(entry.path)
