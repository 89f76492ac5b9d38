"""Hot tiers in a local folder and on S3: everything holds for both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import S3
from transforms.hot_tier.table.prepare import prepare
from transforms.storage import StorageOptions, TierStore, open_tier


@pytest.fixture(params=["local", "s3"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> TierStore:
    """A place where no hot tier is yet."""
    if request.param == "local":
        return open_tier(str(tmp_path / "hot"), StorageOptions())
    s3: S3 = request.getfixturevalue("s3")
    return open_tier(f"s3://{s3.bucket}/some/hot", s3.options)


@pytest.fixture
def tier(empty_store: TierStore) -> TierStore:
    """An empty hot tier."""
    prepare(empty_store)
    return empty_store
