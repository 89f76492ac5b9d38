"""Deletions by rules, and restores: each in a process of its own, a dry run unless it is to be executed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonModel, JsonObject
from pipelines.maintenance.reports import RestoreReport, RulesReport
from pipelines.maintenance.rules import Rules
from service.api.administration.kept_files import Here, checked
from service.api.callers import Administrator, Caller
from service.api.documents import Document
from service.api.openapi import body_of
from service.api.state import Service
from service.api.turns import turn_of
from service.errors import ApiError
from service.logs import log
from service.workers.maintenance import MaintenanceRequest, run_in_process
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.table import location
from transforms.query.instants import parse_time
from transforms.retention.durations import parse_duration

router = APIRouter(tags=["retention"])
_T = TypeVar("_T")
_MOST_VERSION = 10**15


class DeletionRequest(JsonModel):
    """A deletion by rules."""

    rules: str | None = None
    """The text of a rules file, YAML or JSON; else the rules of the tier."""
    now: str | None = None
    """The time by which retention is reckoned; else now."""
    grace: str = "7d"
    """For how long deleted events can be restored; 0 makes the deletion final."""
    execute: bool = False
    """Whether to delete; else the report shows what each rule would delete."""
    yes: bool = False
    """Whether more than half of all events may go."""


class RestoreRequest(JsonModel):
    """Deletions and undone jobs that are to be taken back: one by `run`, or by `to` all since then."""

    run: str | None = None
    """The id of the run."""
    to: int | str | None = None
    """A version of the table, as a number; or a time."""
    rules: str | None = None
    """The text of a rules file, to report what it would delete again; else the rules that the runs went by."""
    execute: bool = False
    """Whether to restore; else the report shows what would come back."""


@router.post(
    "/deletions", response_model=RulesReport, openapi_extra=body_of(DeletionRequest, {"execute": True, "grace": "30d"})
)
async def delete_events(document: Document, service: Here, caller: Administrator) -> JSONResponse:
    """Delete events by rules, those of the tier or those of the body; a dry run without `execute`.

    More than half of all events go only with `yes`. Holds keep theirs. The answer comes when it is done.
    """
    asked = checked(document, DeletionRequest)
    _parse("grace", asked.grace, partial(parse_duration, zero=True))
    request = MaintenanceRequest(
        kind="delete",
        who=caller.actor,
        rules=asked.rules,
        now=None if asked.now is None else _parse("now", asked.now, parse_time),
        grace=asked.grace,
        execute=asked.execute,
        yes=asked.yes,
    )
    return JSONResponse(await _run(service, caller, request))


@router.post(
    "/restores",
    response_model=RestoreReport,
    openapi_extra=body_of(RestoreRequest, {"run": "20261120T030000Z-delete-1a2b3c4d", "execute": True}),
)
async def restore_events(document: Document, service: Here, caller: Administrator) -> JSONResponse:
    """Bring back what deletions and undone jobs have removed, until their grace ends; a dry run without `execute`."""
    asked = checked(document, RestoreRequest)
    if (asked.run is None) == (asked.to is None):
        text = "run: give either `run`, the id of a deletion or undoing, or `to`, a version of the table or a time"
        raise ConfigurationError(text, field="run")
    request = MaintenanceRequest(
        kind="restore",
        who=caller.actor,
        rules=asked.rules,
        run=asked.run,
        to=_point(asked.to),
        execute=asked.execute,
    )
    return JSONResponse(await _run(service, caller, request))


async def _run(service: Service, caller: Caller, request: MaintenanceRequest) -> JsonObject:
    await run_in_threadpool(_check, service, request)
    async with turn_of(service.maintenance, "other deletions and restores run"):
        document = await run_in_process(service.settings, request)
    if request.execute:
        log(f"A {request.kind} was executed by run {document['runId']}", key=caller.key_id)
    return document


def _check(service: Service, request: MaintenanceRequest) -> None:
    """Check what can be before a process is started."""
    if request.rules is not None:
        Rules.of_text(request.rules, "rules")
    if not location.exists(service.tier):
        raise ApiError(HTTPStatus.NOT_FOUND, "the hot tier has no events yet")


def _point(to: int | str | None) -> int | datetime | None:
    if isinstance(to, int):
        if not 0 <= to < _MOST_VERSION:
            raise ConfigurationError(f"to: {to} is no version of the table", field="to")
        return to
    return None if to is None else _parse("to", to, parse_time).astimezone(timezone.utc)


def _parse(name: str, text: str, parse_text: Callable[[str], _T]) -> _T:
    try:
        return parse_text(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}", field=name) from error
