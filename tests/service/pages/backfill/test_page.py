"""The page of a backfill without scripts: a job from its form, and what is wrong beside the field that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.settings import StoredJob
from service.pages.sessions import COOKIE
from tests.conftest import S3
from tests.service.conftest import Api, make_api
from tests.service.pages.conftest import HOSTILE, Page, read, show
from tests.service.test_jobs import work_off
from transforms.storage import StorageOptions
from transforms.storage.job_folder import JobFolder

OWN = {"Origin": "http://127.0.0.1:8080"}


def send(api: Api, *, token: str = "", proof: str = "", **typed: str) -> Any:
    """Send the form as *Start* does."""
    headers = OWN | ({"Cookie": f"{COOKIE}={token}"} if token else {})
    fields = {name.replace("__", "."): text for name, text in typed.items()}
    return api.client.post("/pages/backfill", data={"proof": proof, **fields}, headers=headers, follow_redirects=False)


def beside(page: Page, html: str, field: str) -> str:
    """Return what stands beside a field as wrong."""
    assert page.one("small", id=f"wrong-{field}")
    return html.partition(f'id="wrong-{field}"')[2].partition(">")[2].partition("</small>")[0]


def stored_job(api: Api, answer: Any) -> dict[str, Any]:
    """Return the job that an answer has started."""
    assert answer.status_code == 303, answer.text
    task_id = answer.headers["Location"].removeprefix("/pages/jobs/")
    document: dict[str, Any] = StoredJob.load(JobFolder(api.service.tier, task_id)).job.as_document()
    return document


def test_a_job_of_a_bucket_from_its_form_to_its_events(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api(tmp_path, source_options=s3.options)
    s3.put("logs/a.log", b"2025-01-01 10:00:00 hello\n2025-01-01 10:00:01 the last\n")
    s3.put("logs/tmp/b.log", b"2025-01-01 10:00:00 left out\n")
    assert (
        "keys under logs/, in any folder, that end in .log"
        in show(api, "/pages/backfill", pattern="logs/**/*.log").text
    )
    answer = send(api, bucket=s3.bucket, pattern="logs/**/*.log\r\nother/*", exclude="**/tmp/**", host="web")
    job = stored_job(api, answer)
    assert (job["pattern"], job["exclude"], job["host"]) == (["logs/**/*.log", "other/*"], "**/tmp/**", "web")
    work_off(api, monkeypatch)
    done = show(api, answer.headers["Location"])
    assert "Succeeded" in done.text
    shown = show(api, done.links["Explore these events"])
    assert ("hello" in shown.text, "the last" in shown.text, "left out" in shown.text) == (True, True, False)


def test_all_fields_become_the_job(api: Api, tmp_path: Path) -> None:
    typed = {
        "modifiedAfter": "2025-01-01", "modifiedBefore": "2035-01-02T00:00Z", "region": "eu-west-1",
        "formatOptions__skipRows": "2", "formatOptions__keepMessage": "false", "onChanged": "skip",
        "watch": "true", "watch__every": "1m",
    }  # fmt: skip
    job = stored_job(api, send(api, bucket=f"file://{tmp_path}/source", **typed))
    assert job["modifiedAfter"] == "2025-01-01T00:00:00Z"
    assert job["watch"]["every"] == "1m"
    assert (job["region"], job["onChanged"]) == ("eu-west-1", "skip")
    options = job["formatOptions"]
    assert (options["format"], options["skipRows"], options["keepMessage"]) == ("csv", 2, False)
    sources = '[{"name": "a", "pattern": "a/*"}]'
    job = stored_job(api, send(api, bucket=f"file://{tmp_path}/source", sources=sources))
    assert [one["name"] for one in job["sources"]] == ["a"]


WRONG: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {"bucket": "bucket: is required: give the field bucket"}),
    "bucket": ({"bucket": "a b"}, {"bucket": "is not a bucket"}),
    "glob": ({"bucket": "bucket", "pattern": "ok/**\na[b"}, {"pattern": "never closed"}),
    "both globs": (
        {"bucket": "b d", "pattern": "a**", "exclude": "{"},
        {"bucket": "bucket", "pattern": "alone", "exclude": "exclude, char"},
    ),
    "several": (
        {"bucket": "bucket", "modifiedAfter": "soon", "formatOptions__skipRows": "x", "watch__every": "1y"},
        {"modifiedAfter": "ISO 8601", "formatOptions-skipRows": "integer", "watch-every": "must be"},
    ),
    "options": (
        {"bucket": "bucket", "formatOptions__format": "json", "formatOptions__skipRows": "1"},
        {"formatOptions-skipRows": "needs format"},
    ),
    "order": (
        {"bucket": "bucket", "modifiedAfter": "2025-01-02", "modifiedBefore": "2025-01-01"},
        {"modifiedAfter": "earlier"},
    ),
    "no JSON": ({"bucket": "bucket", "sources": "[{"}, {"sources": "is no JSON"}),
    "sources": ({"bucket": "bucket", "sources": '[{"name": "a", "pattern": "a["}]'}, {"sources": "source a: pattern"}),
    "folder": ({"bucket": "file:///etc"}, {"bucket": "it may not read"}),
}


@pytest.mark.parametrize(("typed", "messages"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_stands_beside_its_field(api: Api, typed: dict[str, str], messages: dict[str, str]) -> None:
    answer = send(api, **typed)
    page = read(answer.text)
    assert answer.status_code == (400 if "folder" not in messages else 403)
    wrong = {one["id"]: beside(page, answer.text, one["id"]) for one in page.all("input") + page.all("textarea")
             if one.get("aria-invalid")}  # fmt: skip
    assert wrong.keys() == messages.keys()
    for field, message in messages.items():
        assert message in wrong[field]
    for name, text in typed.items():
        assert text in answer.text.replace("&#34;", '"').replace("&lt;", "<"), name
    assert api.service.queue.task_ids() == set()


def test_a_bucket_that_cannot_be_read_says_what_to_do(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.specifications._PROOF_SECONDS", 300.0)
    api = make_api(tmp_path, source_options=s3.options)
    answer = send(api, bucket=f"{s3.bucket}-nowhere", pattern="logs/**")
    page = read(answer.text)
    assert answer.status_code == 400
    assert "bucket" in beside(page, answer.text, "bucket")
    assert page.one("input", id="bucket")["value"] == f"{s3.bucket}-nowhere"
    assert "logs/**" in page.text


def test_what_is_typed_is_checked_and_kept_in_the_address(api: Api) -> None:
    typed = {"bucket": "a b", "pattern": "logs/*\na[", "exclude": "", "show": "x"}
    answer = api.ask("GET", "/pages/backfill/checked", params=typed)
    assert answer.headers["HX-Replace-Url"] == "/pages/backfill?bucket=a+b&pattern=logs%2F%2A%0Aa%5B"
    page = read(answer.text)
    assert "not a bucket" in beside(page, answer.text, "bucket")
    assert "never closed" in beside(page, answer.text, "pattern")
    assert "keys directly under logs/" in page.text
    assert all("hx-swap-oob" in one for one in page.all("small"))
    untouched = api.ask("GET", "/pages/backfill/checked").text
    assert "is required" not in untouched


def test_what_was_typed_is_text(api: Api) -> None:
    page = show(api, "/pages/backfill", bucket="bucket", pattern=HOSTILE, host=HOSTILE)
    assert all("src" in one for one in page.all("script"))
    assert "open" in page.one("details")


def test_who_may_start_jobs(api: Api, tmp_path: Path) -> None:
    admin, reader, without = api.key("admin"), api.key("read"), api.key("admin", s3_pull=None)
    bucket = f"file://{tmp_path}/source"
    for token, reason in ((reader, "may only read"), (without, "s3_pull")):
        page = read(api.ask("GET", "/pages/backfill", headers={"Cookie": f"{COOKIE}={token}"}).text)
        assert reason in page.text
        assert all(
            "disabled" in one for one in page.all("button") if one.get("id") == "start" or one.get("name") == "show"
        )
        proof = page.one("button", id="start")["value"]
        answer = send(api, token=token, proof=proof, bucket=bucket)
        assert (answer.status_code, reason in answer.text) == (403, True)
    page = read(api.ask("GET", "/pages/backfill", headers={"Cookie": f"{COOKIE}={admin}"}).text)
    assert send(api, token=admin, bucket=bucket).status_code == 403
    proof = page.one("button", id="start")["value"]
    assert send(api, token=admin, proof=proof, bucket=bucket).status_code == 303
    assert admin not in page.text
    assert page.one("form", id="job")["method"] == "get"
    assert [one["value"] for one in page.all("input") if one.get("name") == "proof"] == 2 * [proof]  # of others
    assert (
        api.client.get(
            "/pages/backfill?bucket=x", headers={"Sec-Fetch-Site": "cross-site"}, follow_redirects=False
        ).status_code
        == 303
    )


def test_the_same_job_as_lines(tmp_path: Path) -> None:
    api = make_api(tmp_path, source_options=StorageOptions(endpoint_url="http://s3:9000"))
    page = show(api, "/pages/backfill", bucket="my-bucket", pattern="logs/**")
    assert (
        """curl -H 'Content-Type: application/json' --data '{"bucket":"my-bucket","pattern":"logs/**"}'""" in page.text
    )
    assert "rekindle backfill --bucket my-bucket --pattern 'logs/**' --hot-tier" in page.text
    assert "Objects are read from the S3 at http://s3:9000" in page.text
    assert "rekindle" not in show(api, "/pages/backfill").text.partition("The same job")[2]
