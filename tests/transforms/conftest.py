"""A hot tier where the kind of store makes no difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from transforms.hot_tier.table.prepare import prepare
from transforms.storage import StorageOptions, TierStore, open_tier


@pytest.fixture
def local_tier(tmp_path: Path) -> TierStore:
    """An empty hot tier in a folder."""
    made = open_tier(str(tmp_path / "hot"), StorageOptions())
    prepare(made)
    return made
