"""`rekindle mcp`."""

from __future__ import annotations

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Command
from pipelines.cli.service_process import become_service, check_installed

EXAMPLES = ("rekindle mcp --hot-tier s3://my-tier/hot",)
_NEEDED = ("mcp", "fastapi")


@click.command(cls=Command, examples=EXAMPLES)
@common_flags
def mcp(common: Common) -> int:
    """Let a language model search the hot tier, by the Model Context Protocol.

    A client (Claude, Cursor and others) starts it, and talks to it on standard input and output. Its tools only read.
    """
    check_installed(*_NEEDED)
    become_service(common, "mcp")
    return 0
