"""The command line in this process and in one of its own, and an independent reader of what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.cli import main as cli

ROOT = Path(__file__).parents[2]
NOT_CONTENT = {"_observed_at", "_correlation_id"}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def rekindle(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run `rekindle ARGV` in this process."""
    monkeypatch.delenv("REKINDLE_HOT_TIER", raising=False)

    def call(*argv: object) -> Ended:
        capfd.readouterr()
        code = cli.run([str(arg) for arg in argv])
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return call


def start_rekindle(*argv: object, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start `rekindle ARGV` as a process of its own."""
    command = [sys.executable, "-m", "pipelines.cli", *map(str, argv)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True
    )


def content(rekindle: Callable[..., Ended], tier: object, *flags: object) -> list[dict[str, Any]]:
    """Return all flat rows of a tier but for what differs from run to run, in the order of their ids."""
    ended = rekindle("search", "", "--limit", 10_000_000, "--json", "--hot-tier", tier, *flags)
    assert ended.code == 0, ended.err
    rows = ended.rows
    for row in rows:
        for name in [*NOT_CONTENT, *(("_time", "date") if row["_time_source"] == "received" else ())]:
            row.pop(name, None)
    return sorted(rows, key=lambda row: (row["_event_id"], json.dumps(row)))


def read_files(
    rekindle: Callable[..., Ended], tier: object, query: str = "SELECT * FROM events"
) -> list[tuple[Any, ...]]:
    """Ask DuckDB, which knows nothing of the product, about the live files that `rekindle files` names."""
    files = rekindle("files", "--hot-tier", tier).out.splitlines()
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    connection.register(
        "events", connection.read_parquet(files, union_by_name=True, hive_partitioning=True)
    ) if files else None
    return connection.execute(query).fetchall()
