"""What is refused, and in which form: the product's refusals and those of the framework alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.service.conftest import Api, make_api

JSON = {"Content-Type": "application/json"}
REFUSED: list[Any] = [
    pytest.param("POST", "/ingest", b"{", {}, 400, None, "no JSON", id="broken-json"),
    pytest.param("POST", "/ingest", b"", {}, 400, None, "no JSON", id="no-body"),
    pytest.param("POST", "/ingest", b"\xff\xfe", JSON, 400, None, "no JSON", id="undecodable"),
    pytest.param("POST", "/ingest", b'{"bucket": "\\ud800"}', JSON, 400, None, "no JSON", id="lone-surrogate"),
    pytest.param("POST", "/ingest", b"[]", JSON, 400, None, "must be a JSON object", id="list"),
    pytest.param("POST", "/ingest", b"[" * 100_000, JSON, 400, None, "no JSON", id="deep"),
    pytest.param("POST", "/ingest", b" " * (1 << 20) + b"{}", JSON, 413, None, "larger than 1 MiB", id="large"),
    pytest.param(
        "POST", "/ingest", b"{}", {"Content-Encoding": "gzip"}, 415, None, "without a Content-Encoding", id="gzip"
    ),
    pytest.param("POST", "/ingest", b"{}", JSON, 400, "bucket", "bucket: is required", id="missing"),
    pytest.param("POST", "/ingest", b'{"bucket":"bkt","patern":"a"}', JSON, 400, "patern", "unknown field", id="field"),
    pytest.param("POST", "/ingest", b'{"bucket":"bkt","pattern":"a["}', JSON, 400, "pattern", "[", id="glob"),
    pytest.param("POST", "/ingest", b'{"bucket":"file:///etc"}', JSON, 400, "bucket", "may not read", id="folder"),
    pytest.param(
        "POST",
        "/ingest",
        b'{"bucket":"bkt","modifiedAfter":"2025-01-02","modifiedBefore":"2025-01-01"}',
        JSON,
        400,
        "modifiedAfter",
        "must be earlier",
        id="times",
    ),
    pytest.param("POST", "/preview", b'{"bucket":"file:///etc"}', JSON, 400, "bucket", "allow", id="preview-folder"),
    pytest.param("POST", "/preview?objects=x", b"{}", JSON, 400, "objects", "objects: ", id="query"),
    pytest.param("GET", "/jobs?limit=0", b"", {}, 400, "limit", "greater than or equal to 1", id="limit"),
    pytest.param("GET", "/jobs?status=Gone", b"", {}, 400, "status", "'Pending'", id="status"),
    pytest.param("GET", "/jobs/nothing", b"", {}, 404, "taskId", "there is no job 'nothing'", id="job"),
    pytest.param("POST", "/jobs/nothing/cancel", b"", {}, 404, "taskId", "there is no job", id="cancel"),
    pytest.param("GET", "/jobs/..%2f..%2fkeys", b"", {}, 404, None, "nothing at this address", id="dots"),
    pytest.param("POST", "/keys", b'{"role":"king"}', JSON, 400, "role", "'admin'", id="role"),
    pytest.param("POST", "/keys", b'{"env":"\\u0007"}', JSON, 400, "env", "printable", id="env"),
    pytest.param("POST", "/keys", b'{"s3Pull":{"roleArn":"x"}}', JSON, 400, "s3Pull.roleArn", "AWS role", id="arn"),
    pytest.param("DELETE", "/keys/zz", b"", {}, 404, "id", "there is no key 'zz'", id="key"),
    pytest.param(
        "POST",
        "/ingest",
        b"{}",
        {"Transfer-Encoding": "chunked", "Content-Length": "2"},
        400,
        None,
        "excludes Content-Length",
        id="two-lengths",
    ),
    pytest.param("DELETE", "/ingest", b"", {}, 400, None, "allowed are POST", id="method"),
    pytest.param("GET", "/nothing", b"", {}, 404, None, "nothing at this address", id="address"),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "field", "message"), REFUSED)
def test_refused(
    api: Api,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    field: str | None,
    message: str,
) -> None:
    answer = api.ask(method, path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"].keys() == {"field", "message"}
    assert answer.json()["error"]["field"] == field
    assert message in answer.json()["error"]["message"]


def test_nothing_that_is_refused_leaves_a_job(api: Api) -> None:
    for case in REFUSED:
        method, path, body, headers, *_ = case.values
        api.ask(method, path, content=body, headers=headers)
    assert api.ask("GET", "/jobs").json() == {"jobs": []}
    assert not list(Path(api.service.tier.uri).rglob("_rekindle/queue/*"))


@pytest.mark.parametrize("inside", [True, False])
def test_a_link_leads_out_of_the_allowed_folder(api: Api, tmp_path: Path, *, inside: bool) -> None:
    (tmp_path / "source" / "below").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path / "source" / "below" if inside else tmp_path / "hot")
    answer = api.ask("POST", "/ingest", json={"bucket": f"file://{tmp_path}/source/link"})
    assert answer.status_code == (200 if inside else 400), answer.text


@pytest.mark.parametrize("bucket", ["file:///source-2", "file:///source/../source-2", "file:///source/\u0000"])
def test_a_folder_beside_the_allowed_one(api: Api, tmp_path: Path, bucket: str) -> None:
    named = bucket.replace("file://", f"file://{tmp_path}")
    assert api.ask("POST", "/ingest", json={"bucket": named}).json()["error"]["field"] == "bucket"


def test_a_tier_that_fails_is_503(tmp_path: Path) -> None:
    api = make_api(tmp_path)
    (tmp_path / "hot").rmdir() if (tmp_path / "hot").exists() else None
    (tmp_path / "hot").write_text("a file where the tier was")
    answer = api.ask("GET", "/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    answer = api.ask("POST", "/ingest", json={"bucket": f"file://{tmp_path}/source"})
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"] == "5"


def test_a_mistake_of_the_service_shows_nothing_of_itself(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("rk_secret")

    monkeypatch.setattr(api.service.keyring, "has_any", fail)
    answer = api.ask("GET", "/jobs")
    assert answer.status_code == 500
    assert "rk_secret" not in answer.text
    assert answer.json()["error"]["message"].startswith("an error of the service, which its log has as ")


def test_every_call_is_described(api: Api) -> None:
    document = api.ask("GET", "/openapi.json").json()
    calls = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert {"POST /ingest", "GET /jobs/{task_id}", "DELETE /keys/{key_id}", "GET /healthz"} <= calls
    ingest = document["paths"]["/ingest"]["post"]
    assert ingest["requestBody"]["content"]["application/json"]["example"]["bucket"] == "example-bucket"
    assert "422" not in ingest["responses"]
    assert ingest["responses"]["400"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")
    named = {one.rpartition("/")[2] for one in _references(document)}
    assert named <= document["components"]["schemas"].keys()


def _references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(_references, part.values()))
    return set().union(*map(_references, part)) if isinstance(part, list) else set()


def test_an_unknown_parameter_is_answered_with_those_that_there_are(api: Api) -> None:
    error = api.ask("GET", "/patterns?lsat=7d").json()["error"]
    assert error["field"] == "lsat"
    allowed = "from, last, limit, query, tier, to"
    assert error["message"] == f"lsat: unknown parameter; allowed are {allowed}"
