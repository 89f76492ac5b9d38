"""How work is cut into waves and splits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.jobs.plan import OBJECT_OVERHEAD, cut_waves

MIB = 1 << 20


def loads(sizes: list[int], placed: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    total: dict[tuple[int, int], int] = {}
    for size, position in zip(sizes, placed, strict=True):
        total[position] = total.get(position, 0) + size
    return total


def test_waves_double_from_64_mib() -> None:
    sizes = [MIB] * 1000
    placed = cut_waves(sizes, wave_bytes=256 * MIB, workers=2)
    counts = [sum(1 for wave, _ in placed if wave == n) for n in range(placed[-1][0] + 1)]
    weights = [n * (MIB + OBJECT_OVERHEAD) / MIB for n in counts[:4]]
    assert all(limit - 2 < weight <= 1.1 * limit for weight, limit in zip(weights, [64, 128, 256, 256], strict=True))


def test_an_object_that_fits_beside_the_longest_split_joins() -> None:
    placed = cut_waves([20 * MIB] * 8, wave_bytes=1024 * MIB, workers=2)
    assert [wave for wave, _ in placed] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert set(loads([20 * MIB] * 8, placed).values()) == {40 * MIB}


def test_objects_of_nearly_one_size_leave_no_worker_idle() -> None:
    sizes = [23 * MIB + 1000 * n for n in range(8)]
    assert [wave for wave, _ in cut_waves(sizes, wave_bytes=1024 * MIB, workers=2)] == [0, 0, 1, 1, 1, 1, 1, 1]


def test_a_large_object_is_one_wave() -> None:
    assert cut_waves([4096 * MIB], wave_bytes=1024 * MIB, workers=2) == [(0, 0)]


def test_nothing() -> None:
    assert cut_waves([], wave_bytes=MIB, workers=2) == []


def test_splits_of_a_cluster_are_worth_a_file() -> None:
    placed = cut_waves([16 * MIB] * 64, wave_bytes=2048 * MIB, workers=4, split_bytes=64 * MIB)
    assert max(split for _, split in placed) + 1 >= 7
    assert max(loads([16 * MIB] * 64, placed).values()) <= 96 * MIB


@given(st.lists(st.integers(1, 300 * MIB), max_size=60), st.integers(1, 5), st.integers(MIB, 600 * MIB))
def test_every_object_is_in_one_place_and_waves_go_on_in_order(sizes: list[int], workers: int, wave_bytes: int) -> None:
    placed = cut_waves(sizes, wave_bytes=wave_bytes, workers=workers)
    waves = [wave for wave, _ in placed]
    assert len(placed) == len(sizes)
    assert waves == sorted(waves)
    assert set(waves) == set(range(len(set(waves))))
    assert all(0 <= split < workers for _, split in placed)
