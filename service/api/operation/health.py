"""Whether the service lives, and whether it can do its work: for probes, without a key."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from pipelines.documents import JsonModel
from service.api.state import Service, service_of
from transforms.core.errors import RekindleError
from transforms.hot_tier.table import location

router = APIRouter(tags=["public"])


class Health(JsonModel):
    """Whether something is as it should be."""

    status: str


class Readiness(Health):
    """Whether the hot tier answers, and how many workers run."""

    workers: int
    reason: str | None = None


@router.get("/healthz")
async def healthz() -> Health:
    """Answer while the service lives."""
    return Health(status="ok")


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def readyz(service: Annotated[Service, Depends(service_of)]) -> JSONResponse:
    """Answer 200 where the hot tier can be used and workers run, else 503."""
    workers = service.count_workers()
    reason = None if workers or not service.settings.job_workers else "no worker runs"
    try:
        location.check_is_tier_or_empty(service.tier)
    except RekindleError as error:
        reason = str(error)
    ready = Readiness(status="ok" if reason is None else "unavailable", workers=workers, reason=reason)
    code = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(ready.as_document(), code)
