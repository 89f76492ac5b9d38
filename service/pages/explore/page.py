"""Explore: what is here, and a query with its rows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from service.api.search.contents import usage_query
from service.api.search.parameters import SearchQuery, engine_of
from service.errors import ApiError, reply_of
from service.pages.explore.download import FORMATS
from service.pages.explore.question import Question, failure_of, term
from service.pages.explore.rows import shown_row
from service.pages.explore.texts import words_of
from service.pages.rendering import PageRoute, render
from service.pages.sessions import Visitor
from transforms.core.errors import RekindleError
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@router.get("/explore")
async def explore(request: Request, visitor: Visitor) -> Response:
    """Show what is here, or the events that match a query."""
    del visitor
    question = Question.of(request)
    name = "explore/results.html" if "HX-Request" in request.headers else "explore/page.html"
    try:
        found = await engine_of(request).run(request, _found(question, engine_of(request).cache))
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        failure = failure_of(error, reply.message)
        return render(request, name, reply=reply, page="Explore", question=question, failure=failure)
    return render(request, name, page="Explore", question=question, failure=None, formats=FORMATS, **found)


def _found(question: Question, cache: Any) -> SearchQuery:
    rows, columns, words = question.rows_query(), question.columns, words_of(question.values["query"])

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        found = rows(snapshot, stop)
        events = [shown_row(row, columns, words) for row in found["rows"]]
        return found | {"rows": events, "overview": _overview(snapshot, cache, stop) if question.is_empty else None}

    return find


def _overview(snapshot: Snapshot, cache: Any, stop: StopSignal) -> JsonObject:
    """Return how much there is, since when, and by what."""
    files = snapshot.files.values()
    oldest = min((file.min_time for file in files), default=None)
    newest = max((file.max_time for file in files), default=None)
    parts = {by: usage_query(by, cache)(snapshot, stop) for by in ("day", "source", "tier")}
    days = parts["day"]["rows"][-31:]
    most = max((day["events"] for day in days), default=0)
    return {
        "events": parts["day"]["events"],
        "files": parts["day"]["files"],
        "bytes": parts["day"]["bytes"],
        "oldest": None if oldest is None else _EPOCH + timedelta(microseconds=oldest),
        "newest": None if newest is None else _EPOCH + timedelta(microseconds=newest),
        "days": [day | {"next": _day_after(day["value"])} for day in days],
        "more_days": len(parts["day"]["rows"]) - len(days),
        "most": most,
        "sources": [one | {"query": term("source", one["value"])} for one in parts["source"]["rows"][:20]],
        "tiers": parts["tier"]["rows"],
    }


def _day_after(day: str) -> str:
    """Return the day after one, empty where there is none any more: some logs say 9999-12-31 for never."""
    date = datetime.fromisoformat(day).date()
    return "" if date == datetime.max.date() else (date + timedelta(days=1)).isoformat()
