"""Written files hold the same rows as the batches, sorted, by partition, with true descriptions."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.transforms.hot_tier.samples import DAY, NOON, events, uri_of
from transforms.arrow.arrays import constant
from transforms.core import schema
from transforms.core.errors import TierError
from transforms.hot_tier.data import data_file
from transforms.hot_tier.data import writer as writing
from transforms.hot_tier.data.data_file import DataFile
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.table.file_description import JOB_METADATA, FileDescription
from transforms.storage import TierStore

COLUMNS = (*schema.BASE_ATTRIBUTES, "status")


def write(tier: TierStore, batches: Iterable[pa.RecordBatch], **sizes: Any) -> list[FileDescription]:
    writer = HotTierWriter(tier, columns=COLUMNS, job="job-1", **sizes)
    for batch in batches:
        writer.write(batch)
    return writer.close()


def content(tier: TierStore, file: FileDescription) -> pa.Table:
    with tier.open_input(f"events/{file.path}") as source:
        return pq.ParquetFile(source).read()


def check(tier: TierStore, files: Sequence[FileDescription], batches: Sequence[pa.RecordBatch]) -> None:
    """Hold the files against what was written, and their descriptions against what they hold."""
    ids: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for file in files:
        table = content(tier, file)
        times = table["_time"].cast(pa.int64()).to_pylist()
        assert times == sorted(times)
        assert {date(1970, 1, 1) + timedelta(days=time // DAY) for time in times} == {date.fromisoformat(file.date)}
        assert file.path.startswith(f"tier=hot/date={file.date}/part-")
        assert (file.rows, file.min_time, file.max_time) == (len(times), times[0], times[-1])
        assert file.size == next(one.size for one in tier.list(f"events/{file.path}"))
        check_statistics(file, table)
        ids.update(table["_event_id"].to_pylist())
        for uri, found in file.objects.items():
            own = [time for time, name in zip(times, table["_object"].to_pylist(), strict=True) if name == uri]
            assert (found.rows, found.min_time, found.max_time) == (len(own), own[0], own[-1])
            rows[uri] += found.rows
        assert sum(found.rows for found in file.objects.values()) == file.rows
    assert ids == Counter(value for batch in batches for value in batch.column("_event_id").to_pylist())
    assert rows == Counter(value for batch in batches for value in batch.column("_object").to_pylist())
    assert len({file.path for file in files}) == len(files)


def check_statistics(file: FileDescription, table: pa.Table) -> None:
    stats = orjson.loads(file.stats)
    assert stats["numRecords"] == table.num_rows
    assert set(stats["nullCount"]) == {"_time", "_object", *COLUMNS}
    for name in ("_object", *COLUMNS):
        values = [value for value in table[name].to_pylist() if value is not None]
        assert stats["nullCount"][name] == table.num_rows - len(values)
        assert (name in stats["minValues"]) == (name in stats["maxValues"]) == bool(values)
        if values:
            assert stats["minValues"][name] <= min(values, key=str.encode)
            assert stats["maxValues"][name] >= max(values, key=str.encode)


def test_schema_of_a_file(tier: TierStore) -> None:
    """What is views and dictionaries in memory is plain in the file; every column of the table is there."""
    (file,) = write(tier, [events(uri_of("a"), [NOON], host="h", status=["200"], other=["x"])])
    table = content(tier, file)

    expected = {
        **schema.SYSTEM_COLUMNS,
        **dict.fromkeys(COLUMNS, pa.string()),
        "attributes": pa.map_(pa.string(), pa.string()),
    }
    assert {column.name: column.type for column in table.schema} == expected
    assert table["attributes"].to_pylist() == [[("other", "x")]]
    assert table["status"].to_pylist() == ["200"]
    with tier.open_input(f"events/{file.path}") as source:
        footer = pq.read_metadata(source)
    assert b"ARROW:schema" not in footer.metadata
    assert footer.metadata[JOB_METADATA.encode()] == b"job-1"
    assert footer.row_group(0).column(0).compression == "ZSTD"
    encodings = {
        footer.row_group(0).column(i).path_in_schema: footer.row_group(0).column(i).encodings
        for i in range(footer.num_columns)
    }
    assert "DELTA_BYTE_ARRAY" in encodings["_event_id"]
    assert "DELTA_BINARY_PACKED" in encodings["_time"]
    assert footer.row_group(0).column(2).path_in_schema == "_message"
    assert footer.row_group(0).column(2).statistics is None


def test_sorted_batches_make_one_growing_file(tier: TierStore) -> None:
    batches = [
        events(uri_of("a"), [NOON + (number * 500 + i) * 1000 for i in range(500)], str(number)) for number in range(40)
    ]
    files = write(tier, batches, buffer_bytes=1 << 20)
    check(tier, files, batches)
    assert len(files) == 1
    with tier.open_input(f"events/{files[0].path}") as source:
        assert pq.read_metadata(source).num_row_groups > 1


def test_nearly_sorted_batches_make_one_growing_file(local_tier: TierStore) -> None:
    chance = random.Random(1)
    batches = [
        events(uri_of("a"), [NOON + (number * 500 + i + chance.randrange(200)) * 1000 for i in range(500)], str(number))
        for number in range(40)
    ]
    files = write(local_tier, batches, buffer_bytes=1 << 20)
    check(local_tier, files, batches)
    assert len(files) == 1


def test_rows_that_come_late_behind_an_open_file(local_tier: TierStore) -> None:
    """They get a file of their own, also where rows that come after the open one wait before them."""
    batches = [
        events(uri_of("a"), [NOON + (number * 500 + i) * 1000 for i in range(500)], str(number)) for number in range(24)
    ]
    late = [events(uri_of("b"), [NOON + number], f"late {number}") for number in range(2)]
    for order in ([*batches, *late], [*batches[:20], late[0], *batches[20:], late[1]]):
        files = write(local_tier, order, buffer_bytes=512 << 10)
        check(local_tier, files, order)
        assert len(files) == 2


def test_a_file_refuses_rows_that_come_before_its_last(local_tier: TierStore) -> None:
    def rows(*times: int) -> pa.Table:
        return pa.Table.from_batches([events(uri_of("a"), times)])

    file = DataFile(local_tier, rows(NOON), date="2024-10-04", promoted=())
    file.append(rows(NOON, NOON + 5))
    file.append(rows(NOON + 5))
    with pytest.raises(ValueError, match=rf"rows of {NOON + 4} after {NOON + 5}"):
        file.append(rows(NOON + 4))
    file.abort()


def test_events_in_no_order(local_tier: TierStore) -> None:
    chance = random.Random(2)
    batches = [
        events(uri_of(str(number % 3)), [NOON + chance.randrange(DAY // 3) for _ in range(300)], str(number))
        for number in range(30)
    ]
    files = write(local_tier, batches, buffer_bytes=1 << 20)
    check(local_tier, files, batches)
    assert 1 < len(files) < 10


def test_equal_times_keep_their_order(local_tier: TierStore) -> None:
    batches = [
        events(uri_of("a"), [NOON + (i // 100) * 1_000_000 for i in range(250)], str(number)) for number in range(2)
    ]
    shuffled = events(uri_of("b"), [NOON + 5_000_000] * 50 + [NOON + 4_000_000] * 50)
    files = write(local_tier, [*batches, shuffled])
    check(local_tier, files, [*batches, shuffled])
    order = [value for value in content(local_tier, files[0])["_event_id"].to_pylist() if "/b-" in value]
    assert order == [f"e_{uri_of('b')}-1-{i}" for i in (*range(50, 100), *range(50))]


def test_midnight_and_several_dates(tier: TierStore) -> None:
    batches = [
        events(uri_of("a"), [NOON + DAY // 2 - 3 + i for i in range(6)]),
        events(uri_of("b"), [NOON + i * DAY // 2 for i in range(9)]),
        events(uri_of("c"), [NOON + i * DAY // 2 for i in reversed(range(9))]),
    ]
    files = write(tier, batches)
    check(tier, files, batches)
    assert len(files) == len({file.date for file in files}) == 5


@pytest.mark.parametrize("order", ["sorted", "random"])
def test_hundreds_of_dates(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    """Each date gets one file, few are open at a time, and memory is bounded."""
    chance = random.Random(3)
    times = [NOON - i * DAY // 7 for i in range(2100)]
    times.sort() if order == "sorted" else chance.shuffle(times)
    batches = [events(uri_of("a"), times[start : start + 300], str(start)) for start in range(0, 2100, 300)]
    open_files, most = 0, 0
    opening, closing = DataFile.__init__, DataFile.close

    def count_open(self: Any, *args: Any, **more: Any) -> None:
        nonlocal open_files, most
        open_files += 1
        most = max(most, open_files)
        opening(self, *args, **more)

    def count_close(self: Any) -> FileDescription:
        nonlocal open_files
        open_files -= 1
        return closing(self)

    monkeypatch.setattr(DataFile, "__init__", count_open)
    monkeypatch.setattr(DataFile, "close", count_close)
    files = write(local_tier, batches, buffer_bytes=300 << 10)
    check(local_tier, files, batches)
    assert len(files) == len({file.date for file in files}) in (300, 301)
    assert most <= writing.OPEN_FILES
    assert open_files == 0


def test_memory_stays_within_its_bound(local_tier: TierStore) -> None:
    chance = random.Random(4)
    writer = HotTierWriter(local_tier, columns=COLUMNS, buffer_bytes=1 << 20)
    before = pa.total_allocated_bytes()
    most = 0
    for number in range(60):
        writer.write(events(uri_of("a"), [NOON + chance.randrange(40) * DAY for _ in range(1000)], str(number)))
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 4 << 20
    files = writer.close()
    assert sum(file.rows for file in files) == 60_000
    assert pa.total_allocated_bytes() - before < 1 << 20


def test_too_much_on_the_local_disk_is_written_out(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SPILL_BYTES", 100_000)
    chance = random.Random(5)
    batches = [
        events(uri_of("a"), [NOON + chance.randrange(30) * DAY for _ in range(1000)], str(number))
        for number in range(20)
    ]
    files = write(local_tier, batches, buffer_bytes=1 << 20)
    check(local_tier, files, batches)
    assert len(files) > 30


def test_target_size_closes_a_file(local_tier: TierStore) -> None:
    batches = [
        events(uri_of("a"), [NOON + number * 1000 + i for i in range(1000)], f"{number}") for number in range(20)
    ]
    files = write(local_tier, batches, buffer_bytes=1 << 20, target_bytes=5_000)
    check(local_tier, files, batches)
    assert len(files) > 2
    assert [file.min_time for file in files] == sorted(file.min_time for file in files)


def test_columns_that_come_late_change_kind_or_go(local_tier: TierStore) -> None:
    """One file holds batches that lack a column, have it as a constant, and as text."""
    batches: list[pa.RecordBatch] = []
    for number in range(30):
        times = [NOON + number * 1000 + i for i in range(300)]
        kinds: list[dict[str, Any]] = [
            {},
            {"status": "200", "x": "1"},
            {"status": [str(i) for i in range(300)], "x": ["y", None, "z"] * 100},
        ]
        more = kinds[number // 5 % 3]
        batches.append(events(uri_of(f"k{number}"), times, **more))
    files = write(local_tier, batches, buffer_bytes=1 << 20)
    check(local_tier, files, batches)
    assert len(files) == 1
    table = content(local_tier, files[0])
    assert table["status"].to_pylist() == [
        value
        for batch in batches
        for value in (batch.column("status").to_pylist() if "status" in batch.schema.names else [None] * 300)
    ]
    assert table["attributes"].to_pylist()[1500 * 2 : 1500 * 2 + 3] == [[("x", "y")], None, [("x", "z")]]


def test_values_too_long_for_parquets_statistics(tier: TierStore) -> None:
    batch = events(uri_of("a"), [NOON, NOON + 1], status=["é" * 3000, "b" * 9000])
    files = write(tier, [batch])
    check(tier, files, [batch])
    stats = orjson.loads(files[0].stats)
    assert stats["minValues"]["status"] == "b" * 64
    assert stats["maxValues"]["status"] == "é" * 63 + "ê"


def test_small_objects_share_files(local_tier: TierStore) -> None:
    batches = [events(uri_of(f"k{number}"), [NOON + number]) for number in range(500)]
    files = write(local_tier, batches)
    check(local_tier, files, batches)
    assert len(files) == 1
    assert len(files[0].objects) == 500


def test_nothing_makes_no_file(tier: TierStore) -> None:
    assert write(tier, [events(uri_of("a"), [])]) == []
    assert [file.path for file in tier.list("events/tier=")] == []


@pytest.mark.parametrize("column", ["_time", "_object"])
def test_events_without_time_or_object_are_a_mistake(local_tier: TierStore, column: str) -> None:
    batch = events(uri_of("a"), [NOON] * 2)
    missing = pa.nulls(2, schema.TIME) if column == "_time" else constant(None, 2)
    batch = batch.set_column(batch.schema.get_field_index(column), column, missing)
    with pytest.raises(ValueError, match=f"2 events have no {column}"):
        write(local_tier, [batch])


def test_abort_leaves_nothing(tier: TierStore) -> None:
    writer = HotTierWriter(tier, columns=COLUMNS, buffer_bytes=1 << 20)
    for number in range(20):
        writer.write(events(uri_of("a"), [NOON + number * 1000 + i for i in range(500)]))
    writer.abort()
    assert [file.path for file in tier.list("events/tier=")] == []


@pytest.mark.parametrize("method", ["write", "close"])
def test_store_that_fails_leaves_no_half_file(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    original = local_tier.open_output

    def fail(*_: Any) -> int:
        raise TierError("disk full")

    def failing(path: str) -> Any:
        output = original(path)
        monkeypatch.setattr(output, method, fail)
        return output

    monkeypatch.setattr(local_tier, "open_output", failing)
    monkeypatch.setattr(data_file, "_WRITE_BYTES", 1000)
    writer = HotTierWriter(local_tier, columns=COLUMNS, buffer_bytes=1 << 20)
    with pytest.raises(TierError, match="disk full"):
        for number in range(20):
            writer.write(events(uri_of("a"), [NOON + number * 1000 + i for i in range(500)]))
        writer.close()
    assert local_tier.local_path is not None
    files = [path for path in local_tier.local_path.rglob("*") if path.is_file() and "_delta_log" not in str(path)]
    assert [path.name for path in files] == ["tier.json"]


def test_writers_side_by_side(local_tier: TierStore) -> None:
    batches = {
        number: [events(uri_of(f"{number}"), [NOON + i for i in range(2000)], str(k)) for k in range(10)]
        for number in range(4)
    }
    files: dict[int, list[FileDescription]] = {}

    def work(number: int) -> None:
        files[number] = write(local_tier, batches[number], buffer_bytes=1 << 20)

    threads = [threading.Thread(target=work, args=(number,)) for number in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in batches:
        check(local_tier, files[number], batches[number])


def test_rows_are_the_same_in_every_column(tier: TierStore) -> None:
    """Sorted, sliced, merged and spilled: no value moves to another row."""
    chance = random.Random(6)
    batches = []
    for number in range(12):
        times = [NOON + chance.randrange(25) * DAY + chance.randrange(DAY // 2) for _ in range(400)]
        marks = [f"{number}-{i}" for i in range(400)]
        batches.append(
            events(
                uri_of(str(number)),
                times,
                str(number),
                status=marks,
                own=[None if i % 3 else mark for i, mark in enumerate(marks)],
                late=marks,
            )
        )
    files = write(tier, batches, buffer_bytes=600_000)
    check(tier, files, batches)
    for file in files:
        table = content(tier, file)
        for row in table.select(["_event_id", "_object", "_message", "status", "attributes", "_time"]).to_pylist():
            number, _, ordinal = row["status"].partition("-")
            assert row["_event_id"] == f"e_{uri_of(number)}-{number}-{ordinal}"
            assert row["_message"].startswith(f"{uri_of(number)} {number} {ordinal} ")
            own = [] if int(ordinal) % 3 else [("own", row["status"])]
            assert row["attributes"] == [*own, ("late", row["status"])]
            assert pc.equal(
                batches[int(number)].column("_time")[int(ordinal)], pa.scalar(row["_time"], schema.TIME)
            ).as_py()
