"""The service as a process: the documented call, how it starts and ends, and jobs that outlive it."""

from __future__ import annotations

import asyncio
import bz2
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from service import server
from service.settings import ServiceSettings
from tests.conftest import S3
from tests.pipelines.conftest import Ended, content, read_files, rekindle
from tests.service.conftest import SECONDS, LiveService, serving
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import RekindleError
from transforms.storage import StorageOptions, open_tier

__all__ = ["rekindle"]
DOCUMENTED = (
    "curl --silent --show-error --write-out %{{http_code}} --location 'http://{token}@127.0.0.1:{port}/ingest' "
    "--header 'Content-Type: application/json' "
    """--data '{{"bucket": "{bucket}", "pattern": "logs/example_logs.bz2", "region": "us-east-1", """
    """"modifiedAfter": "2025-01-01T00:00:00Z"}}'"""
)


@pytest.mark.slow
def test_the_documented_call(s3: S3, rekindle: Callable[..., Ended]) -> None:
    s3.put("logs/example_logs.bz2", bz2.compress(b"2025-08-11 10:00:00 one\n2025-08-11 10:00:01 two\n"))
    tier = f"s3://{s3.bucket}-tier/hot"
    s3.client.create_bucket(Bucket=f"{s3.bucket}-tier")
    flags = ("--endpoint-url", s3.endpoint_url)
    refused = rekindle("serve", "--host", "0.0.0.0", "--tls-cert", "x", "--hot-tier", tier, *flags)  # noqa: S104
    assert (refused.code, "--tls-cert and --tls-key go together" in refused.err) == (2, True)
    key = rekindle("keys", "create", "--role", "admin", "--json", "--hot-tier", tier, *flags).json
    with serving(tier, *flags, "--job-workers", "1", "--log-format", "json") as service:
        command = DOCUMENTED.format(token=key["token"], port=service.port, bucket=s3.bucket)
        assert shutil.which("curl"), "this test is of curl"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
        assert done.stdout.endswith("200"), done.stdout
        task_id = json.loads(done.stdout.removesuffix("200"))["taskId"]
        report = service.wait_for(task_id, token=key["token"])
        assert (report["status"], report["events"]) == ("Succeeded", 2), service.log
        wrong = DOCUMENTED.format(token="rk_wrong", port=service.port, bucket=s3.bucket)  # noqa: S106
        done = subprocess.run(wrong, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
        assert done.stdout == '{"error":{"field":"token","message":"Invalid token"}}401'
        service.process.terminate()
        assert service.process.wait(SECONDS) == 0
    assert [row["_message"] for row in content(rekindle, tier, *flags)] == [
        "2025-08-11 10:00:00 one",
        "2025-08-11 10:00:01 two",
    ]
    assert [json.loads(line)["message"] for line in service.lines][-1] == "the service has ended"
    assert key["token"] not in service.log
    assert "rk_wrong" not in service.log


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"host": "0.0.0.0"}, "there is no key of the role admin in .* opens on 0.0.0.0 to others"),  # noqa: S104
        ({"host": "::"}, "there is no key of the role admin in"),
        ({"root_path": "/logs"}, "opens behind a proxy .--root-path /logs. to others"),
        ({"tls_cert": "none.pem", "tls_key": "none.pem"}, "there is no file none.pem"),
        ({"host": "127.0.0.1", "port": 1, "hot_tier": "/dev/null"}, "hot tier"),
    ],
    ids=str,
)
def test_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr(server, "set_up_logging", lambda _: None)
    with pytest.raises(RekindleError, match=message):
        server.serve(ServiceSettings(**{"hot_tier": str(tmp_path / "hot")} | settings))


def test_a_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "set_up_logging", lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RekindleError, match=f"can't listen on 127.0.0.1:{port}: .*; --port takes another"):
            server.serve(ServiceSettings(hot_tier=str(tmp_path / "hot"), port=port))


def test_answers_are_sent_without_delay(tmp_path: Path) -> None:
    """Nagle's algorithm holds a body back until its head is acknowledged, which a client does 40 ms later."""
    with server._listen(ServiceSettings(hot_tier=str(tmp_path / "hot"), port=0)) as listener:
        accepted: list[bool] = []

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connection = transport.get_extra_info("socket")
                accepted.append(bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
                transport.close()

        async def connect() -> None:
            serving_loop = await asyncio.get_running_loop().create_server(Protocol, sock=listener)
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            assert await reader.read() == b""
            writer.close()
            serving_loop.close()

        asyncio.run(connect())
    assert accepted == [True]


def kill_at_once(*services: LiveService) -> list[int]:
    """Kill services and their workers, as a machine that fails does; return the workers' numbers."""
    workers = []
    for service in services:
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(service.process.pid)], capture_output=True, text=True, check=False
        )
        workers += [int(pid) for pid in listed.stdout.split()]
        os.kill(service.process.pid, signal.SIGKILL)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    return workers


@pytest.mark.slow
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside-another"])
def test_killed_during_three_jobs(tmp_path: Path, rekindle: Callable[..., Ended], *, beside: bool) -> None:
    source, tier = tmp_path / "source", tmp_path / "hot"
    for job in range(3):
        (source / str(job)).mkdir(parents=True)
        for number in range(12):
            lines = "".join(f"2025-01-01 10:00:00 job {job} object {number} line {line}\n" for line in range(10_000))
            (source / str(job) / f"{number}.log").write_text(lines)
    flags = ("--allow-dir", source, "--job-workers", "3")
    with ExitStack() as services:
        other = services.enter_context(serving(tier, *flags)) if beside else None
        first = services.enter_context(serving(tier, *flags))
        ids = [
            first.ask("POST", "/ingest", {"bucket": f"file://{source}", "pattern": f"{job}/**"})[1]["taskId"]
            for job in range(3)
        ]
        for task_id in ids:
            first.wait_for(task_id, "Running", "Succeeded")
        assert len(kill_at_once(first)) == 3
        after = other or services.enter_context(serving(tier, *flags))
        reports = [after.wait_for(task_id, "Succeeded", "Failed", "Canceled") for task_id in ids]
    assert [(one["status"], one["objects"]["ingested"]) for one in reports] == [("Succeeded", 12)] * 3
    counted = "SELECT _object, count(*), count(DISTINCT _event_id) FROM events GROUP BY ALL"
    rows = read_files(rekindle, tier, counted)
    assert (len(rows), {row[1:] for row in rows}) == (36, {(10_000, 10_000)})
    assert list((tier / "_rekindle" / "queue").glob("*")) == []


@pytest.mark.slow
def test_ended_and_started_again_it_goes_on(tmp_path: Path, rekindle: Callable[..., Ended]) -> None:
    source, tier = tmp_path / "source", tmp_path / "hot"
    source.mkdir()
    for number in range(12):
        (source / f"{number}.log").write_text(
            "".join(f"2025-01-01 10:00:00 object {number} line {line}\n" for line in range(10_000))
        )
    flags = ("--allow-dir", source, "--job-workers", "1")
    with serving(tier, *flags) as first:
        ids = [first.ask("POST", "/ingest", {"bucket": f"file://{source}"})[1]["taskId"] for _ in range(2)]
        first.wait_for(ids[0], "Running")
        first.process.terminate()
        assert first.process.wait(SECONDS) == 0
    listed = rekindle("jobs", "list", "--hot-tier", tier, "--json").rows
    assert {row["status"] for row in listed} == {"Pending"}
    with serving(tier, *flags) as second:
        reports = [second.wait_for(task_id) for task_id in ids]
    assert [one["status"] for one in reports] == ["Succeeded", "Succeeded"]
    assert [one["objects"]["ingested"] for one in reports] == [12, 0]
    assert read_files(rekindle, tier, "SELECT count(*), count(DISTINCT _event_id) FROM events") == [(120_000, 120_000)]


def processor_seconds(service: LiveService) -> float:
    """Return how much CPU the server's process has taken, without its workers."""
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_query_whose_client_has_left_frees_its_core(tmp_path: Path) -> None:
    Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add([event("2025-01-01T00:00:00", "m")])
    statement = "SELECT count(*) FROM range(1000000000000) t(a) WHERE a % 3 = 5"
    with serving(tmp_path / "hot", "--job-workers", "0") as service:
        service.ask("POST", "/sql", {"sql": "SELECT 1"})
        for _ in range(3):
            connection = HTTPConnection("127.0.0.1", service.port, timeout=SECONDS)
            before = processor_seconds(service)
            connection.request("POST", "/sql", json.dumps({"sql": statement}))
            wait_for_work(service, before + 0.3)
            connection.close()
            threading.Event().wait(1)
            left = processor_seconds(service)
            threading.Event().wait(1)
            assert processor_seconds(service) - left < 0.1
        assert service.ask("POST", "/sql", {"sql": "SELECT 1 AS one"})[1]["rows"] == [{"one": 1}]
        assert service.log.count("status=499") == 3


def wait_for_work(service: LiveService, seconds: float) -> None:
    """Wait until the server's process has taken so much CPU."""
    deadline = time.monotonic() + SECONDS
    while processor_seconds(service) < seconds:
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
