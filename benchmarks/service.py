"""Time the searches of a running service beside DuckDB and Polars, which ask the same of the same files.

And write a section of benchmarks/RESULTS.md.

    python -m benchmarks.service                             # 10 million events, made the first time
    python -m benchmarks.service --hot-tier DIR --rounds 3   # a tier that is there, of the same events

Contestants take turns. Of each, wall and CPU seconds are measured, and the peak of resident memory; figures are
medians. The service is asked over HTTP, by `rekindle serve --job-workers 0`, and its CPU is that of its process, the
peers are processes that have the files open already; all have two threads. Each question is asked of a service that has just
answered others, but not this one, of which it keeps the counts; "again" is what the same question then takes. A busy machine slows all of them, in CPU seconds too: only ratios hold.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.client import HTTPConnection
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.make_tier import EVENTS, make_tier
from benchmarks.measuring import resident_bytes
from benchmarks.report import put_section
from benchmarks.run import ROOT, WORK, machine, report
from transforms.storage import StorageOptions, open_tier

FACETS = ("level", "status", "service", "method", "host", "sourcetype", "index", "user", "uri_path")
MEMORY_AIM = 600
_THREADS = "2"


@dataclass(frozen=True)
class Condition:
    """A condition in the words of the service, of DuckDB and of Polars."""

    name: str
    query: str
    sql: str
    column: str
    value: str


CONDITIONS = (
    Condition("status=503", "status=503", "status = '503'", "status", "503"),
    Condition("level=error", "level=error", "level ILIKE 'error'", "level", "error"),
    Condition("a word", "timeout", "_message ILIKE '%timeout%'", "_message", "timeout"),
)


@dataclass
class Question:
    """What is asked, and what it took: `(wall, CPU)` by contestant."""

    condition: Condition
    kind: str
    aim: float
    took: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """What the service is asked."""
        query = {"query": self.condition.query}
        if self.kind == "newest":
            return f"/search?{urlencode(query | {'limit': '100'})}"
        if self.kind == "histogram":
            return f"/histogram?{urlencode(query | {'by': 'level'})}"
        return f"/facets?{urlencode(query | {'fields': ','.join(FACETS)})}"

    def median(self, contestant: str) -> tuple[float, float]:
        """Return the median wall and CPU seconds of a contestant."""
        walls, cpus = zip(*self.took[contestant], strict=True)
        return statistics.median(walls), statistics.median(cpus)


def questions() -> list[Question]:
    """Return all questions with their aims in seconds."""
    aims = {"newest": 0.2, "facets": 0.5, "histogram": 0.5}
    return [
        Question(condition, kind, 2.0 if condition.column == "_message" else aim)
        for condition in CONDITIONS
        for kind, aim in aims.items()
    ]


class Service:
    """`rekindle serve` as a process that is asked over HTTP."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        """Take the process, and where it listens."""
        self._process, self._port = process, port

    def ask(self, path: str) -> tuple[dict[str, object], float, float]:
        """Return the answer, and wall and CPU seconds."""
        before, began = self._cpu(), time.perf_counter()
        connection = HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", path)
        answer = connection.getresponse()
        document = json.loads(answer.read())
        seconds = time.perf_counter() - began
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {document}")
        return document, seconds, self._cpu() - before

    @property
    def mib(self) -> float:
        """Its peak of resident memory."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else resident_bytes(self._process.pid) / 2**20

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(tier: Path) -> Iterator[Service]:
    """Run the service."""
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", "0", "--job-workers", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": _THREADS}
    process = subprocess.Popen(
        [*command, "--hot-tier", str(tier)], stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )
    assert process.stderr is not None
    port = next(int(line.rsplit(":", 1)[1]) for line in process.stderr if "Rekindle serves" in line)
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        yield Service(process, port)
    finally:
        process.terminate()
        process.wait()


def ask_duckdb(files: Sequence[str]) -> Callable[[Question], int]:
    """Return what answers by DuckDB."""
    import duckdb

    connection = duckdb.connect(config={"threads": int(_THREADS)})
    connection.execute("SET TimeZone = 'UTC'")
    source = f"read_parquet({list(files)})"

    def ask(question: Question) -> int:
        where = f"FROM {source} WHERE {question.condition.sql}"
        if question.kind == "newest":
            return len(connection.execute(f"SELECT * {where} ORDER BY _time DESC LIMIT 100").fetchall())
        if question.kind == "histogram":
            bars = f"SELECT time_bucket(INTERVAL 3 HOUR, _time), level, count(*) {where} GROUP BY ALL"
            return sum(row[2] for row in connection.execute(bars).fetchall())
        sets = ", ".join(f'("{name}")' for name in FACETS)
        columns = ", ".join(f'"{name}"' for name in FACETS)
        groups = f"SELECT {columns}, count(*) {where} GROUP BY GROUPING SETS ({sets}, ())"
        return int(connection.execute(f"SELECT max(n) FROM ({groups}) t({columns}, n)").fetchall()[0][0])

    return ask


def ask_polars(files: Sequence[str]) -> Callable[[Question], int]:
    """Return what answers by Polars."""
    os.environ["POLARS_MAX_THREADS"] = _THREADS
    import polars as pl

    frame = pl.scan_parquet(list(files), hive_partitioning=False)

    def ask(question: Question) -> int:
        column, value = pl.col(question.condition.column), question.condition.value
        is_word = question.condition.column == "_message"
        found = frame.filter(column.str.contains(f"(?i){value}") if is_word else column == value)
        if question.kind == "newest":
            return found.top_k(100, by="_time").collect(engine="streaming").height
        if question.kind == "histogram":
            bars = found.group_by(pl.col("_time").dt.truncate("3h"), "level").len().collect(engine="streaming")
            return int(bars.get_column("len").sum())
        rows = found.select(FACETS).collect(engine="streaming")
        for name in FACETS:
            rows.get_column(name).value_counts()
        return rows.height

    return ask


PEERS = {"duckdb": ask_duckdb, "polars": ask_polars}


def run_peer(name: str, files: Sequence[str], pipe: Connection) -> None:
    """Answer questions until there are no more."""
    ask = PEERS[name](files)
    while (question := pipe.recv()) is not None:
        began, cpu = time.perf_counter(), time.process_time()
        count = ask(question)
        pipe.send((count, time.perf_counter() - began, time.process_time() - cpu))


@contextmanager
def peers(files: Sequence[str]) -> Iterator[dict[str, Connection]]:
    """Run the peers, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for name in PEERS:
        pipes[name], theirs = context.Pipe()
        context.Process(target=run_peer, args=(name, files, theirs), daemon=True).start()
    try:
        yield pipes
    finally:
        for pipe in pipes.values():
            pipe.send(None)


def count_of(question: Question, answer: dict[str, object]) -> int:
    """Return how many events an answer of the service is about."""
    found = answer["rows"] if question.kind == "newest" else answer["count"]
    return len(found) if isinstance(found, list) else int(str(found))


def ask_all(tier: Path, files: Sequence[str], asked: Sequence[Question], rounds: int) -> float:
    """Ask everything of everyone, in turns; return the peak memory of the service in MiB.

    Raises:
        RuntimeError: they don't agree.
    """
    peak = 0.0
    with peers(files) as others:
        for number in range(rounds):
            report(f"round {number + 1} of {rounds}")
            for question in asked:
                with serving(tier) as service:  # a new one has kept nothing
                    service.ask("/histogram")
                    service.ask(f"/facets?{urlencode({'query': 'level=warning', 'fields': 'status'})}")
                    for again in ("service", "again"):
                        answer, *took = service.ask(question.path)
                        question.took.setdefault(again, []).append((took[0], took[1]))
                    peak = max(peak, service.mib)
                for name, pipe in others.items():
                    pipe.send(question)
                    count, wall, cpu = pipe.recv()
                    question.took.setdefault(name, []).append((wall, cpu))
                    if count != count_of(question, answer):
                        raise RuntimeError(f"{question}: the service has {count_of(question, answer)}, {name} {count}")
    return peak


def lines_of(asked: Sequence[Question], *, events: int, files: int, rounds: int, peak: float) -> list[str]:
    """Return the section."""
    names = ("service", "again", *PEERS)
    head = [f"{name}, wall (CPU) s" for name in names]
    lines = [
        f"`python -m benchmarks.service`, {date.today()}, {machine()}; {events:,} events of {files} files, nine facets, "
        f"medians of {rounds} rounds.",
        "",
        f"| | aim, s | {' | '.join(head)} | CPU ÷ DuckDB |",
        "|---|---:|" + "---:|" * (len(names) + 1),
    ]
    for one in asked:
        cells = [f"{wall:.2f} ({cpu:.2f})" for wall, cpu in map(one.median, names)]
        ratio = one.median("service")[1] / max(0.01, one.median("duckdb")[1])
        lines.append(f"| {one.kind}, {one.condition.name} | {one.aim} | {' | '.join(cells)} | {ratio:.2f} |")
    met = "within" if peak <= MEMORY_AIM else "misses"
    return [*lines, "", f"The service's memory peaked at {peak:.0f} MiB ({met} {MEMORY_AIM})."]


def main() -> None:
    """Make the tier, ask, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hot-tier", type=Path)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    tier = arguments.hot_tier or WORK / f"service-{arguments.events}"
    if not tier.exists():
        report(f"making {tier}")
        make_tier(open_tier(str(tier), StorageOptions()), arguments.events)
    listed = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "files", "--json", "--hot-tier", str(tier)],
        check=True, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    ).stdout.splitlines()  # fmt: skip
    files = [json.loads(line)["path"] for line in listed]
    asked = questions()
    peak = ask_all(tier, files, asked, arguments.rounds)
    lines = lines_of(asked, events=arguments.events, files=len(files), rounds=arguments.rounds, peak=peak)
    put_section("Search by the service", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
