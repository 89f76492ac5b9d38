"""`rekindle watch`: what it refuses before anything is asked, and its end by SIGTERM."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.output.report import describe_watch
from pipelines.jobs.report import WatchReport
from pipelines.jobs.rows.kept_rows import list_job_rows
from tests.pipelines.conftest import Ended, start_rekindle
from transforms.storage import StorageOptions, open_tier

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/new-logs"
REFUSED = {
    "no time": (["--every", "often"], "must be a length of time"),
    "too often": (["--every", "0s"], "must be a length of time"),
    "too long a wait": (["--max-wait", "1h"], "must be from 1s to 15m"),
    "no queue": (["--queue", "new-logs"], "must be the URL of an SQS queue"),
    "a queue of a folder": (["--queue", QUEUE], "is a folder, of which no queue tells"),
    "force": (["--force"], "--force: a watch takes each object once"),
    "reprocess": (["--reprocess"], "run `rekindle backfill --reprocess` beside it"),
    "retry failed": (["--retry-failed"], "--retry-failed: a watch takes each object once"),
    "fail": (["--on-error", "fail"], "would end the watch at the first broken object"),
}


@pytest.mark.parametrize(("flags", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, rekindle: Callable[..., Ended], flags: list[str], text: str) -> None:
    ended = rekindle("watch", "--bucket", f"file://{tmp_path}", "--hot-tier", tmp_path / "hot", *flags)
    assert (ended.code, ended.out) == (2, "")
    assert text in ended.err
    assert not (tmp_path / "hot").exists()


def test_a_queue_that_is_not_aws_needs_its_endpoint(tmp_path: Path, rekindle: Callable[..., Ended]) -> None:
    queue = "http://127.0.0.1:9/1/q"
    ended = rekindle("watch", "--bucket", "some-bucket", "--queue", queue, "--hot-tier", tmp_path / "hot")
    assert ended.code in (1, 2)  # whichever of bucket and queue is asked first
    assert not (tmp_path / "hot" / "events").exists()


def test_a_job_file_of_a_watch_is_none_of_a_backfill(tmp_path: Path, rekindle: Callable[..., Ended]) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(f"bucket: file://{tmp_path}\nwatch: {{every: 1m}}\n")
    ended = rekindle("backfill", "--job", job, "--hot-tier", tmp_path / "hot")
    assert (ended.code, ended.out) == (2, "")
    assert f"run `rekindle watch --job {job}`" in ended.err


@pytest.mark.slow
def test_its_end_is_no_failure(tmp_path: Path, rekindle: Callable[..., Ended]) -> None:
    source, tier = tmp_path / "source", tmp_path / "hot"
    source.mkdir()
    (source / "a.log").write_text("2025-01-01 10:00:00 a\n")
    process = start_rekindle(
        "watch", "--bucket", f"file://{source}", "--every", "1s", "--max-wait", "1s", "--json", "--hot-tier", tier
    )
    deadline = time.monotonic() + 300
    while not (rows := [row for row in list_job_rows(open_tier(str(tier), StorageOptions())) if row.watch]) or (
        rows[0].stage != "Watching"
    ):
        assert process.poll() is None and time.monotonic() < deadline
        threading.Event().wait(0.1)
    listed = rekindle("jobs", "--hot-tier", tier)
    assert " Running " in listed.out and "1 /h" in listed.out
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert (report["status"], report["events"]) == ("Canceled", 1)
    assert "`rekindle jobs resume" in report["reason"]
    assert report["watch"]["counts"]["errors"] == 0


@pytest.mark.parametrize(
    ("watch", "text"),
    [
        ({}, "0 objects waiting"),
        (
            {"waiting": 1, "lastWaveAt": "A", "lagSeconds": 7.25, "lastListingAt": "B", "lastError": "C"},
            "1 object waiting; last wave A, 7.2 s behind; last listing B",
        ),
        ({"queued": 1234, "lastWaveAt": "A"}, "0 objects waiting; about 1,234 messages queued; last wave A"),
    ],
    ids=["begun", "listing", "queue"],
)
def test_how_a_watch_is_shown(watch: dict[str, Any], text: str) -> None:
    assert describe_watch(WatchReport.model_validate(watch)) == text
