"""Uploaded files, from their job's end on: they are removed at once where it succeeded, else after a day.

Meanwhile `jobs resume` can read them. What a killed service has left of an upload that never became a job goes too.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from pipelines.jobs.settings import StoredJob
from pipelines.status import read_status
from transforms.core.errors import ConflictError
from transforms.query.instants import parse_time
from transforms.storage import TierStore
from transforms.storage.job_folder import JobFolder
from transforms.storage.uploads import UploadFolder, gone, list_uploads

KEPT = timedelta(days=1)
"""How long the files of a job that has failed or was canceled stay, and those of an upload that was broken off: longer
than an upload may take.
"""


def check_files_are_kept(folder: JobFolder) -> None:
    """Check that the files of a job can be read again, if they were uploaded.

    Raises:
        ConflictError: they are gone.
    """
    upload = StoredJob.load(folder).settings.upload
    if upload is not None and UploadFolder(folder.tier, upload).files() is None:
        raise ConflictError(gone(folder.task_id))


def remove_old_uploads(tier: TierStore, now: datetime | None = None) -> list[str]:
    """Remove the uploaded files that no job will read any more, and return the ids of their jobs.

    Unfinished files of processes that were killed long ago go too.

    Args:
        tier: The hot tier.
        now: The time, for tests.
    """
    time = now or datetime.now(timezone.utc)
    removed = []
    for task_id, written in list_uploads(tier).items():
        if _is_over(JobFolder(tier, task_id), written, time):
            UploadFolder(tier, task_id).remove()
            removed.append(task_id)
    tier.remove_leftovers(KEPT)
    return removed


def _is_over(folder: JobFolder, written: datetime, now: datetime) -> bool:
    if not folder.exists():
        return now - written > KEPT
    status = read_status(folder)
    if not status.has_ended:
        return False
    ended = status.finished_at or status.updated_at
    return status.status == "Succeeded" or now - (parse_time(ended) if ended else written) > KEPT
