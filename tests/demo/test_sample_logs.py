"""The demonstration's sample logs: enough of them, the same each time, and what the shipped pipelines expect."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path

import pytest
import yaml
import zstandard

import demo
from demo.sample_logs import PATTERN, sample_objects
from transforms.objects.discovery.key_glob import KeyGlob


@pytest.fixture(name="objects", scope="module")
def fixture_objects() -> dict[str, bytes]:
    return dict(sample_objects())


def text_of(key: str, content: bytes) -> str:
    if key.endswith(".gz"):
        return gzip.decompress(content).decode()
    if key.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompress(content).decode()
    return content.decode()


def records_of(key: str, content: bytes) -> int:
    text = text_of(key, content)
    return sum(1 for _ in csv.reader(io.StringIO(text))) - 1 if key.endswith(".csv") else text.count("\n")


def test_the_glob_takes_enough_and_leaves_others(objects: dict[str, bytes]) -> None:
    glob = KeyGlob(PATTERN)
    matched = {key: content for key, content in objects.items() if glob.matches(key)}
    assert sum(1 for content in matched.values() if content) == 33
    assert sum(records_of(key, content) for key, content in matched.items() if content) == 216_000
    assert {key.split("/")[0] for key in objects.keys() - matched.keys()} == {"exports", "backups", "logs"}


def test_the_same_call_gives_the_same_bytes(objects: dict[str, bytes]) -> None:
    assert dict(sample_objects()) == objects


def test_access_lines_are_what_the_shipped_pipeline_expects(objects: dict[str, bytes]) -> None:
    pipelines = yaml.safe_load(Path(demo.__file__).with_name("access_logs.yaml").read_text(encoding="utf-8"))
    pattern = re.compile(pipelines["pipelines"][0]["steps"][0]["regex"]["pattern"])
    lines = [
        line for key, content in objects.items() if "/access-" in key for line in text_of(key, content).splitlines()
    ]
    assert len(lines) == 120_000
    assert [line for line in lines if not pattern.match(line)] == []


def test_service_records_are_objects_with_a_time(objects: dict[str, bytes]) -> None:
    for key, content in objects.items():
        if key.endswith(".ndjson.zst"):
            records = [json.loads(line) for line in text_of(key, content).splitlines()]
            assert all(record["time"].startswith("2025-08-1") and record["service"] in key for record in records)


def test_payments_fail_during_the_outage_and_only_then(objects: dict[str, bytes]) -> None:
    text = text_of(
        "payment", zstandard.ZstdDecompressor().decompress(objects["logs/app/payment/2025/08/12/12.ndjson.zst"])
    )
    records = [json.loads(line) for line in text.splitlines()]
    inside = [record for record in records if "2025-08-12T14:05" <= record["time"] < "2025-08-12T14:25"]
    failed = [record["level"] == "error" for record in inside]
    assert len(inside) > 50
    assert sum(failed) > 0.8 * len(failed)
    assert sum(record["level"] == "error" for record in records) < 2 * sum(failed)
