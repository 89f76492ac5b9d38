"""The application: its routes, its errors, what is logged of a request, and the headers of every answer."""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import errors
from service.api import audit, health, iam_keys, jobs, previews
from service.api.administration import deletions, holds, kept_files, trials
from service.api.hec import routes as hec
from service.api.openapi import describe
from service.api.search import contents, counts, exports, pages, statements, surrounding
from service.api.state import Service
from service.api.uploads import routes as uploads
from service.logs import log
from service.mcp import route as mcp_route
from service.pages import assets, entry, explore

_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_REFUSE_AMBIGUOUS = errors.answer(
    HTTPStatus.BAD_REQUEST,
    "Content-Length and Transfer-Encoding exclude each other: a proxy may have read another request",
    headers={"Connection": "close"},
)
MODULES = (
    *(hec, jobs, uploads, previews, pages, surrounding, counts, contents, statements, exports),
    *(kept_files, holds, trials, deletions, audit, iam_keys, mcp_route, health),
    *(entry, explore, assets),
)
"""What has routes, in the order in which they are tried: what forwarders call all the time comes first."""
_UNLOGGED = ("/healthz", "/readyz")
"""Calls whose success is not logged."""


def create_app(service: Service) -> FastAPI:
    """Return the application of a service."""
    # no pages of Swagger or ReDoc: they load their scripts from elsewhere
    app = FastAPI(docs_url=None, redoc_url=None)
    app.state.service = service
    errors.install(app)
    for module in MODULES:
        app.include_router(module.router)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    app.add_middleware(AnswerLog)
    return app


class AnswerLog:
    """Logs each answer by its route, and not by its address, in which a client may have put anything."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application that answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        names = [name for name, _ in scope["headers"]]
        if b"content-length" in names and b"transfer-encoding" in names:
            await _REFUSE_AMBIGUOUS(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            _log_answer(scope, status, time.perf_counter() - began)


def _log_answer(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "-")
    if status < 400 and (route in _UNLOGGED or hec.PATH in route):
        return
    client = scope.get("client")
    log(
        "answered",
        method=scope["method"],
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        key=scope.get("state", {}).get("key_id"),
        address=client[0] if client else None,
    )
