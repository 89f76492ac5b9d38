"""Parts of Explore that count, each loaded on its own, with an error of its own: the histogram and the facets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from service.api.search.contents import FieldsParameters, fields_query
from service.api.search.counts import FacetParameters, HistogramParameters, facet_query, histogram_query
from service.api.search.parameters import SearchQuery, engine_of
from service.errors import ApiError, message_of
from service.pages.explore.chart import draw, ranges_beside
from service.pages.explore.levels import meaning_of
from service.pages.explore.question import Question, condition, failure_of
from service.pages.rendering import PageRoute, render
from service.pages.sessions import Visitor
from transforms.core.errors import RekindleError
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_BARS = 80
_COLOUR = "level"
_SYSTEM_FACETS = ("#format", "#object")
_FACETS = 12
_VALUES = 8
_MOST_VALUE = 300
_FIRST = ("level", "status", "source", "sourcetype", "host", "method")
"""Of attributes as many events have, these are shown first."""


@router.get("/explore/histogram")
async def show_histogram(request: Request, visitor: Visitor) -> Response:
    """Show how many events match over time."""
    del visitor
    return await _show(request, "histogram", "Events over time", _histogram)


@router.get("/explore/facets")
async def show_facets(request: Request, visitor: Visitor) -> Response:
    """Show the most frequent values of the attributes that most events have."""
    del visitor
    return await _show(request, "facets", "Values", _facets)


Part = Callable[[Question, FileCache], SearchQuery]


async def _show(request: Request, part: str, title: str, query_of: Part) -> Response:
    """Answer with a part, or, where a browser without scripts asks for it, with a page of it."""
    question, engine = Question.of(request), engine_of(request)
    context: dict[str, Any] = {"page": "Explore", "question": question, "part": part, "title": title}
    template = f"explore/{part}.html" if "HX-Request" in request.headers else "explore/part_page.html"
    try:
        found = await engine.run(request, query_of(question, engine.cache))
    except (ApiError, RekindleError) as error:
        status, message, headers = message_of(error)
        page = render(request, template, status=status, failure=failure_of(error, message), **context)
        page.headers.update(headers)
        return page
    return render(request, template, failure=None, **context, **found)


def _histogram(question: Question, cache: FileCache) -> SearchQuery:
    by = question.values["by"] or _COLOUR
    count = histogram_query(question.checked(HistogramParameters, bars=_BARS, by=by), cache)

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        found = count(snapshot, stop)
        drawn = draw(found)
        start, end = found["from"] or drawn["first"], found["to"] or drawn["last"]
        is_range = bool(question.values["from"] or question.values["to"] or question.values["last"])
        return {
            "chart": drawn,
            "by": by,
            "message": found["message"],
            "beside": ranges_beside(start, end) if is_range and start and end else {},
        }

    return find


def _facets(question: Question, cache: FileCache) -> SearchQuery:
    names = fields_query(question.checked(FieldsParameters, limit=200), cache)

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        known = [one["name"] for one in names(snapshot, stop)["fields"]]
        first = [name for name in _FIRST if name in known]
        fields = [*first, *(name for name in known if name not in first)][: _FACETS - len(_SYSTEM_FACETS)]
        asked = question.checked(FacetParameters, fields=[*fields, *_SYSTEM_FACETS], limit=_VALUES)
        found = facet_query(asked, cache)(snapshot, stop)
        facets = [_facet(one, question) for one in found["facets"] if _divides(one)]
        return {"facets": facets, "count": found["count"]}

    return find


def _divides(facet: JsonObject) -> bool:
    """Whether values say something of the events: not where each has one of its own."""
    return bool(facet["values"]) and (facet["distinct"] < facet["events"] or facet["events"] < _VALUES)


def _facet(facet: JsonObject, question: Question) -> JsonObject:
    most = max(one["count"] for one in facet["values"])
    values = [
        one
        | {"share": 100 * one["count"] // most, "kind": meaning_of(one["value"])}
        | question.refined(condition(facet["field"], one["value"]))
        for one in facet["values"]
        if len(one["value"]) <= _MOST_VALUE
    ]
    return facet | {"values": values, "more": facet["distinct"] - len(values)}
