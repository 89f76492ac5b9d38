"""`GET /audit`: who did what to the hot tier."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from pipelines.documents import JsonModel, JsonObject
from service.api.callers import Reader
from service.api.openapi import example_of
from service.api.state import Service, service_of
from transforms.hot_tier.maintenance.audit import audit_document, read_audit
from transforms.hot_tier.table import location

router = APIRouter(tags=["audit"])
MOST_ROWS = 1000
_MOST_READ = 10_000


class AuditRow(JsonModel):
    """One thing that was done; counts are null where it has none."""

    run_id: str
    kind: str
    """Such as `delete`, `undo` or `restore`."""
    rule: str | None
    """The rule, the hold, or the name of what was changed."""
    done_at: datetime
    now: datetime | None
    who: str | None
    events: int | None
    files: int | None
    bytes: int | None
    version_before: int | None
    version_after: int | None
    rules_file: str | None
    rules_sha256: str | None
    detail: JsonObject


class AuditAnswer(JsonModel):
    """What was done, the newest first."""

    rows: list[AuditRow]


@router.get("/audit", response_model=AuditAnswer, openapi_extra=example_of(limit="20", kind="delete,undo"))
def audit(
    service: Annotated[Service, Depends(service_of)],
    caller: Reader,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    kind: Annotated[list[str], Query(description="Only rows of these kinds, among the newest 10,000.")] = [],  # noqa: B006
) -> Response:
    """Show who did what to the hot tier, the newest first.

    The rows are those of deletions, undone jobs, restores, moves, compactions, promotions and removals, and of changes
    to holds, pipelines and rules.
    """
    del caller
    kinds = {name.strip() for one in kind for name in one.split(",")}
    read = read_audit(service.tier, limit=_MOST_READ if kinds else limit) if location.exists(service.tier) else []
    rows = [row for row in reversed(read) if not kinds or row["kind"] in kinds][:limit]
    return Response(
        orjson.dumps({"rows": list(map(audit_document, rows))}, option=orjson.OPT_UTC_Z), media_type="application/json"
    )
