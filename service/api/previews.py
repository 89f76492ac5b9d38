"""Previews: what a job would ingest, and how."""

from __future__ import annotations

import threading
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from pipelines.jobs.preview import JobPreview, run_preview
from pipelines.jobs.specification import JobSpecification
from service.api.callers import Caller, Ingester
from service.api.documents import Document
from service.api.engine import ended_when_left
from service.api.openapi import body_of
from service.api.specifications import check_job
from service.api.state import service_of
from transforms.hot_tier.search.serving.stop import StopSignal

router = APIRouter(tags=["jobs"])
SAMPLING = threading.BoundedSemaphore(4)
"""A preview, or a trial of pipelines, samples objects in memory, and others wait."""


@router.post(
    "/preview",
    response_model=JobPreview,
    openapi_extra=body_of(JobSpecification, {"bucket": "example-bucket", "pattern": "logs/**"}),
)
async def preview(
    request: Request,
    document: Document,
    caller: Ingester,
    *,
    objects: Annotated[int, Query(ge=0, le=50)] = 5,
    events: Annotated[int, Query(ge=0, le=100)] = 5,
) -> JSONResponse:
    """Show what a job with this specification would ingest, and how: nothing is written."""
    found = await look_at_job(request, document, caller, objects=objects, events=events)
    return JSONResponse(found.as_document())


async def look_at_job(
    request: Request, document: JsonObject, caller: Caller, *, objects: int, events: int
) -> JobPreview:
    """Return the preview of a job, which ends early where its client leaves.

    Raises:
        ApiError: 403, the caller may not start it.
        RekindleError: the specification is wrong, or the source can't be read.
    """
    service, stop = service_of(request), StopSignal()

    def run() -> JobPreview:
        specification, settings = check_job(document, caller, service.settings)
        with SAMPLING:
            return run_preview(specification, settings, objects=objects, events=events, check=stop.check)

    async with ended_when_left(request, stop):
        return await run_in_threadpool(run)
