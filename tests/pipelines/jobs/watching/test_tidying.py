"""Small files are merged when there are many of one size, and large ones are left alone."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.jobs.watching import tidying
from pipelines.jobs.watching.tidying import MOST_SMALL, merge_small_files
from pipelines.maintenance.rewriter import MaintenanceSettings
from transforms.hot_tier.data.writer import TARGET_BYTES
from transforms.hot_tier.table.file_description import new_path
from transforms.hot_tier.table.snapshot import LiveFile

SETTINGS = MaintenanceSettings(hot_tier="hot")


class Table:
    """A snapshot of some files of one date."""

    def __init__(self, *sizes: int) -> None:
        paths = [new_path("hot", "2025-01-01", 5) for _ in sizes]
        self.files = {path: _file(path, size) for path, size in zip(paths, sizes, strict=True)}

    def can_be_named(self, path: str) -> bool:
        return path in self.files


def _file(path: str, size: int) -> LiveFile:
    return LiveFile(path, size, 1, "hot", "2025-01-01", 0, 1, None, None, 0)


CASES = {
    "few": ([1000] * (MOST_SMALL - 1), None),
    "many tiny ones": ([1000] * MOST_SMALL, TARGET_BYTES >> 6),
    "many tiny ones beside merged ones": ([1000] * MOST_SMALL + [3 << 20] * 10, TARGET_BYTES >> 6),
    "many merged ones": ([1000] * 10 + [3 << 20] * MOST_SMALL, TARGET_BYTES >> 3),
    "many of half a size": ([100 << 20] * MOST_SMALL, TARGET_BYTES),
    "large ones": ([200 << 20] * 1000, None),
    "none": ([], None),
}


@pytest.mark.parametrize(("sizes", "target"), CASES.values(), ids=CASES)
def test_what_is_merged(monkeypatch: pytest.MonkeyPatch, sizes: list[int], target: int | None) -> None:
    merged: list[int] = []
    monkeypatch.setattr(tidying, "compact", lambda _, *, target_bytes: merged.append(target_bytes))
    table: Any = Table(*sizes)
    assert merge_small_files(table, SETTINGS) == (target is not None)
    assert merged == ([] if target is None else [target])
