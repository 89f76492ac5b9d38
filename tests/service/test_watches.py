"""Watches as jobs of the service: who may start which, and that they keep no worker from other jobs."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.service.conftest import SECONDS, Api, LiveService, serving
from transforms.storage import StorageOptions, open_tier
from transforms.storage.job_folder import JobFolder

AWS_QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/new-logs"


def start(api: Api, tmp_path: Path, watch: Any, token: str | None = None, **more: Any) -> Any:
    document = {"bucket": f"file://{tmp_path}/source", "watch": watch} | more
    return api.ask("POST", "/ingest", token=token, json=document)


def test_a_watch_is_a_job(api: Api, tmp_path: Path) -> None:
    token = api.key("ingest")
    answer = start(api, tmp_path, {"every": "1m"}, token)
    assert answer.status_code == 200, answer.text
    (row,) = api.ask("GET", "/jobs", token=token).json()["jobs"]
    assert (row["status"], row["watch"], row["job"]["watch"]) == ("Pending", None, {"every": "1m", "maxWait": "10s"})
    task_id = answer.json()["taskId"]
    assert api.ask("POST", f"/jobs/{task_id}/cancel", token=token).json()["status"] == "Canceled"


@pytest.mark.parametrize(
    ("watch", "field", "text"),
    [
        ({"often": "5m"}, "watch.often", "unknown field; allowed are every, maxWait, queue"),
        ({"every": "often"}, "watch.every", "must be a length of time"),
        ({"every": 300}, "watch.every", "must be a length of time as text"),
        ({"every": "8d"}, "watch.every", "must be from 1s to 7d"),
        ({"maxWait": "1h"}, "watch.maxWait", "must be from 1s to 15m"),
        ({"queue": "new-logs"}, "watch.queue", "must be the URL of an SQS queue"),
        ({"queue": AWS_QUEUE}, "watch.queue", "is a folder, of which no queue tells"),
        ("5m", "watch", "watch"),
    ],
    ids=["unknown", "no time", "a number", "too long", "too long a wait", "no URL", "of a folder", "no object"],
)
def test_what_is_wrong(api: Api, tmp_path: Path, watch: Any, field: str, text: str) -> None:
    answer = start(api, tmp_path, watch)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    assert text in answer.json()["error"]["message"]


def test_a_watch_that_would_end_at_the_first_failure(api: Api, tmp_path: Path) -> None:
    answer = start(api, tmp_path, {}, onError="fail")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "onError")


def test_a_queue_takes_an_administrator(api: Api, tmp_path: Path) -> None:
    """What does not match is deleted from it."""
    answer = start(api, tmp_path, {"queue": AWS_QUEUE}, api.key("ingest"), bucket="some-bucket")
    assert (answer.status_code, answer.json()["error"]["field"]) == (403, "watch.queue")


@pytest.mark.parametrize("queue", ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:9/1/q"])
def test_no_other_host_is_asked_than_that_of_the_service(api: Api, tmp_path: Path, queue: str) -> None:
    answer = start(api, tmp_path, {"queue": queue}, api.key("admin"), bucket="some-bucket")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "queue")
    assert "is not a queue of AWS" in answer.json()["error"]["message"]


@pytest.mark.slow
def test_killed_taken_over_and_canceled_beside_other_jobs(tmp_path: Path) -> None:
    source, tier = tmp_path / "source", tmp_path / "hot"
    source.mkdir()
    (source / "a.log").write_text("2025-01-01 10:00:00 a\n")
    job = {"bucket": f"file://{source}", "pattern": "*.log"}
    with serving(tier, "--job-workers", 1, "--allow-dir", source) as service:
        status, answer, _ = service.ask("POST", "/ingest", job | {"watch": {"every": "1s", "maxWait": "1s"}})
        assert status == 200, answer
        task_id = answer["taskId"]
        events(service, task_id, 1)
        _, other, _ = service.ask("POST", "/ingest", job | {"pattern": "none/**"})
        assert service.wait_for(other["taskId"])["status"] == "Succeeded"
        for number in range(2, 4):
            worker = JobFolder(open_tier(str(tier), StorageOptions()), task_id).read_json("status.json")["pid"]
            os.kill(worker, signal.SIGKILL)
            (source / f"{number}.log").write_text(f"2025-01-01 10:00:0{number} b\n")
            events(service, task_id, number)
        row = watching_row(service, task_id)
        assert row["status"] == "Running" and row["watch"]["lastHour"]["objects"] >= 1
        service.ask("POST", f"/jobs/{task_id}/cancel")
        report = service.wait_for(task_id)
        assert (report["status"], report["events"], report["objects"]["ingested"]) == ("Canceled", 3, 3)
        _, last, _ = service.ask("POST", "/ingest", job | {"pattern": "none/**"})
        assert service.wait_for(last["taskId"])["status"] == "Succeeded"


def events(service: LiveService, task_id: str, number: int) -> None:
    """Wait until a watch has published so many events."""
    deadline = time.monotonic() + SECONDS
    while service.ask("GET", f"/jobs/{task_id}")[1]["events"] < number:
        assert time.monotonic() < deadline, service.log
        threading.Event().wait(0.1)


def watching_row(service: LiveService, task_id: str) -> dict[str, Any]:
    """Return a watch's row of the list, once its backfill is over and its status has what it has ingested.

    The status is written once a second: what the ledger has is shown before.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        assert time.monotonic() < deadline, service.log
        rows = [one for one in service.ask("GET", "/jobs")[1]["jobs"] if one["taskId"] == task_id]
        if rows and rows[0]["stage"] == "Watching" and rows[0]["watch"]["lastHour"]["objects"]:
            return dict(rows[0])
        threading.Event().wait(0.1)
