"""`rekindle sql` with a limit of time or memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.pipelines.conftest import Ended
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.storage import StorageOptions, open_tier


@pytest.mark.parametrize(
    ("statement", "flags", "code", "message"),
    [
        ("SELECT 1 AS one", ("--timeout", "5m", "--memory", "1G"), 0, ""),
        ("SELECT sum(a % 7) FROM range(1000000000000) t(a)", ("--timeout", "1s"), 1, "took longer than 1 s"),
        ("SELECT list(range) FROM range(30000000)", ("--memory", "64M"), 1, "emory"),
        ("SELECT 1", ("--timeout", "soon"), 2, "--timeout"),
        ("SELECT 1", ("--memory", "much"), 2, "--memory"),
        ("SELECT 1", ("--memory", "0"), 2, "--memory"),
    ],
    ids=["within", "too long", "too large", "no duration", "no size", "no memory"],
)
def test_limits(
    rekindle: Callable[..., Ended], tmp_path: Path, statement: str, flags: tuple[str, ...], code: int, message: str
) -> None:
    Tier(open_tier(str(tmp_path / "hot"), StorageOptions())).add(
        [event(datetime(2025, 1, 1, tzinfo=timezone.utc), "m")]
    )
    ended = rekindle("sql", statement, *flags, "--hot-tier", tmp_path / "hot")
    assert (ended.code, message in ended.err) == (code, True), ended.err
