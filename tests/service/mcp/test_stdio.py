"""`rekindle mcp` as a process: what a client that starts it gets, and that its standard output has nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.service.conftest import DAY
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.storage import StorageOptions, open_tier

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "pipelines.cli", "mcp"]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
SECONDS = 120
_T = TypeVar("_T")


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tier with two events."""
    folder = tmp_path_factory.mktemp("stdio") / "hot"
    Tier(open_tier(str(folder), StorageOptions())).add([event(DAY, "one", status="200"), event(DAY, "two ☃")])
    return folder


def over_stdio(location: Path, errors: Path, work: Callable[[Client], Awaitable[_T]], *, mode: str = "auto") -> _T:
    """Let a client of the SDK start `rekindle mcp`, and do something with it."""
    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "--hot-tier", str(location)], env=ENVIRONMENT, cwd=ROOT
    )

    async def connect() -> _T:
        with errors.open("w") as log:
            async with Client(stdio_client(server, errlog=log), mode=mode) as client:
                return await work(client)

    return asyncio.run(connect())


@pytest.mark.slow
def test_a_client_starts_it(location: Path, tmp_path: Path) -> None:
    async def work(client: Client) -> tuple[Any, ...]:
        tools = await client.list_tools()
        found = await client.call_tool("search", {"query": "two"})
        counted = await client.call_tool("sql", {"sql": "SELECT count(*) AS n FROM events"})
        refused = await client.call_tool("search", {"query": "("})
        return tools, found, counted, refused

    tools, found, counted, refused = over_stdio(location, tmp_path / "errors", work)
    assert "sql" in [tool.name for tool in tools.tools]
    assert [row["_message"] for row in found.structured_content["rows"]] == ["two ☃"]
    assert counted.structured_content["rows"] == [{"n": 2}]
    assert refused.is_error
    log = (tmp_path / "errors").read_text()
    assert log.count("a tool was called") == 3
    assert "two" not in log


def exchange(location: Path, *messages: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `rekindle mcp` with some lines as its input."""
    lines = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in messages)
    return subprocess.run(
        [*COMMAND, "--hot-tier", str(location)],
        input=lines.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
    )


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@pytest.mark.slow
def test_its_output_is_messages_alone_and_it_ends_with_its_input(location: Path) -> None:
    ended = exchange(location, HELLO, READY, "no JSON", {"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
    answers = {one.get("id"): one for one in map(json.loads, ended.stdout.decode().splitlines())}
    assert ended.returncode == 0
    assert answers[1]["result"]["serverInfo"]["name"] == "rekindle"
    assert len(answers[2]["result"]["tools"]) == 8
    assert all(one["jsonrpc"] == "2.0" for one in answers.values())


@pytest.mark.slow
def test_without_a_tier_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "hot").write_text("no folder")
    ended = exchange(tmp_path / "hot", HELLO)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert str(tmp_path / "hot") in ended.stderr.decode()
