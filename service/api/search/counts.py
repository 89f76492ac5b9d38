"""What a search finds, counted: over time, by the values of fields, and by the shape of messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from pipelines.documents import JsonObject
from service.api.callers import Reader
from service.api.openapi import example_of
from service.api.search.answers import FacetList, HistogramAnswer, PatternAnswer
from service.api.search.parameters import (
    EventParameters,
    SearchQuery,
    answer_query,
    engine_of,
    fields_of,
    over_range,
    read_parameter,
    some_fields_of,
)
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search import rows
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.aggregates.overview import Overview, OverviewRequest, overview
from transforms.hot_tier.search.aggregates.patterns import MOST_PATTERNS, message_patterns
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import parse_span

router = APIRouter(tags=["search"])
MOST_VALUES = 1000


class FacetParameters(EventParameters):
    """Which events, and which fields of them."""

    fields: list[str]
    """Whose values are counted, separated by commas."""
    limit: int = Field(10, ge=1, le=MOST_VALUES)
    """The most values of a field."""


class HistogramParameters(EventParameters):
    """Which events, and how their bars are made."""

    span: str | None = None
    """A bar's length, such as `5m` or `1d`; else by the range."""
    bars: int = Field(120, ge=2, le=1000)
    """The most bars, where no span is given."""
    by: str | None = None
    """A field whose values divide the bars, such as `level`."""
    groups: int = Field(8, ge=1, le=20)
    """The most values by which they are divided."""
    facets: list[str] = []
    """Fields whose values are counted by the same scan, separated by commas."""
    limit: int = Field(10, ge=1, le=MOST_VALUES)
    """The most values of a facet."""


class PatternParameters(EventParameters):
    """Which events."""

    limit: int = Field(50, ge=1, le=MOST_PATTERNS)
    """The most shapes."""


@router.get(
    "/histogram",
    response_model=HistogramAnswer,
    openapi_extra=example_of(query="status=5*", last="24h", by="host", facets="source,status"),
)
async def histogram(request: Request, caller: Reader, asked: Annotated[HistogramParameters, Query()]) -> Response:
    """Count events over time and, by the same scan, by the values of fields."""
    del caller
    return await answer_query(request, histogram_query(asked, engine_of(request).cache))


def histogram_query(asked: HistogramParameters, cache: FileCache) -> SearchQuery:
    """Return the query of a histogram.

    Raises:
        ConfigurationError: a parameter is wrong.
    """
    span = None if asked.span is None else read_parameter("span", asked.span, parse_span)
    by = None if asked.by is None else read_parameter("by", asked.by, rows.row_field)
    facets = fields_of("facets", asked.facets)

    def counted(snapshot: Snapshot, found: SearchRequest, stop: StopSignal) -> JsonObject:
        question = OverviewRequest(
            search=found,
            facets=facets,
            span=span,
            most_bars=asked.bars,
            colour=by,
            most_values=asked.limit,
            most_colours=asked.groups,
        )
        result = _overview(snapshot, question, cache, stop)
        return _facets(result) | _bars(result)

    return over_range(asked.check(), counted)


@router.get("/facets", response_model=FacetList, openapi_extra=example_of(fields="host,status", last="7d"))
async def facets(request: Request, caller: Reader, asked: Annotated[FacetParameters, Query()]) -> Response:
    """Count events by the values of fields, up to 50 of these by one scan."""
    del caller
    return await answer_query(request, facet_query(asked, engine_of(request).cache))


def facet_query(asked: FacetParameters, cache: FileCache) -> SearchQuery:
    """Return the query of facets.

    Raises:
        ConfigurationError: a parameter is wrong.
    """
    fields = some_fields_of("fields", asked.fields)

    def counted(snapshot: Snapshot, found: SearchRequest, stop: StopSignal) -> JsonObject:
        question = OverviewRequest(search=found, facets=fields, most_values=asked.limit)
        return _facets(overview(snapshot, question, cache=cache, stop=stop))

    return over_range(asked.check(), counted)


@router.get("/patterns", response_model=PatternAnswer, openapi_extra=example_of(query="level=error", last="24h"))
async def patterns(request: Request, caller: Reader, asked: Annotated[PatternParameters, Query()]) -> Response:
    """Group messages by their shape: what differs from one to the next is `*`.

    Of more than a million events those of the newest files are looked at.
    """
    del caller
    return await answer_query(request, pattern_query(asked))


def pattern_query(asked: PatternParameters) -> SearchQuery:
    """Return the query of message patterns.

    Raises:
        ConfigurationError: a parameter is wrong.
    """

    def counted(snapshot: Snapshot, found: SearchRequest, stop: StopSignal) -> JsonObject:
        result = message_patterns(snapshot, found, limit=asked.limit, stop=stop)
        return {
            "events": result.events,
            "isComplete": result.is_complete,
            "shapes": result.shapes,
            "isExact": result.is_exact,
            "patterns": [asdict(one) for one in result.patterns],
        }

    return over_range(asked.check(), counted)


def value_counts(values: Iterable[tuple[str, int]]) -> list[JsonObject]:
    """Return values and their counts as JSON has them."""
    return [{"value": value, "count": count} for value, count in values]


def _overview(snapshot: Snapshot, question: OverviewRequest, cache: FileCache, stop: StopSignal) -> Overview:
    try:
        return overview(snapshot, question, cache=cache, stop=stop)
    except ConfigurationError as error:  # its own limits are those of the parameters
        raise ConfigurationError(f"span: {error}", field="span") from error


def _facets(result: Overview) -> JsonObject:
    facets = [
        {
            "field": str(facet.field),
            "events": facet.events,
            "distinct": facet.distinct,
            "isExact": facet.is_exact,
            "values": value_counts(facet.values),
        }
        for facet in result.facets
    ]
    return {"count": result.count, "facets": facets}


def _bars(result: Overview) -> JsonObject:
    bars = [
        {"from": bar.start, "to": bar.end, "count": bar.count, "by": by}
        for bar, by in zip(result.bars, result.coloured, strict=True)
    ]
    return {
        "span": None if result.span is None else result.span.total_seconds(),
        "by": result.colours,
        "bars": bars,
    }
