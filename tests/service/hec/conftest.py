"""The receiver of HEC in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from service.hec.committer import Committer
from service.hec.entries import RequestContext
from service.hec.write_ahead_log import WriteAheadLog
from tests.service.conftest import Api, make_api

CONTEXT = RequestContext(kind="event", columns={}, defaults={})
CHANNEL = "00872DC6-AC83-4EDE-8AFE-8413C3825C4C"


@dataclass
class Hec:
    """A service with a key that may send; it commits when it is told to.

    Attributes:
        api: The service.
        token: The key's.
        tier: The folder of its hot tier.
    """

    api: Api
    token: str
    tier: Path

    def post(self, path: str = "", content: str | bytes = '{"event":"a"}', **more: Any) -> Any:
        """Send something; `path` follows `/services/collector`, a header of None is left out."""
        headers = {"Authorization": f"Splunk {self.token}"} | more.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        return self.api.client.post(f"/services/collector{path}", content=content, headers=headers, **more)

    @property
    def committer(self) -> Committer:
        """The service's."""
        return self.api.service.hec.open().committer

    @property
    def wal(self) -> WriteAheadLog:
        """The service's log."""
        return self.committer.wal

    def commit(self) -> None:
        """Bring all of the log into the hot tier."""
        while self.committer.commit():
            pass

    def events(self) -> list[dict[str, Any]]:
        """Return what is in the hot tier."""
        return events_of(self.tier)

    def messages(self) -> list[str]:
        """Return the messages that are in the hot tier."""
        return [row["_message"] for row in self.events()]


def events_of(tier: Path) -> list[dict[str, Any]]:
    """Return what is in a hot tier, in the order of the ids, without the columns that are null."""
    table: pa.Table = DeltaTable(str(tier / "events")).to_pyarrow_table()
    rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    for row in rows:
        row |= dict(row.pop("attributes", None) or [])
    return sorted(rows, key=lambda row: (row["_object"], int(row["_event_id"].rpartition("-")[2])))


@contextmanager
def receiving(tmp_path: Path, **settings: Any) -> Iterator[Hec]:
    """Run a service in a folder, whose hot tier and log are there."""
    api = make_api(tmp_path, **settings)
    api.service.hec.seconds = 3600.0
    try:
        yield Hec(api, api.key("ingest", env="prod", team="core"), tmp_path / "hot")
    finally:
        api.service.hec.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hec]:
    """A service for all tests of a module that leave nothing behind in it."""
    with receiving(tmp_path_factory.mktemp("shared")) as one:
        yield one


@pytest.fixture
def hec(tmp_path: Path) -> Iterator[Hec]:
    """A service in this process."""
    with receiving(tmp_path) as one:
        yield one


@pytest.fixture
def make_hec(tmp_path: Path) -> Iterator[Callable[..., Hec]]:
    """Make a service of some settings."""
    opened = []

    def make(**settings: Any) -> Hec:
        opened.append(receiving(tmp_path, **settings))
        return opened[-1].__enter__()

    yield make
    for one in opened:
        one.__exit__(None, None, None)
