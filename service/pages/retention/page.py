"""Retention: the tier's rules in an editor with versions, and holds that are set and lifted."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from service.api.administration.holds import MOST_HOLDS
from service.api.administration.kept_files import FileText, change_as, load_asked, set_kept
from service.api.callers import Caller
from service.api.state import Service, service_of
from service.errors import ApiError, ErrorReply, reply_of
from service.logs import log
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.retention.history import find_running, read_history
from service.pages.retention.kept import describe_kept
from service.pages.sessions import ProvedForm, Visitor, check_admin
from service.pages.text_editor import mistakes_of, read_text
from transforms.core.errors import ConfigurationError, ConflictError, QueryError, RekindleError
from transforms.hot_tier.configuration.holds import add_hold, lift_hold
from transforms.hot_tier.configuration.store import RULES_SET, Configuration, load_changes, load_configuration
from transforms.hot_tier.maintenance.audit import audit_configuration

router = APIRouter(prefix="/pages/retention", include_in_schema=False, route_class=PageRoute)
PAGE = "Retention"
_FILE = "rules.yaml"
_VERSIONS = 50
_HOLD_FIELDS = ("name", "when", "why")
EXAMPLE = """rules:
  - {name: debug, retention: 7d, when: level=debug, description: noise}
  - {name: all, retention: 90d}
tiers:
  - {name: old, retention: 30d}
"""


@router.get("")
async def show_retention(request: Request, visitor: Visitor, when: str = "") -> Response:
    """Show rules and holds, what runs now, and what was done; a query is in the form of a hold, if one is given."""
    return await _show(request, visitor, typed=dict.fromkeys(_HOLD_FIELDS, "") | {"when": when})


@router.get("/rules")
async def show_rules(request: Request, visitor: Visitor, version: str = "") -> Response:
    """Show the text of the rules, or of one of their versions, in an editor."""
    known = await run_in_threadpool(_kept_text, service_of(request), version)
    return _show_editor(request, visitor, known)


@router.post("/rules")
async def set_rules(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Set the rules, if nothing in them is wrong and nobody has set others meanwhile."""
    check_admin(visitor, "setting rules")
    service, text = service_of(request), read_text(form.get("text", ""))
    known = await run_in_threadpool(_kept_text, service, "")
    try:
        if form.get("based") != known["based"]:
            raise ConflictError("others were set meanwhile: compare yours with them, and set yours again")
        asked = FileText(text=text, file=known["file"])
        await run_in_threadpool(set_kept, service, visitor, "rules", asked, expected=known["version"])
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        mistakes = mistakes_of(reply.message, text, file=known["file"])
        return _show_editor(request, visitor, known | {"text": text}, mistakes=mistakes, reply=reply)
    return lead_to(request, "/pages/retention")


@router.post("/holds")
async def set_hold(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Set a hold."""
    check_admin(visitor, "setting a hold")
    typed = {name: form.get(name, "").strip() for name in _HOLD_FIELDS}
    try:
        await run_in_threadpool(_add, service_of(request), visitor, typed)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        position = error.position if isinstance(error, QueryError) else None
        failure = {"field": _field_of(error), "message": reply.message.partition("\n")[0], "position": position}
        return await _show(request, visitor, reply=reply, typed=typed, failure=failure)
    return lead_to(request, "/pages/retention#holds")


@router.post("/holds/lift")
async def end_hold(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Lift a hold, once it was asked whether that is meant."""
    check_admin(visitor, "lifting a hold")
    name = form.get("name", "")
    if "sure" not in form:
        return await _show(request, visitor, lifting=name)
    try:
        await run_in_threadpool(_lift, service_of(request), visitor, name)
    except ConfigurationError:  # somebody else has lifted it
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no hold {name!r:.80} any more") from None
    return lead_to(request, "/pages/retention#holds")


async def _show(request: Request, visitor: Caller, *, reply: ErrorReply | None = None, **more: Any) -> Response:
    found = await run_in_threadpool(_load, service_of(request))
    known: JsonObject = {"typed": dict.fromkeys(_HOLD_FIELDS, ""), "failure": None, "lifting": None} | more
    lifting = next((hold for hold in found["holds"] if hold["name"] == known["lifting"]), None)
    if known["lifting"] is not None and lifting is None:
        raise ApiError(HTTPStatus.NOT_FOUND, f"there is no hold {known['lifting']!r:.80}")
    return render(
        request,
        "retention/page.html",
        reply=reply,
        page=PAGE,
        example=EXAMPLE,
        may_change=visitor.has("admin"),
        **(known | {"lifting": lifting} | found),
    )


def _load(service: Service) -> JsonObject:
    found = describe_kept(load_configuration(service.tier))
    return found | {"running": find_running(service.tier), "history": read_history(service.tier)}


def _show_editor(request: Request, visitor: Caller, known: JsonObject, **more: Any) -> Response:
    context: JsonObject = {"mistakes": [], "may_change": visitor.has("admin"), "example": EXAMPLE} | more
    return render(request, "retention/rules.html", page=PAGE, **known, **context)


def _kept_text(service: Service, version: str) -> JsonObject:
    """Return the text of the rules as it is now or was at a version, and when they were set."""
    newest = load_configuration(service.tier)
    asked = int(version) if version.isdecimal() and len(version) < 10 else None
    if version and asked is None:
        raise ConfigurationError(f"version: {version!r:.40} is no number", field="version")
    shown = newest if asked is None else load_asked(service, asked)
    changes = load_changes(service.tier, {RULES_SET}, limit=_VERSIONS)
    return {
        "text": shown.rules.text if shown.rules else "",
        "file": newest.rules.file if newest.rules else _FILE,
        "version": newest.version,
        "based": newest.rules.sha256 if newest.rules else "",
        "asked": asked,
        "versions": [{"version": one.version, "at": one.at, "who": one.who} for one in changes],
    }


def _add(service: Service, caller: Caller, typed: dict[str, str]) -> None:
    def change() -> Configuration:
        if len(load_configuration(service.tier).holds) >= MOST_HOLDS:
            raise ConfigurationError(f"there are {MOST_HOLDS:,} holds, which is the most: lift some", field="name")
        return add_hold(service.tier, name=typed["name"], when=typed["when"], description=typed["why"])[0]

    _change_holds(service, caller, "set", change)


def _lift(service: Service, caller: Caller, name: str) -> None:
    _change_holds(service, caller, "lifted", lambda: lift_hold(service.tier, name)[1])


def _change_holds(service: Service, caller: Caller, what: str, change: Callable[[], Configuration]) -> None:
    configuration = change_as(caller, change)
    audit_configuration(service.tier)
    log(f"A hold of the tier was {what} (version {configuration.version})", key=caller.key_id)


def _field_of(error: Exception) -> str:
    """Return the field of the form that an error is about."""
    return "name" if getattr(error, "field", None) == "name" else "when"
