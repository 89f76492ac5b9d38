"""Families of objects: what is taken out of their keys, and which object stands for them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pipelines.jobs.families import family_name, group_by_family
from transforms.storage import ObjectInfo

MODIFIED = datetime(2025, 8, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("logs/2025/08/11/app-03.log.gz", "logs/*/*/*/app-*.log.gz"),
        ("logs/2025-08-11/app.json", "logs/*/app.json"),
        ("dt=2025-08-11/hour=07/part-00001.csv", "dt=*/hour=*/part-*.csv"),
        ("host12/syslog.1", "host*/syslog.*"),
        ("x/3f2b8c1e-9d4a-4b7f-8a6e-0c1d2e3f4a5b.json.zst", "x/*.json.zst"),
        ("x/e3b0c44298fc1c149afbf4c8996fb924.log", "x/*.log"),
        ("x/app.log.bz2", "x/app.log.bz2"),
        ("x/app.log.lz4", "x/app.log.lz4"),
        ("AWSLogs/123456789012/CloudTrail/us-east-1/2025/08/11/123456789012_CloudTrail_us-east-1_20250811T0005Z_"
         "aB3dEfGh1jKlMnOp.json.gz", "AWSLogs/*/CloudTrail/us-east-*/*/*/*/*_CloudTrail_us-east-*.json.gz"),
        ("x/qWeRtYuIoPaSdFgH.json", "x/*.json"),
        ("x/ApplicationLoadBalancer.log", "x/ApplicationLoadBalancer.log"),
        ("nothing", "nothing"),
        ("", ""),
        ("ünï/12.log", "ünï/*.log"),
    ],
    ids=["path of dates", "date", "partitions", "host", "uuid", "hash", "bz2", "lz4", "cloudtrail", "random letters",
         "words", "none", "empty", "not ASCII"],
)  # fmt: skip
def test_names(key: str, expected: str) -> None:
    assert family_name(key) == expected


def test_groups() -> None:
    sizes = {"a/1.log": 5, "a/2.log": 1, "a/3.log": 2, "b7.log": 9, "c.log": 9}
    infos = [ObjectInfo(bucket="b", key=key, etag="e", size=size, modified=MODIFIED) for key, size in sizes.items()]
    found = [(family.name, family.size, family.sample.key) for family in group_by_family(reversed(infos))]
    assert found == [("b7.log", 9, "b7.log"), ("c.log", 9, "c.log"), ("a/*.log", 8, "a/1.log")]
