"""A job over several sources: each object is read, tagged and shaped as the first source that takes it says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.jobs.specification import check_specification
from tests.conftest import S3
from tests.fault_proxy import FaultProxy, Gate
from tests.pipelines.conftest import ROOT, Ended, content, read_files, start_rekindle

Rekindle = Callable[..., Ended]
OBJECTS = {
    "web/2025/a.log": b"2025-08-11 10:00:00 GET /a 200\n  at x\n2025-08-11 10:00:01 GET /b 404\n",
    "web/2025/debug/b.log": b"2025-08-11 10:00:02 GET /debug 200\n",
    "web/2025/c.tmp": b"no one's\n",
    "old/web-1.log": b"2025-08-11 11:00:00 GET /old 500\n",
    "db/1.txt": b"2025-08-11T12:00:00Z;SELECT 1;7\n2025-08-11T12:00:01Z;SELECT 2;8\n",
    "db/1.csv": b"when,what\n2025-08-11T12:00:02Z,x\n",
    "other/deep/x.json": b'{"rows": {"all": [{"time": "2025-08-11T13:00:00Z", "n": 1, "host": "own"}, {"n": 2}]}}',
    "other/empty.json": b"",
}
WEB = {
    "name": "web",
    "pattern": ["web/**/*.log", "old/*.log"],
    "exclude": "**/debug/**",
    "formatOptions": {"format": "text", "multilineStart": "dated", "timezone": "Europe/Berlin"},
    "index": "web",
    "pipelines": "pipelines/web.yaml",
}
DATABASE = {
    "name": "db",
    "pattern": "db/*.txt",
    "formatOptions": {"format": "csv", "delimiter": ";", "headers": "timestamp,query,ms"},
    "index": "db",
    "sourcetype": "slow_query",
}
OTHER = {
    "name": "other",
    "pattern": "{web,other}/**",
    "formatOptions": {"recordsPath": "rows.all", "format": "json"},
    "host": "h",
}
JOB = {"exclude": "**/*.tmp", "sources": [WEB, DATABASE, OTHER]}
PIPELINES = r"""
pipelines:
  - name: status
    steps: [regex: {source: message, pattern: ' (?P<status>\d{3})(?:\n|$)'}]
"""
OF_ALL = "pipelines: [{name: seen, steps: [set: {output: seen, value: '${index}', override: true}]}]"


def job_file(folder: Path, **fields: object) -> Path:
    """Write a job file, with the pipelines file that it names beside it."""
    (folder / "job/pipelines").mkdir(parents=True, exist_ok=True)
    (folder / "job/pipelines/web.yaml").write_text(PIPELINES)
    path = folder / "job/job.json"
    path.write_text(json.dumps({**JOB, **fields}))
    return path


@pytest.fixture(params=["files", "s3"])
def job(request: pytest.FixtureRequest, tmp_path: Path) -> list[object]:
    """Flags of a job over three sources: the bucket is a folder, or one of S3."""
    if request.param == "files":
        for key, body in OBJECTS.items():
            path = tmp_path / "logs" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        return ["--job", job_file(tmp_path, bucket=f"file://{tmp_path}/logs")]
    s3: S3 = request.getfixturevalue("s3")
    for key, body in OBJECTS.items():
        s3.client.put_object(Bucket=s3.bucket, Key=key, Body=body)
    return ["--job", job_file(tmp_path, bucket=s3.bucket), "--endpoint-url", s3.endpoint_url]


def test_each_source_has_its_own_format_defaults_and_pipelines(
    tmp_path: Path, rekindle: Rekindle, job: list[object]
) -> None:
    (tmp_path / "all.yaml").write_text(OF_ALL)
    flags = [*job, "--pipelines", tmp_path / "all.yaml", "--hot-tier", tmp_path / "hot", "--json"]
    ended = rekindle("backfill", *flags)
    assert ended.code == 0, ended.err
    report = ended.json
    counts = {name: number for name, number in report["objects"].items() if number}
    assert counts == {"evaluated": 8, "excluded": 1, "matched": 6, "empty": 1, "ingested": 5}
    assert report["bySource"] == {
        "web": {"objects": 2, "events": 3},
        "db": {"objects": 1, "events": 2},
        "other": {"objects": 2, "events": 3},
    }
    assert report["job"]["sources"][1]["formatOptions"]["headers"] == ["timestamp", "query", "ms"]
    assert "pattern" not in report["job"]
    rows = read_files(
        rekindle,
        tmp_path / "hot",
        "SELECT filename, epoch(_time)::BIGINT % 86400, index, sourcetype, host, status, seen, _format, _pipelines "
        "FROM events WHERE _error IS NULL AND _time_source <> 'received' AND _time_source <> 'object' ORDER BY ALL",
    )
    hour = 3600
    web = ("web", None, None)
    assert rows == [
        ("db/1.txt", 12 * hour, "db", "slow_query", None, None, "db", "csv", "seen"),
        ("db/1.txt", 12 * hour + 1, "db", "slow_query", None, None, "db", "csv", "seen"),
        ("old/web-1.log", 9 * hour, *web, "500", "web", "text", "status,seen"),
        ("other/deep/x.json", 13 * hour, None, None, "own", None, None, "json", "seen"),
        ("web/2025/a.log", 8 * hour, *web, "200", "web", "text", "status,seen"),
        ("web/2025/a.log", 8 * hour + 1, *web, "404", "web", "text", "status,seen"),
    ]
    before = content(rekindle, tmp_path / "hot")
    again = rekindle("backfill", *flags).json
    assert (again["objects"]["known"], again["events"], again["filesWritten"]) == (5, 0, 0)
    assert again["bySource"]["web"] == {"objects": 0, "events": 0}
    assert content(rekindle, tmp_path / "hot") == before


def test_preview_shows_which_source_took_what(tmp_path: Path, rekindle: Rekindle, job: list[object]) -> None:
    flags = ["preview", *job, "--hot-tier", tmp_path / "hot", "--objects", 9]
    shown = rekindle(*flags, "--json")
    assert shown.code == 0, shown.err
    document = shown.json
    assert (document["objects"]["matched"], document["objects"]["excluded"]) == (6, 1)
    assert {name: taken["objects"] for name, taken in document["bySource"].items()} == {"web": 2, "db": 1, "other": 3}
    families = {one["name"]: (one["source"], one["format"]) for one in document["families"]}
    assert families == {
        "web/2025/a.log": ("web", "text"),
        "old/web-1.log": ("web", "text"),
        "db/1.txt": ("db", "csv"),
        "web/2025/debug/b.log": ("other", "json"),
        "other/deep/x.json": ("other", "json"),
    }
    assert document["unmatched"] == [
        {"name": "db/1.csv", "objects": 1, "bytes": 33, "excluded": 0},
        {"name": "web/2025/c.tmp", "objects": 1, "bytes": 9, "excluded": 1},
    ]
    samples = {sample["object"].rpartition("/")[2]: sample for sample in document["samples"]}
    assert {sample["source"] for sample in samples.values()} == {"web", "db", "other"}
    assert samples["a.log"]["events"][0]["after"]["status"] == "200"
    assert "status" in document["columns"]
    page = rekindle(*flags).out
    assert "Source db: 1 object (64 bytes)\n" in page
    assert "2 kinds of object that no source takes:\n  db/1.csv  1 object" in page


def test_lists_of_patterns_and_exclusions_as_flags(tmp_path: Path, rekindle: Rekindle, s3: S3) -> None:
    for key, body in OBJECTS.items():
        s3.client.put_object(Bucket=s3.bucket, Key=key, Body=body)
    patterns = ["--pattern", "web/**", "--pattern", "web/2025/*.log", "--pattern", "old/{web-1,web-2}.log"]
    flags = ["--bucket", s3.bucket, *patterns, "--exclude", "**/*.tmp", "--exclude", "**/debug/*"]
    ended = rekindle("backfill", *flags, "--hot-tier", tmp_path / "hot", "--endpoint-url", s3.endpoint_url, "--json")
    assert ended.code == 0, ended.err
    objects = ended.json["objects"]
    assert [objects[name] for name in ("evaluated", "excluded", "matched", "ingested")] == [4, 2, 2, 2]
    assert ended.json["bySource"] == {}
    assert ended.json["job"]["pattern"] == patterns[1::2]
    assert ended.json["job"]["exclude"] == ["**/*.tmp", "**/debug/*"]
    listed = rekindle("jobs", "list", "--hot-tier", tmp_path / "hot")
    assert "web/**" in listed.out


@pytest.mark.parametrize(
    ("fields", "flags", "message"),
    [
        pytest.param({}, ["--pattern", "x"], "sources: pattern stands beside it, as a flag or", id="pattern-as-a-flag"),
        pytest.param({}, ["--timezone", "UTC"], "sources: formatOptions stands beside it", id="option-as-a-flag"),
        pytest.param(
            {},
            ["--exclude", "["],
            "Error: exclude, character 1: this bracket is never closed by ']'; write \\[ for",
            id="exclude",
        ),
        pytest.param(
            {"sources": [{**WEB, "pattern": ["a", "{"]}]},
            [],
            "Error: source web: pattern[1], character 1",
            id="pattern",
        ),
        pytest.param(
            {"sources": [{**WEB, "pipelines": "none.yaml"}]}, [], "Error: source web: pipelines ", id="no-file"
        ),
        pytest.param(
            {"sources": [{**OTHER, "pipelines": [{"name": "syslog", "when": "a="}]}]},
            [],
            "Error:\nsource other:1:",
            id="wrong-condition",
        ),
    ],
)
def test_mistakes_come_before_anything_is_done(
    tmp_path: Path, rekindle: Rekindle, fields: dict[str, Any], flags: list[str], message: str
) -> None:
    path = job_file(tmp_path, bucket=f"file://{tmp_path}", **fields)
    ended = rekindle("backfill", "--job", path, *flags, "--hot-tier", tmp_path / "hot")
    assert (ended.code, message in ended.err) == (2, True), ended.err
    assert not (tmp_path / "hot").exists()


def test_a_pipeline_of_a_source_and_of_all_must_not_have_one_name(tmp_path: Path, rekindle: Rekindle) -> None:
    path = job_file(tmp_path, bucket=f"file://{tmp_path}")
    ended = rekindle("backfill", "--job", path, "--pipelines", path.parent / "pipelines/web.yaml")
    assert ended.code == 2
    assert "source web: pipelines: 'status' is among those of " in " ".join(ended.err.split())


def test_a_source_that_gets_nothing_is_told(tmp_path: Path, rekindle: Rekindle) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text("2025-08-11 10:00:00 x\n")
    sources = [{"name": "all"}, {"name": "logs", "pattern": "*.log"}]
    path = job_file(tmp_path, bucket=f"file://{tmp_path}/logs", sources=sources)
    report = rekindle("backfill", "--job", path, "--hot-tier", tmp_path / "hot", "--json").json
    assert report["warnings"] == [
        "source logs: no object belongs to it; one that an earlier source takes too is that one's"
    ]
    assert report["bySource"] == {"all": {"objects": 1, "events": 1}, "logs": {"objects": 0, "events": 0}}
    assert "2 sources: all, logs" in rekindle("jobs", "list", "--hot-tier", tmp_path / "hot").out


def test_the_example_of_the_docs() -> None:
    blocks = (ROOT / "docs/jobs.md").read_text(encoding="utf-8").split("```")
    [block] = [one for one in blocks if one.startswith("yaml\n") and "sources:" in one]
    specification = check_specification(yaml.safe_load(block.removeprefix("yaml\n")))
    assert [source.name for source in specification.sources] == ["web", "database", "rest"]


@pytest.mark.slow
def test_killed_and_resumed_each_object_keeps_its_source(
    s3: S3, fault_proxy: FaultProxy, tmp_path: Path, rekindle: Rekindle
) -> None:
    """The job goes on with what it was started with: its job file and its pipelines file are gone."""
    for key, body in OBJECTS.items():
        s3.client.put_object(Bucket=s3.bucket, Key=key, Body=body)
    job = job_file(tmp_path, bucket=s3.bucket)
    undisturbed = rekindle(
        "backfill", "--job", job, "--hot-tier", tmp_path / "undisturbed", "--endpoint-url", s3.endpoint_url, "--json"
    )
    assert undisturbed.code == 0, undisturbed.err
    gate = Gate(fault_proxy, "other/deep/x.json")
    tier = ("--hot-tier", tmp_path / "hot")
    process = start_rekindle(
        "backfill", "--job", job, "--wave-bytes", "140K", *tier, "--endpoint-url", fault_proxy.endpoint_url
    )
    gate.kill(process)
    shutil.rmtree(job.parent)
    [listed] = rekindle("jobs", "list", *tier, "--json").rows
    shown = rekindle("jobs", "show", listed["taskId"], *tier, "--json").json
    assert (shown["status"], shown["waves"]) == ("Failed", 1)
    assert shown["bySource"]["other"] == {"objects": 0, "events": 0}
    resumed = rekindle("jobs", "resume", listed["taskId"], *tier, "--endpoint-url", s3.endpoint_url, "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.json["bySource"] == undisturbed.json["bySource"]
    assert resumed.json["objects"] == undisturbed.json["objects"]
    assert content(rekindle, tmp_path / "hot") == content(rekindle, tmp_path / "undisturbed")
