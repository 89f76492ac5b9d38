"""Searches that the tier keeps: their list, and forms that save and delete one."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipelines.documents import JsonObject
from service.api.administration import searches as api
from service.api.search.parameters import fields_of
from service.api.state import service_of
from service.errors import ApiError, ErrorReply, reply_of
from service.pages.explore.question import Question
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.sessions import ProvedForm, Visitor
from transforms.core.errors import RekindleError
from transforms.hot_tier.configuration.searches import MOST_NAME, KeptSearch, load_searches

router = APIRouter(prefix="/explore/searches", include_in_schema=False, route_class=PageRoute)
_PARAMETERS = ("query", "from", "to", "last", "tier", "by")
_TAKEN = (HTTPStatus.PRECONDITION_REQUIRED, HTTPStatus.PRECONDITION_FAILED)


@router.get("")
async def show_searches(request: Request, visitor: Visitor) -> Response:
    """Show the searches that the tier keeps."""
    del visitor
    return await _show(request, Question.of(request))


@router.post("")
async def save_search(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Save what the page of Explore asks for, and lead back to it; another of its name is replaced once that is said.

    What is wrong is shown beside the name that was typed.
    """
    question, name = Question.of_values(form), form.get("name", "").strip()
    service = service_of(request)
    try:
        asked = question.checked(api.SearchToKeep, **_shown(question))
        seen = _version(form.get("replace", ""))
        await run_in_threadpool(api.keep, service, visitor, name, asked, expected=seen)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        known = await run_in_threadpool(load_searches, service.tier) if reply.status in _TAKEN else None
        if known is not None and (taken := known.find(name)) is not None:
            return await _show(request, question, status=HTTPStatus.CONFLICT, typed=name, taken=taken)
        return await _show(request, question, reply=reply, typed=name, failure=reply.message)
    return lead_to(request, "/explore", question.values | {"saved": name})


@router.post("/delete")
async def delete_search(request: Request, visitor: Visitor, form: ProvedForm) -> Response:
    """Delete a search, and lead to the list, which offers to save it again."""
    name, service = form.get("name", ""), service_of(request)
    try:
        seen = _version(form.get("version", ""))
        gone = await run_in_threadpool(api.forget, service, visitor, name, expected=seen)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        return await _show(request, Question.of_values({}), reply=reply, failure=reply.message)
    return lead_to(request, "/explore/searches", _values(gone) | {"deleted": name})


async def _show(
    request: Request,
    question: Question,
    *,
    status: int = HTTPStatus.OK,
    typed: str = "",
    taken: KeptSearch | None = None,
    failure: str = "",
    reply: ErrorReply | None = None,
) -> Response:
    kept = await run_in_threadpool(load_searches, service_of(request).tier)
    is_part = "HX-Request" in request.headers and request.method == "GET"
    return render(
        request,
        "explore/searches_list.html" if is_part else "explore/searches.html",
        status=status,
        reply=reply,
        page="Explore",
        question=question,
        searches=[_row(one) for one in kept.searches],
        typed=typed or request.query_params.get("deleted", ""),
        taken=None if taken is None else _row(taken),
        failure=failure,
        deleted=request.query_params.get("deleted", ""),
        most_name=MOST_NAME,
    )


def _values(kept: KeptSearch) -> dict[str, str]:
    """Return the parameters of the page of Explore that a search opens."""
    columns = {"columns": ",".join(kept.parameters.get("columns", []))}
    return {name: str(kept.parameters[name]) for name in _PARAMETERS if kept.parameters.get(name)} | columns


def _row(kept: KeptSearch) -> JsonObject:
    values = _values(kept)
    ends = [values.get("from", ""), values.get("to", "")]
    span = (
        f"last {values['last']}" if "last" in values else " to ".join(one or "…" for one in ends) if any(ends) else ""
    )
    return {
        "name": kept.name,
        "values": values,
        "query": values.get("query", ""),
        "range": span or "all time",
        "who": kept.who.partition(" (key ")[0],
        "at": f"{kept.at[:16].replace('T', ' ')}",
        "version": kept.version,
    }


def _shown(question: Question) -> dict[str, object]:
    """Return how the events are shown, as a search keeps it."""
    columns = list(map(str, fields_of("columns", [question.values.get("columns", "")])))
    return {"columns": columns, "by": question.values["by"] or None}


def _version(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 16 else None
