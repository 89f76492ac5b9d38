"""How much disk a job is said to take: by what this tier's commits took."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.jobs.costs import expected
from pipelines.jobs.costs.expected import disk_need
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.storage import StorageOptions, open_tier

MIB = 1 << 20


class _NewestCommits(Ledger):
    """A ledger whose newest commits have read and written so many bytes."""

    def __init__(self, read: int, written: int) -> None:
        super().__init__()
        self._found = read, written

    def bytes_of_newest(self, commits: int) -> tuple[int, int]:
        assert commits > 0
        return self._found


@pytest.mark.parametrize(
    ("read", "written", "needed", "reason"),
    [
        pytest.param(0, 0, 150 * MIB, "at most in ordinary cases", id="new tier"),
        pytest.param(MIB, 9 * MIB, 150 * MIB, "at most in ordinary cases", id="too little to go by"),
        pytest.param(64 * MIB, 16 * MIB, 31.25 * MIB, "by what the last jobs took", id="smaller"),
        pytest.param(64 * MIB, 128 * MIB, 250 * MIB, "by what the last jobs took", id="larger"),
    ],
)
def test_by_what_was_taken(read: int, written: int, needed: float, reason: str) -> None:
    need = disk_need(100 * MIB, _NewestCommits(read, written))
    assert (need.bytes, need.reason) == (needed, reason)


@pytest.mark.parametrize(
    ("took", "seconds", "known"),
    [
        pytest.param([(60 * MIB, 3.0), (4 * MIB, 1.0)], 15.0, "by what the last jobs took", id="last jobs"),
        pytest.param([(MIB, 60.0)], 8.2, "at most in ordinary cases", id="too little to go by"),
        pytest.param([], 8.2, "at most in ordinary cases", id="none"),
    ],
)
def test_time_by_what_jobs_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took: list[tuple[int, float]], seconds: float, known: str
) -> None:
    monkeypatch.setattr(expected, "_last_jobs", lambda _: iter(took))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    tier, ledger = open_tier(str(tmp_path / "hot"), StorageOptions()), _NewestCommits(0, 0)
    decoded = expected.decoded_size(16 * MIB, "gzip")
    cost = expected.expected_cost(tier, ledger, work_bytes=16 * MIB, decoded_bytes=decoded)
    assert (cost.seconds, cost.seconds_known, cost.disk) == (seconds, known, 24 * MIB)
    assert expected.decoded_size(5, "none") == 5
    assert expected.expected_cost(tier, ledger, work_bytes=0, decoded_bytes=0).seconds == 0
