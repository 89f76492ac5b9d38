"""Time Splunk's HTTP Event Collector beside a bare HTTP answer; prints a table, and puts it into RESULTS.md.

    python -m benchmarks.hec                # batches of 1, 100 and 1,000 events, eight senders, three rounds
    python -m benchmarks.hec --seconds 10 --batches 100

Both are servers of one process: `rekindle serve` over a tier in a folder, which answers when events stand on the disk
and takes them to the tier meanwhile; and uvicorn with a Starlette application that reads the body and answers 200. They
are asked in turns, by the same threads of another process, for the same seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.report import put_section
from benchmarks.run import ROOT, machine, report
from demo.embedded_s3 import free_port
from pipelines.keys import create_key
from transforms.storage import StorageOptions, open_tier

SENDERS = 8
PATH = "/services/collector/event"
_START_SECONDS = 60.0
_BARE = """
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def answer(request):
    await request.body()
    return JSONResponse({"text": "Success", "code": 0})

application = Starlette(routes=[Route("/services/collector/event", answer, methods=["POST"])])
uvicorn.run(application, port=int(sys.argv[1]), log_level="error", access_log=False)
"""


@dataclass
class Answers:
    """What a server has answered: the seconds of each request, and the CPU seconds that it took in all."""

    events: int
    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0

    def add(self, other: Answers) -> None:
        """Add another round."""
        self.seconds += other.seconds
        self.wall += other.wall
        self.cpu += other.cpu

    @property
    def per_second(self) -> float:
        """Events a second."""
        return len(self.seconds) * self.events / self.wall

    def quantile(self, percent: int) -> float:
        """Return the milliseconds that so many percent of the answers took at most."""
        return statistics.quantiles(self.seconds, n=100)[percent - 1] * 1000

    @property
    def cpu_per_thousand(self) -> float:
        """CPU milliseconds for 1,000 events."""
        return self.cpu * 1e6 / (len(self.seconds) * self.events)


@dataclass(frozen=True)
class Contestant:
    """A server that runs."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    token: str

    def cpu_seconds(self) -> float:
        """Return what its process has taken; 0 where there is no /proc."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def body_of(events: int) -> bytes:
    """Return a request as log forwarders send it."""
    return "".join(
        json.dumps(
            {
                "time": 1754951077 + number / 100,
                "host": f"web-{number % 10}",
                "source": "/var/log/nginx/access.log",
                "sourcetype": "access_combined",
                "event": f"203.0.113.{number % 200} - - [11/Aug/2025:22:24:37 +0000] "
                f'"GET /api/v1/items/{number} HTTP/1.1" 200 {number * 7}',
                "fields": {"region": "eu-1", "request": f"r-{number}"},
            }
        )
        for number in range(events)
    ).encode()


def ask(contestant: Contestant, events: int, seconds: float) -> Answers:
    """Send batches by eight threads for some seconds.

    Raises:
        RuntimeError: an answer was not 200.
    """
    body, answers, failures = body_of(events), Answers(events), list[str]()
    headers = {"Authorization": f"Splunk {contestant.token}"}
    deadline = time.perf_counter() + seconds

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", contestant.port, timeout=60)
        while time.perf_counter() < deadline and not failures:
            began = time.perf_counter()
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            answers.seconds.append(time.perf_counter() - began)
            if answer.status != 200:
                failures.append(f"{contestant.name}: {answer.status} {text.decode()}")
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    cpu, began = contestant.cpu_seconds(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.wall, answers.cpu = time.perf_counter() - began, contestant.cpu_seconds() - cpu
    if failures:
        raise RuntimeError(failures[0])
    return answers


@contextmanager
def running(name: str, command: list[str], port: int, token: str) -> Iterator[Contestant]:
    """Run a server until the block ends.

    Raises:
        RuntimeError: it does not come up.
    """
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not come up")
            time.sleep(0.1)
        yield Contestant(name, process, port, token)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status in (200, 404)
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def contestants(folder: Path) -> Iterator[list[Contestant]]:
    """Run both."""
    tier = open_tier(str(folder / "hot"), StorageOptions())
    key = create_key(tier, name="benchmark", role="ingest", env=None, team=None, s3_pull=None, hec=True)
    ports = free_port(), free_port()
    serve = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(ports[0]), "--job-workers", "0"]
    serve += ["--hot-tier", str(folder / "hot"), "--hec-dir", str(folder / "log")]
    with (
        running("rekindle serve", serve, ports[0], key.hec_token or "") as mine,
        running("bare answer", [sys.executable, "-c", _BARE, str(ports[1])], ports[1], "none") as bare,
    ):
        yield [mine, bare]


def measure(names: list[int], *, rounds: int, seconds: float, folder: Path) -> dict[int, dict[str, Answers]]:
    """Return what was measured, by the size of batches and the server."""
    measured: dict[int, dict[str, Answers]] = {}
    with contestants(folder) as both:
        for one in both:  # what is imported or opened by the first request, and by the first commit
            ask(one, 1, 0.5)
        _await_commit(folder / "hot")
        for number in range(rounds):
            for events in names:
                report(f"round {number + 1} of {rounds}: batches of {events}")
                for one in both if number % 2 else both[::-1]:
                    found = measured.setdefault(events, {}).setdefault(one.name, Answers(events))
                    found.add(ask(one, events, seconds))
    return measured


def _await_commit(tier: Path) -> None:
    """Wait until the first events are in the tier.

    Raises:
        TimeoutError: they don't come.
    """
    deadline = time.monotonic() + _START_SECONDS
    while not any(tier.glob("events/tier=hot/*/*.parquet")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no event is in {tier}")
        time.sleep(0.1)


def table(measured: dict[int, dict[str, Answers]], *, rounds: int, seconds: float) -> list[str]:
    """Return the Markdown table."""
    rows: list[tuple[str, Callable[[Answers], str]]] = [
        ("events/s", lambda one: f"{one.per_second:,.0f}"),
        ("p50, ms", lambda one: f"{one.quantile(50):.1f}"),
        ("p95, ms", lambda one: f"{one.quantile(95):.1f}"),
        ("CPU ms for 1,000 events", lambda one: f"{one.cpu_per_thousand:.1f}"),
    ]
    lines = [
        f"`{' '.join(['python -m benchmarks.hec', *sys.argv[1:]])}`, {date.today()}, {machine()}; {SENDERS} senders,",
        f"{rounds} rounds of {seconds:.0f} s each in turns.",
        "",
        "| events a request | | rekindle serve | bare answer | ratio |",
        "|---:|---|---:|---:|---:|",
    ]
    for events, by_name in measured.items():
        mine, bare = by_name["rekindle serve"], by_name["bare answer"]
        for title, text in rows:
            ratio = float(text(mine).replace(",", "")) / max(1e-9, float(text(bare).replace(",", "")))
            lines.append(f"| {events:,} | {title} | {text(mine)} | {text(bare)} | {ratio:.2f} |")
    return lines


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rekindle-hec-") as folder:
        measured = measure(arguments.batches, rounds=arguments.rounds, seconds=arguments.seconds, folder=Path(folder))
    lines = table(measured, rounds=arguments.rounds, seconds=arguments.seconds)
    print("\n".join(lines))
    put_section("HTTP Event Collector", lines)


if __name__ == "__main__":
    main()
