"""Previews: what a job would ingest, and how."""

from __future__ import annotations

import threading
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.jobs.preview import JobPreview, run_preview
from pipelines.jobs.specification import JobSpecification
from service.api.callers import Ingester
from service.api.documents import Document
from service.api.openapi import body_of
from service.api.specifications import check_job
from service.api.state import service_of

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
    service = service_of(request)

    def run() -> JobPreview:
        specification, settings = check_job(document, caller, service.settings)
        with SAMPLING:
            return run_preview(specification, settings, objects=objects, events=events)

    return JSONResponse((await run_in_threadpool(run)).as_document())
