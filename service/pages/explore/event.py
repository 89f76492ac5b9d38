"""One event: a page of its own, a row that opens in place, JSON, and the events around it."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from service.api.search.parameters import JSON, engine_of, read_parameter
from service.api.search.surrounding import (
    MOST_ROWS,
    OneEventParameters,
    SurroundingParameters,
    event_query,
    surrounding_query,
)
from service.errors import ApiError, reply_of
from service.pages.explore.question import Question, condition
from service.pages.explore.rows import shown_row, shown_value
from service.pages.explore.texts import in_lines
from service.pages.rendering import PageRoute, escape_json, render
from service.pages.sessions import Visitor
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.core.names import SYSTEM_NAMES
from transforms.hot_tier.search.rows import row_field
from transforms.query.instants import parse_time

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_ATTRIBUTES = 200
_MOST_TERM = 500
_AROUND = 10
_FURTHER = 5
"""So many times as many events are around it next time."""
_SCOPES = {"object": "Same object", "host": "Same host", "all": "All events"}


@router.get("/explore/event")
async def show_event(request: Request, visitor: Visitor, id: str = "", time: str = "") -> Response:  # noqa: A002
    """Show one event with all its attributes, 200 at a time; as a row where scripts ask for it."""
    del visitor
    question = Question.of(request)
    known: JsonObject = {"page": "Explore", "question": question, "event": {"id": id, "time": time}}
    if "HX-Request" not in request.headers:
        row = await _find(request, id, time)
        return render(request, "explore/event.html", row=row, **known, **_attributes(request, row, question))
    try:
        row = await _find(request, id, time)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        return render(request, "explore/event_row.html", reply=reply, failure=reply.message, **known)
    return render(
        request, "explore/event_row.html", failure=None, row=row, **known, **_attributes(request, row, question)
    )


@router.get("/explore/event.json")
async def show_event_as_json(request: Request, visitor: Visitor, id: str = "", time: str = "") -> Response:  # noqa: A002
    """Show one event as JSON, with escapes for what is not seen."""
    del visitor
    row = await _find(request, id, time)
    text = orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2).decode()
    return Response(escape_json(text) + "\n", media_type=JSON)


@router.get("/explore/around")
async def show_around(request: Request, visitor: Visitor, id: str = "", time: str = "") -> Response:  # noqa: A002
    """Show an event among those before and after it."""
    del visitor
    question, given = Question.of(request), request.query_params
    scope = given.get("scope", "object")
    if scope not in _SCOPES:
        raise ConfigurationError(f"scope: must be {', '.join(_SCOPES)}, not {scope!r:.80}", field="scope")
    before, after = (read_parameter(name, given.get(name, str(_AROUND)), _number) for name in ("before", "after"))
    _check_time(time)
    asked = SurroundingParameters.model_validate({"time": time, "scope": scope, "before": before, "after": after})
    found = await engine_of(request).run(request, surrounding_query(id, asked))
    columns = question.columns
    sides: JsonObject = {
        name: [shown_row(row, columns) for row in reversed(found[name])] for name in ("after", "before")
    }
    place = {"id": id, "time": time, "scope": scope, "before": before, "after": after}
    return render(
        request,
        "explore/around.html",
        page="Explore",
        question=question,
        row=shown_row(found["event"], columns),
        event={"id": id, "time": time},
        place=place,
        scope=scope,
        scopes=_SCOPES,
        query=found["query"],
        newer=_further(place, "after") if found["later"] else None,
        older=_further(place, "before") if found["earlier"] else None,
        **sides,
    )


def _further(place: JsonObject, side: str) -> JsonObject | None:
    """Return the parameters that show more events on a side, None where no more can be shown."""
    more = min(MOST_ROWS, max(_AROUND, place[side]) * _FURTHER)
    return place | {side: more} if more > place[side] else None


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 4 or int(text) > MOST_ROWS:
        raise ConfigurationError(f"must be from 0 to {MOST_ROWS}, not {text!r:.80}")
    return int(text)


def _check_time(time: str) -> None:
    try:
        parse_time(time)
    except ConfigurationError:
        raise ConfigurationError(f"time: {time!r:.80} is not the time of an event", field="time") from None


async def _find(request: Request, event_id: str, time: str) -> JsonObject:
    _check_time(time)
    found = await engine_of(request).run(request, event_query(event_id, OneEventParameters(time=time)))
    event: JsonObject = found["event"]
    return event


def _attributes(request: Request, row: JsonObject, question: Question) -> JsonObject:
    """Return the attributes that a page of an event shows: those whose names or values have a text."""
    text = request.query_params.get("filter", "").strip()
    number = request.query_params.get("part", "1")
    names = sorted((name for name in row if name != "_message"), key=lambda name: name in SYSTEM_NAMES)
    shown = [name for name in names if text.lower() in f"{name}\n{row[name]}".lower()]
    parts = max(1, math.ceil(len(shown) / _ATTRIBUTES))
    part = min(max(1, int(number) if number.isdecimal() and len(number) < 9 else 1), parts)
    begin = (part - 1) * _ATTRIBUTES
    return {
        "message": in_lines(row.get("_message") or ""),
        "attributes": [_attribute(name, row[name], question) for name in shown[begin : begin + _ATTRIBUTES]],
        "filter": text,
        "part": part,
        "parts": parts,
        "shown": len(shown),
        "known": len(names),
    }


def _attribute(name: str, value: Any, question: Question) -> JsonObject:
    shown, field = shown_value(value), str(row_field(name))
    is_term = len(shown) <= _MOST_TERM and not isinstance(value, datetime)
    alone = condition(field, shown) if is_term else None
    refined = question.refined(alone) if alone else {"only": None, "without": None}
    return {"name": name, "field": field, "value": shown, "is_system": name in SYSTEM_NAMES, "alone": alone, **refined}
