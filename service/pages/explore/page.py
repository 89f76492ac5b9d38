"""Explore: what is here, a query with its rows, and one event with all its attributes."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from service.api.search.contents import usage_query
from service.api.search.parameters import SearchQuery, engine_of
from service.errors import ApiError, message_of
from service.pages.explore.download import FORMATS
from service.pages.explore.levels import meaning_of
from service.pages.explore.question import EVENT_ID, Question, failure_of, term
from service.pages.rendering import PageRoute, render
from service.pages.sessions import Visitor
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.core.names import SYSTEM_NAMES
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import format_instant, parse_time

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_ATTRIBUTES = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MOST_TERM = 500
_MICROSECOND = timedelta(microseconds=1)


@router.get("/explore")
async def explore(request: Request, visitor: Visitor) -> Response:
    """Show what is here, or the events that match a query."""
    del visitor
    question = Question.of(request)
    name = "explore/results.html" if "HX-Request" in request.headers else "explore/page.html"
    try:
        found = await engine_of(request).run(request, _found(question, engine_of(request).cache))
    except (ApiError, RekindleError) as error:
        status, message, headers = message_of(error)
        page = render(
            request, name, status=status, page="Explore", question=question, failure=failure_of(error, message)
        )
        page.headers.update(headers)
        return page
    return render(request, name, page="Explore", question=question, failure=None, formats=FORMATS, **found)


def _found(question: Question, cache: Any) -> SearchQuery:
    rows = question.rows_query()

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        found = rows(snapshot, stop)
        events = [_shown_row(row) for row in found["rows"]]
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
    return (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()


def _shown_row(row: JsonObject) -> JsonObject:
    """Return what a row of the list shows, and by what its event is found."""
    level, status = str(row.get("level", "")), str(row.get("status", ""))
    kinds = {meaning_of(level), meaning_of(status), "error" if row.get("_error") is not None else ""}
    return {
        "time": row["_time"],
        "event": {"id": row.get("_event_id", ""), "time": format_instant(row["_time"])},
        "host": row.get("host", ""),
        "text": row.get("_message") or row.get("_error") or "",
        "kind": next((kind for kind in ("error", "warning") if kind in kinds), ""),
    }


@router.get("/explore/event")
async def show_event(request: Request, visitor: Visitor, id: str = "", time: str = "") -> Response:  # noqa: A002
    """Show one event with all its attributes, 200 at a time."""
    del visitor
    question = Question.of(request)
    try:
        start, end = (format_instant(parse_time(time) + after) for after in (timedelta(0), _MICROSECOND))
    except (ConfigurationError, OverflowError):
        raise ConfigurationError(f"time: {time!r:.80} is not the time of an event", field="time") from None
    asked = {"query": term(EVENT_ID, id), "from": start, "to": end}
    found = await engine_of(request).run(request, replace(question, values=asked, cursor="").rows_query())
    if not found["rows"]:
        raise ApiError(HTTPStatus.NOT_FOUND, "this event is not there: it was deleted, or the link is not whole")
    row = found["rows"][0]
    return render(
        request,
        "explore/event.html",
        page="Explore",
        question=question,
        row=row,
        event={"id": id, "time": time},
        **_attributes(request, row, question),
    )


def _attributes(request: Request, row: JsonObject, question: Question) -> JsonObject:
    """Return the attributes that a page of an event shows: those whose names or values have a text."""
    text = request.query_params.get("filter", "").strip()
    number = request.query_params.get("part", "1")
    names = [name for name in row if name != "_message"]
    shown = [name for name in names if text.lower() in f"{name}\n{row[name]}".lower()]
    parts = max(1, math.ceil(len(shown) / _ATTRIBUTES))
    part = min(max(1, int(number) if number.isdecimal() and len(number) < 9 else 1), parts)
    begin = (part - 1) * _ATTRIBUTES
    return {
        "attributes": [_attribute(name, row[name], question) for name in shown[begin : begin + _ATTRIBUTES]],
        "filter": text,
        "part": part,
        "parts": parts,
        "shown": len(shown),
        "known": len(names),
    }


def _attribute(name: str, value: Any, question: Question) -> JsonObject:
    shown = format_instant(value) if isinstance(value, datetime) else str(value)
    is_system = name in SYSTEM_NAMES
    only = None if is_system or len(shown) > _MOST_TERM else term(name, shown)
    refined = {"only": None, "without": None} if only is None else question.refined(only)
    return {"name": name, "value": shown, "is_system": is_system, **refined}
