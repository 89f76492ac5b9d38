"""The page of jobs without scripts: rows, a report, and forms that change a job."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.report import RecentWork, WatchReport
from pipelines.keys import list_keys
from pipelines.status import JobStatus
from service.pages.jobs.page import length_text
from service.pages.sessions import COOKIE
from tests.service.conftest import Api
from tests.service.pages.conftest import HOSTILE, read, show
from tests.service.test_jobs import ingest, run_here, work_off
from transforms.storage.job_folder import JobFolder

OWN = {"Origin": "http://127.0.0.1:8080"}


def change(api: Api, task_id: str, action: str, **form: str) -> Any:
    """Send a form of a job's page, as a browser does that has no key."""
    path = f"/pages/jobs/{task_id}/{action}"
    return api.client.post(path, data={"proof": "", **form}, headers=OWN, follow_redirects=False)


def test_no_job_yet(api: Api) -> None:
    assert "rekindle backfill" in show(api, "/pages/jobs").text


def test_a_job_from_its_row_to_its_undoing(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.pages.jobs.page.run_in_process", run_here)
    task_id = ingest(api, tmp_path)
    waiting = show(api, "/pages/jobs")
    assert waiting.one("div", id="jobs")["hx-trigger"] == "every 2s"
    assert "Pending" in waiting.text
    opened = show(api, waiting.links[task_id[:8]])
    assert opened.one("div", id="report")["hx-trigger"] == "every 2s"
    assert [one["action"] for one in opened.all("form")] == [f"/pages/jobs/{task_id}/cancel"]
    canceled = change(api, task_id, "cancel")
    assert (canceled.status_code, canceled.headers["Location"]) == (303, f"/pages/jobs/{task_id}")
    assert "Canceled" in show(api, f"/pages/jobs/{task_id}").text
    assert change(api, task_id, "resume").status_code == 303
    work_off(api, monkeypatch)
    done = show(api, f"/pages/jobs/{task_id}")
    assert "Succeeded" in done.text
    assert "hx-trigger" not in done.one("div", id="report")
    found = read(api.ask("GET", done.links["Explore these events"]).text)
    assert ("hello" in found.text, found.one("input", id="query")["value"]) == (True, f'#correlationId="{task_id}"')
    asked = read(change(api, task_id, "undo").text)
    assert "1 events (100.0 % of all) of 1 objects would go" in asked.text
    assert "required" in asked.one("input", name="yes")
    assert change(api, task_id, "undo", execute="1").status_code == 409
    assert change(api, task_id, "undo", execute="1", yes="on").status_code == 303
    undone = show(api, "/pages/jobs")
    assert "Undone" in undone.text
    assert undone.one("div", id="jobs")["hx-trigger"] == "every 10s"


def test_jobs_are_searched(api: Api, tmp_path: Path) -> None:
    first, second = ingest(api, tmp_path), ingest(api, tmp_path, pattern="*.gz")
    assert first[:8] not in show(api, "/pages/jobs", search="*.GZ").links
    assert second[:8] in show(api, "/pages/jobs", search="*.GZ", status="Pending").links
    nothing = show(api, "/pages/jobs", search="nowhere")
    assert nothing.links["Show all jobs"] == "/pages/jobs"
    part = api.ask("GET", "/pages/jobs", headers={"HX-Request": "true"})
    assert (part.text.startswith('<div id="jobs"'), "<html" in part.text) == (True, False)


def test_what_a_job_names_is_text(api: Api, tmp_path: Path) -> None:
    task_id = ingest(api, tmp_path, pattern=HOSTILE.replace("\x1b[31m", "x"))
    for path in ("/pages/jobs", f"/pages/jobs/{task_id}"):
        page = show(api, path)
        assert ("<script>alert(1)" in page.text, "\u202e" in page.text, len(page.all("script"))) == (True, False, 3)


def test_jobs_are_sorted_and_found_by_key(api: Api, tmp_path: Path) -> None:
    ingest(api, tmp_path)
    theirs = ingest(api, tmp_path, api.key("ingest"))
    (key_id,) = [key.id for key in list_keys(api.service.tier)]
    cookie = {"Cookie": f"{COOKIE}={api.key('read')}"}

    def listed(**asked: str) -> Any:
        page = read(api.ask("GET", "/pages/jobs", params=asked, headers=cookie).text)
        return [one["id"].removeprefix("job-") for one in page.all("a") if one.get("id", "").startswith("job-")]

    assert listed(key=key_id) == [theirs]
    assert listed(sort="key")[-1] == theirs
    assert set(listed(sort="status")) == set(listed())
    assert api.ask("GET", "/pages/jobs", params={"sort": "size"}, headers=cookie).status_code == 400


def test_what_failed_is_tried_again(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = ingest(api, tmp_path)
    broken = tmp_path / "source" / "b.log.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00 no gzip")
    work_off(api, monkeypatch)
    failed = show(api, f"/pages/jobs/{task_id}")
    assert "b.log.gz" in failed.text
    assert failed.one("button", id="retry")
    broken.write_bytes(gzip.compress(b"2025-01-01 10:00:01 whole now\n"))
    again = change(api, task_id, "again")
    assert again.status_code == 303
    second = again.headers["Location"].rpartition("/")[2]
    assert second != task_id
    work_off(api, monkeypatch)
    done = show(api, f"/pages/jobs/{second}")
    found = read(api.ask("GET", done.links["Explore these events"]).text)
    assert ("whole now" in found.text, "hello" in found.text) == (True, False)
    assert "Retry" not in done.text


def test_a_watch_says_how_far_it_is_behind(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = ingest(api, tmp_path, watch={"every": "1m"})
    assert "watch: nothing new yet" in show(api, "/pages/jobs").text
    hour = RecentWork(objects=3, events=1234)
    watch = WatchReport(lag_seconds=75.0, waiting=2, last_hour=hour, last_error="no bucket").as_document()
    status = JobStatus(status="Running", started_at="2025-01-01T00:00:00.000Z", stage="Watching", watch=watch)
    JobFolder(api.service.tier, task_id).write_json("status.json", status.document())
    api.service.job_rows.forget()
    text = show(api, "/pages/jobs").text
    assert "watch: 1 min 15 s behind, 2 waiting, its last attempt failed; counts of the last hour" in text
    assert "1,234" in text
    report = show(api, f"/pages/jobs/{task_id}")
    assert "no bucket" in report.text
    assert "events of 3 objects" in report.text
    assert not report.all("progress")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (12.4, "12 s"), (75, "1 min 15 s"), (7384, "2 h 3 min"), (200_000, "2 d 7 h")],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert length_text(seconds) == text


@pytest.mark.parametrize(
    ("path", "status"), [("/pages/jobs/none", 404), ("/pages/jobs/%2e%2e", 404), ("/pages/jobs?status=Sleeping", 400)]
)
def test_jobs_that_are_not_there(api: Api, path: str, status: int) -> None:
    answer = api.ask("GET", path)
    assert answer.status_code in (status, 404)
    part = api.ask("GET", "/pages/jobs/none", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Reswap"]) == (404, "none")


def test_who_may_only_read_changes_nothing(api: Api, tmp_path: Path) -> None:
    task_id, cookie = ingest(api, tmp_path, api.key("admin")), {"Cookie": f"{COOKIE}={api.key('read')}"}
    page = read(api.ask("GET", f"/pages/jobs/{task_id}", headers=cookie).text)
    assert [one["action"] for one in page.all("form")] == ["/logout"]
    proof = page.one("input", name="proof")["value"]
    for action in ("cancel", "undo", "resume"):
        path = f"/pages/jobs/{task_id}/{action}"
        refused = api.client.post(path, data={"proof": proof}, headers=OWN | cookie, follow_redirects=False)
        assert refused.status_code in (403, 404), action
        assert api.client.post(path, data={}, headers=OWN | cookie).status_code == 403, action
    assert "Pending" in read(api.ask("GET", f"/pages/jobs/{task_id}", headers=cookie).text).text
