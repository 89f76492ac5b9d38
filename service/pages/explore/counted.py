"""Parts of Explore that count, each loaded on its own, with an error of its own: over time, by values, and by shape."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipelines.documents import JsonObject
from service.api.search.contents import FieldsParameters, fields_query
from service.api.search.counts import (
    FacetParameters,
    HistogramParameters,
    PatternParameters,
    facet_query,
    histogram_query,
    pattern_query,
)
from service.api.search.parameters import MOST_NAMES, SearchQuery
from service.pages.explore.chart import draw, ranges_beside
from service.pages.explore.parts import show_part, shown_values
from service.pages.explore.question import Question
from service.pages.rendering import PageRoute
from service.pages.sessions import Visitor
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_BARS = 80
_COLOUR = "level"
_SYSTEM_FACETS = ("#format", "#object")
_FACETS = 12
_VALUES = 8
_FIRST = ("level", "status", "source", "sourcetype", "host", "method")
"""Of attributes as many events have, these are shown first."""


@router.get("/explore/histogram")
async def show_histogram(request: Request, visitor: Visitor) -> Response:
    """Show how many events match over time."""
    del visitor
    return await show_part(request, "histogram", "Events over time", _histogram)


@router.get("/explore/facets")
async def show_facets(request: Request, visitor: Visitor) -> Response:
    """Show the most frequent values of the attributes that most events have."""
    del visitor
    return await show_part(request, "facets", "Values", _facets)


@router.get("/explore/patterns")
async def show_patterns(request: Request, visitor: Visitor) -> Response:
    """Show messages grouped by their shape."""
    del visitor
    return await show_part(request, "patterns", "Patterns", _patterns)


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
    chosen = question.names("facets")

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        known = [one["name"] for one in names(snapshot, stop)["fields"]]
        first = [name for name in _FIRST if name in known]
        usual = [*first, *(name for name in known if name not in first)][: _FACETS - len(_SYSTEM_FACETS)]
        fields = [*chosen, *usual, *_SYSTEM_FACETS][:MOST_NAMES]
        found = facet_query(question.checked(FacetParameters, fields=fields, limit=_VALUES), cache)(snapshot, stop)
        facets = [
            one | {"values": shown_values(one["field"], one["values"], question), "is_chosen": one["field"] in chosen}
            for one in found["facets"]
            if one["field"] in chosen or _divides(one)
        ]
        return {"facets": facets, "count": found["count"]}

    return find


def _patterns(question: Question, cache: FileCache) -> SearchQuery:
    del cache  # shapes of messages are not kept
    patterns = pattern_query(question.checked(PatternParameters))

    def find(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        found = patterns(snapshot, stop)
        shown = [
            one
            | {"percent": f"{100 * one['share']:.1f}"}
            | ({"only": None, "without": None} if one["query"] is None else question.refined(one["query"]))
            for one in found["patterns"]
        ]
        return found | {"patterns": shown, "is_exact": found["isExact"], "is_complete": found["isComplete"]}

    return find


def _divides(facet: JsonObject) -> bool:
    """Whether values say something of the events: not where each has one of its own."""
    return bool(facet["values"]) and (facet["distinct"] < facet["events"] or facet["events"] < _VALUES)
