"""IAM keys: how they are kept, and what comes in by one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.keys import key_of_token, list_keys, load_key
from tests.conftest import S3
from tests.fault_proxy import FaultProxy
from tests.pipelines.conftest import Ended, content
from transforms.core.errors import ConfigurationError
from transforms.storage import StorageOptions, open_tier

Rekindle = Callable[..., Ended]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a").write_text('{"event": "one", "host": "own"}\n{"event": "two", "time": 1754870400}\n')
    return folder


def create(rekindle: Rekindle, tier: Path, *flags: object) -> dict[str, Any]:
    ended = rekindle("keys", "create", "--hot-tier", tier, "--json", *flags)
    assert ended.code == 0, ended.err
    return ended.json


def test_what_comes_in_by_a_key(rekindle: Rekindle, source: Path, tmp_path: Path) -> None:
    tier = tmp_path / "hot"
    key = create(
        rekindle,
        tier,
        "--env",
        "tutorial",
        "--team",
        "learning",
        "--index",
        "main",
        "--host",
        "the key's",
        "--source",
        "the key's",
    )
    flags = (
        "backfill",
        "--bucket",
        f"file://{source}",
        "--hot-tier",
        tier,
        "--key",
        key["id"],
        "--source",
        "the job's",
        "--json",
    )
    assert rekindle(*flags).code == 0
    one, two = content(rekindle, tier)
    assert {(row["_iam_key_id"], row["_env"], row["_team"]) for row in (one, two)} == {
        (key["id"], "tutorial", "learning")
    }
    assert [row["host"] for row in (one, two)] == ["own", "the key's"]
    assert {(row["source"], row["index"], row["sourcetype"], row["_format"]) for row in (one, two)} == {
        ("the job's", "main", "httpevent", "splunk_hec")
    }


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([], "text"), (["--format", "json"], "json"), (["--format", "auto"], "splunk_hec")],
    ids=["key", "job", "auto"],
)
def test_the_format_is_the_jobs_else_the_keys(
    rekindle: Rekindle, source: Path, tmp_path: Path, flags: tuple[str, ...], expected: str
) -> None:
    key = create(rekindle, tmp_path / "hot", "--format", "text")
    command = (
        "preview",
        "--bucket",
        f"file://{source}",
        "--hot-tier",
        tmp_path / "hot",
        "--key",
        key["id"],
        "--json",
        *flags,
    )
    assert rekindle(*command).json["samples"][0]["format"]["name"] == expected


def test_the_token_is_nowhere(rekindle: Rekindle, tmp_path: Path) -> None:
    tier = tmp_path / "hot"
    key = create(rekindle, tier, "--name", "mine")
    store = open_tier(str(tier), StorageOptions())
    assert key["token"].startswith("rk_")
    assert not any(key["token"].encode() in path.read_bytes() for path in tier.rglob("*") if path.is_file())
    found = key_of_token(store, key["token"])
    assert found is not None and found.id == key["id"]
    assert key_of_token(store, "rk_other") is None
    listed = rekindle("keys", "list", "--hot-tier", tier, "--json")
    assert [row["id"] for row in listed.rows] == [key["id"]]
    assert "token" not in listed.out.lower()


def test_a_revoked_key_lets_nothing_in(rekindle: Rekindle, source: Path, tmp_path: Path) -> None:
    tier = tmp_path / "hot"
    key = create(rekindle, tier)
    other = create(rekindle, tier)
    assert rekindle("keys", "revoke", key["id"][:30], "--hot-tier", tier, "--json").json["id"] == key["id"]
    assert rekindle("keys", "revoke", "-", "--hot-tier", tier).code == 2
    store = open_tier(str(tier), StorageOptions())
    assert key_of_token(store, key["token"]) is None
    assert {one.id: one.revoked_at is not None for one in list_keys(store)} == {key["id"]: True, other["id"]: False}
    with pytest.raises(ConfigurationError, match="revoked"):
        load_key(store, key["id"])
    ended = rekindle("backfill", "--bucket", f"file://{source}", "--hot-tier", tier, "--key", key["id"])
    assert ended.code == 2
    assert "revoked" in ended.err


@pytest.mark.parametrize(
    ("flags", "field"),
    [
        (("--env", "x" * 32), "env"),
        (("--team", "\x07"), "team"),
        (("--role", "root"), "role"),
        (("--format", "xml"), "format"),
        (("--role-arn", "admin"), "role-arn"),
        (("--no-s3-pull", "--index", "i"), "index"),
        (("--no-s3-pull", "--format", "csv"), "format"),
        (("--no-s3-pull", "--role-arn", "arn:aws:iam::123456789012:role/reader"), "role-arn"),
    ],
    ids=["env", "team", "role", "format", "arn", "index-without-s3", "format-without-s3", "arn-without-s3"],
)
def test_wrong_fields_are_named(rekindle: Rekindle, tmp_path: Path, flags: tuple[str, ...], field: str) -> None:
    ended = rekindle("keys", "create", "--hot-tier", tmp_path / "hot", *flags)
    assert ended.code == 2
    assert re.search(rf"Error: (--{field}|Invalid value for '--{field}'): ", ended.err)
    assert not (tmp_path / "hot").exists()


def test_unknown_keys_and_keys_without_s3(rekindle: Rekindle, source: Path, tmp_path: Path) -> None:
    tier = tmp_path / "hot"
    flags = ("backfill", "--bucket", f"file://{source}", "--hot-tier", tier)
    for key_id in ("nonsense", "../../etc/passwd", "00000000-0000-0000-0000-000000000000"):
        ended = rekindle(*flags, "--key", key_id)
        assert ended.code == 2
        assert "there is no key" in ended.err
    key = create(rekindle, tier, "--no-s3-pull")
    ended = rekindle(*flags, "--key", key["id"])
    assert ended.code == 2
    assert 'Missing "s3_pull" key from IAM key attributes' in ended.err


@pytest.mark.parametrize("command", ["backfill", "preview"])
@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--role", "read"), "has the role read: use a key of the role ingest or admin"),
        (
            ("--role-arn", "arn:aws:iam::123456789012:role/reader"),
            "reads by the AWS role arn:aws:iam::123456789012:role/reader, and file://",
        ),
    ],
    ids=["read", "role-arn"],
)
def test_keys_that_can_t_bring_events_in(
    rekindle: Rekindle, source: Path, tmp_path: Path, command: str, flags: tuple[str, ...], reason: str
) -> None:
    key = create(rekindle, tmp_path / "hot", *flags)
    ended = rekindle(command, "--bucket", f"file://{source}", "--hot-tier", tmp_path / "hot", "--key", key["id"])
    assert ended.code == 2
    assert f"key {key['id']} {reason}" in ended.err.replace("\n", " ")


def test_an_admin_may_ingest(rekindle: Rekindle, source: Path, tmp_path: Path) -> None:
    key = create(rekindle, tmp_path / "hot", "--role", "admin")
    ended = rekindle("preview", "--bucket", f"file://{source}", "--hot-tier", tmp_path / "hot", "--key", key["id"])
    assert ended.code == 0


def test_a_role_reads_the_source(rekindle: Rekindle, s3: S3, fault_proxy: FaultProxy, tmp_path: Path) -> None:
    s3.put("a.log", b"one line\n")
    key = create(rekindle, tmp_path / "hot", "--role-arn", "arn:aws:iam::123456789012:role/reader")
    source = ("--bucket", s3.bucket, "--endpoint-url", fault_proxy.endpoint_url)
    ended = rekindle("backfill", *source, "--hot-tier", tmp_path / "hot", "--key", key["id"], "--json")
    assert ended.code == 0, ended.err
    assert ended.json["events"] == 1
    asked = [one for one in fault_proxy.seen if one.method == "POST"]
    assert asked  # STS, for the role
    tokens = {one.headers.get("x-amz-security-token") for one in fault_proxy.requests("a.log")}
    assert tokens and None not in tokens  # and what it gave signs the reading
    job = json.loads((tmp_path / "hot" / "_rekindle" / "jobs" / ended.json["taskId"] / "job.json").read_text())
    assert job["settings"]["source_options"]["role_arn"] == "arn:aws:iam::123456789012:role/reader"
    assert job["settings"]["tier_options"]["role_arn"] is None


ACCESS_LINE = (
    '87.129.182.205 - jaredevans [11/Aug/2025:22:24:37 +0000] "GET /products HTTP/1.1" 200 1987 "-" '
    '"Mozilla/5.0 (Linux; Android 5.1.1; Nexus 5) AppleWebKit/537.36 (KHTML, like Gecko) '
    'Chrome/91.0.4472.124 Mobile Safari/537.36"'
)


def test_conformance_case_1(rekindle: Rekindle, tmp_path: Path) -> None:
    """An access line sent as HEC, a key's env and team, a regex for the version of HTTP, and what is stored."""
    source, tier, pipelines = tmp_path / "source", tmp_path / "hot", tmp_path / "pipelines.yaml"
    source.mkdir()
    sent = {
        "event": ACCESS_LINE,
        "host": "web-1",
        "index": "main",
        "source": "site_visitors.log",
        "sourcetype": "access_combined",
    }
    (source / "collected.json").write_text(json.dumps(sent))
    step = r"{regex: {source: message, pattern: 'HTTP/(?P<http_version>\d+\.\d+)'}}"
    pipelines.write_text(f"pipelines: [{{name: http version, when: sourcetype=access_combined, steps: [{step}]}}]")
    key = create(rekindle, tier, "--env", "tutorial", "--team", "learning")
    flags = ("--bucket", f"file://{source}", "--hot-tier", tier, "--key", key["id"], "--pipelines", pipelines)
    assert rekindle("backfill", *flags).code == 0
    (event,) = rekindle("search", "*", "--hot-tier", tier, "--json").rows
    assert {name: value for name, value in event.items() if not name.startswith("_")} == {
        "filename": "collected.json",
        "host": "web-1",
        "http_version": "1.1",
        "index": "main",
        "source": "site_visitors.log",
        "sourcetype": "access_combined",
    }
    assert (event["_env"], event["_team"], event["_iam_key_id"]) == ("tutorial", "learning", key["id"])
    assert (event["_time"], event["_message"]) == ("2025-08-11T22:24:37Z", ACCESS_LINE)


@pytest.mark.parametrize(
    ("flags", "ingests"),
    [([], True), (["--role", "read"], False), (["--no-s3-pull"], False)],
    ids=["any", "read", "no"],
)
def test_what_a_new_key_is_for(tmp_path: Path, rekindle: Rekindle, flags: list[str], ingests: bool) -> None:
    ended = rekindle("keys", "create", "--hot-tier", tmp_path / "hot", *flags)
    assert "shown only once" in ended.err
    assert ("backfill --key" in ended.err) == ingests
