"""`WriteHotTier`: the files of a bundle, which no reader sees before they are committed."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import S3
from tests.pipelines.reading import read_live, stored_files
from tests.transforms.beam import Given, Ran, run
from tests.transforms.hot_tier.samples import DAY, MODIFIED, NOON, entry, events, expected_ids, uri_of
from transforms.core import schema
from transforms.core.errors import TierError
from transforms.elements import EventBatch
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.table.file_description import FileDescription, ObjectRows
from transforms.hot_tier.table.prepare import prepare
from transforms.storage import StorageOptions, TierLocation, TierStore, open_tier
from transforms.write_hot_tier import WriteHotTier

COLUMNS = schema.BASE_ATTRIBUTES
A, B = uri_of("a"), uri_of("b")
PATH = re.compile(r"tier=hot/date=(\d{4}-\d\d-\d\d)/part-[0-9a-f-]{36}-5\.parquet")


def writing(tier: TierStore, options: StorageOptions | None = None, *, buffer_bytes: int = 64 << 20) -> WriteHotTier:
    return WriteHotTier(TierLocation(tier.uri, options or StorageOptions()), COLUMNS, "job", buffer_bytes)


def written(transform: WriteHotTier, *batches: pa.RecordBatch, again: int = 0) -> Ran:
    return run(transform, Given(EventBatch, [EventBatch(batch, MODIFIED) for batch in batches]), again=again)


def by_date(files: list[FileDescription]) -> list[FileDescription]:
    return sorted(files, key=lambda file: file.date)


def content(tier: TierStore, file: FileDescription) -> pa.Table:
    return pq.ParquetFile(io.BytesIO(tier.get(f"events/{file.path}"))).read()


def day(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, timezone.utc).date().isoformat()


def test_files_of_two_dates(local_tier: TierStore) -> None:
    first = events(A, [NOON + 2, NOON + DAY, NOON + 1], host="web-1", user=["ann", None, "bob"])
    second = events(B, [NOON + 3], source="syslog")
    ran = written(writing(local_tier), first, second)
    assert ran.labels == ["WriteHotTier/Write"]
    assert (ran.kinds, ran.counters) == ({"main": FileDescription}, {})

    early, late = by_date(ran.main)
    for file in (early, late):
        match = PATH.fullmatch(file.path)
        assert match is not None
        assert (file.tier, file.date, match[1]) == ("hot", match[1], file.date)
        assert file.size == len(local_tier.get(f"events/{file.path}"))
        assert json.loads(file.stats)["numRecords"] == file.rows
    assert (early.date, early.rows, early.min_time, early.max_time) == (day(NOON), 3, NOON + 1, NOON + 3)
    assert early.objects == {A: ObjectRows(2, NOON + 1, NOON + 2), B: ObjectRows(1, NOON + 3, NOON + 3)}
    assert (late.date, late.rows, late.min_time, late.max_time) == (day(NOON + DAY), 1, NOON + DAY, NOON + DAY)
    assert late.objects == {A: ObjectRows(1, NOON + DAY, NOON + DAY)}
    assert {early.path, late.path} == stored_files(local_tier)

    text = pa.map_(pa.string(), pa.string())
    expected = pa.schema(
        [*schema.SYSTEM_COLUMNS.items(), *((name, pa.string()) for name in COLUMNS), ("attributes", text)]
    )
    table = content(local_tier, early)
    assert table.schema.equals(expected)
    assert (
        pq.ParquetFile(io.BytesIO(local_tier.get(f"events/{early.path}"))).metadata.metadata[b"rekindle.job"] == b"job"
    )
    rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    same = {"_observed_at": at(NOON), "_correlation_id": "job", "_format": "text", "_time_source": "record"}
    assert rows == [
        same
        | {
            "_time": at(NOON + 1),
            "_message": f"{A} 1 2 {'x' * 20}",
            "_event_id": f"e_{A}-1-2",
            "_object": A,
            "filename": "a",
        }
        | {"host": "web-1", "attributes": [("user", "bob")]},
        same
        | {
            "_time": at(NOON + 2),
            "_message": f"{A} 1 0 {'x' * 20}",
            "_event_id": f"e_{A}-1-0",
            "_object": A,
            "filename": "a",
        }
        | {"host": "web-1", "attributes": [("user", "ann")]},
        same
        | {
            "_time": at(NOON + 3),
            "_message": f"{B} 1 0 {'x' * 20}",
            "_event_id": f"e_{B}-1-0",
            "_object": B,
            "filename": "b",
        }
        | {"source": "syslog"},
    ]
    assert content(local_tier, late)["_event_id"].to_pylist() == [f"e_{A}-1-1"]
    assert content(local_tier, late)["attributes"].null_count == 1


def at(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // 1_000_000, timezone.utc).replace(microsecond=microseconds % 1_000_000)


@pytest.mark.parametrize(
    "batches", [pytest.param([], id="no-batch"), pytest.param([events(A, [])], id="a-batch-of-nothing")]
)
def test_nothing_to_write(local_tier: TierStore, batches: list[pa.RecordBatch]) -> None:
    assert written(writing(local_tier), *batches).main == []
    assert stored_files(local_tier) == set()


def test_no_reader_sees_what_is_written(local_tier: TierStore) -> None:
    before = read_live(local_tier)
    written(writing(local_tier), events(A, [NOON]))
    assert read_live(local_tier) == before
    assert before.files == {}


def test_a_bundle_that_is_tried_again_leaves_orphans_and_doubles_nothing(local_tier: TierStore) -> None:
    batches = [events(A, [NOON, NOON + DAY]), events(B, [NOON])]
    ran = written(writing(local_tier), *batches, again=2)
    assert [(file.date, file.rows) for file in by_date(ran.main)] == [(day(NOON), 2), (day(NOON + DAY), 1)]
    described = {file.path for file in ran.main}
    assert described < stored_files(local_tier)
    assert len(stored_files(local_tier)) == 3 * 2
    publish_wave(local_tier, job="job", wave=0, files=ran.main, entries=[entry("a", 2), entry("b", 1)])
    live = read_live(local_tier)
    assert live.files.keys() == described
    assert live.ids() == sorted([*expected_ids("a", rows=2), *expected_ids("b", rows=1)])


def test_two_bundles_write_files_of_their_own(local_tier: TierStore) -> None:
    """Rows of one object may come to both: what a commit counts is the sum."""
    first, second = (
        written(writing(local_tier), batch).main for batch in (events(A, [NOON]), events(A, [NOON + 1, NOON + 2]))
    )
    assert {file.path for file in (*first, *second)} == stored_files(local_tier)
    assert [file.objects[A].rows for file in (*first, *second)] == [1, 2]


def test_a_small_buffer_makes_more_files_of_the_same_events(local_tier: TierStore) -> None:
    """Each batch begins before the last one ended, so that what was written from memory can't be gone on with."""
    batches = [events(uri_of(str(number)), [NOON - number * 1000 + i for i in range(500)]) for number in range(6)]
    few, many = (written(writing(local_tier, buffer_bytes=size), *batches).main for size in (64 << 20, 1))
    assert len(few) == 1
    assert len(many) > 1
    ids = [
        sorted(value for file in files for value in content(local_tier, file)["_event_id"].to_pylist())
        for files in (few, many)
    ]
    assert ids[0] == ids[1] == expected_ids(map(str, range(6)), rows=500)
    assert all((times := content(local_tier, file)["_time"].to_pylist()) == sorted(times) for file in many)


def test_a_bundle_that_fails_leaves_no_half_a_file(local_tier: TierStore) -> None:
    folder = local_tier.local_path
    assert folder is not None
    before = {path for path in folder.rglob("*") if path.is_file()}
    untimed = events(B, [NOON]).drop_columns(["_time"])
    with pytest.raises(KeyError, match="_time"):
        written(writing(local_tier, buffer_bytes=1), *[events(A, [NOON + number]) for number in range(5)], untimed)
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_a_place_without_a_hot_tier(tmp_path: Path) -> None:
    nowhere = open_tier(str(tmp_path / "nowhere"), StorageOptions())
    message = rf"^hot tier {nowhere.uri}: the worker on .* does not find it\. "
    with pytest.raises(
        TierError, match=message + "For workers of a cluster name a hot tier on S3, or a folder that is "
    ):
        written(writing(nowhere), events(A, [NOON]))
    assert not (tmp_path / "nowhere").exists()


def test_on_s3(s3: S3) -> None:
    tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    prepare(tier)
    ran = written(writing(tier, s3.options), events(A, [NOON, NOON + DAY]), again=1)
    assert [(file.date, file.rows) for file in by_date(ran.main)] == [(day(NOON), 1), (day(NOON + DAY), 1)]
    assert {file.path for file in ran.main} < stored_files(tier)
    assert len(stored_files(tier)) == 4
    assert [content(tier, file)["_event_id"].to_pylist() for file in by_date(ran.main)] == [
        [f"e_{A}-1-0"],
        [f"e_{A}-1-1"],
    ]
