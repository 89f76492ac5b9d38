"""A job over real S3: every key, a tier in a bucket, and what goes wrong on the way."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.conftest import S3
from tests.fault_proxy import Fault, FaultProxy
from tests.pipelines.conftest import Ended, content

Rekindle = Callable[..., Ended]
NO_PATHS = ["a//b.log", "/lead.log", "../up.log", "dot/./x.log"]
ODD_KEYS = [
    "tab\there.log",
    "emoji-🔥.log",
    "sp ace.log",
    "per%20cent.log",
    "plus+.log",
    "quote'\".log",
    "ü.log",
]


def backfill(rekindle: Rekindle, s3: S3, tier: object, *flags: object, endpoint_url: str | None = None) -> Ended:
    return rekindle(
        "backfill",
        "--bucket",
        s3.bucket,
        "--hot-tier",
        tier,
        "--endpoint-url",
        endpoint_url or s3.endpoint_url,
        "--json",
        *flags,
    )


@pytest.mark.parametrize(
    "keys",
    [
        ODD_KEYS,
        pytest.param(
            NO_PATHS, marks=pytest.mark.moto_only(reason="its keys are paths of files: no segment is empty or dotted")
        ),
    ],
    ids=["names", "no paths"],
)
def test_every_key_and_a_tier_in_the_same_bucket(s3: S3, rekindle: Rekindle, keys: list[str]) -> None:
    count = len(keys)
    for number, key in enumerate(keys):
        s3.put(key, f"event {number}\n".encode())
    s3.put("folder/", b"")
    tier = f"s3://{s3.bucket}/hot tier".replace(" ", "-")
    first = backfill(rekindle, s3, tier)
    assert first.code == 0, first.err
    assert (first.json["objects"]["matched"], first.json["objects"]["ingested"], first.json["objects"]["empty"]) == (
        count + 1,
        count,
        1,
    )
    rows = content(rekindle, tier, "--endpoint-url", s3.endpoint_url)
    assert {row["filename"]: row["_message"] for row in rows} == {
        key: f"event {number}" for number, key in enumerate(keys)
    }
    assert {row["_object"] for row in rows} == {f"s3://{s3.bucket}/{key}" for key in keys}
    again = backfill(rekindle, s3, tier)
    assert again.code == 0, again.err
    assert (again.json["objects"]["matched"], again.json["objects"]["known"], again.json["events"]) == (
        count + 1,
        count,
        0,
    )
    assert "left out" in again.json["warnings"][0]
    files = rekindle("files", "--hot-tier", tier, "--endpoint-url", s3.endpoint_url).out.splitlines()
    assert all(file.startswith(f"{tier}/events/tier=hot/date=") for file in files)
    counted = rekindle(
        "sql", "SELECT count(*) AS n FROM events", "--hot-tier", tier, "--endpoint-url", s3.endpoint_url, "--json"
    )
    assert counted.rows == [{"n": count}]


def test_an_object_that_vanishes_between_listing_and_reading(
    s3: S3, fault_proxy: FaultProxy, tmp_path: Path, rekindle: Rekindle
) -> None:
    for name in "abc":
        s3.put(f"{name}.log", f"{name}\n".encode())
    fault_proxy.add(Fault(key="b.log", before=lambda: s3.client.delete_object(Bucket=s3.bucket, Key="b.log")))
    ended = backfill(rekindle, s3, tmp_path / "hot", endpoint_url=fault_proxy.endpoint_url)
    assert ended.code == 3, ended.err
    report = ended.json
    assert (report["objects"]["ingested"], report["objects"]["vanished"], report["events"]) == (2, 1, 2)
    assert [(one["object"], one["status"]) for one in report["failures"]] == [(f"s3://{s3.bucket}/b.log", "vanished")]
    again = backfill(rekindle, s3, tmp_path / "hot")
    assert (again.code, again.json["objects"]["known"]) == (0, 2)


def test_an_object_that_changes_while_it_is_read_is_not_half_ingested(
    s3: S3, fault_proxy: FaultProxy, tmp_path: Path, rekindle: Rekindle
) -> None:
    lines = "".join(f"{n} {os.urandom(30).hex()}\n" for n in range(300_000)).encode()
    s3.put("big.log", lines)
    s3.put("small.log", b"fine\n")
    fault_proxy.add(Fault(key="big.log", skip=2, truncate=6 << 20))  # after the proof of access and the sample
    fault_proxy.add(Fault(key="big.log", before=lambda: s3.put("big.log", b"other\n")))
    ended = backfill(rekindle, s3, tmp_path / "hot", endpoint_url=fault_proxy.endpoint_url)
    assert ended.code == 3, ended.err
    assert [(one["object"], one["status"]) for one in ended.json["failures"]] == [
        (f"s3://{s3.bucket}/big.log", "vanished")
    ]
    assert ended.json["recordsIn"] == ended.json["events"] + ended.json["rejected"]
    assert [row["_message"] for row in content(rekindle, tmp_path / "hot")] == ["fine"]
    again = backfill(rekindle, s3, tmp_path / "hot")
    assert (again.json["objects"]["known"], again.json["objects"]["ingested"], again.json["events"]) == (1, 1, 1)


def test_network_trouble_is_mended(s3: S3, fault_proxy: FaultProxy, tmp_path: Path, rekindle: Rekindle) -> None:
    text = "".join(f"{n} {os.urandom(30).hex()}\n" for n in range(200_000))
    s3.put("a.log.gz", gzip.compress(text.encode()))
    fault_proxy.add(Fault(key="a.log.gz", status=503))
    fault_proxy.add(Fault(key="a.log.gz", truncate=1 << 20, reset=True))
    fault_proxy.add(Fault(key=None, status=503))
    ended = backfill(rekindle, s3, tmp_path / "hot", endpoint_url=fault_proxy.endpoint_url)
    assert ended.code == 0, ended.err
    assert ended.json["events"] == 200_000
    files = rekindle("files", "--hot-tier", tmp_path / "hot").out.splitlines()
    assert sorted(
        message for (message,) in duckdb.execute(f"SELECT _message FROM read_parquet({files})").fetchall()
    ) == sorted(text.splitlines())


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(Fault(key=None, status=403, code="AccessDenied", count=-1), ["list", "s3:ListBucket"], id="list"),
        pytest.param(
            Fault(key="a.log", status=403, code="AccessDenied", count=-1), ["read", "s3:GetObject"], id="read"
        ),
        pytest.param(
            Fault(key="*", method="*", status=301, code="PermanentRedirect", region="eu-west-1", count=-1),
            ["--region eu-west-1"],
            id="region",
        ),
    ],
)
def test_refusals_come_before_anything_is_written(
    s3: S3, fault_proxy: FaultProxy, tmp_path: Path, rekindle: Rekindle, fault: Fault, expected: list[str]
) -> None:
    s3.put("a.log", b"one\n")
    fault_proxy.add(fault)
    ended = backfill(rekindle, s3, tmp_path / "hot", endpoint_url=fault_proxy.endpoint_url)
    assert ended.code == 1, ended
    assert ended.out == ""
    assert s3.bucket in ended.err
    assert all(word in ended.err for word in expected), ended.err
    assert not (tmp_path / "hot").exists()
