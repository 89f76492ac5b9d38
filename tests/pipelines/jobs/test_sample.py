"""Which objects are looked into: of every kind of name and of many folders, spread over them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pipelines.jobs.sample import choose_samples
from transforms.storage import ObjectInfo

MODIFIED = datetime(2025, 8, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("keys", "count", "of_each", "expected"),
    [
        (["a.log", "b.log", "c.json"], 2, None, ["a.log", "c.json"]),
        (["a/1.log", "a/2.log", "b/1.log", "c/1.json"], 3, None, ["a/1.log", "c/1.json", "b/1.log"]),
        (["a/1.log", "a/2.log", "b/1.log"], 5, None, ["a/1.log", "b/1.log", "a/2.log"]),
        (["a/1.log", "a/2.log", "a/3.log", "b/1.log"], 9, 2, ["a/1.log", "b/1.log", "a/2.log"]),
        ([f"{n}/x.gz" for n in range(9)], 3, None, ["0/x.gz", "3/x.gz", "6/x.gz"]),
        (["a.LOG.GZ", "b.log.gz", "c.log"], 2, None, ["a.LOG.GZ", "c.log"]),
        (["syslog-2025-08-11", "no.2025.ending"], 1, None, ["syslog-2025-08-11"]),
        ([], 5, None, []),
        (["a.log"], 0, None, []),
    ],
    ids=[
        "kinds",
        "kinds before folders",
        "then the others",
        "few of each",
        "spread",
        "case",
        "no kind",
        "nothing",
        "none",
    ],
)
def test_choice(keys: list[str], count: int, of_each: int | None, expected: list[str]) -> None:
    infos = [ObjectInfo(bucket="b", key=key, etag="e", size=1, modified=MODIFIED) for key in keys]
    assert [info.key for info in choose_samples(infos, count, of_each=of_each)] == expected
