"""One event, and the events around it."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from pipelines.documents import JsonModel, JsonObject
from service.api.callers import Reader
from service.api.openapi import example_of
from service.api.search.parameters import SearchQuery, answer_query, fields_of, read_parameter
from service.errors import ApiError
from transforms.hot_tier.search.paging.surroundings import Surroundings, find_event, surroundings
from transforms.hot_tier.search.rows import flat_rows
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import syntax
from transforms.query.instants import parse_time

router = APIRouter(tags=["search"])
MOST_ROWS = 500


class OneEventParameters(JsonModel):
    """Which event."""

    time: str | None = None
    """Its `_time`, which spares a look into all files."""

    def moment(self) -> datetime | None:
        """Return the time.

        Raises:
            ConfigurationError: it is none.
        """
        return None if self.time is None else read_parameter("time", self.time, parse_time)


class SurroundingParameters(OneEventParameters):
    """Which event, and how many around it."""

    before: int = Field(10, ge=0, le=MOST_ROWS)
    """The most events before it."""
    after: int = Field(10, ge=0, le=MOST_ROWS)
    """The most events after it."""
    scope: Literal["object", "host", "all"] = "object"
    """What they have in common with it; an event without a host is alone."""
    fields: list[str] = []
    """Only these columns and attributes, separated by commas."""


class EventAnswer(JsonModel):
    """One event."""

    version: int
    """The version of the table."""
    event: JsonObject
    """The event as a flat row, without nulls."""


class SurroundingAnswer(EventAnswer):
    """An event and those around it, the oldest first."""

    before: list[JsonObject]
    after: list[JsonObject]
    query: str
    """What they have in common; empty for all events. `GET /search` with it, `oldestFirst` and a cursor goes on."""
    earlier: str | None
    """The cursor of the events before these; null where there are none."""
    later: str | None
    """The cursor of the events after these; null where there are none."""


@router.get(
    "/events/{event_id:path}/surrounding",
    response_model=SurroundingAnswer,
    openapi_extra=example_of(time="2025-01-01T10:00:00Z", scope="host", before="50"),
)
async def show_surrounding(
    request: Request, event_id: str, caller: Reader, asked: Annotated[SurroundingParameters, Query()]
) -> Response:
    """Show an event and the events before and after it, of the same object or host, or all.

    Those of one time are in the order of their object. `earlier` and `later` are cursors for `GET /search`.
    """
    del caller
    return await answer_query(request, surrounding_query(event_id, asked))


def surrounding_query(event_id: str, asked: SurroundingParameters) -> SearchQuery:
    """Return the query of an event and those around it; it raises ApiError, 404, where there is none.

    Raises:
        ConfigurationError: a parameter is wrong.
    """
    time = asked.moment()
    fields = fields_of("fields", asked.fields)
    scope = None if asked.scope == "all" else asked.scope

    def found(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        result = surroundings(snapshot, event_id, time, before=asked.before, after=asked.after, scope=scope, stop=stop)
        if result is None:
            raise _missing(event_id)
        return _document(result, fields)

    return found


@router.get(
    "/events/{event_id:path}", response_model=EventAnswer, openapi_extra=example_of(time="2025-01-01T10:00:00Z")
)
async def show_event(
    request: Request, event_id: str, caller: Reader, asked: Annotated[OneEventParameters, Query()]
) -> Response:
    """Show one event by its `_event_id`."""
    del caller
    return await answer_query(request, event_query(event_id, asked))


def event_query(event_id: str, asked: OneEventParameters) -> SearchQuery:
    """Return the query of one event; it raises ApiError, 404, where there is none.

    Raises:
        ConfigurationError: the time is none.
    """
    time = asked.moment()

    def found(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        event = find_event(snapshot, event_id, time, stop=stop)
        if event is None:
            raise _missing(event_id)
        return {"version": snapshot.version, "event": next(flat_rows(event, ()))}

    return found


def _document(found: Surroundings, fields: tuple[syntax.Field, ...]) -> JsonObject:
    return {
        "version": found.version,
        "event": next(flat_rows(found.event, fields)),
        "before": list(flat_rows(found.before, fields)),
        "after": list(flat_rows(found.after, fields)),
        "query": "" if found.query is None else str(found.query),
        "earlier": found.earlier and found.earlier.token,
        "later": found.later and found.later.token,
    }


def _missing(event_id: str) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, f"there is no event {event_id!r:.80} of this time", field="eventId")
