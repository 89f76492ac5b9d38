"""Jobs: rows that move, the report of one, and forms that cancel, resume and undo it."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from pipelines.jobs.reporting import find_job, load_report
from pipelines.jobs.rows.row import JobRow
from service.api import jobs as api
from service.api.callers import Caller
from service.api.state import Service, service_of
from service.errors import ApiError, message_of
from service.pages.rendering import PageRoute, render
from service.pages.sessions import ProvedForm, Visitor
from service.workers.maintenance import MaintenanceRequest, run_in_process
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.query.instants import format_instant, parse_time

router = APIRouter(prefix="/pages/jobs", include_in_schema=False, route_class=PageRoute)
_STATUSES = api.JobStatusName.__args__  # type: ignore[attr-defined]
_ROWS = 100
_FAILURES = 100
_ABSENT = dict.fromkeys(("undone", "reason", "stage", "progress", "timeRange"))
"""Fields that a report has only where there is something to show."""
_MICROSECOND = timedelta(microseconds=1)
KINDS = {"Succeeded": "good", "Failed": "error", "Canceled": "warning"}


@router.get("")
async def show_jobs(request: Request, visitor: Visitor, status: str = "", search: str = "") -> Response:
    """Show the newest jobs that meet what is asked for."""
    if status and status not in _STATUSES:
        raise ConfigurationError(f"status: {status!r:.80} is not one of {', '.join(_STATUSES)}", field="status")
    known: dict[str, Any] = {"status": status or None, "search": search.strip() or None, "limit": _ROWS}
    listed = await run_in_threadpool(api.list_jobs, service_of(request), visitor, **known)
    template = "jobs/table.html" if "HX-Request" in request.headers else "jobs/page.html"
    rows = [_row(row) for row in listed.jobs]
    moves = any(not row.has_ended for row in listed.jobs)
    asked = {"status": status, "search": search.strip()}
    return render(request, template, page="Jobs", rows=rows, moves=moves, asked=asked, statuses=_STATUSES)


def _row(row: JobRow) -> dict[str, Any]:
    status = row.status or "Pending"
    return {
        "id": row.task_id,
        "status": "Undone" if row.undone else status,
        "stage": row.stage if not row.has_ended and row.stage else "",
        "kind": KINDS.get(status, "info"),
        "what": f"{row.job.get('bucket')} {row.job.get('pattern', '')}".strip(),
        "started": (row.started_at or "")[:19].replace("T", " "),
        "objects": row.ingested,
        "events": row.events,
        "failed": row.failed,
    }


@router.get("/{task_id}")
async def show_job(request: Request, task_id: str, visitor: Visitor) -> Response:
    """Show the report of a job as it stands."""
    return await _show(request, task_id, visitor)


async def _show(request: Request, task_id: str, visitor: Caller, **more: Any) -> Response:
    report = await run_in_threadpool(_report, service_of(request), task_id)
    template = "jobs/report.html" if "HX-Request" in request.headers else "jobs/job.html"
    known = {"failure": "", "undoing": None, "status": HTTPStatus.OK} | more
    return render(
        request,
        template,
        page="Jobs",
        job=report,
        kind=KINDS.get(report["status"], "info"),
        has_ended=report["status"] in KINDS,
        failures=report["failures"][:_FAILURES],
        may_change=visitor.has("admin"),
        **known,
    )


def _report(service: Service, task_id: str) -> dict[str, Any]:
    try:
        folder = find_job(service.tier, task_id)
    except ConfigurationError as error:
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no job {task_id!r:.80}", field="taskId") from error
    report = _ABSENT | load_report(service.tier, folder.task_id).as_document()
    if report["timeRange"]:  # the end of a range of Explore is exclusive
        begin, end = report["timeRange"]
        report["timeRange"] = [begin, format_instant(parse_time(end) + _MICROSECOND)]
    return report


@router.post("/{task_id}/{action}")
async def change_job(request: Request, task_id: str, action: str, visitor: Visitor, form: ProvedForm) -> Response:
    """Cancel, resume or undo a job; undoing shows first what would go."""
    service = service_of(request)
    try:
        if action in ("cancel", "resume"):
            work = api.cancel_job if action == "cancel" else api.resume_job
            await run_in_threadpool(work, task_id, service, visitor)
        elif action == "undo":
            document = await _undo(service, task_id, visitor, form)
            if not document["executed"]:
                return await _show(request, task_id, visitor, undoing=document)
        else:
            raise ApiError(HTTPStatus.NOT_FOUND, f"a job can't be changed by {action!r:.40}")
    except (ApiError, RekindleError) as error:
        status, message, _ = message_of(error)
        if status == HTTPStatus.NOT_FOUND:
            raise
        return await _show(request, task_id, visitor, failure=message, status=status)
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}{request.url.path.removeprefix(root).rpartition('/')[0]}", HTTPStatus.SEE_OTHER)


async def _undo(service: Service, task_id: str, visitor: Caller, form: dict[str, str]) -> dict[str, Any]:
    if not visitor.has("admin"):
        raise ApiError(HTTPStatus.FORBIDDEN, "undoing takes a key of the role admin")
    report = await run_in_threadpool(_report, service, task_id)
    asked = MaintenanceRequest(
        kind="undo", who=visitor.actor, task_id=report["taskId"], yes="yes" in form, execute="execute" in form
    )
    document = await run_in_process(service.settings, asked)
    service.job_rows.forget()
    return document
