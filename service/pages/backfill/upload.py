"""Files that are uploaded from the page, over what `POST /upload` has: streamed, let in by the cookie and a proof."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.api.callers import Caller
from service.api.state import service_of
from service.api.uploads.receiving import Admission
from service.api.uploads.routes import start_upload
from service.errors import ApiError, reply_of
from service.pages.backfill.form import PATH, refusal_of
from service.pages.rendering import PageRoute, lead_on, render
from service.pages.sessions import PROOF, Visitor, check_origin, check_proof
from service.wording import in_words_of_http
from transforms.core.errors import RekindleError
from transforms.formats import FORMAT_NAMES

router = APIRouter(prefix=PATH, include_in_schema=False, route_class=PageRoute)


@router.get("/upload")
async def show_upload(request: Request, visitor: Visitor) -> Response:
    """Show the form of an upload by itself."""
    return render(request, "backfill/upload_page.html", page="Backfill", **shown_upload(request, visitor))


@router.post("/upload")
async def upload_files(request: Request, visitor: Visitor) -> Response:
    """Start a job over the files that a form has, and lead to its page; what is refused is said above the form."""
    is_part = "HX-Request" in request.headers
    try:
        check_origin(request)
        if not visitor.has("ingest"):
            raise ApiError(HTTPStatus.FORBIDDEN, refusal_of(visitor))
        admit = Admission(PROOF, partial(check_proof, request))
        started = await start_upload(request, visitor, admit)
    except (ApiError, RekindleError) as error:
        reply = reply_of(error)
        template = "backfill/upload_failure.html" if is_part else "backfill/upload_page.html"
        shown = shown_upload(request, visitor, failure=in_words_of_http(reply.message))
        return render(request, template, reply=reply, page="Backfill", **shown)
    return lead_on(request, f"/pages/jobs/{started.task_id}")


def shown_upload(request: Request, visitor: Caller, *, failure: str = "") -> dict[str, Any]:
    """Return what templates show of the form of an upload."""
    return {
        "upload_limit": service_of(request).settings.upload_limit,
        "may_upload": visitor.has("ingest"),
        "upload_failure": failure,
        "formats": FORMAT_NAMES,
    }
