"""Pages out of templates, with the headers of every page, and errors as pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute

from service.errors import ApiError, ErrorReply, reply_of
from service.pages.assets import asset_path
from service.pages.sessions import COOKIE, PROOF, proof_of
from service.pages.themes import theme_of
from transforms.core.errors import RekindleError

PAGES = ("Explore", "Backfill", "Jobs", "Pipelines", "Retention", "Keys")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request, Cookie",
    "X-Frame-Options": "DENY",
}
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]")
_KEY = re.compile(r"\(key ([0-9a-f]{8})[0-9a-f-]{28}\)")
_UNITS = ("B", "kB", "MB", "GB", "TB")


def render(
    request: Request, name: str, *, status: int = HTTPStatus.OK, reply: ErrorReply | None = None, **context: Any
) -> HTMLResponse:
    """Return a page.

    Args:
        request: The call.
        name: Of its template.
        status: Its status.
        reply: The error that it tells of, which gives the status and headers.
        context: What the template shows.
    """
    headers = _HEADERS
    if reply is not None:
        status, headers = reply.status, _HEADERS | reply.headers
    known = {"request": request, "root": request.scope.get("root_path", ""), "pages": PAGES, "proof": proof_of(request)}
    known |= {"proof_name": PROOF, "has_token": COOKIE in request.cookies, "theme": theme_of(request)}
    return HTMLResponse(_templates().get_template(name).render(known | context), status, headers=headers)


def lead_to(request: Request, path: str, values: dict[str, Any] | None = None) -> RedirectResponse:
    """Return the way to another page, by its path below the service's, which a browser then asks for by GET.

    Args:
        request: The call.
        path: The page's, with its own query where it has one.
        values: Parameters of the page; empty ones are left out.
    """
    query = params(values or {})
    address = f"{path}?{query}" if query else path
    return RedirectResponse(request.scope.get("root_path", "") + address, HTTPStatus.SEE_OTHER)


def lead_on(request: Request, path: str, values: dict[str, Any] | None = None) -> Response:
    """Return the way to another page, also out of a part that htmx has asked for."""
    answer = lead_to(request, path, values)
    if "HX-Request" not in request.headers:
        return answer
    return Response(status_code=HTTPStatus.OK, headers={"HX-Redirect": answer.headers["Location"]})


class PageRoute(APIRoute):
    """A route whose errors are pages, or the way to sign in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def answer_with_pages(request: Request) -> Response:
            try:
                return await answer(request)
            except (ApiError, RekindleError) as error:
                return _error_page(request, error)

        return answer_with_pages


def _error_page(request: Request, error: ApiError | RekindleError) -> Response:
    reply = reply_of(error)
    root = request.scope.get("root_path", "")
    if reply.status == HTTPStatus.UNAUTHORIZED and request.method == "GET":
        path = request.url.path.removeprefix(root)
        here = f"{path}?{request.url.query}" if request.url.query else path
        return lead_on(request, "/login", {"next": here})
    page = render(request, "error.html", reply=reply, message=reply.message, title=HTTPStatus(reply.status).phrase)
    if "HX-Request" in request.headers:
        page.headers["HX-Reswap"] = "none"  # a part that is asked for again and again stays as it was
    return page


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    templates = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, auto_reload=False
    )
    templates.filters["who"] = who
    templates.filters |= {"visible": visible, "number": "{:,}".format, "size": size, "time": time, "params": params}
    templates.globals["asset"] = asset_path
    return templates


def visible(text: object) -> str:
    """Return a text in which characters that are not seen, or turn the direction, stand as escapes."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def who(name: str) -> str:
    """Return who did something, of a key only the first characters of its id."""
    return visible(_KEY.sub(r"(key \1)", name)[:80])


def escape_json(text: str) -> str:
    """Return JSON in which characters that are not seen, or turn the direction, stand as JSON's escapes."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def size(count: int) -> str:
    """Return a number of bytes for people."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def time(moment: datetime) -> str:
    """Return a time in UTC, to the millisecond."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def params(values: dict[str, object]) -> str:
    """Return the parameters of an address, without empty ones."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})
