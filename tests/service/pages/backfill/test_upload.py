"""Files that are uploaded from the page: without scripts by a plain form, with them as htmx sends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.pages.sessions import COOKIE
from tests.service.conftest import Api
from tests.service.pages.conftest import Page, read, show
from tests.service.test_jobs import work_off
from tests.service.test_upload import LINES, kept

OWN = {"Origin": "http://127.0.0.1:8080"}
PATH = "/pages/backfill/upload"
FILE = ("file", ("app.log", LINES))


def send(api: Api, *parts: Any, token: str = "", headers: dict[str, str] | None = None) -> Any:
    """Send parts of a form in their order; a field is a pair of texts."""
    files = [(name, (None, value)) if isinstance(value, str) else (name, value) for name, value in parts]
    cookie = {"Cookie": f"{COOKIE}={token}"} if token else {}
    return api.client.post(PATH, files=files, headers=OWN | cookie | (headers or {}), follow_redirects=False)


def form_of(api: Api, token: str) -> Page:
    return read(api.ask("GET", "/pages/backfill", headers={"Cookie": f"{COOKIE}={token}"}).text)


def proof_of(page: Page) -> str:
    return page.all("input")[0]["value"]


def test_files_become_a_job_without_scripts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show(api, "/pages/backfill")
    form = page.one("form", id="upload-form")
    assert (form["action"], form["method"], form["enctype"]) == (PATH, "post", "multipart/form-data")
    fields = (("proof", ""), ("format", ""), ("sourcetype", "app"), ("host", ""))
    answer = send(api, *fields, FILE, ("file", ("b.log", LINES)))
    assert answer.status_code == 303, answer.text
    work_off(api, monkeypatch)
    done = show(api, answer.headers["Location"])
    assert "Succeeded" in done.text
    rows = api.ask("GET", "/search?query=sourcetype=app").json()["rows"]
    assert sorted(row["_object"] for row in rows) == ["upload://app.log"] * 2 + ["upload://b.log"] * 2
    assert all("proof" not in row for row in rows)


def test_scripts_are_led_to_the_job(api: Api) -> None:
    answer = send(api, ("proof", ""), FILE, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    (task_id,) = api.service.queue.task_ids()
    assert answer.headers["HX-Redirect"] == f"/pages/jobs/{task_id}"


@pytest.mark.parametrize(
    ("parts", "headers", "status", "message"),
    [
        pytest.param([("proof", ""), ("host", "h")], {}, 400, "no file came", id="nothing"),
        pytest.param([("proof", ""), ("format", "wrong"), FILE], {}, 400, "format", id="format"),
        pytest.param([("proof", ""), ("nothing", "x"), FILE], {}, 400, "unknown field", id="field"),
        pytest.param([("proof", "wrong"), FILE], {}, 403, "of another session", id="proof"),
    ],
)
def test_what_is_refused_is_said(
    api: Api, parts: list[Any], headers: dict[str, str], status: int, message: str
) -> None:
    plain = send(api, *parts, headers=headers)
    assert (plain.status_code, message in read(plain.text).text) == (status, True), plain.text
    assert read(plain.text).one("form", id="upload-form") if status == 400 else True
    part = send(api, *parts, headers=headers | {"HX-Request": "true"})
    assert (part.status_code, message in part.text, "<html" in part.text) == (status, True, False)
    assert kept(api) == []
    assert api.service.queue.task_ids() == set()


def test_files_are_taken_only_behind_the_proof(api: Api) -> None:
    token, other = api.key("admin"), api.key("admin")
    proof = proof_of(form_of(api, token))
    for parts in ([FILE, ("proof", proof)], [FILE], [("proof", proof_of(form_of(api, other))), FILE]):
        assert send(api, *parts, token=token).status_code == 403
    assert kept(api) == []
    assert send(api, ("proof", proof), FILE, token=token).status_code == 303
    refused = send(api, ("proof", proof), FILE, token=token, headers={"Origin": "http://evil"})
    assert (refused.status_code, "other sites" in refused.text) == (403, True)


def test_a_form_without_a_file_that_was_chosen(api: Api) -> None:
    part = 'Content-Disposition: form-data; name="{}"'
    body = f'--x\r\n{part.format("proof")}\r\n\r\n\r\n--x\r\n{part.format("file")}; filename=""\r\n\r\n\r\n--x--\r\n'
    headers = OWN | {"Content-Type": "multipart/form-data; boundary=x"}
    answer = api.client.post(PATH, content=body, headers=headers)
    assert (answer.status_code, "no file came" in answer.text) == (400, True)


def test_who_may_upload(api: Api) -> None:
    reader, without = api.key("read"), api.key("admin", s3_pull=None)
    assert "Uploading takes a key" in form_of(api, reader).text
    assert send(api, ("proof", proof_of(form_of(api, reader))), FILE, token=reader).status_code == 403
    assert send(api, ("proof", proof_of(form_of(api, without))), FILE, token=without).status_code == 303
    assert kept(api)


def test_the_api_knows_no_proof(api: Api, tmp_path: Path) -> None:
    answer = api.ask("POST", "/upload", files=[("proof", (None, "")), FILE])
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "proof")
