"""How much disk a job is said to take: by what this tier's commits took."""

from __future__ import annotations

import pytest

from pipelines.jobs.costs.expected import disk_need
from transforms.hot_tier.ledger.ledger import Ledger

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
