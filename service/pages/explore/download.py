"""Download of the events that match, as the API streams them: by the cookie, as a form that needs no script."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.api.search.exports import ExportParameters, stream_events
from service.pages.explore.question import Question
from service.pages.rendering import PageRoute
from service.pages.sessions import Visitor

FORMATS = {"csv": "CSV", "ndjson": "JSON, a line an event", "parquet": "Parquet"}
"""Formats by the names that the API gives them."""
router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/explore/download")
async def download(request: Request, visitor: Visitor, format: str = "csv") -> Response:  # noqa: A002
    """Stream all events that match; what is wrong before the first is a page."""
    del visitor
    return await stream_events(request, Question.of(request).checked(ExportParameters, format=format))
