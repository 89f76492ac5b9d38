"""Keys: list, make and revoke; a token is shown once, with lines that use it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from service.api import iam_keys
from service.api.callers import Caller
from service.api.state import service_of
from service.errors import ApiError, ErrorReply, reply_of
from service.pages.keys.ready import ready_lines
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.sessions import ProvedForm, Visitor
from transforms.core.errors import RekindleError

router = APIRouter(prefix="/pages/keys", include_in_schema=False, route_class=PageRoute)
_ROLES = {"ingest": "sends events and starts jobs", "read": "searches", "admin": "does everything"}
_EXPLAINED = {
    "ingest": "For forwarders: sends events by HEC, uploads files, starts jobs, and sees and cancels those of its own. "
    "It reads no event. Its events get the key's environment and team.",
    "read": "For people, dashboards and models: searches, sees all jobs, pipelines, rules, holds and the audit; "
    "tests pipelines. It changes nothing.",
    "admin": "Does all of this; sets pipelines, rules and holds, deletes and restores, undoes jobs, makes and revokes "
    "keys.",
}
_TYPED = ("name", "role", "env", "team", "hec")


def _administrator(visitor: Visitor) -> Caller:
    """Return who looks at the page, where that is an administrator."""
    if not visitor.has("admin"):
        text = "keys take a key of the role admin: sign out, and in again with one"
        raise ApiError(HTTPStatus.FORBIDDEN, text)
    return visitor


Administrator = Annotated[Caller, Depends(_administrator)]


@router.get("")
async def show_keys(request: Request, caller: Administrator) -> Response:
    """Show the keys, and the form that makes one."""
    return await _show(request, caller)


@router.post("")
async def make_key(request: Request, caller: Administrator, form: ProvedForm) -> Response:
    """Make a key, and show its token this once."""
    typed = {name: form.get(name, "").strip() for name in _TYPED}
    document = {name: typed[name] for name in ("name", "role", "env", "team") if typed[name]}
    try:
        made = await run_in_threadpool(
            iam_keys.make_key, document | {"hec": bool(typed["hec"])}, service_of(request), caller
        )
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        return await _show(request, caller, reply=reply, typed=typed, failure=reply.message)
    return await _show(request, caller, made=orjson.loads(made.body))


@router.post("/{key_id}/revoke")
async def revoke_key(request: Request, key_id: str, caller: Administrator, form: ProvedForm) -> Response:
    """Revoke a key, once it was asked whether that is meant."""
    if "sure" not in form:
        return await _show(request, caller, revoking=key_id)
    await run_in_threadpool(iam_keys.end_key, key_id, service_of(request), caller)
    return lead_to(request, "/pages/keys")


async def _show(request: Request, caller: Caller, *, reply: ErrorReply | None = None, **more: Any) -> Response:
    listed = await run_in_threadpool(iam_keys.show_keys, service_of(request), caller)
    absent = dict.fromkeys(("env", "team", "revokedAt", "lastUsedAt"))
    keys = [absent | key for key in orjson.loads(listed.body)["keys"]]
    known: dict[str, Any] = {"typed": dict.fromkeys(_TYPED, ""), "failure": "", "made": None, "revoking": None} | more
    asked = known.pop("revoking")
    revoked = next((key for key in keys if key["id"] == asked), None)
    keys.sort(key=lambda key: (bool(key["revokedAt"]), key["createdAt"]))
    return render(
        request,
        "keys/page.html",
        reply=reply,
        page="Keys",
        keys=keys,
        revoking=revoked,
        roles=_ROLES,
        ready=ready_lines(known["made"], request.base_url) if known["made"] else [],
        explained=_EXPLAINED,
        own=caller.key_id,
        **known,
    )
