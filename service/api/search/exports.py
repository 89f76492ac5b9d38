"""`GET /export`: all events that match, as NDJSON, CSV or Parquet, while they are found."""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from service.api.callers import Reader
from service.api.openapi import example_of
from service.api.search.parameters import EventParameters, engine_of
from transforms.hot_tier.search.export import ExportForm, export_events
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot

router = APIRouter(tags=["search"])
_FORMS = {"ndjson": ExportForm.NDJSON, "csv": ExportForm.CSV, "parquet": ExportForm.PARQUET}
_CONTENT = {
    form.value: {"schema": {"type": "string", "format": "binary" if form is ExportForm.PARQUET else "text"}}
    for form in ExportForm
}


class ExportParameters(EventParameters):
    """Which events, and how they are written."""

    format: Literal["ndjson", "csv", "parquet"] = "ndjson"
    """Flat rows, or the columns of the table `events`."""
    limit: int | None = Field(None, ge=1)
    """The most events; else all."""
    oldest_first: bool = False
    """The oldest events come first, not the newest."""
    fields: list[str] = []
    """Only these columns and attributes, separated by commas."""


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"description": "The events.", "content": _CONTENT}},
    openapi_extra=example_of(query="status=404", last="7d", format="csv", fields="_time,host,status"),
)
async def export(request: Request, caller: Reader, asked: Annotated[ExportParameters, Query()]) -> StreamingResponse:
    """Stream all events that match, the newest first.

    What fails before the first event is an error as anywhere; what fails later breaks the connection off, so that no
    client takes a part for the whole. A part of the answer may take 30 s.
    """
    del caller
    return await stream_events(request, asked)


async def stream_events(request: Request, asked: ExportParameters) -> StreamingResponse:
    """Answer with all events that match, while they are found.

    Raises:
        ApiError: there are no events yet.
        RekindleError: a parameter is wrong, or the query fails before its first part.
    """
    events = asked.check(fields=asked.fields, oldest_first=asked.oldest_first)
    form = _FORMS[asked.format]

    def parts(snapshot: Snapshot, stop: StopSignal) -> Generator[bytes, None, None]:
        search, _ = events.resolve(snapshot)
        return export_events(snapshot, search, form, limit=asked.limit, stop=stop)

    stream = await engine_of(request).stream(request, parts)
    headers = {"Content-Disposition": f'attachment; filename="events.{asked.format}"'}
    return StreamingResponse(stream, media_type=form.value, headers=headers)
