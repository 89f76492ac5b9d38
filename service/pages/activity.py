"""A part of the first page: the last jobs, and what rules take next."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from pipelines.jobs.rows.row import JobRow
from service.api import jobs as api
from service.api.callers import Caller
from service.api.search.parameters import engine_of
from service.api.state import service_of
from service.errors import ApiError, message_of
from service.pages.explore.question import Question, failure_of
from service.pages.jobs.page import KINDS
from service.pages.rendering import PageRoute, render
from service.pages.retention.forecast import forecast
from service.pages.sessions import Visitor
from transforms.core.errors import RekindleError
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_JOBS = 5


@router.get("/explore/activity")
async def show_activity(request: Request, visitor: Visitor) -> Response:
    """Show the last jobs, and what rules take next."""
    context: dict[str, Any] = {"page": "Explore", "part": "activity", "title": "Jobs and rules"}
    template = "explore/activity.html" if "HX-Request" in request.headers else "explore/part_page.html"
    context["question"] = Question.of(request)
    try:
        found = await _find(request, visitor)
    except (ApiError, RekindleError) as error:
        status, message, headers = message_of(error)
        page = render(request, template, status=status, failure=failure_of(error, message), **context)
        page.headers.update(headers)
        return page
    return render(request, template, failure=None, **context, **found)


async def _find(request: Request, visitor: Caller) -> JsonObject:
    service, now = service_of(request), datetime.now(timezone.utc)

    def of_rules(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        del stop
        return forecast(snapshot, now)

    asked: dict[str, Any] = {"status": None, "search": None, "limit": _JOBS}
    listed = await run_in_threadpool(api.list_jobs, service, visitor, **asked)
    return {
        "jobs": [_row(row) for row in listed.jobs],
        "next": await engine_of(request).run(request, of_rules),
        "daily": None if service.settings.daily is None else next_daily(service.settings.daily, now),
        "now": now,
    }


def next_daily(at: str, now: datetime) -> datetime:
    """Return when a service runs the tier's rules next, by the time of the day, UTC."""
    today = datetime.combine(now.date(), time.fromisoformat(at), timezone.utc)
    return today if today > now else today + timedelta(days=1)


def _row(row: JobRow) -> JsonObject:
    status = row.status or "Pending"
    return {
        "id": row.task_id,
        "status": "Undone" if row.undone else status,
        "kind": KINDS.get(status, "info"),
        "what": f"{row.job.get('bucket')} {row.job.get('pattern', '')}".strip(),
        "started": (row.started_at or "")[:16].replace("T", " "),
        "events": row.events,
    }
