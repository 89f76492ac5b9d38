"""`GET /metrics`: what Prometheus reads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from prometheus_client.exposition import choose_encoder

from service.api.callers import find_caller, require
from service.api.state import Service, service_of

router = APIRouter(tags=["operation"])
_CONTENT = {name: {"schema": {"type": "string"}} for name in ("text/plain", "application/openmetrics-text")}


def check_may_measure(request: Request, service: Annotated[Service, Depends(service_of)]) -> None:
    """Refuse who has no key of the role read, where the service does not show its metrics to everybody.

    Raises:
        ApiError: 401 or 403.
    """
    if not service.settings.open_metrics:
        require("read")(find_caller(request))


@router.get(
    "/metrics",
    response_class=Response,
    dependencies=[Depends(check_may_measure)],
    responses={200: {"description": "The metrics.", "content": _CONTENT}},
)
def metrics(request: Request, service: Annotated[Service, Depends(service_of)]) -> Response:
    """Show the metrics of this service process and of the tier, as Prometheus or OpenMetrics has them.

    It takes a key of the role read, or none where the service runs with `--open-metrics`.
    """
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(service.metrics.registry), media_type=None, headers={"content-type": content_type})
