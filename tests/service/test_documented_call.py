"""The documented call by `curl`, word for word but for the port, and every error that the documentation lists."""

from __future__ import annotations

import bz2
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import S3
from tests.pipelines.conftest import Ended, read_files, rekindle
from tests.service.conftest import ROOT, LiveService, serving

__all__ = ["rekindle"]
BUCKET = "example-bucket"
LINES = [f"2025-08-11 10:00:0{second} event {second}" for second in range(5)]
JOB = {"bucket": BUCKET, "pattern": "logs/example_logs.bz2"}


@dataclass
class Caller:
    """Calls a service by `curl`.

    Attributes:
        tokens: A token of each role.
    """

    service: LiveService
    tokens: dict[str, str]
    tier: Path

    def curl(self, *arguments: str) -> tuple[int, Any]:
        """Return status and document of an answer."""
        command = ["curl", "--silent", "--show-error", "--write-out", "%{http_code}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return int(done.stdout[-3:]), json.loads(done.stdout[:-3])

    def ingest(self, role: str, document: object, *more: str, path: str = "/ingest") -> tuple[int, Any]:
        body = document if isinstance(document, str) else json.dumps(document)
        url = f"http://{self.tokens[role]}@127.0.0.1:{self.service.port}{path}"
        return self.curl(url, "--header", "Content-Type: application/json", "--data", body, *more)


@pytest.fixture
def caller(s3: S3, tmp_path: Path, rekindle: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """A service that knows its S3 by the environment alone, as one on AWS does."""
    s3.client.create_bucket(Bucket=BUCKET)
    s3.client.put_object(Bucket=BUCKET, Key="logs/example_logs.bz2", Body=bz2.compress("\n".join(LINES).encode()))
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    tier = tmp_path / "hot"
    roles = {"admin": ("admin",), "ingest": ("ingest",), "read": ("read",), "no-pull": ("ingest", "--no-s3-pull")}
    tokens = {
        name: rekindle("keys", "create", "--role", *flags, "--json", "--hot-tier", tier).json["token"]
        for name, flags in roles.items()
    }
    with serving(tier, "--job-workers", "1") as service:
        yield Caller(service, tokens | {"wrong": "rk_wrong"}, tier)


REFUSED: dict[str, tuple[str, object, int, str | None, str]] = {
    "no-json": ("ingest", "{", 400, None, "JSON"),
    "no-object": ("ingest", [JOB], 400, None, "object"),
    "unknown-field": ("ingest", {**JOB, "bukcet": "b"}, 400, "bukcet", "bukcet"),
    "no-bucket": ("ingest", {"pattern": "**"}, 400, "bucket", "bucket"),
    "pattern": ("ingest", {**JOB, "pattern": "logs/[a"}, 400, "pattern", "pattern"),
    "time": ("ingest", {**JOB, "modifiedAfter": "yesterday"}, 400, "modifiedAfter", "modifiedAfter"),
    "range": (
        "ingest",
        {**JOB, "modifiedAfter": "2025-02-01T00:00:00Z", "modifiedBefore": "2025-01-01T00:00:00Z"},
        400,
        "modifiedAfter",
        "modifiedBefore",
    ),
    "no-such-bucket": (
        "ingest",
        {**JOB, "bucket": "there-is-no-such-bucket"},
        400,
        "bucket",
        "there-is-no-such-bucket",
    ),
    "folder": ("ingest", {"bucket": "file:///etc"}, 400, "bucket", "--allow-dir"),
    "wrong-token": ("wrong", JOB, 401, "token", "Invalid token"),
    "role": ("read", JOB, 403, "key", "takes a key of the role ingest"),
    "no-s3-pull": ("no-pull", JOB, 403, "key", 'Missing "s3_pull" key from IAM key attributes'),
}


@pytest.mark.slow
def test_the_documented_call_and_its_errors(caller: Caller, rekindle: Callable[..., Ended]) -> None:
    assert shutil.which("curl"), "this test is of curl"
    documented = re.search(r"^curl --location .*$", (ROOT / "docs" / "service.md").read_text(), re.MULTILINE)
    assert documented is not None
    command = documented[0].replace("TOKEN", caller.tokens["admin"]).replace(":8080", f":{caller.service.port}")
    done = subprocess.run(
        f"{command} --silent --write-out '%{{http_code}}'", shell=True, capture_output=True, text=True, check=True  # noqa: S602
    )  # fmt: skip
    answer = json.loads(done.stdout.removesuffix("200"))
    assert (done.stdout[-3:], list(answer)) == ("200", ["taskId"])
    report = caller.service.wait_for(answer["taskId"], token=caller.tokens["admin"])
    assert (report["status"], report["events"], report["byCodec"]["bzip2"]["objects"]) == ("Succeeded", 5, 1)
    found = caller.service.ask("GET", "/search?query=event", token=caller.tokens["read"])[1]
    assert [row["_message"] for row in found["rows"]] == LINES[::-1]
    assert read_files(rekindle, caller.tier, "SELECT _message FROM events ORDER BY _time") == [(one,) for one in LINES]
    answers = {name: caller.ingest(role, document) for name, (role, document, *_) in REFUSED.items()}
    assert {name: (status, document["error"]["field"]) for name, (status, document) in answers.items()} == {
        name: (status, field) for name, (_, _, status, field, _) in REFUSED.items()
    }
    for name, (*_, text) in REFUSED.items():
        assert text in answers[name][1]["error"]["message"], name
    refuse_others(caller, answer["taskId"])
    assert not any(token in caller.service.log for token in caller.tokens.values())


def refuse_others(caller: Caller, task_id: str) -> None:
    """Assert the errors of what is wrong beside the body."""
    root = f"http://127.0.0.1:{caller.service.port}"
    token = ("--header", f"Authorization: Bearer {caller.tokens['admin']}")
    packed = ("--header", "Content-Encoding: gzip")
    large = caller.tier.parent / "large.json"
    large.write_text(json.dumps(JOB | {"exclude": "x" * (1 << 20)}))
    assert caller.curl(f"{root}/ingest", "--data", "{}") == (
        401, {"error": {"field": "token", "message": "Token is required"}},
    )  # fmt: skip
    statuses = {
        "job": caller.curl(f"{root}/jobs/none", *token),
        "key": caller.curl(f"{root}/keys/none", "--request", "DELETE", *token),
        "address": caller.curl(f"{root}/nothing", *token),
        "method": caller.curl(f"{root}/ingest", *token),
        "packed": caller.ingest("ingest", JOB, *packed),
        "large": caller.curl(f"{root}/ingest", "--data-binary", f"@{large}", *token),
        "succeeded": caller.curl(f"{root}/jobs/{task_id}/resume", "--request", "POST", *token),
        "query": caller.curl(f"{root}/search?query=a%3D", *token),
    }
    assert {name: status for name, (status, _) in statuses.items()} == {
        "job": 404, "key": 404, "address": 404, "method": 405, "packed": 415, "large": 413, "succeeded": 409,
        "query": 400,
    }  # fmt: skip
    assert all(document.keys() == {"error"} for _, document in statuses.values())
    guesses = [caller.ingest("wrong", JOB)[0] for _ in range(12)]
    assert guesses[-1] == 429
