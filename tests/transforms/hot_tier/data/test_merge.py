"""Merged files hold the same rows, sorted, with true descriptions, whatever the files' layouts and overlaps."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.hot_tier.samples import NOON, events, uri_of
from transforms.core import schema
from transforms.core.errors import TierError
from transforms.hot_tier.data import data_file
from transforms.hot_tier.data import merge as merging
from transforms.hot_tier.data.data_file import DataFile
from transforms.hot_tier.data.merge import MergeInput, merge_files
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.table.file_description import JOB_METADATA, FileDescription, layout_of
from transforms.hot_tier.table.statistics import lower_bound, upper_bound
from transforms.storage import StorageOptions, TierStore, open_tier

DATE = "2024-10-04"
LATER = ("status", "a.b", "*", "^x$", "ünï")
PROMOTED = (*schema.BASE_ATTRIBUTES, *LATER)
OTHERS = ("", "never", "date", "Status", "na me")
VALUES = ("", "200", "é" * 3, "x" * 70, "a value of more than twelve bytes", "\x00", '"', "404")
SPREAD = 3_600_000_000


def new_file(
    tier: TierStore,
    chance: random.Random,
    number: int,
    *,
    rows: int,
    layout: int,
    within: range = range(SPREAD),
    ties: int = 1,
) -> str:
    """Write a file of one object with any attributes, laid out for the first of the promoted columns."""
    writer = HotTierWriter(tier, columns=PROMOTED[:layout], job="job-1")
    times = [NOON + chance.randrange(within.start, within.stop, ties) for _ in range(rows)]
    names = [name for name in (*LATER, *OTHERS) if chance.random() < 0.5]
    empty = chance.choice([0, 0.5, 1])
    columns: dict[str, Any] = {
        name: [None if chance.random() < empty else chance.choice(VALUES) for _ in times] for name in names
    }
    if chance.random() < 0.3:
        columns["host"] = f"host-{number}"
    writer.write(events(uri_of(f"k{number}"), sorted(times), str(number), **columns))
    (file,) = writer.close()
    return file.path


def rows_of(tier: TierStore, path: str) -> pa.Table:
    with tier.open_input(f"events/{path}") as source:
        return pq.ParquetFile(source).read()


def expected(tier: TierStore, inputs: Sequence[MergeInput], promoted: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows as they must come out, one by one in Python: in their order, with what is promoted in columns."""
    rows: list[dict[str, Any]] = []
    for source in inputs:
        table = rows_of(tier, source.path)
        for row in (table if source.select is None else table.filter(source.select(table))).to_pylist():
            entries = row.pop("attributes")
            moved = {name: value for name, value in entries or [] if name in promoted}
            left = [(name, value) for name, value in entries or [] if name not in promoted]
            rows.append({**dict.fromkeys(promoted), **row, **moved, "attributes": left or None})
    return sorted(rows, key=lambda row: row["_time"])


def check(
    tier: TierStore, files: Sequence[FileDescription], rows: Sequence[dict[str, Any]], promoted: Sequence[str]
) -> None:
    """Hold the files, in their order, against the rows, and their descriptions against what they hold."""
    found: list[dict[str, Any]] = []
    for file in files:
        table = rows_of(tier, file.path)
        assert table.schema.names == [*schema.SYSTEM_COLUMNS, *promoted, "attributes"]
        table.validate(full=True)
        own = table.to_pylist()
        found += own
        check_description(tier, file, table, own, promoted)
    order = dict.fromkeys([*schema.SYSTEM_COLUMNS, *promoted, "attributes"])
    assert found == [{name: row[name] for name in order} for row in rows]
    assert all(one.max_time <= other.min_time for one, other in zip(files[:-1], files[1:], strict=True))
    check_by_duckdb(tier, files, rows, promoted)


def check_description(
    tier: TierStore, file: FileDescription, table: pa.Table, rows: Sequence[dict[str, Any]], promoted: Sequence[str]
) -> None:
    times = table["_time"].cast(pa.int64()).to_pylist()
    assert times == sorted(times)
    assert (file.rows, file.min_time, file.max_time) == (len(times), times[0], times[-1])
    assert file.size == next(one.size for one in tier.list(f"events/{file.path}"))
    assert (layout_of(file.path), file.date) == (len(promoted), DATE)
    assert file.path.startswith(f"tier={file.tier}/date={DATE}/part-")
    stats = orjson.loads(file.stats)
    assert stats["numRecords"] == len(rows)
    assert set(stats["nullCount"]) == {"_time", "_object", *promoted}
    for name in ("_object", *promoted):
        values = [row[name] for row in rows if row[name] is not None]
        assert stats["nullCount"][name] == len(rows) - len(values)
        assert stats["minValues"].get(name) == (lower_bound(min(values)) if values else None)
        assert stats["maxValues"].get(name) == (upper_bound(max(values)) if values else None)
    assert {uri: one.rows for uri, one in file.objects.items()} == {
        uri: sum(row["_object"] == uri for row in rows) for uri in {row["_object"] for row in rows}
    }
    for uri, one in file.objects.items():
        own = [time for time, row in zip(times, rows, strict=True) if row["_object"] == uri]
        assert (one.min_time, one.max_time) == (own[0], own[-1])


def check_by_duckdb(
    tier: TierStore, files: Sequence[FileDescription], rows: Sequence[dict[str, Any]], promoted: Sequence[str]
) -> None:
    """Count distinct rows with a reader that shares no code with ours."""
    if tier.local_path is None or not files:
        return
    paths = [str(tier.local_path / "events" / file.path) for file in files]
    quoted = ", ".join(f'"{name}"' for name in ["_event_id", "_message", *promoted])
    found = duckdb.execute(
        f"SELECT {quoted}, attributes FROM read_parquet(?, hive_partitioning = false)", [paths]
    ).fetchall()
    names = ["_event_id", "_message", *promoted]
    assert sorted(map(repr, found)) == sorted(
        repr((*(row[name] for name in names), dict(row["attributes"]) if row["attributes"] else None)) for row in rows
    )


def merge(tier: TierStore, inputs: Sequence[MergeInput], **options: Any) -> list[FileDescription]:
    options = {"tier_name": "hot", "date": DATE, "promoted": PROMOTED, "target_bytes": 256 << 20, **options}
    return merge_files(tier, inputs, **options)


def paths_in(tier: TierStore) -> set[str]:
    return {file.path for file in tier.list("events/tier=")}


@pytest.fixture
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (data_file, merging):
        monkeypatch.setattr(module, "ROW_GROUP_ROWS", 64)


SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {
    "all over the hour": lambda number: {"rows": 100},
    "one after the other": lambda number: {"rows": 100, "within": range(number * 1000, number * 1000 + 900)},
    "each overlaps the next": lambda number: {"rows": 100, "within": range(number * 1000, number * 1000 + 2500)},
    "all at one time": lambda number: {"rows": 200, "within": range(1)},
    "three times": lambda number: {"rows": 200, "within": range(3000), "ties": 1000},
    "one row each": lambda number: {"rows": 1},
    "one is long": lambda number: {"rows": 700 if number == 3 else 30},
}


@pytest.mark.usefixtures("small_row_groups")
@pytest.mark.parametrize("buffer_bytes", [40_000, 200_000, 128 << 20], ids=["spill all", "spill some", "in memory"])
@pytest.mark.parametrize("shape", SHAPES)
def test_merged_rows_are_the_same_in_order(local_tier: TierStore, shape: str, buffer_bytes: int) -> None:
    chance = random.Random(1)
    inputs = [
        MergeInput(new_file(local_tier, chance, number, layout=5 + number % 6, **SHAPES[shape](number)))
        for number in range(8)
    ]
    files = merge(local_tier, inputs, buffer_bytes=buffer_bytes)
    assert len(files) == 1
    check(local_tier, files, expected(local_tier, inputs, PROMOTED), PROMOTED)


@pytest.mark.usefixtures("small_row_groups")
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    buffer_bytes=st.sampled_from([30_000, 100_000, 1 << 20]),
    target=st.sampled_from([4_000, 30_000, 1 << 28]),
)
def test_any_files(tmp_path_factory: pytest.TempPathFactory, seed: int, buffer_bytes: int, target: int) -> None:
    chance = random.Random(seed)
    tier = open_tier(str(tmp_path_factory.mktemp("any")), StorageOptions())
    inputs = []
    for number in range(chance.randrange(1, 8)):
        start, length = chance.randrange(10_000), chance.choice([1, 100, 10_000])
        shape: dict[str, Any] = {
            "rows": chance.choice([1, 5, 150]),
            "within": range(start, start + length),
            "ties": chance.choice([1, 1, 50]),
        }
        path = new_file(tier, chance, number, layout=chance.randrange(5, 11), **shape)
        status = chance.choice([None, "404", "é"])
        inputs.append(MergeInput(path, None if status is None else messages_with(chance.choice("0123456789"))))
    files = merge(tier, inputs, buffer_bytes=buffer_bytes, target_bytes=target)
    check(tier, files, expected(tier, inputs, PROMOTED), PROMOTED)


def messages_with(text: str) -> Callable[[pa.Table], pa.ChunkedArray]:
    return lambda table: pc.match_substring(table["_message"], text)


def test_on_any_store(tier: TierStore) -> None:
    chance = random.Random(2)
    inputs = [MergeInput(new_file(tier, chance, number, rows=50, layout=5 + number)) for number in range(4)]
    files = merge(tier, inputs, tier_name="cold", job="compaction-1", level=3)
    check(tier, files, expected(tier, inputs, PROMOTED), PROMOTED)
    assert [file.tier for file in files] == ["cold"]
    with tier.open_input(f"events/{files[0].path}") as source:
        assert pq.read_metadata(source).metadata[JOB_METADATA.encode()] == b"compaction-1"


@pytest.mark.parametrize("inputs", [0, 3], ids=["no file", "no row taken"])
def test_no_rows_no_file(local_tier: TierStore, inputs: int) -> None:
    chance = random.Random(3)
    sources = [
        MergeInput(new_file(local_tier, chance, number, rows=20, layout=5), messages_with("nobody"))
        for number in range(inputs)
    ]
    before = paths_in(local_tier)
    assert merge(local_tier, sources) == []
    assert paths_in(local_tier) == before


@pytest.mark.usefixtures("small_row_groups")
def test_values_that_are_gone_are_not_in_the_file(local_tier: TierStore) -> None:
    """A dictionary has the values of the file's own rows only."""
    writer = HotTierWriter(local_tier, columns=PROMOTED)
    for number in range(4):
        writer.write(
            events(
                uri_of(f"k{number}"),
                range(NOON, NOON + 100),
                status=[f"gone-{i % 3}" for i in range(100)],
                host=f"host-{number}",
            )
        )
    (file,) = writer.close()
    first = lambda table: pc.equal(table["_object"].cast(pa.string()), uri_of("k1"))  # noqa: E731
    (made,) = merge(local_tier, [MergeInput(file.path, first)])
    with local_tier.open_input(f"events/{made.path}") as source:
        table = pq.ParquetFile(source, read_dictionary=["host", "_object"]).read()
    assert [chunk.dictionary.to_pylist() for chunk in table["host"].chunks] == [["host-1"]] * table["host"].num_chunks
    assert {value for chunk in table["_object"].chunks for value in chunk.dictionary.to_pylist()} == {uri_of("k1")}


@pytest.mark.parametrize("target", [150_000, 250_000])
@pytest.mark.parametrize("buffer_bytes", [300_000, 128 << 20], ids=["spilled", "in memory"])
def test_files_are_about_as_large_as_wanted(local_tier: TierStore, target: int, buffer_bytes: int) -> None:
    """None is small, though the last has what is left."""
    chance = random.Random(4)
    inputs = []
    for number in range(10):
        writer = HotTierWriter(local_tier, columns=PROMOTED[:5])
        times = sorted(NOON + chance.randrange(SPREAD) for _ in range(200))
        writer.write(
            events(uri_of(f"k{number}"), times, status=["".join(chance.choices("abcdefghij", k=600)) for _ in times])
        )
        inputs.append(MergeInput(writer.close()[0].path))
    files = merge(local_tier, inputs, target_bytes=target, buffer_bytes=buffer_bytes)
    assert len(files) > 2
    assert [file.size for file in files if not 0.5 * target < file.size < 1.5 * target] == []
    check(local_tier, files, expected(local_tier, inputs, PROMOTED), PROMOTED)


def test_a_column_that_nobody_has(local_tier: TierStore) -> None:
    chance = random.Random(5)
    inputs = [MergeInput(new_file(local_tier, chance, number, rows=20, layout=10)) for number in range(2)]
    promoted = (*PROMOTED, "new")
    files = merge(local_tier, inputs, promoted=promoted)
    check(local_tier, files, expected(local_tier, inputs, promoted), promoted)


class _BrokenError(Exception):
    pass


@pytest.mark.usefixtures("small_row_groups")
@pytest.mark.parametrize("method", ["append", "close", "__init__"])
@pytest.mark.parametrize("calls", [1, 2, 4])
@pytest.mark.parametrize("buffer_bytes", [40_000, 128 << 20], ids=["spilled", "in memory"])
def test_an_error_leaves_nothing(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, method: str, calls: int, buffer_bytes: int
) -> None:
    chance = random.Random(6)
    inputs = [MergeInput(new_file(local_tier, chance, number, rows=300, layout=5)) for number in range(6)]
    before = everything_in(local_tier)
    left = calls
    original = getattr(DataFile, method)

    def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise _BrokenError
        return original(*arguments, **options)

    monkeypatch.setattr(DataFile, method, failing)
    with pytest.raises(_BrokenError):
        merge(local_tier, inputs, target_bytes=8_000, buffer_bytes=buffer_bytes)
    assert everything_in(local_tier) == before


def test_a_file_that_is_gone_leaves_nothing(tier: TierStore) -> None:
    chance = random.Random(7)
    inputs = [MergeInput(new_file(tier, chance, number, rows=30, layout=5)) for number in range(2)]
    before = paths_in(tier)
    with pytest.raises((TierError, FileNotFoundError)):
        merge(tier, [*inputs, MergeInput(inputs[0].path.replace("part-", "part-0"))])
    assert paths_in(tier) == before


def everything_in(tier: TierStore) -> set[Path]:
    """Return all files in the folder, half-written ones too."""
    assert tier.local_path is not None
    return {path for path in tier.local_path.rglob("*") if path.is_file()}
