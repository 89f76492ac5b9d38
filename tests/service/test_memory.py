"""How `--memory` is shared."""

from __future__ import annotations

import pytest

from service.memory import CACHE_BYTES, SERVER_BYTES, SQL_BYTES, WORKER_BYTES, MemoryShares, share_memory
from transforms.core.errors import ConfigurationError

MIB = 1 << 20


@pytest.mark.parametrize(
    ("total", "workers", "expected"),
    [
        pytest.param(None, 2, MemoryShares(None, SQL_BYTES, CACHE_BYTES), id="default"),
        pytest.param(2048, 2, MemoryShares(148 * MIB, 259 * MIB // 2, 37 * MIB), id="2-GiB"),
        pytest.param(1024, 0, MemoryShares(None, 352 * MIB, CACHE_BYTES), id="no-workers"),
        pytest.param(16_384, 2, MemoryShares(3732 * MIB, SQL_BYTES, CACHE_BYTES), id="much"),
    ],
)
def test_shares(total: int | None, workers: int, expected: MemoryShares) -> None:
    found = share_memory(None if total is None else total * MIB, job_workers=workers, places=2)
    assert found == expected
    if total is not None:
        used = SERVER_BYTES + workers * (WORKER_BYTES + (found.job or 0)) + found.cache + 2 * found.sql
        assert used <= total * MIB


def test_too_little() -> None:
    with pytest.raises(ConfigurationError, match="2 workers for jobs takes 1,712 MiB, not 1,024: give it more, or"):
        share_memory(1024 * MIB, job_workers=2, places=2)
