"""The tools on standard input and output, for a client that starts this process.

Standard output has the protocol's messages and nothing else: the SDK points it at standard error while it serves, so
that whatever is printed goes there.
"""

from __future__ import annotations

import anyio
from mcp.server.stdio import stdio_server

from service.api.engine import SearchEngine
from service.logs import set_up_logging
from service.mcp.tool_server import create_tool_server
from service.settings import ServiceSettings
from transforms.hot_tier.table import location


def serve_on_stdio(settings: ServiceSettings) -> int:
    """Serve until standard input ends, and return the exit code.

    Raises:
        RekindleError: the tier can't be used.
    """
    set_up_logging(settings.log_format)
    tier = settings.tier_location.open()
    location.check_is_tier_or_empty(tier)
    anyio.run(_serve, SearchEngine(tier))
    return 0


async def _serve(engine: SearchEngine) -> None:
    server = create_tool_server(engine)
    async with stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())
