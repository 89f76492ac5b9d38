"""`GET /search`: pages of events, in both directions of time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from pipelines.documents import JsonObject
from service.api.callers import Reader
from service.api.openapi import example_of
from service.api.search.parameters import EventParameters, RangeAnswer, SearchQuery, answer_query, over_range
from transforms.hot_tier.search.paging.pages import read_page
from transforms.hot_tier.search.paging.position import PageCursor
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import flat_rows
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(tags=["search"])
MOST_ROWS = 1000


class PageParameters(EventParameters):
    """Which events, and which page of them."""

    limit: int = Field(100, ge=1, le=MOST_ROWS)
    """The most rows."""
    cursor: str | None = None
    """Where the page begins: `next` or `previous` of another page of the same search."""
    oldest_first: bool = False
    """The oldest events come first, not the newest."""
    fields: list[str] = []
    """Only these columns and attributes, separated by commas."""


class EventPage(RangeAnswer):
    """A page of events."""

    rows: list[JsonObject]
    """The events as flat rows, without nulls."""
    next: str | None
    """The cursor of the page after this one; null at the end."""
    previous: str | None
    """The cursor of the page before this one; null at the beginning."""


@router.get("/search", response_model=EventPage, openapi_extra=example_of(query="status=404", last="24h", limit="50"))
async def find_events(request: Request, caller: Reader, asked: Annotated[PageParameters, Query()]) -> Response:
    """Find events, the newest first, a page at a time.

    A page begins where its cursor says, whatever was ingested since then.
    """
    del caller
    return await answer_query(request, page_query(asked))


def page_query(asked: PageParameters) -> SearchQuery:
    """Return the query of a page of events.

    Raises:
        ConfigurationError: a parameter is wrong.
    """
    events = asked.check(fields=asked.fields, oldest_first=asked.oldest_first)
    cursor = None if asked.cursor is None else PageCursor.parse(asked.cursor)

    def found(snapshot: Snapshot, search: SearchRequest, stop: StopSignal) -> JsonObject:
        page = read_page(snapshot, search, limit=asked.limit, cursor=cursor, stop=stop)
        return {
            "rows": list(flat_rows(page.events, search.fields)),
            "next": page.next and page.next.token,
            "previous": page.previous and page.previous.token,
        }

    return over_range(events, found)
