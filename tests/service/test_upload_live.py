"""Uploads to the service as a process: curl's calls, what breaks off, what is killed, and two services on one tier."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import S3
from tests.pipelines.conftest import Ended, content, read_files, rekindle
from tests.service.conftest import SECONDS, LiveService, serving
from tests.service.test_live import kill_at_once

__all__ = ["rekindle"]
LINES = b"".join(b"2025-01-01 10:00:00 line %d\n" % number for number in range(1000))


def curl(*arguments: object) -> str:
    """Run curl, and return the id of the job that it has started."""
    assert shutil.which("curl"), "this test is of curl"
    command = ["curl", "--silent", "--show-error", "--fail-with-body", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    task_id: str = json.loads(done.stdout)["taskId"]
    return task_id


def kept(tier: Path, *folders: str) -> list[str]:
    """Return which files of uploads lie in a tier, whole or not."""
    return [path.name for name in folders or ("uploads", "tmp") for path in (tier / "_rekindle" / name).glob("*")]


def wait_until(holds: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


@contextmanager
def half_sent(service: LiveService) -> Iterator[socket.socket]:
    """Send a part of an upload, and return the connection."""
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        head = "POST /upload?name=a.log HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
        client.sendall(head.encode() + b"x" * (2 << 20))
        yield client


@pytest.mark.slow
def test_two_services_on_one_s3_tier(s3: S3, tmp_path: Path, rekindle: Callable[..., Ended]) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(LINES))
    (tmp_path / "b.log").write_bytes(os.urandom(9 << 20).hex().encode() + b"\n2025-01-01 11:00:00 end\n")
    tier, flags = f"s3://{s3.bucket}/hot", ("--endpoint-url", s3.endpoint_url)
    with serving(tier, *flags, "--job-workers", "0") as taking, serving(tier, *flags, "--job-workers", "1") as working:
        url = f"http://127.0.0.1:{taking.port}/upload"
        form = ("--form", f"file=@{tmp_path}/a.log.gz", "--form", f"file=@{tmp_path}/b.log", "--form", "index=i")
        reports = [
            working.wait_for(curl(*arguments))
            for arguments in ((*form, url), ("--data-binary", f"@{tmp_path}/a.log.gz", f"{url}?name=a.log.gz"))
        ]
    assert [(one["status"], one["events"], one["objects"]["known"]) for one in reports] == [
        ("Succeeded", 1002, 0),
        ("Succeeded", 0, 1),
    ], working.log
    rows = content(rekindle, tier, *flags)
    assert len({row["_event_id"] for row in rows}) == len(rows) == 1002
    assert {(row["_object"], row["index"], row["_receiver"]) for row in rows} == {
        ("upload://a.log.gz", "i", "upload"),
        ("upload://b.log", "i", "upload"),
    }
    assert s3.client.list_objects_v2(Bucket=s3.bucket, Prefix="hot/_rekindle/uploads/")["KeyCount"] == 0
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=s3.bucket)


@pytest.mark.slow
def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    tier = tmp_path / "hot"
    with serving(tier, "--job-workers", "0") as service, half_sent(service) as client:
        wait_until(lambda: kept(tier))
        client.close()
        wait_until(lambda: not kept(tier))
        assert service.ask("GET", "/jobs")[1] == {"jobs": []}


@pytest.mark.slow
def test_killed_while_the_job_runs_each_file_comes_once(tmp_path: Path, rekindle: Callable[..., Ended]) -> None:
    tier = tmp_path / "hot"
    names = []
    for number in range(12):
        (tmp_path / f"{number}.log").write_bytes(LINES * 20)
        names += ["--form", f"file=@{tmp_path}/{number}.log"]
    with serving(tier, "--job-workers", "1") as first:
        task_id = curl(*names, f"http://127.0.0.1:{first.port}/upload")
        first.wait_for(task_id, "Running", "Succeeded")
        kill_at_once(first)
    with serving(tier, "--job-workers", "1") as second:
        again = curl(*names, f"http://127.0.0.1:{second.port}/upload")
        reports = [second.wait_for(one) for one in (task_id, again)]
        # in tmp a file that was just written when the first was killed may lie for a day
        wait_until(lambda: not kept(tier, "uploads"))
    assert [(one["status"], one["objects"]["ingested"], one["objects"]["known"]) for one in reports] == [
        ("Succeeded", 12, 0),
        ("Succeeded", 0, 12),
    ]
    counted = "SELECT count(*), count(DISTINCT _event_id) FROM events"
    assert read_files(rekindle, tier, counted) == [(240_000, 240_000)]


@pytest.mark.slow
def test_killed_while_files_come_in_there_is_no_job(tmp_path: Path) -> None:
    tier = tmp_path / "hot"
    with serving(tier, "--job-workers", "0") as service, half_sent(service):
        wait_until(lambda: kept(tier))
        os.kill(service.process.pid, signal.SIGKILL)
    with serving(tier, "--job-workers", "0") as service:
        assert service.ask("GET", "/jobs")[1] == {"jobs": []}
