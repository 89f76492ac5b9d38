"""What there is: the attributes of events, their values, and how much the tier holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from pipelines.documents import JsonObject
from service.api.callers import Reader
from service.api.openapi import example_of
from service.api.search.answers import FieldAnswer, FieldsAnswer, FieldValues, UsageAnswer
from service.api.search.counts import value_counts
from service.api.search.parameters import (
    EventParameters,
    SearchQuery,
    answer_query,
    engine_of,
    over_range,
    read_parameter,
)
from transforms.hot_tier.search import rows
from transforms.hot_tier.search.aggregates import usage as tier_usage
from transforms.hot_tier.search.aggregates.fields import (
    MOST_LISTED,
    complete_names,
    complete_values,
    describe_field,
    list_fields,
)
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(tags=["search"])
UsageGroup: TypeAlias = Literal["day", "source", "sourcetype", "tier"]


class FieldsParameters(EventParameters):
    """Which events, and which of their attributes."""

    prefix: str = ""
    """Only names that begin so; with `#` those of the system."""
    limit: int = Field(MOST_LISTED, ge=1, le=MOST_LISTED)
    """The most names."""


class FieldParameters(EventParameters):
    """Which events, and how many values."""

    limit: int = Field(10, ge=1, le=MOST_LISTED)
    """The most frequent values, and the most rare ones."""


class ValuesParameters(EventParameters):
    """Which events, and what values begin with."""

    prefix: str = ""
    """Only values that begin so, in capitals or not."""
    limit: int = Field(20, ge=1, le=MOST_LISTED)
    """The most values."""


@router.get("/fields", response_model=FieldsAnswer, openapi_extra=example_of(query="status=404", last="7d"))
async def fields(request: Request, caller: Reader, asked: Annotated[FieldsParameters, Query()]) -> Response:
    """List the attributes of events, and how many events have each."""
    del caller
    return await answer_query(request, fields_query(asked, engine_of(request).cache))


def fields_query(asked: FieldsParameters, cache: FileCache) -> SearchQuery:
    """Return the query of the attributes.

    Raises:
        ConfigurationError: a parameter is wrong.
    """

    def counted(snapshot: Snapshot, found: SearchRequest, stop: StopSignal) -> JsonObject:
        if asked.prefix.startswith("#"):
            names = complete_names(snapshot, found, asked.prefix, limit=asked.limit)
            return {"fields": [{"name": name, "events": None} for name in names], "isComplete": True}
        result = list_fields(snapshot, found, cache=cache, stop=stop)
        begins = asked.prefix.lower().lstrip("`")
        named = [(str(one.field), one.events) for one in result.fields]
        listed = [
            {"name": name, "events": events} for name, events in named if name.lower().lstrip("`").startswith(begins)
        ]
        return {"fields": listed[: asked.limit], "isComplete": result.is_complete}

    return over_range(asked.check(), counted)


@router.get("/fields/{name:path}/values", response_model=FieldValues, openapi_extra=example_of(prefix="4", limit="20"))
async def values(request: Request, name: str, caller: Reader, asked: Annotated[ValuesParameters, Query()]) -> Response:
    """List the most frequent values of a field that begin with a text, to complete what is typed."""
    del caller
    return await answer_query(request, values_query(name, asked, engine_of(request).cache))


def values_query(name: str, asked: ValuesParameters, cache: FileCache) -> SearchQuery:
    """Return the query of values that begin with a text.

    Raises:
        ConfigurationError: a parameter is wrong.
    """
    field = read_parameter("name", name, rows.row_field)

    def counted(snapshot: Snapshot, found: SearchRequest, stop: StopSignal) -> JsonObject:
        result = complete_values(snapshot, found, field, asked.prefix, limit=asked.limit, cache=cache, stop=stop)
        return {"field": str(field), "values": value_counts(result)}

    return over_range(asked.check(), counted)


@router.get("/fields/{name:path}", response_model=FieldAnswer, openapi_extra=example_of(last="24h"))
async def field(request: Request, name: str, caller: Reader, asked: Annotated[FieldParameters, Query()]) -> Response:
    """Show how many events have a field, how many values it has, and which are frequent and rare."""
    del caller
    return await answer_query(request, field_query(name, asked, engine_of(request).cache))


def field_query(name: str, asked: FieldParameters, cache: FileCache) -> SearchQuery:
    """Return the query of one field.

    Raises:
        ConfigurationError: a parameter is wrong.
    """
    described = read_parameter("name", name, rows.row_field)

    def counted(snapshot: Snapshot, found: SearchRequest, stop: StopSignal) -> JsonObject:
        result = describe_field(snapshot, found, described, limit=asked.limit, cache=cache, stop=stop)
        return {
            "field": str(described),
            "events": result.events,
            "distinct": result.distinct,
            "isExact": result.is_exact,
            "values": value_counts(result.top),
            "rare": value_counts(result.rare),
        }

    return over_range(asked.check(), counted)


@router.get("/usage", response_model=UsageAnswer, openapi_extra=example_of(by="sourcetype"))
async def usage(request: Request, caller: Reader, by: UsageGroup = "day") -> Response:
    """Show how many events, files and bytes the tier has, by day, source, sourcetype or tier.

    The bytes of a file with events of several sources are shared out by their numbers.
    """
    del caller
    return await answer_query(request, usage_query(by, engine_of(request).cache))


def usage_query(by: UsageGroup, cache: FileCache) -> SearchQuery:
    """Return the query of what the tier holds."""
    return lambda snapshot, stop: asdict(tier_usage.usage(snapshot, by, cache=cache, stop=stop))
