"""A part of the first page: the last jobs, and what rules take next."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from service.api import jobs as api
from service.api.callers import Caller
from service.api.search.parameters import engine_of
from service.api.state import service_of
from service.pages.explore.parts import answer_part
from service.pages.explore.question import Question
from service.pages.jobs.page import describe_row
from service.pages.rendering import PageRoute
from service.pages.retention.forecast import forecast
from service.pages.sessions import Visitor
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_JOBS = 5


@router.get("/explore/activity")
async def show_activity(request: Request, visitor: Visitor) -> Response:
    """Show the last jobs, and what rules take next."""
    return await answer_part(
        request, Question.of(request), "activity", "Jobs and rules", partial(_find, request, visitor)
    )


async def _find(request: Request, visitor: Caller) -> JsonObject:
    service, now = service_of(request), datetime.now(timezone.utc)

    def of_rules(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        del stop
        return forecast(snapshot, now)

    asked: dict[str, Any] = {"status": None, "search": None, "limit": _JOBS}
    listed = await run_in_threadpool(api.list_jobs, service, visitor, **asked)
    return {
        "jobs": [describe_row(row) for row in listed.jobs],
        "next": await engine_of(request).run(request, of_rules),
        "daily": None if service.settings.daily is None else next_daily(service.settings.daily, now),
        "now": now,
    }


def next_daily(at: str, now: datetime) -> datetime:
    """Return when a service runs the tier's rules next, by the time of the day, UTC."""
    today = datetime.combine(now.date(), time.fromisoformat(at), timezone.utc)
    return today if today > now else today + timedelta(days=1)
