"""The service in this process, and as a process of its own that is asked over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from pipelines.keys import create_key
from service.api.state import Service
from service.app import create_app
from service.connections.protocol import ConnectionLimits
from service.server import make_configuration
from service.settings import ServiceSettings
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.storage import StorageOptions, open_tier

ROOT = Path(__file__).parents[2]
DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)
SECONDS = 120.0


@dataclass
class Api:
    """A service in this process, without workers.

    Attributes:
        service: Its state.
        client: Asks it as a program of this machine.
    """

    service: Service
    client: TestClient

    def key(self, role: str, **fields: Any) -> str:
        """Make a key, and return its token."""
        named: dict[str, Any] = {"name": role, "role": role, "env": None, "team": None, "s3_pull": {}}
        created = create_key(self.service.tier, **named | fields)
        self.service.keyring.forget()
        return created.token

    def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)


def make_api(tmp_path: Path, **settings: Any) -> Api:
    """Return a service over a tier in a folder; its jobs may read `source` there."""
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    (source / "a.log").write_text("2025-01-01 10:00:00 hello\n")
    fields: dict[str, Any] = {"hot_tier": str(tmp_path / "hot"), "allow_dirs": (str(source),), "job_workers": 0}
    service = Service(
        settings=ServiceSettings(**fields | settings), tier=open_tier(str(tmp_path / "hot"), StorageOptions())
    )
    client = TestClient(create_app(service), base_url="http://127.0.0.1:8080", raise_server_exceptions=False)
    return Api(service, client)


def fill(api: Api) -> Api:
    """Give a service six events of two days: statuses 200 and 404, and one event without."""
    first = [
        event(DAY + timedelta(minutes=number), f"GET /{number}", status=status, host="web-1")
        for number, status in enumerate(["200", "404", "200", "404"])
    ]
    second = [
        event(DAY + timedelta(days=1), "login of 'eve' failed", source="auth"),
        event(DAY + timedelta(days=1, seconds=1), "GET /5", status="200", host="web-2"),
    ]
    Tier(api.service.tier).add(first, second, promote=["status"])
    return api


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """A service in this process."""
    return make_api(tmp_path)


@contextmanager
def listening(api: Api, **limits: Any) -> Iterator[int]:
    """Let a service of this process listen, by a thread, and give its port; limits are `ConnectionLimits`' fields."""
    found = ConnectionLimits(dropped=api.service.metrics.connections_dropped, **limits)
    server = uvicorn.Server(make_configuration(api.service, found))
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.force_exit = server.should_exit = True
            thread.join(SECONDS)


@dataclass
class LiveService:
    """`rekindle serve` as a process."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str]

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def ask(
        self, method: str, path: str, document: object = None, *, token: str | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, document and headers of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, None if document is None else json.dumps(document), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or "null"), dict(response.getheaders())
        finally:
            connection.close()

    def wait_for(self, task_id: str, *statuses: str, token: str | None = None) -> dict[str, Any]:
        """Wait until a job has one of some statuses, and return its report."""
        deadline = time.monotonic() + SECONDS
        report: dict[str, Any] = {}
        while time.monotonic() < deadline:
            _, report, _ = self.ask("GET", f"/jobs/{task_id}", token=token)
            if report["status"] in (statuses or ("Succeeded", "Failed", "Canceled")):
                return report
            threading.Event().wait(0.1)
        raise TimeoutError(f"{report}\n{self.log}")


@contextmanager
def serving(tier: object, *flags: object) -> Iterator[LiveService]:
    """Run `rekindle serve` on a free port; it is ended after the block, if it still runs."""
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", "0", "--hot-tier", tier, *flags]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    process = subprocess.Popen(
        list(map(str, command)), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    lines: list[str] = []
    listening = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if "Rekindle serves" in line:
                listening.set()
        listening.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert listening.wait(SECONDS)
        assert process.poll() is None, "".join(lines)
        started = next(line for line in lines if "Rekindle serves" in line)
        yield LiveService(process, int(started.rsplit(":", 1)[1].split("/")[0].strip(' "}\n')), lines)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
