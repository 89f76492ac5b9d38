"""A file written again keeps every other row as it was, byte for byte."""

from __future__ import annotations

import random

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.transforms.hot_tier.samples import NOON, entry, events, publish, read, uri_of
from tests.transforms.hot_tier.tiers import give_columns
from transforms.core import schema
from transforms.hot_tier.data import data_file
from transforms.hot_tier.data.file_objects import objects_in
from transforms.hot_tier.data.rewrite import rewrite_file, without_objects
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.search.events import search
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.parser import parse
from transforms.storage import TierStore

COLUMNS = (*schema.BASE_ATTRIBUTES, "status")


def written(tier: TierStore, *, objects: int = 4, rows: int = 300) -> str:
    chance = random.Random(1)
    writer = HotTierWriter(tier, columns=COLUMNS)
    for number in range(objects):
        times = [NOON + chance.randrange(10**9) for _ in range(rows)]
        late = [chance.choice([None, "", "x" * 100]) for _ in times]
        writer.write(
            events(uri_of(f"k{number}"), times, host=f"h{number}", status=[str(time) for time in times], late=late)
        )
    (file,) = writer.close()
    return file.path


def content(tier: TierStore, path: str) -> pa.Table:
    with tier.open_input(f"events/{path}") as source:
        return pq.ParquetFile(source).read()


@pytest.mark.parametrize("gone", [["k1"], ["k0", "k3"], ["k0", "k1", "k2"], ["none"]], ids=",".join)
def test_other_rows_are_unchanged(tier: TierStore, monkeypatch: pytest.MonkeyPatch, gone: list[str]) -> None:
    monkeypatch.setattr(data_file, "ROW_GROUP_ROWS", 128)
    path = written(tier)
    before = content(tier, path)
    uris = {uri_of(key) for key in gone}
    made = rewrite_file(tier, path, without_objects(uris), tier_name="hot", date="2024-10-04", promoted=COLUMNS)

    assert made is not None
    after = content(tier, made.path)
    assert after.equals(before.filter(pc.invert(pc.is_in(before["_object"], pa.array(sorted(uris))))))
    assert after.schema == before.schema
    assert set(made.objects) == set(after["_object"].to_pylist()) == objects_in(tier, made.path)
    stats = orjson.loads(made.stats)
    assert stats["numRecords"] == made.rows == after.num_rows
    assert set(stats["nullCount"]) == {"_time", "_object", *COLUMNS}
    assert stats["minValues"]["host"] == min(after["host"].to_pylist())


def test_values_that_are_gone_are_not_in_the_file(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was deleted is not left in a dictionary either."""
    monkeypatch.setattr(data_file, "ROW_GROUP_ROWS", 128)
    made = rewrite_file(
        local_tier,
        written(local_tier),
        without_objects([uri_of("k1")]),
        tier_name="hot",
        date="2024-10-04",
        promoted=COLUMNS,
    )
    assert made is not None
    with local_tier.open_input(f"events/{made.path}") as source:
        table = pq.ParquetFile(source, read_dictionary=["host", "_object"]).read()
    for name, gone in (("host", "h1"), ("_object", uri_of("k1"))):
        values = {value for chunk in table[name].chunks for value in chunk.dictionary.to_pylist()}
        assert len(values) == 3
        assert gone not in values


def test_no_row_left_no_file(tier: TierStore) -> None:
    path = written(tier, objects=1)
    before = {file.path for file in tier.list("events/tier=")}
    assert (
        rewrite_file(tier, path, without_objects([uri_of("k0")]), tier_name="hot", date="2024-10-04", promoted=COLUMNS)
        is None
    )
    assert {file.path for file in tier.list("events/tier=")} == before


def test_column_that_the_file_lacks_is_counted_as_null(local_tier: TierStore) -> None:
    made = rewrite_file(
        local_tier,
        written(local_tier),
        without_objects(["none"]),
        tier_name="cold",
        date="2024-10-04",
        promoted=[*COLUMNS, "new"],
    )
    assert made is not None
    assert made.path.startswith("tier=cold/date=2024-10-04/")
    assert orjson.loads(made.stats)["nullCount"]["new"] == made.rows


def test_what_another_program_gave_a_column_moves_there_when_its_file_is_rewritten(tier: TierStore) -> None:
    """Until then it stays in the map, and readers know it."""
    writer = HotTierWriter(tier, columns=schema.BASE_ATTRIBUTES)
    writer.write(events(uri_of("a"), [NOON], status=["404"]))
    writer.write(events(uri_of("b"), [NOON], status=["404"]))
    publish_wave(tier, job="old", wave=0, files=writer.close(), entries=[entry("a", 1), entry("b", 1)])
    give_columns(tier, ["status"])
    assert [row["_object"] for row in search(tier, parse("status=404"))] == [uri_of("b"), uri_of("a")]
    publish(tier, ["b"], content="2")

    assert sorted(layout_of(path) for path in Snapshot.load(tier).files) == [6, 6]
    assert read(tier).select("_object", "status", pl.col("attributes").is_null()).sort("status").rows()[-1] == (
        uri_of("a"), "404", True,
    )  # fmt: skip
    assert [row["_object"] for row in search(tier, parse("status=404"))] == [uri_of("a")]


@pytest.mark.parametrize(
    ("path", "layout"),
    [
        ("tier=hot/date=2024-01-01/part-0c7b5f4e-8f4e-4a53-9f0e-2f3c0d1e2f3a-12.parquet", 12),
        ("tier=hot/date=2024-01-01/part-00000-0c7b5f4e-8f4e-4a53-9f0e-2f3c0d1e2f3a-c000.zstd.parquet", 0),
        ("tier=hot/date=2024-01-01/part-0c7b5f4e-8f4e-4a53-9f0e-2f3c0d1e2f3a.parquet", 0),
    ],
    ids=["ours", "delta-rs", "other"],
)
def test_layout_of_a_path(path: str, layout: int) -> None:
    assert layout_of(path) == layout
