"""What the product is for: killed in the middle, or two at once, nothing is lost and nothing is there twice."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import S3
from tests.fault_proxy import FaultProxy, Gate
from tests.pipelines.conftest import Ended, content, read_files, start_rekindle

Rekindle = Callable[..., Ended]
LINES = 300
ROUNDS = 10
HELD = "logs/03.log.gz"
"""An object of the second wave."""


def fill(s3: S3, objects: int) -> dict[str, bytes]:
    """Put objects of text, JSON and CSV into the fixture's bucket."""
    bodies = {}
    for n in range(objects):
        stamp = f"2025-08-{10 + n % 3:02d}T0{n % 10}:00"
        if n % 3 == 0:
            text = "".join(f"{stamp}:{i % 60:02d}Z app[{n}]: line {i}\n" for i in range(LINES))
        elif n % 3 == 1:
            text = "".join(
                json.dumps({"timestamp": f"{stamp}:{i % 60:02d}Z", "n": i, "object": n}) + "\n" for i in range(LINES)
            )
        else:
            text = "time,n\n" + "".join(f"{stamp}:{i % 60:02d}Z,{i}\n" for i in range(LINES))
        key = f"logs/{n:02d}.{('log', 'ndjson', 'csv')[n % 3]}.gz"
        bodies[key] = gzip.compress(text.encode(), mtime=0)
        s3.client.put_object(Bucket=s3.bucket, Key=key, Body=bodies[key])
    s3.client.put_object(
        Bucket=s3.bucket, Key="logs/03.log.gz", Body=gzip.compress(b"no time in here\n" * LINES, mtime=0)
    )
    return bodies


@pytest.fixture
def killed(s3: S3, fault_proxy: FaultProxy, tmp_path: Path) -> Iterator[tuple[Path, list[object]]]:
    """A tier whose job was killed with SIGKILL while it read an object of its second wave, and the flags of the job."""
    fill(s3, 12)
    gate = Gate(fault_proxy, HELD)
    flags = ["--bucket", s3.bucket, "--pattern", "logs/**", "--wave-bytes", "140K"]
    process = start_rekindle(
        "backfill", *flags, "--hot-tier", tmp_path / "hot", "--endpoint-url", fault_proxy.endpoint_url
    )
    gate.kill(process)
    yield tmp_path / "hot", [*flags, "--endpoint-url", s3.endpoint_url]


@pytest.mark.slow
def test_killed_in_the_second_of_many_waves(
    killed: tuple[Path, list[object]], tmp_path: Path, rekindle: Rekindle
) -> None:
    tier, flags = killed
    listed = rekindle("jobs", "list", "--hot-tier", tier, "--json").rows
    assert len(listed) == 1
    task_id = listed[0]["taskId"]
    shown = rekindle("jobs", "show", task_id, "--hot-tier", tier, "--json").json
    assert (shown["status"], shown["waves"]) == ("Failed", 1)
    assert f"jobs resume {task_id}" in shown["reason"]
    first_wave = read_files(rekindle, tier, "SELECT filename, count(*) FROM events GROUP BY 1 ORDER BY 1")
    assert 0 < len(first_wave) < 5
    assert {rows for _, rows in first_wave} == {LINES}
    assert HELD not in dict(first_wave)
    shutil.copytree(tier, tmp_path / "copy")

    undisturbed = rekindle("backfill", *flags, "--hot-tier", tmp_path / "undisturbed", "--json")
    assert undisturbed.code == 0, undisturbed.err
    assert undisturbed.json["waves"] >= 3
    expected = content(rekindle, tmp_path / "undisturbed")
    assert len(expected) == 12 * LINES

    again = rekindle("backfill", *flags, "--hot-tier", tier, "--json")
    assert again.code == 0, again.err
    assert again.json["objects"]["known"] == len(first_wave)
    assert content(rekindle, tier) == expected

    resumed = rekindle(
        "jobs", "resume", task_id, "--hot-tier", tmp_path / "copy", "--endpoint-url", flags[-1], "--json"
    )
    assert resumed.code == 0, resumed.err
    assert resumed.json["taskId"] == task_id
    assert (resumed.json["objects"]["ingested"], resumed.json["events"]) == (12, 12 * LINES)
    assert resumed.json["waves"] == undisturbed.json["waves"]
    assert content(rekindle, tmp_path / "copy") == expected
    assert {
        row["_correlation_id"] for row in rekindle("search", "", "--json", "--hot-tier", tmp_path / "copy").rows
    } == {task_id}


@pytest.mark.slow
def test_two_jobs_with_overlapping_globs_at_the_same_moment(s3: S3, tmp_path: Path, rekindle: Rekindle) -> None:
    fill(s3, 12)
    for number in range(ROUNDS):
        tier = tmp_path / f"hot-{number}"
        shared = (
            "--bucket",
            s3.bucket,
            "--wave-bytes",
            "300K",
            "--hot-tier",
            tier,
            "--endpoint-url",
            s3.endpoint_url,
            "--json",
        )
        processes = [
            start_rekindle("backfill", "--pattern", pattern, *shared) for pattern in ("logs/0*", "logs/{0[4-9],1?}.*")
        ]
        ended = [(process, *process.communicate(timeout=180)) for process in processes]
        assert [process.returncode for process, _, _ in ended] == [0, 0], ended
        reports = [json.loads(out) for _, out, _ in ended]
        counted = Counter(dict(read_files(rekindle, tier, "SELECT filename, count(*) FROM events GROUP BY 1")))
        assert counted == dict.fromkeys(
            (f"logs/{n:02d}.{('log', 'ndjson', 'csv')[n % 3]}.gz" for n in range(12)), LINES
        )
        assert sum(report["events"] for report in reports) == 12 * LINES
        assert all(
            report["objects"]["matched"] == report["objects"]["known"] + report["objects"]["ingested"]
            and report["status"] == "Succeeded"
            for report in reports
        )


@pytest.mark.slow
def test_canceled_by_another_command(s3: S3, fault_proxy: FaultProxy, tmp_path: Path, rekindle: Rekindle) -> None:
    fill(s3, 12)
    gate = Gate(fault_proxy, HELD)
    tier = tmp_path / "hot"
    flags = ("--bucket", s3.bucket, "--pattern", "logs/**", "--wave-bytes", "140K", "--hot-tier", tier)
    process = start_rekindle("backfill", *flags, "--endpoint-url", fault_proxy.endpoint_url, "--json")
    try:
        assert gate.reached.wait(90)
        task_id = rekindle("jobs", "list", "--hot-tier", tier, "--json").rows[0]["taskId"]
        shown = rekindle("jobs", "show", task_id, "--hot-tier", tier, "--json").json
        assert (shown["status"], shown["stage"]) == ("Running", "Processing")
        assert 0 < shown["progress"] < 1
        assert rekindle("jobs", "cancel", task_id, "--hot-tier", tier).code == 0
        gate.opened.set()
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        gate.opened.set()
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "Canceled"
    resumed = rekindle("jobs", "resume", task_id, "--hot-tier", tier, "--endpoint-url", s3.endpoint_url, "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.json["events"] == 12 * LINES
