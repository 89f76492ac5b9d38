"""The server of the Model Context Protocol, by its official SDK: lists the tools, and calls them."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Hashable
from functools import cache
from typing import Any

import mcp.types as protocol
import orjson
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from pipelines.documents import JsonObject
from service.api.engine import SearchEngine
from service.api.running_calls import RunningCalls
from service.errors import ApiError
from service.logs import log
from service.mcp import texts
from service.mcp.arguments import read_arguments
from service.mcp.tools import TOOLS
from transforms.core.errors import BusyError, ConfigurationError, RekindleError, TierError
from transforms.core.schema import PRODUCT

_QUERY_HINT = 'Queries are such as: status=404 login; level=error AND service IN (cart, pay*); "out of memory"'
_SQL_HINT = "The view is `events`; the tool `fields` lists its attributes."
_HINTS = {"query": _QUERY_HINT, "sql": _SQL_HINT}


def create_tool_server(engine: SearchEngine, calls: RunningCalls | None = None) -> Server[JsonObject]:
    """Return the server over what an engine searches; it keeps no state between calls.

    Args:
        engine: What the tools ask.
        calls: Where calls over HTTP are found by the requests that cancel them.
    """
    calls = calls or RunningCalls()

    async def list_tools(
        context: ServerRequestContext[JsonObject], asked: protocol.PaginatedRequestParams | None
    ) -> protocol.ListToolsResult:
        del context, asked
        return _listed()

    async def call_tool(
        context: ServerRequestContext[JsonObject], asked: protocol.CallToolRequestParams
    ) -> protocol.CallToolResult:
        if asked.name not in TOOLS:
            text = f"there is no tool {asked.name[:100]!r}; there are {', '.join(TOOLS)}"
            raise MCPError(code=protocol.INVALID_PARAMS, message=text)
        began = time.perf_counter()
        result = _failed("the call was canceled")
        with calls.running(call_name(context.request, context.request_id)):
            result = await _answer(engine, asked.name, asked.arguments or {})
        log(
            "a tool was called",
            tool=asked.name,
            failed=result.is_error,
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
            key=None if context.request is None else getattr(context.request.state, "key_id", None),
        )
        return result

    return Server(
        "rekindle",
        version=PRODUCT.rpartition(" ")[2],
        title="Rekindle",
        description="Searches a team's logs, and counts them.",
        instructions=texts.INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


@cache
def _listed() -> protocol.ListToolsResult:
    return protocol.ListToolsResult(tools=[tool.describe() for tool in TOOLS.values()])


def call_name(request: Request | None, request_id: object) -> Hashable | None:
    """Return the name of a call over HTTP: its key, its session and its number; None without a session."""
    session = None if request is None else request.headers.get(MCP_SESSION_ID_HEADER)
    if request is None or session is None:
        return None
    return getattr(request.state, "key_id", None), session, str(request_id)


async def _answer(engine: SearchEngine, name: str, given: dict[str, Any]) -> protocol.CallToolResult:
    """Return a tool's answer; what goes wrong is an answer too, which the model can act on."""
    tool = TOOLS[name]
    try:
        asked = read_arguments(tool.arguments, given)
        document = await engine.run(None, tool.make_query(asked, engine))
    except ConfigurationError as error:
        hint = _HINTS.get(str(error.field))
        return _failed(f"{error}\n{hint}" if hint else str(error))
    except BusyError as error:
        return _failed(str(error))
    except TierError as error:
        log(f"the hot tier failed: {error}", level=logging.ERROR)
        return _failed(f"{error}: try again in some seconds")
    except (RekindleError, ApiError) as error:
        return _failed(str(error))
    except Exception as error:
        number = uuid.uuid4().hex[:12]
        logging.getLogger("rekindle").error("error %s: the tool %s", number, name, exc_info=error)
        return _failed(f"an error of the service, which its log has as {number}")
    text = protocol.TextContent(type="text", text=orjson.dumps(document).decode())
    return protocol.CallToolResult(content=[text], structured_content=document)


def _failed(message: str) -> protocol.CallToolResult:
    return protocol.CallToolResult(content=[protocol.TextContent(type="text", text=message)], is_error=True)
