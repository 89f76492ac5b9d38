"""`rekindle usage`: what the tier holds, for people and programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import orjson
import pytest

from tests.pipelines.conftest import Ended
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, open_tier

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def tier(tmp_path: Path) -> Tier:
    events = [event(DAY + timedelta(hours=20 * n), "m", sourcetype="app" if n else "web") for n in range(3)]
    return Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add(events)


def test_by_day_for_people(rekindle: Callable[..., Ended], tier: Tier, tmp_path: Path) -> None:
    ended = rekindle("usage", "--hot-tier", tmp_path / "hot")
    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[0] == ["Day", "Events", "Files", "Bytes"]
    assert [line[:3] for line in lines[2:]] == [["2025-01-01", "2", "1"], ["2025-01-02", "1", "1"], ["Total", "3", "2"]]


def test_json_rows(rekindle: Callable[..., Ended], tier: Tier, tmp_path: Path) -> None:
    ended = rekindle("usage", "--by", "sourcetype", "--hot-tier", tmp_path / "hot", "--json")
    rows = [orjson.loads(line) for line in ended.out.splitlines()]
    assert {row["sourcetype"]: (row["events"], row["files"]) for row in rows} == {"web": (1, 1), "app": (2, 2)}
    assert sum(row["bytes"] for row in rows) == sum(file.size for file in Snapshot.load(tier.store).files.values())
    assert list(rows[0]) == ["sourcetype", "events", "files", "bytes"]


@pytest.mark.parametrize(("flags", "code"), [(("--by", "host"), 2), ((), 1)], ids=["what it has not", "no tier"])
def test_what_can_t_be(rekindle: Callable[..., Ended], tmp_path: Path, flags: tuple[str, ...], code: int) -> None:
    assert rekindle("usage", *flags, "--hot-tier", tmp_path / "none").code == code
