"""A service over some events, and the SDK's own client, which calls its tools over the application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from tests.service.conftest import Api, fill, make_api

ADDRESS = "http://127.0.0.1:8080/mcp"
MODES = ["auto", "legacy"]
"""Of the protocol: without and with a handshake."""
_T = TypeVar("_T")


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """A service over six events of two days, for which no key was made."""
    return fill(make_api(tmp_path_factory.mktemp("mcp")))


def over_http(api: Api, work: Callable[[Client], Awaitable[_T]], *, token: str | None = None, mode: str = "auto") -> _T:
    """Let a client of the SDK do something, over HTTP to an application in this process."""

    async def connect() -> _T:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx2.ASGITransport(app=api.client.app)
        async with (
            httpx2.AsyncClient(transport=transport, headers=headers, timeout=60) as http,
            Client(streamable_http_client(ADDRESS, http_client=http), mode=mode) as client,
        ):
            return await work(client)

    return asyncio.run(connect())


def call(api: Api, tool: str, **given: Any) -> CallToolResult:
    """Return what a tool answers; `from_` stands for `from`."""
    arguments = {name.rstrip("_"): value for name, value in given.items()}
    return over_http(api, lambda client: client.call_tool(tool, arguments))


def answer_of(api: Api, tool: str, **given: Any) -> dict[str, Any]:
    """Return the structured answer of a call that succeeds."""
    result = call(api, tool, **given)
    assert not result.is_error, text_of(result)
    document: dict[str, Any] = result.structured_content
    return document


def refusal_of(api: Api, tool: str, **given: Any) -> str:
    """Return the message of a call that fails."""
    result = call(api, tool, **given)
    assert (result.is_error, result.structured_content) == (True, None)
    return text_of(result)


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return content.text
