"""The receiver of HEC in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from service.hec.write_ahead_log import WriteAheadLog
from tests.service.conftest import Api, make_api


@dataclass
class Hec:
    """A service with a key that may send.

    Attributes:
        api: The service.
        token: The key's.
        tier: The folder of its hot tier.
    """

    api: Api
    token: str
    tier: Path

    def post(self, path: str = "", content: str | bytes = '{"event":"a"}', **more: Any) -> Any:
        """Send something; `path` follows `/services/collector`."""
        headers = {"Authorization": f"Splunk {self.token}"} | more.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        return self.api.client.post(f"/services/collector{path}", content=content, headers=headers, **more)

    @property
    def wal(self) -> WriteAheadLog:
        """The log of the service."""
        return self.api.service.hec.open().wal

    def commit(self) -> None:
        """Bring all of the log into the hot tier."""
        while self.api.service.hec.open().committer.commit():
            pass

    def events(self) -> list[dict[str, Any]]:
        """Return what is in the hot tier, in the order of the ids, without the columns that are null."""
        return events_of(self.tier)


def events_of(tier: Path) -> list[dict[str, Any]]:
    """Return what is in a hot tier, in the order of the ids, without the columns that are null."""
    table: pa.Table = DeltaTable(str(tier / "events")).to_pyarrow_table()
    rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    for row in rows:
        row |= dict(row.pop("attributes", None) or [])
    return sorted(rows, key=lambda row: int(row["_event_id"].rpartition("-")[2]))


@pytest.fixture
def hec(tmp_path: Path) -> Iterator[Hec]:
    """A service whose receiver commits only when it is told to."""
    yield from serving_hec(tmp_path)


def serving_hec(tmp_path: Path, **settings: Any) -> Iterator[Hec]:
    """Yield a service of these settings, and close its receiver."""
    api = make_api(tmp_path, **settings)
    api.service.hec.seconds = 3600.0
    yield Hec(api, api.key("ingest", env="prod", team="core"), tmp_path / "hot")
    api.service.hec.close()
