"""Jobs: rows that move, the report of one, and forms that cancel, resume, retry and undo it."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipelines.jobs.reporting import find_job, load_report
from pipelines.jobs.rows.row import JobRow
from pipelines.jobs.settings import StoredJob
from service.api import jobs as api
from service.api.callers import Caller
from service.api.state import Service, service_of
from service.errors import ApiError, reply_of
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.sessions import ProvedForm, Visitor, check_admin
from service.workers.maintenance import MaintenanceRequest, run_in_process
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.query.instants import format_instant, parse_time
from transforms.storage import UPLOADED

router = APIRouter(prefix="/pages/jobs", include_in_schema=False, route_class=PageRoute)
_STATUSES = api.JobStatusName.__args__  # type: ignore[attr-defined]
_ORDERS = {"created": "The newest first", "status": "By status", "key": "By key"}
_ROWS = 100
_FAILURES = 100
_LEAST_DONE = 0.02
"""Of less than this part nobody can tell how long the rest takes."""
_ABSENT = dict.fromkeys(("undone", "reason", "stage", "progress", "timeRange", "watch"))
"""Fields that a report has only where there is something to show."""
KINDS = {"Succeeded": "good", "Failed": "error", "Canceled": "warning"}


@router.get("")
async def show_jobs(
    request: Request, visitor: Visitor, *, status: str = "", search: str = "", key: str = "", sort: str = "created"
) -> Response:
    """Show the jobs that meet what is asked for, in the order that is."""
    if status and status not in _STATUSES:
        raise ConfigurationError(f"status: {status!r:.80} is not one of {', '.join(_STATUSES)}", field="status")
    if sort not in _ORDERS:
        raise ConfigurationError(f"sort: {sort!r:.80} is not one of {', '.join(_ORDERS)}", field="sort")
    asked = {"status": status, "search": search.strip(), "key": key.strip(), "sort": sort}
    known: dict[str, Any] = {name: value or None for name, value in asked.items()}
    listed = await run_in_threadpool(api.list_jobs, service_of(request), visitor, limit=_ROWS, **known)
    template = "jobs/table.html" if "HX-Request" in request.headers else "jobs/page.html"
    rows = [_row(row) for row in listed.jobs]
    moves = any(not row.has_ended for row in listed.jobs)
    return render(
        request, template, page="Jobs", rows=rows, moves=moves, asked=asked, statuses=_STATUSES, orders=_ORDERS
    )


def describe_row(row: JobRow) -> dict[str, Any]:
    """Return what a line about a job shows of it."""
    status = row.status or "Pending"
    return {
        "id": row.task_id,
        "status": "Undone" if row.undone else status,
        "kind": KINDS.get(status, "info"),
        "what": f"{row.job.get('bucket')} {row.job.get('pattern', '')}".strip(),
        "started_at": row.started_at or "",
        "events": row.events,
    }


def _row(row: JobRow) -> dict[str, Any]:
    hour = (row.watch or {}).get("lastHour", {}) if not row.has_ended else {}
    return describe_row(row) | {
        "stage": row.stage if not row.has_ended and row.stage else "",
        "watch": _behind(row.watch or {}) if "watch" in row.job else "",
        "is_hour": bool(hour),
        "objects": hour.get("objects", row.ingested),
        "events": hour.get("events", row.events),
        "failed": hour.get("failed", row.failed),
        "key": row.key or "",
    }


def _behind(watch: dict[str, Any]) -> str:
    """Return how far a watch is behind what arrives, for people."""
    lag, waiting = watch.get("lagSeconds"), watch.get("waiting") or 0
    parts = ["nothing new yet" if lag is None else f"{length_text(lag)} behind"]
    if waiting:
        parts.append(f"{waiting:,} waiting")
    if watch.get("lastError"):
        parts.append("its last attempt failed")
    return ", ".join(parts)


def length_text(seconds: float) -> str:
    """Return a length of time for people, in its two largest units."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


@router.get("/{task_id}")
async def show_job(request: Request, task_id: str, visitor: Visitor) -> Response:
    """Show the report of a job as it stands."""
    return await _show(request, task_id, visitor)


async def _show(request: Request, task_id: str, visitor: Caller, **more: Any) -> Response:
    report = await run_in_threadpool(_report, service_of(request), task_id)
    template = "jobs/report.html" if "HX-Request" in request.headers else "jobs/job.html"
    lag = (report["watch"] or {}).get("lagSeconds")
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
        speed=_speed(report),
        events_query=_events_query(report),
        retry=_retry_of(report),
        behind=None if lag is None else length_text(lag),
        **known,
    )


def _report(service: Service, task_id: str) -> dict[str, Any]:
    try:
        folder = find_job(service.tier, task_id)
    except ConfigurationError as error:
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no job {task_id!r:.80}", field="taskId") from error
    return _ABSENT | load_report(service.tier, folder.task_id).as_document()


def _speed(report: dict[str, Any]) -> dict[str, str]:
    """Return how long a job has run, how fast it is, and, of one that will end, how long it will still take."""
    seconds, done, events = report["seconds"], report["progress"], report["events"]
    found = {"Time": length_text(seconds)}
    if report["watch"] is not None:
        return found
    if events and seconds >= 1:
        found["Events a second"] = f"{events / seconds:,.0f}"
    if done is not None and _LEAST_DONE < done < 1 and report["status"] == "Running":
        found["Left, about"] = length_text(seconds * (1 - done) / done)
    return found


def _events_query(report: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of Explore by which the events of a job are found, none where it has none."""
    if not report["timeRange"] or report["undone"]:
        return {}
    start, end = map(parse_time, report["timeRange"])
    after = format_instant(end + timedelta(microseconds=1))  # the end of a range is not in it
    return {"query": f'#correlationId="{report["taskId"]}"', "from": format_instant(start), "to": after}


def _retry_of(report: dict[str, Any]) -> Literal["resume", "again", ""]:
    """Return by which action the objects of a job that failed are tried again; a watch tries them by itself."""
    is_upload = report["job"].get("bucket") == UPLOADED
    if not report["failures"] or report["undone"] or report["watch"] is not None:
        return ""
    if report["status"] in ("Failed", "Canceled"):
        return "resume"
    return "again" if report["status"] == "Succeeded" and not is_upload else ""


@router.post("/{task_id}/again")
async def retry_job(request: Request, task_id: str, visitor: Visitor, form: ProvedForm) -> Response:
    """Start the same job once more, which takes what failed and what is new, and lead to it."""
    del form
    check_admin(visitor, "a retry")
    service = service_of(request)
    report = await run_in_threadpool(_report, service, task_id)
    try:
        stored = await run_in_threadpool(_stored, service, report["taskId"])
        started = await api.ingest(request, stored.job.as_document(), visitor)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        return await _show(request, task_id, visitor, reply=reply, failure=reply.message)
    return lead_to(request, f"/pages/jobs/{started.task_id}")


def _stored(service: Service, task_id: str) -> StoredJob:
    return StoredJob.load(find_job(service.tier, task_id))


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
        reply = reply_of(error)
        if reply.status == HTTPStatus.NOT_FOUND:
            raise
        return await _show(request, task_id, visitor, reply=reply, failure=reply.message)
    root = request.scope.get("root_path", "")
    return lead_to(request, request.url.path.removeprefix(root).rpartition("/")[0])


async def _undo(service: Service, task_id: str, visitor: Caller, form: dict[str, str]) -> dict[str, Any]:
    check_admin(visitor, "undoing")
    report = await run_in_threadpool(_report, service, task_id)
    asked = MaintenanceRequest(
        kind="undo", who=visitor.actor, task_id=report["taskId"], yes="yes" in form, execute="execute" in form
    )
    document = await run_in_process(service.settings, asked)
    service.job_rows.forget()
    return document
