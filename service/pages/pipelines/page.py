"""Pipelines: the text that the tier keeps, edited, tested on a sample, saved, and set back to an older version."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any, get_args

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from pipelines.jobs.specification import FormatName
from service.api.administration import kept_files
from service.api.administration.trials import check_pipelines, try_out
from service.api.callers import Caller
from service.api.search.pages import PageParameters, page_query
from service.api.search.parameters import engine_of
from service.api.state import Service, service_of
from service.errors import ApiError, reply_of
from service.pages.pipelines.catalogue import EXAMPLE, EXAMPLE_SAMPLE, catalogue, with_include
from service.pages.pipelines.history import difference
from service.pages.pipelines.samples import GIVEN, sample_of, shown_trial
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.sessions import ProvedForm, Visitor
from service.pages.text_editor import Mistake, mistakes_of, read_text, unseen_lines
from transforms.core.errors import ConfigurationError, RekindleError
from transforms.hot_tier.configuration.store import load_version

router = APIRouter(prefix="/pages/pipelines", include_in_schema=False, route_class=PageRoute)
_TYPED = ("text", "base", "file", "sample", *GIVEN, "format", "query", "limit")
_LIMITS = ("5", "10", "20", "50")
_VERSIONS = 50
_SOURCE = "pipelines"
"""What messages call an edited text."""


@router.get("")
async def show_pipelines(
    request: Request, visitor: Visitor, version: str = "", query: str | None = None, limit: str = "", saved: str = ""
) -> Response:
    """Show what the tier keeps, or an older version of it, with events of a search as the sample where one is given."""
    older = _number(version)
    kept = await _kept(request, visitor, older)
    typed = {"text": kept["text"] or "", "base": str(kept["newest"]), "file": kept["file"] or "", "limit": limit}
    if query is not None:
        typed |= {"query": query}
        return await _take_sample(request, visitor, typed)
    return await _show(request, visitor, typed, older=kept if older is not None else None, saved=_number(saved))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 16 else None


async def _kept(request: Request, visitor: Caller, version: int | None = None) -> JsonObject:
    """Return the version of the pipelines that is asked for, and the newest one's number."""
    answer = await run_in_threadpool(kept_files.show_pipelines, service_of(request), visitor, version=version)
    kept: JsonObject = orjson.loads(answer.body)
    newest = kept if version is None else await _kept(request, visitor)
    return kept | {"newest": newest["version"], "newest_text": newest["text"] or ""}


@router.post("")
async def change_pipelines(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Test, save, or put something into the text; what was typed stays."""
    typed = _typed(form)
    action, _, name = form.get("do", "test").partition(":")
    if action == "save":
        return await _save(request, visitor, typed)
    if action == "take" or (action == "test" and typed["query"] and not typed["sample"].strip()):
        return await _take_sample(request, visitor, typed)
    if action == "example":
        return await _show(request, visitor, typed | {"text": EXAMPLE, "sample": EXAMPLE_SAMPLE})
    if action == "include":
        return await _include(request, visitor, typed, name)
    return await _test(request, visitor, typed)


@router.post("/check")
async def check(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Show the mistakes of a text while it is typed."""
    text = _typed(form)["text"]
    found = await run_in_threadpool(_mistakes, text, visitor)
    return render(request, "pipelines/mistakes.html", page="Pipelines", **found)


def _typed(form: dict[str, str]) -> dict[str, str]:
    """Return the fields as they were typed."""
    return {name: read_text(form.get(name, "")) for name in _TYPED}


def _mistakes(text: str, visitor: Caller) -> dict[str, Any]:
    """Return what is wrong with a text, and what can't be seen in it."""
    message = ""
    if text.strip():
        try:
            check_pipelines(text, _SOURCE, visitor)
        except ConfigurationError as error:
            message = str(error)
        except ApiError as error:
            message = error.message
    found: list[Mistake] = mistakes_of(message, text, file=_SOURCE) if message else []
    return {"mistakes": found, "unseen": unseen_lines(text)}


async def _test(request: Request, visitor: Caller, typed: dict[str, str], *, taken: int = 0) -> Response:
    found = await run_in_threadpool(_mistakes, typed["text"], visitor)
    if found["mistakes"]:
        return await _show(request, visitor, typed, status=HTTPStatus.BAD_REQUEST, checked=found, taken=taken)
    if not typed["sample"].strip():
        text = "Paste some events, or take them from a search"
        return await _show(request, visitor, typed, status=HTTPStatus.BAD_REQUEST, wrong={"sample": text})
    document: JsonObject = {"text": typed["text"], "sample": typed["sample"], "events": 50}
    document |= {name: typed[name] for name in GIVEN if typed[name]}
    if typed["format"]:
        document["formatOptions"] = {"format": typed["format"]}
    try:
        tried = await run_in_threadpool(try_out, document, service_of(request), visitor)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        field = str(getattr(error, "field", None) or "sample").replace("formatOptions.", "")
        return await _show(request, visitor, typed, reply=reply, wrong={field: reply.message})
    return await _show(request, visitor, typed, checked=found, trial=shown_trial(tried), taken=taken)


async def _take_sample(request: Request, visitor: Caller, typed: dict[str, str]) -> Response:
    """Put the newest events of a search into the sample."""
    limit = typed["limit"] if typed.get("limit") in _LIMITS else _LIMITS[0]
    try:
        query = page_query(PageParameters(query=typed["query"], limit=int(limit)))
        found = await engine_of(request).run(request, query)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        return await _show(request, visitor, typed, reply=reply, wrong={"query": reply.message})
    if not found["rows"]:
        wrong = {"query": "No event matches: leave the query empty for the newest ones"}
        return await _show(request, visitor, typed, status=HTTPStatus.NOT_FOUND, wrong=wrong)
    typed, taken = typed | sample_of(found["rows"]), len(found["rows"])
    if not typed["text"].strip():
        return await _show(request, visitor, typed, taken=taken)
    return await _test(request, visitor, typed, taken=taken)


async def _include(request: Request, visitor: Caller, typed: dict[str, str], name: str) -> Response:
    if name not in {one.name for one in catalogue()}:
        raise ApiError(HTTPStatus.NOT_FOUND, "there is no such ready-made pipeline")
    text = with_include(typed["text"], name)
    if text is None:
        wrong = {"text": f"Add {name} to the list behind include: the list can't be found in what was typed"}
        return await _show(request, visitor, typed, status=HTTPStatus.BAD_REQUEST, wrong=wrong)
    return await _show(request, visitor, typed | {"text": text}, included=name)


async def _save(request: Request, visitor: Caller, typed: dict[str, str]) -> Response:
    if not visitor.has("admin"):
        text = "Saving takes a key of the role admin"
        return await _show(request, visitor, typed, status=HTTPStatus.FORBIDDEN, wrong={"text": text})
    if not typed["text"].strip():
        text = "The text is empty: to run nothing, save pipelines: []"
        return await _show(request, visitor, typed, status=HTTPStatus.BAD_REQUEST, wrong={"text": text})
    try:
        saved = await run_in_threadpool(_set, service_of(request), visitor, typed)
    except ConfigurationError as error:
        found = await run_in_threadpool(_mistakes, typed["text"], visitor)
        wrong = {} if found["mistakes"] else {"text": str(error)}
        return await _show(request, visitor, typed, status=HTTPStatus.BAD_REQUEST, checked=found, wrong=wrong)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        if reply.status == HTTPStatus.PRECONDITION_FAILED:
            return await _show_conflict(request, visitor, typed)
        return await _show(request, visitor, typed, reply=reply, wrong={"text": reply.message})
    return lead_to(request, "/pages/pipelines", {"saved": saved})


def _set(service: Service, visitor: Caller, typed: dict[str, str]) -> int:
    """Save a text over the version that was edited, also where only rules or holds have changed since then."""
    document = {"text": typed["text"], "file": typed["file"] or "pipelines.yaml"}
    asked = kept_files.checked(document, kept_files.FileText)
    base = _number(typed["base"]) or 0
    set_over = partial(kept_files.set_kept, service, visitor, "pipelines", asked)
    try:
        answer = set_over(expected=base)
    except ApiError as error:
        newest = kept_files.load_asked(service, None)
        edited = load_version(service.tier, base)
        is_other = edited is None or edited.pipelines != newest.pipelines
        if error.status != HTTPStatus.PRECONDITION_FAILED or is_other:
            raise
        answer = set_over(expected=newest.version)
    version: int = orjson.loads(answer.body)["version"]
    return version


async def _show_conflict(request: Request, visitor: Caller, typed: dict[str, str]) -> Response:
    """Show what somebody else has saved in between; what was typed stays, and may be saved over it."""
    theirs = await _kept(request, visitor)
    conflict = theirs | {"difference": await run_in_threadpool(difference, theirs["text"] or "", typed["text"])}
    typed |= {"base": str(theirs["version"])}
    return await _show(request, visitor, typed, status=HTTPStatus.CONFLICT, conflict=conflict)


async def _show(
    request: Request, visitor: Caller, typed: dict[str, str], *, status: int = HTTPStatus.OK, **more: Any
) -> Response:
    known: dict[str, Any] = dict.fromkeys(("trial", "older", "saved", "conflict", "taken", "included"))
    known |= {"wrong": {}, "checked": None} | more
    known["wrong"] = dict.fromkeys((*_TYPED, "key"), "") | known["wrong"]
    kept = await _kept(request, visitor)
    checked = known.pop("checked")
    if checked is None:  # what the tier keeps was checked when it was saved
        text = "" if typed["text"] == kept["text"] else typed["text"]
        checked = await run_in_threadpool(_mistakes, text, visitor) | {"unseen": unseen_lines(typed["text"])}
    versions = kept_files.list_pipelines_versions
    listed = await run_in_threadpool(versions, service_of(request), visitor, limit=_VERSIONS)
    if older := known["older"]:
        older["difference"] = await run_in_threadpool(difference, older["newest_text"], older["text"] or "")
    return render(
        request,
        "pipelines/page.html",
        status=status,
        page="Pipelines",
        typed=dict.fromkeys(_TYPED, "") | {"limit": _LIMITS[0]} | {name: text for name, text in typed.items() if text},
        kept=kept,
        versions=orjson.loads(listed.body)["versions"],
        ready_made=await run_in_threadpool(catalogue),
        may_save=visitor.has("admin"),
        limits=_LIMITS,
        formats=get_args(FormatName),
        **checked,
        **known,
    )
