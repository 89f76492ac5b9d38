"""Dry runs, and what executes them: kept in the tier, done by a process of its own, and shown by a page."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import yaml
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from service.api.callers import Caller
from service.api.state import Service, service_of
from service.errors import ApiError
from service.logs import log
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.retention.drawing import describe_taken
from service.pages.retention.page import PAGE
from service.pages.sessions import ProvedForm, Visitor, check_admin
from service.workers.followers import start_process
from service.workers.kept_requests import KeptRequest, execution_of, keep_request, load_request, open_requests
from service.workers.maintenance import MaintenanceRequest
from transforms.core.errors import BusyError, ConfigurationError
from transforms.hot_tier.configuration.store import load_configuration
from transforms.hot_tier.table import location
from transforms.query.instants import parse_time
from transforms.retention.durations import parse_duration

router = APIRouter(prefix="/pages/retention", include_in_schema=False, route_class=PageRoute)
_BY_RULES = ("delete", "tier")
_MOST_OPEN = 2
_MOST_SHARE = 0.5
_BETWEEN_DIGITS = re.compile(r"[\s,.'_]")
GRACE = "7d"


@router.post("/dry-run")
async def begin_dry_run(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Begin to count what the tier's rules take."""
    kind = form.get("kind", "delete")
    if kind not in _BY_RULES:
        raise ConfigurationError(f"kind: {kind!r:.40} is not one of {', '.join(_BY_RULES)}", field="kind")
    asked = MaintenanceRequest(kind="tier" if kind == "tier" else "delete", who=visitor.actor, execute=False)
    return await _begin(request, visitor, asked)


@router.post("/restore")
async def begin_restore(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Begin to count what would come back of a deletion or an undone job."""
    run = form.get("run", "")
    if not run:
        raise ConfigurationError("run: it is missing", field="run")
    return await _begin(request, visitor, MaintenanceRequest(kind="restore", who=visitor.actor, run=run, execute=False))


@router.get("/runs/{request_id}")
async def show_run(request: Request, request_id: str, visitor: Visitor) -> Response:
    """Show a dry run, or what executes one: since when it runs, or how it ended."""
    asked = await run_in_threadpool(_load, service_of(request), request_id)
    return _show(request, visitor, asked)


@router.post("/runs/{request_id}/execute")
async def execute(request: Request, request_id: str, visitor: Visitor, form: ProvedForm) -> Response:
    """Begin to do what a dry run has shown: that, or nothing."""
    check_admin(visitor, "executing a dry run")
    dry_run = await run_in_threadpool(_load, service_of(request), request_id)
    answer = dry_run.outcome["answer"] if dry_run.outcome else {"error": ""}
    if dry_run.request.execute or "error" in answer:
        raise ApiError(HTTPStatus.CONFLICT, "this is no dry run that has ended well: make one")
    typed = {"count": form.get("count", "").strip(), "grace": form.get("grace", GRACE).strip()}
    failure = _mistake_in(typed, dry_run.request, answer)
    if failure:
        return _show(request, visitor, dry_run, typed=typed, failure=failure, status=HTTPStatus.BAD_REQUEST)
    asked = dry_run.request.model_copy(update={"who": visitor.actor, "execute": True, "yes": True})
    if dry_run.request.kind in _BY_RULES:
        known = {"now": parse_time(answer["now"]), "rules_sha256": answer["rulesSha256"], "taken": answer["digest"]}
        asked = asked.model_copy(update=known | {"grace": typed["grace"]})
    return await _begin(request, visitor, asked, dry_run=request_id)


async def _begin(
    request: Request, visitor: Caller, asked: MaintenanceRequest, *, dry_run: str | None = None
) -> Response:
    service = service_of(request)
    request_id = await run_in_threadpool(_keep, service, asked, dry_run)
    await run_in_threadpool(start_process, service.settings, request_id, 1)
    if asked.execute:
        log(f"A {asked.kind} was asked for: {request_id}", key=visitor.key_id)
    return lead_to(request, f"/pages/retention/runs/{request_id}")


def _keep(service: Service, asked: MaintenanceRequest, dry_run: str | None) -> str:
    if not location.exists(service.tier):
        raise ApiError(HTTPStatus.NOT_FOUND, "the hot tier has no events yet")
    if asked.kind in _BY_RULES and load_configuration(service.tier).rules is None:
        raise ConfigurationError("the tier has no rules: write some first", field="rules")
    is_asked_again = dry_run is not None and load_request(service.tier, execution_of(dry_run)) is not None
    if len(open_requests(service.tier)) >= _MOST_OPEN and not is_asked_again:
        raise BusyError(f"{_MOST_OPEN} dry runs, deletions or restores run already: try again when one has ended")
    return keep_request(service.tier, asked, dry_run=dry_run)


def _load(service: Service, request_id: str) -> KeptRequest:
    found = load_request(service.tier, request_id)
    if found is None:
        text = "there is no such run here: the history has what was done, and dry runs are kept for 30 days"
        raise ApiError(HTTPStatus.NOT_FOUND, text)
    return found


def _mistake_in(typed: dict[str, str], dry_run: MaintenanceRequest, answer: JsonObject) -> JsonObject | None:
    """Return what is wrong with the form that executes a dry run, None where nothing is."""
    if dry_run.kind != "delete":
        return None
    try:
        parse_duration(typed["grace"], zero=True)
    except ConfigurationError as error:
        return {"field": "grace", "message": str(error)}
    if answer["share"] > _MOST_SHARE and _BETWEEN_DIGITS.sub("", typed["count"]) != str(answer["events"]):
        text = f"more than half of all events go: type {answer['events']:,}, how many they are"
        return {"field": "count", "message": text}
    return None


def _show(
    request: Request, visitor: Caller, asked: KeptRequest, *, status: int = HTTPStatus.OK, **more: Any
) -> Response:
    answer = asked.outcome["answer"] if asked.outcome else None
    context: JsonObject = {"typed": {"count": "", "grace": GRACE}, "failure": None} | more
    is_dry_run = not asked.request.execute
    if answer and is_dry_run and asked.request.kind in _BY_RULES and "error" not in answer:
        context |= describe_taken(answer)
    return render(
        request,
        "retention/run_part.html" if "HX-Request" in request.headers else "retention/run.html",
        status=status,
        page=PAGE,
        asked=asked,
        kind=asked.request.kind,
        is_dry_run=is_dry_run,
        answer=answer,
        ended_at=asked.outcome["at"] if asked.outcome else None,
        most_share=_MOST_SHARE,
        may_change=visitor.has("admin"),
        holds=_holds_of(answer),
        **context,
    )


def _holds_of(answer: JsonObject | None) -> list[dict[str, str]]:
    """Return the holds that would keep what a restore brings back."""
    text = answer.get("hold") if answer else None
    found: list[dict[str, str]] = yaml.safe_load(text)["holds"] if text else []
    return found
