"""Exports as streams of bytes: whole, in order, and no more in memory than some rows."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone

import orjson
import polars as pl
import pytest

from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import CanceledError
from transforms.hot_tier.search import export
from transforms.hot_tier.search.export import ExportForm, export_events
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import row_field
from transforms.hot_tier.search.serving.gate import QueryGate
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query import parse
from transforms.storage import TierStore

DAY = datetime(2025, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def snapshot(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """Three files of 5 events, each a part of its own."""
    monkeypatch.setattr(export, "_ROWS", 1)
    monkeypatch.setattr(export, "_JSON_ROWS", 2)
    days = [
        [event(DAY + timedelta(days=d, hours=h), f"{d}-{h}", host="h", other=f'"{d}"') for h in range(5)]
        for d in range(3)
    ]
    return Snapshot.load(Tier(local_tier).add(*days).store)


MESSAGES = [f"{day}-{hour}" for day in (2, 1, 0) for hour in range(4, -1, -1)]


def test_ndjson_has_flat_rows(snapshot: Snapshot) -> None:
    parts = list(export_events(snapshot, SearchRequest(), ExportForm.NDJSON))
    rows = [orjson.loads(line) for line in b"".join(parts).splitlines()]
    assert [row["_message"] for row in rows] == MESSAGES
    assert rows[0] == {
        "_time": "2025-01-03T04:00:00Z",
        "_time_source": "record",
        "_message": "2-4",
        "_event_id": "e_s3://logs/0/2-4",
        "_object": "s3://logs/0/2",
        "host": "h",
        "other": '"2"',
    }
    assert len(parts) > 5  # as many as two rows at a time take


def test_csv_has_one_head(snapshot: Snapshot) -> None:
    request = SearchRequest(fields=(row_field("_message"), row_field("other")))
    parts = list(export_events(snapshot, request, ExportForm.CSV))
    assert b"".join(parts).decode().splitlines()[:3] == ["_message,other", '2-4,"""2"""', '2-3,"""2"""']
    assert len(parts) > 2


def test_parquet_is_read_back(snapshot: Snapshot) -> None:
    parts = list(export_events(snapshot, SearchRequest(), ExportForm.PARQUET))
    table = pl.read_parquet(io.BytesIO(b"".join(parts)))
    assert table["_message"].to_list() == MESSAGES
    assert table["host"].unique().to_list() == ["h"]
    assert len(parts) > 2


@pytest.mark.parametrize("form", ExportForm)
def test_nothing_found_is_a_whole_export_too(snapshot: Snapshot, form: ExportForm) -> None:
    data = b"".join(export_events(snapshot, SearchRequest(parse("absent")), form))
    if form is ExportForm.PARQUET:
        assert pl.read_parquet(io.BytesIO(data)).height == 0
    else:
        assert data.startswith(b"_time," if form is ExportForm.CSV else b"")
        assert len(data.splitlines()) == (form is ExportForm.CSV)


@pytest.mark.parametrize("form", ExportForm)
def test_a_limit_and_a_cancel(snapshot: Snapshot, form: ExportForm) -> None:
    stop = StopSignal()
    assert b"".join(export_events(snapshot, SearchRequest(), form, limit=3, stop=stop))
    parts = QueryGate(1).turns(export_events(snapshot, SearchRequest(), form, stop=stop), stop)
    next(parts)
    stop.cancel()
    with pytest.raises(CanceledError):
        list(parts)
