"""Which files are merged: small ones, in groups, and never the same twice."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.hot_tier.samples import DAY, NOON
from transforms.hot_tier.maintenance.plan import FILE_BYTES, GROUP_TARGETS, plan_compaction
from transforms.hot_tier.table.snapshot import LiveFile

MIB = 1 << 20
TARGET = 16 * MIB


def live(size: int, start: int = 0, end: int | None = None, *, name: str | None = None) -> LiveFile:
    path = name or f"part-{uuid.uuid4()}-7.parquet"
    first, last = NOON + start, NOON + (start if end is None else end)
    return LiveFile(
        f"tier=hot/date=2024-10-04/{path}", size, max(1, size // 50), "hot", "2024-10-04", first, last, "a", "z", 0
    )


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([MIB], [], id="one small"),
        pytest.param([MIB, MIB], [[0, 1]], id="two small"),
        pytest.param([TARGET // 2, TARGET // 2, TARGET], [], id="large enough"),
        pytest.param([TARGET // 2, MIB, TARGET, MIB, 40 * TARGET], [[1, 3]], id="small ones between large ones"),
        pytest.param([5 * MIB] * 26, [list(range(13)), list(range(13, 26))], id="two groups"),
        pytest.param([5 * MIB] * 27, [list(range(13)), list(range(13, 27))], id="what is left over joins the last"),
        pytest.param([FILE_BYTES] * 10_000, [list(range(10_000))], id="files of a few rows"),
    ],
)
def test_groups(sizes: list[int], groups: list[list[int]]) -> None:
    files = [live(size, number * 1000) for number, size in enumerate(sizes)]
    shuffled = random.Random(1).sample(files, len(files))
    assert plan_compaction(shuffled, target_bytes=TARGET) == [
        tuple(files[number] for number in group) for group in groups
    ]


def test_another_writers_files_are_left_out() -> None:
    foreign = live(MIB, name="part-00000-0c7b5f4e-8f4e-4a53-9f0e-2f3c0d1e2f3a-c000.zstd.parquet")
    assert plan_compaction([foreign, live(MIB)], target_bytes=TARGET) == []


def test_large_files_that_overlap_are_left() -> None:
    assert plan_compaction([live(TARGET, 0, DAY // 3) for _ in range(20)], target_bytes=TARGET) == []


def test_files_that_overlap_stay_together_where_they_can() -> None:
    """The group is closed at the next gap, not between two files that overlap."""
    many = [live(5 * MIB, 0, 100 + number) for number in range(16)]
    later = [live(5 * MIB, 10_000 + number, 20_000) for number in range(16)]
    assert plan_compaction([*many, *later], target_bytes=TARGET) == [tuple(many), tuple(later)]


@given(
    sizes=st.lists(st.one_of(st.integers(FILE_BYTES, 2 * TARGET), st.integers(FILE_BYTES, MIB)), max_size=200),
    ratio=st.floats(1 / GROUP_TARGETS, 1.5),
    spread=st.booleans(),
)
def test_a_second_plan_is_empty(sizes: list[int], ratio: float, *, spread: bool) -> None:
    """However much smaller or larger the rows become once they lie together."""
    files = [live(size, number * 1000, number * 1000 + 500 if spread else 10**6) for number, size in enumerate(sizes)]
    plan = plan_compaction(files, target_bytes=TARGET)
    grouped = [file for group in plan for file in group]
    assert len({file.path for file in grouped}) == len(grouped)
    left = [file for file in files if file not in grouped]
    assert plan_compaction(left + [made for group in plan for made in merged(group, ratio)], target_bytes=TARGET) == []


def merged(group: tuple[LiveFile, ...], ratio: float) -> list[LiveFile]:
    """Return what a merge makes of a group: as few files as are not much larger than the target, of one size."""
    size = FILE_BYTES + int(ratio * sum(file.size - FILE_BYTES for file in group))
    count = -(-size // (TARGET * 9 // 8))
    return [live(size // count, group[0].min_time - NOON) for _ in range(count)]
