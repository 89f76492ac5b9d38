"""A job by worker processes: the same content as by threads, whatever dies in its middle."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import S3, THOROUGH
from tests.fault_proxy import FaultProxy, Gate
from tests.pipelines.conftest import Ended, content, start_rekindle
from tests.pipelines.jobs.test_exactly_once import HELD, LINES, fill
from tests.pipelines.runner.test_processes import PROCESSES, is_alive

Rekindle = Callable[..., Ended]
OBJECTS = 12
MODES = {"threads": (), "processes": ("--", PROCESSES)}


def backfill(s3: S3, tier: Path, workers: int, mode: str, *, endpoint_url: str = "") -> list[object]:
    """Return the command line of a job."""
    return [
        *("backfill", "--bucket", s3.bucket, "--pattern", "logs/**", "--wave-bytes", "140K", "--hot-tier", tier),
        *("--endpoint-url", endpoint_url or s3.endpoint_url, "--json", "--workers", workers),
        *MODES[mode],
    ]


@pytest.mark.slow
def test_the_same_content_however_many_work(s3: S3, tmp_path: Path, rekindle: Rekindle) -> None:
    fill(s3, OBJECTS)
    reports, contents = [], []
    more = (("processes", 4),) if THOROUGH else ()
    for mode, workers in (("threads", 1), ("threads", 2), ("threads", 4), ("processes", 1), ("processes", 2), *more):
        tier = tmp_path / f"{mode}-{workers}"
        ended = rekindle(*backfill(s3, tier, workers, mode))
        assert ended.code == 0, ended.err
        differs = ("taskId", "hotTier", "startedAt", "finishedAt", "seconds", "megabytesPerSecond", "waves")
        of_files = ("filesWritten", "bytesWritten", "tableVersion", "timeRange", "bytesRead")
        report = ended.json
        reports.append({name: report[name] for name in report if name not in (*differs, *of_files)})
        contents.append(content(rekindle, tier))
    assert len(contents[0]) == OBJECTS * LINES
    assert contents[1:] == contents[:-1]
    assert reports[1:] == reports[:-1]


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    paths = Path(f"/proc/{pid}/task").glob("*/children")
    return sorted(int(child) for path in paths for child in path.read_text().split())


@pytest.fixture
def held(s3: S3, fault_proxy: FaultProxy, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Gate, Path]]:
    """A job of two worker processes, one of which waits for an object of the second wave; its gate; its tier."""
    fill(s3, OBJECTS)
    gate = Gate(fault_proxy, HELD)
    tier = tmp_path / "hot"
    process = start_rekindle(*backfill(s3, tier, 2, "processes", endpoint_url=fault_proxy.endpoint_url))
    try:
        assert gate.reached.wait(90), process.communicate(timeout=5)
        yield process, gate, tier
    finally:
        process.kill()
        gate.opened.set()
        process.communicate(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [1, 2], ids=["one", "all"])
def test_killed_workers_lose_and_double_nothing(
    held: tuple[subprocess.Popen[str], Gate, Path], s3: S3, tmp_path: Path, rekindle: Rekindle, killed: int
) -> None:
    process, gate, tier = held
    workers = children(process.pid)
    assert len(workers) == 2
    for pid in workers[:killed]:
        os.kill(pid, signal.SIGKILL)
    gate.opened.set()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "is run again: worker process" in err
    assert json.loads(out)["events"] == OBJECTS * LINES
    assert not any(map(is_alive, workers))
    ended = rekindle(*backfill(s3, tmp_path / "undisturbed", 2, "threads"))
    assert ended.code == 0, ended.err
    assert content(rekindle, tier) == content(rekindle, tmp_path / "undisturbed")


@pytest.mark.slow
def test_workers_end_with_a_launcher_that_is_killed(
    held: tuple[subprocess.Popen[str], Gate, Path], s3: S3, rekindle: Rekindle
) -> None:
    process, gate, tier = held
    workers = [os.pidfd_open(pid) for pid in children(process.pid)]
    process.kill()
    process.communicate(timeout=30)  # which ends when the workers have closed its standard error too
    assert all(select.select([worker], [], [], 60)[0] for worker in workers)  # readable when a process has ended
    gate.opened.set()
    again = rekindle(*backfill(s3, tier, 2, "threads"))
    assert again.code == 0, again.err
    assert len(content(rekindle, tier)) == OBJECTS * LINES


@pytest.mark.slow
def test_ctrl_c_ends_the_job_at_a_safe_point(
    held: tuple[subprocess.Popen[str], Gate, Path], s3: S3, rekindle: Rekindle
) -> None:
    process, gate, tier = held
    workers = children(process.pid)
    for pid in (process.pid, *workers):  # a terminal sends it to all of them
        os.kill(pid, signal.SIGINT)
    while not any(path.name == "cancel" for path in tier.glob("_rekindle/jobs/*/*")):
        assert process.poll() is None, process.communicate()
    gate.opened.set()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "Canceled"
    assert "Traceback" not in err
    assert not any(map(is_alive, workers))
    again = rekindle(*backfill(s3, tier, 2, "threads"))
    assert again.code == 0, again.err
    assert len(content(rekindle, tier)) == OBJECTS * LINES
