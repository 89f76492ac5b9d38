"""Jobs by the API: what is put into the queue, what a worker makes of it, and who sees it."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main as cli
from pipelines.documents import JsonObject
from pipelines.jobs.job import JobResult, run_queued_job
from pipelines.jobs.queued.job_queue import JobQueue
from pipelines.jobs.reporting import load_report
from pipelines.jobs.settings import StoredJob
from pipelines.keys import list_keys
from service.api import specifications
from service.api.job_rows import ANSWER_SECONDS, ENDED_SECONDS, JobRows
from service.settings import ServiceSettings
from service.workers import maintenance
from service.workers import worker as work
from service.workers.maintenance import MaintenanceRequest
from service.workers.worker import Worker
from tests.service.conftest import Api
from transforms.core.errors import AccessError
from transforms.storage.job_folder import JobFolder


def ingest(api: Api, tmp_path: Path, token: str | None = None, **fields: object) -> str:
    """Start a job over the folder `source`, and return its id."""
    answer = api.ask("POST", "/ingest", token=token, json={"bucket": f"file://{tmp_path}/source"} | fields)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"taskId"}
    task_id: str = answer.json()["taskId"]
    return task_id


def work_off(api: Api, monkeypatch: pytest.MonkeyPatch, run: Any = run_queued_job) -> None:
    """Run the jobs of the queue in this process, as a worker does, until there is none."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(work, "_wait", lambda: False)
    Worker(api.service.settings, run).run()


def test_a_job_gets_what_its_key_has(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = api.key("ingest", env="prod", s3_pull={"index": "main", "format": "text"})
    task_id = ingest(api, tmp_path, token, source="the job's")
    (key,) = list_keys(api.service.tier)
    stored = StoredJob.load(JobFolder(api.service.tier, task_id))
    assert (stored.settings.key, stored.job.source) == (key.id, "the job's")
    assert api.ask("GET", f"/jobs/{task_id[:8]}", token=token).json()["status"] == "Pending"
    work_off(api, monkeypatch)
    report = api.ask("GET", f"/jobs/{task_id}", token=token).json()
    assert (report["status"], report["events"], report["byFormat"]) == (
        "Succeeded",
        1,
        {"text": {"objects": 1, "events": 1}},
    )
    (row,) = api.ask("GET", "/jobs", token=token).json()["jobs"]
    assert (row["taskId"], row["status"], row["key"], row["events"]) == (task_id, "Succeeded", key.id, 1)


def test_who_sees_and_changes_a_job(api: Api, tmp_path: Path) -> None:
    owner, other, reader, admin = api.key("ingest"), api.key("ingest"), api.key("read"), api.key("admin")
    task_id = ingest(api, tmp_path, owner)
    listed = {
        name: [one["taskId"] for one in api.ask("GET", "/jobs", token=token).json()["jobs"]]
        for name, token in (("owner", owner), ("other", other), ("reader", reader), ("admin", admin))
    }
    assert listed == {"owner": [task_id], "other": [], "reader": [task_id], "admin": [task_id]}
    statuses = [api.ask("POST", f"/jobs/{task_id}/cancel", token=one).status_code for one in (other, reader, owner)]
    assert statuses == [404, 404, 200]
    assert api.ask("GET", f"/jobs/{task_id}", token=admin).json()["status"] == "Canceled"
    assert api.ask("POST", f"/jobs/{task_id}/resume", token=reader).status_code == 404
    assert api.ask("POST", f"/jobs/{task_id}/resume", token=admin).json() == {"taskId": task_id, "status": "Pending"}
    again = api.ask("POST", f"/jobs/{task_id}/resume", token=admin)
    assert (again.status_code, "in the queue already" in again.text) == (409, True)


def test_a_job_that_has_succeeded_is_not_resumed(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = ingest(api, tmp_path)
    work_off(api, monkeypatch)
    before = api.ask("GET", f"/jobs/{task_id}").json()
    answer = api.ask("POST", f"/jobs/{task_id}/resume")
    assert (answer.status_code, "has succeeded" in answer.text) == (409, True)
    assert api.ask("POST", f"/jobs/{task_id}/cancel").json()["status"] == "Succeeded"
    assert api.ask("GET", f"/jobs/{task_id}").json() == before
    assert cli.run(["jobs", "undo", task_id, "--yes", "--hot-tier", str(tmp_path / "hot")]) == 0
    answer = api.ask("POST", f"/jobs/{task_id}/resume")
    assert (answer.status_code, "was undone by run" in answer.text) == (409, True)


def test_the_list_is_searched_and_sorted(api: Api, tmp_path: Path) -> None:
    first, second = (ingest(api, tmp_path, pattern=f"{name}/**") for name in ("web", "app"))
    api.ask("POST", f"/jobs/{first}/cancel")

    def listed(query: str) -> list[str]:
        return [one["taskId"] for one in api.ask("GET", f"/jobs?{query}").json()["jobs"]]

    assert set(listed("")) == {first, second}
    assert listed("search=WEB") == [first]
    assert listed("status=Pending") == [second]
    assert listed("sort=status") == [first, second]
    assert listed("key=none") == []
    assert len(listed("limit=1")) == 1


def test_nothing_that_matches_is_a_job_that_stays(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = ingest(api, tmp_path, pattern="none/**")
    work_off(api, monkeypatch)
    report = api.ask("GET", f"/jobs/{task_id}").json()
    assert report["status"] == "Succeeded"
    assert "nothing matched" in report["warnings"][0]


@pytest.mark.parametrize("error", [AccessError("the bucket is gone"), ValueError("a mistake")], ids=["store", "bug"])
def test_a_job_that_can_not_begin_fails_with_its_reason(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> JobResult:
        raise error

    task_id = ingest(api, tmp_path)
    work_off(api, monkeypatch, fail)
    report = api.ask("GET", f"/jobs/{task_id}").json()
    assert (report["status"], str(error) in report["reason"]) == ("Failed", True)
    api.ask("POST", f"/jobs/{task_id}/resume")
    work_off(api, monkeypatch)
    assert api.ask("GET", f"/jobs/{task_id}").json()["status"] == "Succeeded"


def test_a_worker_that_is_ended_releases_its_job(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = ingest(api, tmp_path)
    worker = Worker(api.service.settings, run_queued_job)
    worker._current = JobQueue(api.service.tier).claim_next()
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    worker._end_at_once(signal.SIGTERM, None)
    assert codes == [0]
    again = JobQueue(api.service.tier).claim_next()
    assert again is not None
    assert (again.folder.task_id, again.claim.number, again.claim.content.crashes) == (task_id, 2, 0)


def test_a_request_to_cancel_is_kept_when_a_worker_begins(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = ingest(api, tmp_path)

    def cancel_and_run(named: str, *others: Any) -> JobResult:
        api.service.queue.cancel(JobFolder(api.service.tier, named))
        return run_queued_job(named, *others)

    work_off(api, monkeypatch, cancel_and_run)
    assert load_report(api.service.tier, task_id).status == "Canceled"


def test_what_has_ended_is_not_read_for_each_list(api: Api, tmp_path: Path) -> None:
    now = 0.0
    read: list[str] = []
    tier = api.service.tier
    rows = JobRows(tier, api.service.queue.task_ids, clock=lambda: now)
    ended, waiting = ingest(api, tmp_path), ingest(api, tmp_path)
    api.ask("POST", f"/jobs/{ended}/cancel")
    get = tier.get
    tier.get = lambda path: read.append(path) or get(path)  # type: ignore[method-assign]

    def folders() -> set[str]:
        """Return which jobs' folders are read for a list."""
        read.clear()
        assert {row.task_id for row in rows.newest(10)} == {ended, waiting}
        return {task_id for task_id in (ended, waiting) if any(task_id in path for path in read)}

    assert folders() == {ended, waiting}
    assert folders() == set()
    now = ANSWER_SECONDS
    assert folders() == {waiting}
    api.service.queue.resume(JobFolder(tier, ended))
    now += ANSWER_SECONDS
    assert folders() == {ended, waiting}
    api.service.queue.cancel(JobFolder(tier, ended))
    now += ANSWER_SECONDS
    assert folders() == {ended, waiting}
    now += ANSWER_SECONDS
    api.service.queue.resume(JobFolder(tier, ended))
    api.service.queue.cancel(JobFolder(tier, ended))
    assert folders() == {ended, waiting}  # resumed and ended again since the last list
    now += ANSWER_SECONDS
    assert folders() == {waiting}
    now += ENDED_SECONDS
    assert folders() == {ended, waiting}


def test_a_bucket_that_can_not_be_read_is_refused(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AccessError("bucket b: access denied")

    monkeypatch.setattr(specifications, "prove_access", refuse)
    answer = api.ask("POST", "/ingest", json={"bucket": f"file://{tmp_path}/source"})
    assert answer.status_code == 400
    assert answer.json() == {"error": {"field": "bucket", "message": "bucket b: access denied"}}
    assert api.service.queue.task_ids() == set()


def test_a_store_that_takes_long_is_left_to_the_worker(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(specifications, "prove_access", lambda *_: answers.wait())
    monkeypatch.setattr(specifications, "_PROOF_SECONDS", 0.01)
    try:
        task_id = ingest(api, tmp_path)
        assert api.service.queue.task_ids() == {task_id}
    finally:
        answers.set()


def test_a_link_does_not_lead_out(api: Api, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("2025-01-01 10:00:00 sesame\n")
    (tmp_path / "source/a.log").unlink()
    (tmp_path / "source/b.log").symlink_to("../secret")
    answer = api.ask("POST", "/preview?events=1", json={"bucket": f"file://{tmp_path}/source"})
    assert ("a link to a file in none of the folders" in answer.text, "sesame" in answer.text) == (True, False)


def test_preview(api: Api, tmp_path: Path) -> None:
    answer = api.ask("POST", "/preview?events=1", json={"bucket": f"file://{tmp_path}/source"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["objects"]["work"] == 1
    assert answer.json()["samples"][0]["events"][0]["after"]["_message"] == "2025-01-01 10:00:00 hello"
    assert api.ask("GET", "/jobs").json() == {"jobs": []}


def test_many_submissions_at_once_are_all_there(api: Api, tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(ingest(api, tmp_path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = {one["taskId"] for one in api.ask("GET", "/jobs").json()["jobs"]}
    assert len(listed) == 16
    assert listed == set(found)


async def run_here(settings: ServiceSettings, request: MaintenanceRequest) -> JsonObject:
    """Run maintenance in this process, which takes less than one of its own."""
    return maintenance.answer_of(maintenance.run(settings, request))


@pytest.mark.parametrize("alone", [pytest.param(True, marks=pytest.mark.slow, id="process"), False])
def test_a_job_is_undone(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, alone: bool) -> None:
    if not alone:
        monkeypatch.setattr("service.api.jobs.run_in_process", run_here)
    reader, admin = api.key("read"), api.key("admin")
    task_id = ingest(api, tmp_path, admin)
    assert api.ask("POST", f"/jobs/{task_id}/undo", token=reader).status_code == 403
    refused = api.ask("POST", f"/jobs/{task_id}/undo", token=admin)
    assert (refused.status_code, f"job {task_id} is running" in refused.text) == (409, True)
    work_off(api, monkeypatch)
    refused = api.ask("POST", f"/jobs/{task_id}/undo", token=admin)
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "yes")
    assert "1 of 1 events (100%) would be taken away: nothing was done; `yes` allows more" in refused.text
    counted = api.ask("POST", f"/jobs/{task_id}/undo?dryRun=true", token=admin).json()
    assert (counted["executed"], counted["events"], counted["versionAfter"]) == (False, 1, None)
    assert [one["undone"] for one in api.ask("GET", "/jobs", token=admin).json()["jobs"]] == [None]
    report = api.ask("POST", f"/jobs/{task_id[:8]}/undo?yes=true", token=admin).json()
    assert (report["taskId"], report["events"], report["objects"]) == (task_id, 1, 1)
    (row,) = api.ask("GET", "/jobs", token=admin).json()["jobs"]
    assert row["undone"]["runId"] == report["runId"]
    again = api.ask("POST", f"/jobs/{task_id}/resume", token=admin)
    assert (again.status_code, report["runId"] in again.text) == (409, True)
    (audited,) = api.ask("GET", "/audit", token=admin).json()["rows"]
    assert audited["who"] == f"admin (key {next(k.id for k in list_keys(api.service.tier) if k.role == 'admin')})"
    assert (audited["kind"], audited["runId"], audited["events"]) == ("undo", report["runId"], 1)
