"""Jobs: start, list, show, cancel, resume."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonModel
from pipelines.jobs.report import JobReport
from pipelines.jobs.reporting import find_job, load_report
from pipelines.jobs.rows.row import JobRow
from pipelines.jobs.settings import StoredJob
from pipelines.jobs.specification import JobSpecification
from pipelines.maintenance.reports import UndoReport
from pipelines.status import read_status
from service.api.callers import Administrator, Anyone, Caller, Ingester
from service.api.documents import Document
from service.api.openapi import body_of
from service.api.specifications import check_job, prove_job
from service.api.state import Service, service_of
from service.errors import ApiError
from service.logs import log
from service.workers.maintenance import MaintenanceRequest, run_in_process
from transforms.core.errors import ConfigurationError
from transforms.storage.job_folder import JobFolder

router = APIRouter(tags=["jobs"])
MOST_JOBS = 1000
_EXAMPLE = {
    "bucket": "example-bucket",
    "pattern": "logs/example_logs.bz2",
    "region": "us-east-1",
    "modifiedAfter": "2025-01-01T00:00:00Z",
}
Here = Annotated[Service, Depends(service_of)]
JobStatusName = Literal["Pending", "Running", "Succeeded", "Failed", "Canceled"]


class StartedJob(JsonModel):
    """A job that was put into the queue."""

    task_id: str


class JobList(JsonModel):
    """Jobs, in the order that was asked for."""

    jobs: list[JobRow]


class ChangedJob(JsonModel):
    """A job that was asked to stop or to go on."""

    task_id: str
    status: str | None


@router.post("/ingest", openapi_extra=body_of(JobSpecification, _EXAMPLE))
async def ingest(request: Request, document: Document, caller: Ingester) -> StartedJob:
    """Start a job: the body is its specification, as in a job file. It is checked, and runs as soon as a worker can."""
    service = service_of(request)
    specification, settings = await run_in_threadpool(check_job, document, caller, service.settings)
    await prove_job(specification, settings)
    task_id = await run_in_threadpool(service.queue.submit, specification, settings)
    service.job_rows.forget()
    service.wake_workers()
    log(f"Job {task_id} is in the queue", taskId=task_id, key=caller.key_id)
    return StartedJob(task_id=task_id)


@router.get("/jobs")
def list_jobs(
    service: Here,
    caller: Anyone,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_JOBS)] = 50,
    status: JobStatusName | None = None,
    key: str | None = None,
    search: str | None = None,
    sort: Literal["created", "status", "key"] = "created",
) -> JobList:
    """List jobs, the newest first. A key of the role ingest sees its own.

    Conditions are looked for among the newest 1,000 jobs; `search` in the task id, the bucket and the pattern.
    """
    own = None if caller.has("read") else caller.key_id
    filtered = any(one is not None for one in (status, key, search, own))
    rows = [
        row
        for row in service.job_rows.newest(MOST_JOBS if filtered else limit)
        if (status is None or row.status == status)
        and (key is None or row.key == key)
        and (own is None or row.key == own)
        and (search is None or search.lower() in _text_of(row))
    ]
    if sort != "created":
        rows.sort(key=lambda row: getattr(row, sort) or "")
    return JobList(jobs=rows[:limit])


@router.get("/jobs/{task_id}", response_model=JobReport)
def show_job(task_id: str, service: Here, caller: Anyone) -> JSONResponse:
    """Show the report of a job as it stands; a task id may be shortened to its first characters."""
    folder = _find(service, task_id, caller, role="read")
    return JSONResponse(load_report(service.tier, folder.task_id).as_document())


@router.post("/jobs/{task_id}/cancel")
def cancel_job(task_id: str, service: Here, caller: Anyone) -> ChangedJob:
    """Stop a job at its next safe point; one that no worker has begun ends at once. What it published stays."""
    folder = _find(service, task_id, caller, role="admin")
    if not read_status(folder).has_ended:
        service.queue.cancel(folder)
        service.job_rows.forget()
    return ChangedJob(task_id=folder.task_id, status=read_status(folder).status)


@router.post("/jobs/{task_id}/resume")
def resume_job(task_id: str, service: Here, caller: Anyone) -> ChangedJob:
    """Continue a job that has failed or was canceled, under its id and with its plan."""
    folder = _find(service, task_id, caller, role="admin")
    status = read_status(folder)
    if not status.has_ended and status.status != "Pending":
        raise ApiError(HTTPStatus.CONFLICT, f"job {folder.task_id} runs: wait for its end, or cancel it")
    service.queue.resume(folder)
    service.job_rows.forget()
    service.wake_workers()
    return ChangedJob(task_id=folder.task_id, status="Pending")


@router.post("/jobs/{task_id}/undo", response_model=UndoReport)
async def undo_job(
    task_id: str,
    service: Here,
    caller: Administrator,
    *,
    yes: bool = False,
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
) -> JSONResponse:
    """Take away what a job has brought; its objects are then no longer known, and the same job brings them again.

    Its events go in one commit, but for those that a hold keeps; `rekindle restore --run` takes it back. More than half
    of all events go only with `yes`. With `dryRun` nothing goes, and the answer has what would. What the job had
    replaced does not come back. The answer comes when it is done.
    """
    folder = await run_in_threadpool(_find, service, task_id, caller, role="admin")
    asked = MaintenanceRequest(kind="undo", who=caller.actor, task_id=folder.task_id, yes=yes, execute=not dry_run)
    document = await run_in_process(service.settings, asked)
    if not dry_run:
        service.job_rows.forget()
        log(f"Job {folder.task_id} was undone by run {document['runId']}", taskId=folder.task_id, key=caller.key_id)
    return JSONResponse(document)


def _find(service: Service, task_id: str, caller: Caller, *, role: Literal["read", "admin"]) -> JobFolder:
    """Return the folder of a job that a caller may see or change: by its role, or because it came in by its key.

    Raises:
        ApiError: 404 where there is none, or it is another key's.
    """
    try:
        folder = find_job(service.tier, task_id)
    except ConfigurationError as error:
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no job {task_id!r:.80}", field="taskId") from error
    if not caller.has(role) and StoredJob.load(folder).settings.key != caller.key_id:
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no job {task_id!r:.80} of this key", field="taskId")
    return folder


def _text_of(row: JobRow) -> str:
    return " ".join([row.task_id, str(row.job.get("bucket")), str(row.job.get("pattern", ""))]).lower()
