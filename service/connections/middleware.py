"""What surrounds every request: limits, the headers of every answer, the log, and the metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import errors
from service.logs import log
from service.operation.metrics import Metrics

MOST_REQUESTS = 1000
NO_ROUTE = "-"
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_CACHE = b"cache-control"
_NO_STORE = (_CACHE, b"no-store")
_AMBIGUOUS = errors.answer(
    HTTPStatus.BAD_REQUEST,
    "Transfer-Encoding excludes Content-Length, and HTTP/1.0 has none: a proxy may have read another request",
    headers={"Connection": "close"},
)
_BUSY = errors.answer(
    HTTPStatus.SERVICE_UNAVAILABLE, "too many requests are at work: try again in a while", headers={"Retry-After": "2"}
)
_UNLOGGED = ("/healthz", "/readyz", "/metrics")
_UNLIMITED = ("/healthz", "/readyz")


@dataclass
class AnswerLog:
    """Logs and counts each answer by its route, and not by its address, in which a client may have put anything.

    Attributes:
        app: Answers.
        metrics: Where answers are counted.
        unlogged: How the routes of calls begin whose success is not logged.
        most_requests: How many may be at work.
    """

    app: ASGIApp
    metrics: Metrics
    unlogged: str = "/healthz"
    most_requests: int = MOST_REQUESTS
    _running: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])  # a member of HTTPStatus is shown by its name before Python 3.11
                headers = [*message["headers"], _NOSNIFF]
                decides = any(name.lower() == _CACHE for name, _ in headers)  # a route, whether it may be kept
                message["headers"] = headers if decides else [*headers, _NO_STORE]
            await send(message)

        self._running += 1
        self.metrics.requests_running.set(self._running)
        try:
            await (self._refused(scope) or self.app)(scope, receive, send_on)
        finally:
            self._running -= 1
            self.metrics.requests_running.set(self._running)
            self._note(scope, status, time.perf_counter() - began)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        """Return the answer to a request that no route is to see."""
        names = [name for name, _ in scope["headers"]]
        if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
            return _AMBIGUOUS
        if self._running > self.most_requests and scope["path"] not in _UNLIMITED:
            return _BUSY
        return None

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        self.metrics.count_answer(method=scope["method"], route=route, status=status, seconds=seconds)
        if status < 400 and (route in _UNLOGGED or route.startswith(self.unlogged)):
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


def name_of_address(address: str) -> str:
    """Return the name under which an address is slowed: of IPv6 the network, all of which one client may have."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
