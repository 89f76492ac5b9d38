"""`POST /mcp`: the tools over HTTP (Streamable HTTP), for keys that may read.

Each request is answered for itself: it may go to any of several services. It is authorised, limited and logged as every
other call. The id of a session, which older clients get, is only a name that no other client knows: a request that
cancels a call finds it by this name, if it comes to the same service.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Message, Receive, Scope, Send

from pipelines.documents import JsonObject
from service.api.callers import LOOPBACK, Reader
from service.api.documents import read_body
from service.api.state import service_of
from service.errors import ApiError
from service.mcp.tool_server import call_name, create_tool_server

router = APIRouter(include_in_schema=False)


class ProtocolAnswer(Response):
    """The answer of the SDK to one request; it ends, with its query, when the client leaves."""

    def __init__(self, manager: StreamableHTTPSessionManager, body: bytes, *, session: str | None) -> None:
        """Take what answers, the body, which was read already, and the id of a session that begins."""
        super().__init__()
        self._manager = manager
        self._body: bytes | None = body
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def receive_body() -> Message:
            if self._body is None:
                return await receive()
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}

        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start" and self._session is not None and message["status"] < 400:
                header = (MCP_SESSION_ID_HEADER.encode(), self._session.encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        async with self._manager.run():
            await self._manager.handle_request(scope, receive_body, send_with_session)


def check_origin(request: Request) -> None:
    """Refuse pages of other machines in a browser here, by whatever name they call the service (DNS rebinding).

    A browser names the page's origin with every POST; the clients of the protocol are programs, and name none.

    Raises:
        ApiError: 403.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    try:
        is_local = urlsplit(origin).hostname in LOOPBACK
    except ValueError:
        is_local = False
    if not is_local:
        text = "Origin: pages of other machines may not call /mcp; programs send no Origin"
        raise ApiError(HTTPStatus.FORBIDDEN, text, field="Origin")


@router.post("/mcp", dependencies=[Depends(check_origin)])
async def answer_message(request: Request, caller: Reader, body: Annotated[bytes, Depends(read_body)]) -> Response:
    """Answer a message of the Model Context Protocol."""
    del caller
    service = service_of(request)
    message = _message(body)
    if message.get("method") == "notifications/cancelled" and isinstance(params := message.get("params"), dict):
        service.tool_calls.cancel(call_name(request, params.get("requestId")))
    session = uuid.uuid4().hex if message.get("method") == "initialize" else None
    # as events, not as one JSON body: only so the SDK ends a call whose client has left
    manager = StreamableHTTPSessionManager(create_tool_server(service.engine, service.tool_calls), stateless=True)
    return ProtocolAnswer(manager, body, session=session)


@router.api_route("/mcp", methods=["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
def refuse_method(request: Request, caller: Reader) -> None:
    """Refuse other methods as the protocol asks: a client that asks for a stream of events learns that there is none.

    Raises:
        ApiError: 405.
    """
    del caller
    text = f"{request.method} is not allowed here; allowed are POST"
    raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, text, headers={"Allow": "POST"})


def _message(body: bytes) -> JsonObject:
    """Return a message, empty where the SDK will refuse it."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
