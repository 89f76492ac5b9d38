"""Which events a call is about: parameters that all calls of search have."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar

import orjson
from fastapi import Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from pipelines.documents import JsonModel, JsonObject
from service.api.engine import SearchEngine
from service.api.state import service_of
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search import rows
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.serving.ranges import recent_range
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse, syntax
from transforms.query.instants import parse_span, parse_time

_T = TypeVar("_T")
MOST_NAMES = 50
_NAME = re.compile(r"(?:`(?:[^`]|``)*`|[^,])+")
"""One of several names behind commas; between back-quotes a comma is a part of the name."""
JSON = "application/json"
SearchQuery: TypeAlias = Callable[[Snapshot, StopSignal], JsonObject]
"""Returns the answer of a call, over a version of the table."""


class EventParameters(JsonModel):
    """Which events."""

    model_config = ConfigDict(validate_by_name=False)

    query: str = ""
    """Conditions such as `status=404`, terms and "quoted phrases"; empty for all events."""
    from_: str | None = Field(None, alias="from")
    """Only events at or after this time: ISO 8601, UTC unless it has a zone."""
    to: str | None = None
    """Only events before this time."""
    last: str | None = None
    """Only events of the last `90m`, `12h`, `7d`: back from now or, where none is so new, from the newest event."""
    tier: Literal["hot", "cold", "all"] = "all"
    """Only events of this part of the tier."""

    def check(self, *, fields: Sequence[str] = (), oldest_first: bool = False) -> EventRequest:
        """Return what is asked for.

        Raises:
            ConfigurationError: a parameter is wrong; the error names it.
        """
        text = self.query.strip()
        start = None if self.from_ is None else read_parameter("from", self.from_, parse_time)
        end = None if self.to is None else read_parameter("to", self.to, parse_time)
        length = None if self.last is None else read_parameter("last", self.last, parse_span)
        if length is not None and not (start is None and end is None):
            raise ConfigurationError("last: goes without from and to", field="last")
        if start is not None and end is not None and start > end:
            raise ConfigurationError(f"from: {self.from_} is later than to, {self.to}", field="from")
        tier_name = None if self.tier == "all" else self.tier
        expr = parse(text) if text else None
        names = fields_of("fields", fields)
        request = SearchRequest(expr, start, end, names, tier_name, oldest_first)

        def resolve(snapshot: Snapshot) -> tuple[SearchRequest, str]:
            if length is None:
                return request, ""
            found = recent_range(snapshot, length, tier_name=tier_name)
            return SearchRequest(expr, found.start, found.end, names, tier_name, oldest_first), found.message

        return EventRequest(resolve)


@dataclass(frozen=True)
class EventRequest:
    """What is asked for, which depends on the version of the table where a range counts back.

    Attributes:
        resolve: Returns the request over a version, and what to show of its range.
    """

    resolve: Callable[[Snapshot], tuple[SearchRequest, str]]


class RangeAnswer(JsonModel):
    """Over which version of the table and which times a call was answered."""

    version: int
    """The version of the table."""
    from_: datetime | None = Field(alias="from")
    """The start of the range; null without one."""
    to: datetime | None
    """Its end; null without one."""
    message: str = ""
    """What to show of the range: that it counts back from the newest event."""


def over_range(events: EventRequest, work: Callable[[Snapshot, SearchRequest, StopSignal], JsonObject]) -> SearchQuery:
    """Return the query whose answer is a `RangeAnswer` and what `work` returns.

    Args:
        events: Which events.
        work: The query over them.
    """

    def found(snapshot: Snapshot, stop: StopSignal) -> JsonObject:
        search, message = events.resolve(snapshot)
        known = {"version": snapshot.version, "from": search.start, "to": search.end, "message": message}
        return known | work(snapshot, search, stop)

    return found


async def answer_query(request: Request, query: SearchQuery) -> Response:
    """Answer with what a query returns, as JSON."""

    def found(snapshot: Snapshot, stop: StopSignal) -> bytes:
        return orjson.dumps(query(snapshot, stop), option=orjson.OPT_UTC_Z)

    return Response(await engine_of(request).run(request, found), media_type=JSON)


def read_parameter(name: str, text: str, parse_text: Callable[[str], _T]) -> _T:
    """Parse a parameter; an error names it."""
    try:
        return parse_text(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}", field=name) from error


def fields_of(name: str, given: Sequence[str]) -> tuple[syntax.Field, ...]:
    """Return the fields that a parameter names, each once; it may be repeated, and have several behind commas.

    Raises:
        ConfigurationError: there is no such field, or there are too many.
    """
    names = list(dict.fromkeys(part for one in given for part in map(str.strip, _NAME.findall(one)) if part))
    if len(names) > MOST_NAMES:
        raise ConfigurationError(f"{name}: at most {MOST_NAMES} names, not {len(names)}", field=name)
    return tuple(read_parameter(name, one, rows.row_field) for one in names)


def some_fields_of(name: str, given: Sequence[str]) -> tuple[syntax.Field, ...]:
    """Return the fields that a parameter names, one at least."""
    fields = fields_of(name, given)
    if not fields:
        raise ConfigurationError(f"{name}: name at least one field, such as status", field=name)
    return fields


def engine_of(request: Request) -> SearchEngine:
    """Return the engine of the service that answers a request."""
    return service_of(request).engine
