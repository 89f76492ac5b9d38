"""Signing in and out, and the first page."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from service.api.callers import caller_of
from service.errors import ApiError, reply_of
from service.pages.rendering import PageRoute, lead_to, render
from service.pages.sessions import Form, ProvedForm, Visitor, address_parts, forget_token, keep_token, path_here
from service.pages.themes import keep_theme

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/")
async def first_page(request: Request) -> Response:
    """Lead to the page Explore."""
    return lead_to(request, "/explore")


@router.get("/login")
async def show_login(request: Request, next: str = "") -> Response:  # noqa: A002 - the parameter's name
    """Show the form that asks for a token."""
    return render(request, "login.html", next=path_here(next), message="")


@router.post("/login")
async def sign_in(request: Request, form: Form) -> Response:
    """Take a token, which the browser keeps from then on."""
    token, then = form.get("token", "").strip(), path_here(form.get("next", ""))
    try:
        caller = await run_in_threadpool(caller_of, request, token or None)
    except ApiError as error:
        return render(request, "login.html", reply=reply_of(error), next=then, message=error.message)
    if not caller.has("read"):
        text = "This key may not read: take one of the role read or admin"
        return render(request, "login.html", status=HTTPStatus.FORBIDDEN, next=then, message=text)
    answer = lead_to(request, then)
    if token:
        keep_token(request, answer, token)
    else:  # no key was made yet; what the browser has is of another tier
        forget_token(request, answer)
    return answer


@router.post("/logout")
async def sign_out(request: Request, form: ProvedForm) -> Response:
    """Let the browser forget the token."""
    del form
    answer = lead_to(request, "/login")
    forget_token(request, answer)
    return answer


@router.post("/theme")
async def set_theme(request: Request, form: Form) -> Response:
    """Keep the theme that was chosen, and lead back to the page."""
    came_from = address_parts(request.headers.get("referer", ""))
    path = came_from.path.removeprefix(request.scope.get("root_path", ""))
    answer = lead_to(request, path_here(f"{path}?{came_from.query}" if came_from.query else path))
    keep_theme(request, answer, form.get("theme", ""))
    return answer


@router.get("/pages/help")
async def show_help(request: Request, visitor: Visitor) -> Response:
    """Show the keys of the pages."""
    del visitor
    return render(request, "help.html", page="Help")


@router.get("/pages/{name}")
async def show_missing(visitor: Visitor, name: str) -> Response:
    """Say that a page is not there."""
    del visitor, name
    raise ApiError(HTTPStatus.NOT_FOUND, "There is no page at this address: the links above lead to those there are")
