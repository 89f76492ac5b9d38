"""Backfill: the form of a job, checked while it is typed, and its start."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.api.callers import Caller
from service.api.jobs import ingest
from service.errors import ApiError
from service.pages.backfill.form import PATH, JobForm, checked, refusal_of, shown_form
from service.pages.backfill.mistakes import status_of
from service.pages.backfill.preview import previewed
from service.pages.backfill.upload import shown_upload
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.sessions import ProvedForm, Visitor
from transforms.core.errors import RekindleError

router = APIRouter(prefix=PATH, include_in_schema=False, route_class=PageRoute)


@router.get("")
async def show_backfill(request: Request, visitor: Visitor) -> Response:
    """Show the form, with what its address has; with its preview where that was asked for."""
    form = JobForm.of(request.query_params)
    if "show" not in request.query_params:
        return _page(request, visitor, await checked(request, visitor, form))
    form, found, status = await previewed(request, visitor, form)
    return _page(request, visitor, form, status=status, **found)


def _page(request: Request, visitor: Caller, form: JobForm, *, status: int = HTTPStatus.OK, **found: Any) -> Response:
    has_looked = bool(found)
    context = {"preview": None, "starts": "", "has_looked": has_looked} | shown_form(request, visitor, form) | found
    context |= shown_upload(request, visitor)
    return render(request, "backfill/page.html", status=status, page="Backfill", **context)


@router.get("/checked")
async def check_typed(request: Request, visitor: Visitor) -> Response:
    """Answer what was typed so far with what is wrong about it, its globs in words, and its command lines."""
    form = await checked(request, visitor, JobForm.of(request.query_params))
    answer = render(request, "backfill/checked.html", **shown_form(request, visitor, form))
    answer.headers["HX-Replace-Url"] = request.scope.get("root_path", "") + form.address
    return answer


@router.post("")
async def start_job(request: Request, visitor: Visitor, values: ProvedForm) -> Response:
    """Start the job, and lead to its page; where it is refused, the form has everything that was typed."""
    form = JobForm.of(values)
    status: int = HTTPStatus.BAD_REQUEST
    if not form.mistakes:
        try:
            if not visitor.has("ingest"):
                raise ApiError(HTTPStatus.FORBIDDEN, refusal_of(visitor))
            started = await ingest(request, form.document, visitor)
            return lead_to(request, f"/pages/jobs/{started.task_id}")
        except (ApiError, RekindleError) as error:
            form, status = form.with_error(error).with_malformed(), status_of(error)
    return _page(request, visitor, form, status=status)
