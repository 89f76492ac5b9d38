"""Every reader that the README names reads a table of several jobs, columns and replaced files correctly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timezone
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from tests.transforms.hot_tier.samples import NOON, entry, events, expected_ids, publish, uri_of
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.table.live_files import live_files
from transforms.hot_tier.table.prepare import open_events, promote_new, promoted_columns
from transforms.storage import TierStore

MESSAGE = "äöü \x00 \U0001f600 " + "long " * 20


@pytest.fixture
def filled(local_tier: TierStore) -> TierStore:
    """Files of before and after a column was added, and one that took the place of another."""
    publish(local_tier, ["old", "changed"], job="first")
    promote_new(local_tier, ["status", "k8s.pod"])
    publish(local_tier, ["changed"], job="second", content="2")
    writer = HotTierWriter(local_tier, columns=promoted_columns(local_tier))
    batch = events(
        uri_of("new"),
        [NOON, NOON + 1],
        host="web",
        status=["200", None],
        other=["", None],
        **dict[str, Any]({"k8s.pod": ["a", "b"], "date": ["x", None]}),
    )
    writer.write(batch.set_column(0, "_message", pa.array([MESSAGE, ""], pa.string_view())))
    publish_wave(local_tier, job="third", wave=0, files=writer.close(), entries=[entry("new", 2, job="third")])
    return local_tier


ALL = sorted([*expected_ids(["old"]), *expected_ids(["changed"], content="2"), *expected_ids(["new"], rows=2)])


def by_scan_delta(tier: TierStore) -> pa.Table:
    return pl.scan_delta(tier.table_uri("events")).collect().to_arrow()


def by_scan_parquet(tier: TierStore) -> pa.Table:
    scan = pl.scan_parquet(
        live_files(tier),
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=True,
        schema=_polars_schema(tier),
    )
    return scan.collect().to_arrow()


def _polars_schema(tier: TierStore) -> pl.Schema:
    return pl.scan_delta(tier.table_uri("events")).collect_schema()


def by_duckdb(tier: TierStore) -> pa.Table:
    return duckdb.execute(
        "SELECT * FROM read_parquet(?, union_by_name = true, hive_partitioning = true)", [live_files(tier)]
    ).to_arrow_table()


def by_deltalake_dataset(tier: TierStore) -> pa.Table:
    return open_events(tier).to_pyarrow_dataset().to_table()


def by_deltalake_table(tier: TierStore) -> pa.Table:
    return open_events(tier).to_pyarrow_table()


def by_pandas(tier: TierStore) -> pa.Table:
    return pa.Table.from_pandas(pd.concat([pd.read_parquet(path) for path in live_files(tier)]), preserve_index=False)


READERS = [by_scan_delta, by_scan_parquet, by_duckdb, by_deltalake_dataset, by_deltalake_table, by_pandas]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_every_reader_sees_the_same(filled: TierStore, reader: Callable[[TierStore], pa.Table]) -> None:
    table = reader(filled)
    assert sorted(table["_event_id"].to_pylist()) == ALL
    row = next(row for row in table.to_pylist() if row["_event_id"] == f"e_{uri_of('new')}-1-0")
    assert row["_message"] == MESSAGE
    assert row["_time"].astimezone(timezone.utc) == datetime(2024, 10, 4, 12, tzinfo=timezone.utc)
    assert (row["host"], row["status"], row["k8s.pod"], row["source"]) == ("web", "200", "a", None)
    entries = row["attributes"]
    found = (
        dict(entries)
        if not isinstance(entries, list) or not isinstance(entries[0], dict)
        else {one["key"]: one["value"] for one in entries}
    )
    assert found == {"other": "", "date": "x"}
    if reader is not by_pandas:
        assert str(row["tier"]) == "hot"
        assert row["date"] in (date(2024, 10, 4), "2024-10-04")


def test_types_in_the_files(filled: TierStore) -> None:
    kinds = {
        name: str(kind)
        for name, kind, *_ in duckdb.execute(
            "DESCRIBE SELECT * FROM read_parquet(?)", [live_files(filled)[-1]]
        ).fetchall()
    }
    assert kinds["_time"] == kinds["_observed_at"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["attributes"] == "MAP(VARCHAR, VARCHAR)"
    assert {kind for name, kind in kinds.items() if name not in ("_time", "_observed_at", "attributes", "date")} == {
        "VARCHAR"
    }


def test_glob_counts_right_where_nothing_was_replaced(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    pattern = f"{local_tier.uri}/events/tier=*/**/*.parquet"
    assert duckdb.execute("SELECT count(*) FROM read_parquet(?)", [pattern]).fetchall() == [(10,)]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (ds.field("host") == "web", 2),
        (ds.field("status") == "200", 1),
        (ds.field("k8s.pod") == "b", 1),
        (ds.field("_object") == uri_of("old"), 5),
        (ds.field("_message") == "", 1),
        (ds.field("_time") >= pa.scalar(NOON, pa.int64()).cast(pa.timestamp("us", "UTC")), 12),
        (ds.field("status") == "404", 0),
        (ds.field("status").is_null(), 11),
        (ds.field("host").is_null(), 10),
        (ds.field("_error").is_null(), 12),
    ],
    ids=str,
)
def test_conditions_prune_no_row_that_matches(filled: TierStore, condition: ds.Expression, rows: int) -> None:
    assert open_events(filled).to_pyarrow_dataset().to_table(filter=condition).num_rows == rows


def test_the_same_after_a_checkpoint(filled: TierStore) -> None:
    before = by_deltalake_table(filled).sort_by("_event_id")
    open_events(filled).create_checkpoint()
    assert by_deltalake_table(filled).sort_by("_event_id").equals(before)
    assert open_events(filled).to_pyarrow_dataset().to_table(filter=ds.field("k8s.pod") == "b").num_rows == 1


@pytest.mark.parametrize("reader", [by_scan_delta, by_deltalake_table], ids=lambda reader: reader.__name__)
def test_on_s3(tier: TierStore, reader: Callable[[TierStore], pa.Table]) -> None:
    publish(tier, ["a", "b"])
    if reader is by_scan_delta:
        table = (
            pl.scan_delta(tier.table_uri("events"), storage_options=tier.polars_options() or None).collect().to_arrow()
        )
    else:
        table = reader(tier)
    assert sorted(table["_event_id"].to_pylist()) == expected_ids(["a", "b"])
