"""The table: where it may be made, by how many at once, and its columns."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from tests.conftest import S3
from tests.transforms.hot_tier.samples import NOON, entry, events, expected_ids, ids, publish, read, uri_of
from tests.transforms.hot_tier.tiers import foreign_file
from transforms.core import schema
from transforms.core.errors import TierError
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.table import location
from transforms.hot_tier.table import prepare as table
from transforms.hot_tier.table import promoted_columns as columns
from transforms.hot_tier.table.commit import commit
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.location import open_existing_tier
from transforms.hot_tier.table.map_names import MapNames
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.hot_tier.table.statistics import PROPERTY
from transforms.storage import StorageOptions, TierLocation, TierStore, open_tier


def test_table_as_spec_8_has_it(empty_store: TierStore) -> None:
    assert not table.exists(empty_store)
    table.check_is_tier_or_empty(empty_store)
    table.prepare(empty_store)

    assert table.exists(empty_store)
    events = table.open_events(empty_store)
    assert events.metadata().partition_columns == ["tier", "date"]
    assert pa.schema(events.schema().to_arrow()) == table.arrow_schema(schema.BASE_ATTRIBUTES)
    assert events.metadata().configuration[PROPERTY] == "_time,_object,host,source,sourcetype,index,filename"
    assert orjson.loads(empty_store.get("_rekindle/tier.json")) == {
        "format": 2,
        "product": "rekindle",
        "version": schema.VERSION,
    }
    assert table.promoted_columns(empty_store) == list(schema.BASE_ATTRIBUTES)
    assert (events.protocol().min_reader_version, events.protocol().min_writer_version) == (1, 2)


def test_prepared_again_nothing_changes(tier: TierStore) -> None:
    version = table.open_events(tier).version()
    table.prepare(tier)
    assert table.open_events(tier).version() == version


def at_once(*actions: Callable[[], object]) -> list[BaseException]:
    """Run actions in threads that begin together; return what they raised."""
    barrier = threading.Barrier(len(actions))
    raised: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        barrier.wait()
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_many_make_the_tier_at_once(empty_store: TierStore) -> None:
    assert at_once(*[lambda: table.prepare(empty_store)] * 5) == []
    assert table.promoted_columns(empty_store) == list(schema.BASE_ATTRIBUTES)
    publish(empty_store, ["a"])
    assert ids(empty_store) == expected_ids(["a"])


def test_made_by_another_while_it_is_looked_at(empty_store: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    top_names = location._top_names

    def made_meanwhile(tier: TierStore) -> Iterator[str]:
        monkeypatch.setattr(location, "_top_names", top_names)
        table.prepare(tier)
        return top_names(tier)

    monkeypatch.setattr(location, "_top_names", made_meanwhile)
    location.check_is_tier_or_empty(empty_store)
    assert table.promoted_columns(empty_store) == list(schema.BASE_ATTRIBUTES)


def test_add_columns(tier: TierStore) -> None:
    names = [
        "status",
        "HOST",
        "k8s.pod",
        "Status",
        "we`ird",
        "a b",
        "_x",
        "date",
        "",
        "attributes",
        "x=y",
        "status",
        "Message",
        "_time",
    ]
    added = list(table.promote_new(tier, names).columns)

    assert added == [*schema.BASE_ATTRIBUTES, "status", "k8s.pod", "we`ird", "Message"]
    assert table.promoted_columns(tier) == added
    events = table.open_events(tier)
    assert (
        events.metadata().configuration[PROPERTY]
        == "_time,_object,host,source,sourcetype,index,filename,status,`k8s.pod`,`we``ird`,Message"
    )
    version = events.version()
    assert list(table.promote_new(tier, names).columns) == added
    assert table.open_events(tier).version() == version


def test_columns_up_to_the_limit_in_their_order(local_tier: TierStore) -> None:
    names = [f"a{number:03}" for number in range(130)]
    choice = columns.promote_new(local_tier, names)
    assert choice.columns == (*schema.BASE_ATTRIBUTES, *names[:123])
    assert (choice.added, choice.no_room) == (tuple(names[:123]), tuple(names[123:]))
    assert columns.promote_new(local_tier, ["b"]).no_room == ("b",)
    assert columns.promote_new(local_tier, ["b"], limit=None).added == ("b",)
    logged = [*schema.BASE_ATTRIBUTES, *names[:27]]
    assert table.open_events(local_tier).metadata().configuration[PROPERTY].split(",")[2:] == logged
    publish_attributes(local_tier, "a", **dict.fromkeys(names[:123], "x"), host="h")
    ((path, _),) = Snapshot.load(local_tier).files.items()
    statistics = orjson.loads(Snapshot.load(local_tier).statistics(path))
    assert list(statistics["nullCount"]) == ["_time", "_object", *logged]
    with local_tier.open_input(f"events/{path}") as source:
        group = pq.ParquetFile(source).metadata.row_group(0)
    with_statistics = {
        group.column(number).path_in_schema
        for number in range(group.num_columns)
        if group.column(number).statistics is not None
    }
    assert with_statistics == {"_time", "_object", *schema.BASE_ATTRIBUTES, *names[:123], "b"}, "by row group all have"


def test_many_add_columns_at_once(tier: TierStore) -> None:
    actions = [
        lambda number=number: table.promote_new(tier, [f"own{number}", "shared", f"Own{number}"]) for number in range(4)
    ]
    assert at_once(*actions) == []
    promoted = table.promoted_columns(tier)
    assert sorted(promoted) == sorted([*schema.BASE_ATTRIBUTES, "shared", *(f"own{number}" for number in range(4))])
    assert table.open_events(tier).metadata().configuration[PROPERTY] == ",".join(["_time", "_object", *promoted])


def rows_without(tier: TierStore, column: str) -> int:
    """Count rows where a column is null, as deltalake's dataset prunes by statistics."""
    return int(table.open_events(tier).to_pyarrow_dataset().to_table(filter=ds.field(column).is_null()).num_rows)


def test_older_files_are_known_to_lack_a_new_column(tier: TierStore) -> None:
    publish(tier, ["a"])
    before = Snapshot.load(tier)
    table.promote_new(tier, ["k8s.pod"])
    after = Snapshot.load(tier)

    assert rows_without(tier, "k8s.pod") == rows_without(tier, "host") == 5
    assert after.files == before.files
    (path,) = after.files
    old, new = orjson.loads(before.statistics(path)), orjson.loads(after.statistics(path))
    assert new == {**old, "nullCount": old["nullCount"] | {"k8s.pod": 5}}
    assert ids(tier) == expected_ids(["a"])


def in_map(name: str) -> pl.Expr:
    """Return what the maps hold of a name."""
    return pl.col("attributes").map.get(pl.lit(name)).alias(f"map {name}")


def publish_attributes(tier: TierStore, key: str, **attributes: str) -> None:
    """Publish an object of two events with these attributes, laid out as the table is now."""
    publish_files(tier, key, write_attributes(tier, key, **attributes))


def write_attributes(tier: TierStore, key: str, **attributes: str) -> list[FileDescription]:
    writer = HotTierWriter(tier, columns=table.promoted_columns(tier))
    writer.write(events(uri_of(key), [NOON, NOON + 1], job=key, **attributes))
    return writer.close()


def publish_files(tier: TierStore, key: str, files: Sequence[FileDescription]) -> None:
    publish_wave(tier, job=key, wave=0, files=files, entries=[entry(key, 2, job=key)])


def test_what_files_keep_in_their_maps_gets_no_column(tier: TierStore) -> None:
    publish_attributes(tier, "a", status="200", **dict[str, Any]({"date": "x", "a b": "y"}))
    snapshot = Snapshot.load(tier)
    assert snapshot.map_names == MapNames(frozenset({"status"})), "the others can never be columns"
    choice = columns.promote_new(tier, ["status", "user", "HOST"])
    assert choice == columns.ColumnChoice((*schema.BASE_ATTRIBUTES, "user"), ("user",), ("status",))
    assert (Snapshot.load(tier).version, snapshot.version) == (2, 1)
    publish_attributes(tier, "b", user="ann", status="404")
    assert Snapshot.load(tier).version == 3
    rows = read(tier).select("user", in_map("status")).sort("user").rows()
    assert rows == [(None, "200")] * 2 + [("ann", "404")] * 2


def test_files_laid_out_before_a_column_came_are_laid_out_anew(tier: TierStore) -> None:
    files = write_attributes(tier, "a", status="200", other="x")
    columns.promote_new(tier, ["status"])
    with pytest.raises(ValueError, match="its map has status, a column since version 1 or before"):
        commit(Snapshot.load(tier), added=files, transactions=())
    publish_files(tier, "a", files)

    assert Snapshot.load(tier).map_names == MapNames(frozenset({"other"}))
    assert read(tier).select("status", in_map("status"), in_map("other")).rows() == [("200", None, "x")] * 2


def test_a_column_that_is_in_no_map_leaves_files_as_they_are(local_tier: TierStore) -> None:
    files = write_attributes(local_tier, "a", other="x")
    columns.promote_new(local_tier, ["status"])
    publish_files(local_tier, "a", files)
    assert list(Snapshot.load(local_tier).files) == [file.path for file in files]


@pytest.mark.parametrize("first", ["publish", "promote"])
def test_two_at_once_give_an_attribute_one_place(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """One publishes an attribute in a map, the other gives it a column; each finds the other's commit."""
    files = write_attributes(local_tier, "a", status="200")

    def do_publish() -> None:
        publish_files(local_tier, "a", files)

    def do_promote() -> None:
        columns.promote_new(local_tier, ["status"])

    one, other = (do_publish, do_promote) if first == "publish" else (do_promote, do_publish)

    def put_new(self: TierStore, path: str, data: bytes) -> None:
        if path.startswith("events/_delta_log/"):
            monkeypatch.undo()
            one()
        original(self, path, data)

    original = type(local_tier).put_new
    monkeypatch.setattr(type(local_tier), "put_new", put_new)
    other()
    is_in_map = Snapshot.load(local_tier).map_names == MapNames(frozenset({"status"}))
    assert is_in_map == (first == "publish") == ("status" not in table.promoted_columns(local_tier))
    assert read(local_tier).select(in_map("status")).to_series().to_list() == ["200" if is_in_map else None] * 2


def test_too_many_names_are_any(local_tier: TierStore) -> None:
    writer = HotTierWriter(local_tier, columns=table.promoted_columns(local_tier))
    writer.write(events(uri_of("a"), [NOON, NOON], **{f"a{number}": "x" for number in range(4097)}))
    publish_files(local_tier, "a", writer.close())
    assert Snapshot.load(local_tier).map_names == MapNames(is_any=True)
    choice = columns.promote_new(local_tier, ["status"])
    assert (choice.added, choice.in_maps) == ((), ("status",))


def test_another_programs_file_may_keep_any_name_in_its_map(local_tier: TierStore) -> None:
    foreign_file(local_tier)
    assert columns.promote_new(local_tier, ["user"]).in_maps == ("user",)


def test_table_features_that_a_change_of_columns_would_have_to_heed(local_tier: TierStore) -> None:
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [], "writerFeatures": ["rowTracking"]}
    local_tier.put("events/_delta_log/00000000000000000001.json", orjson.dumps({"protocol": protocol}))
    with pytest.raises(TierError, match=r"another program has enabled features of its table .* \(rowTracking\)"):
        columns.promote_new(local_tier, ["status"])


def put_local(root: Path, name: str, data: bytes = b"x") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)


def marker(**more: Any) -> bytes:
    return orjson.dumps({"format": 2, "product": "rekindle", "version": "1.0"} | more)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("notes.txt", b"x", r"it holds other things \(notes.txt\); name a folder that is empty"),
        ("sub/deep/notes.txt", b"x", r"it holds other things \(sub\)"),
        ("_delta_log/00000000000000000000.json", b"{}", r"there is a table of another product \(_delta_log\)"),
        ("events/part.parquet", b"x", r"there is a table of another product \(events\)"),
        ("_rekindle/tier.json", marker(product="other"), r"a table of another product \(other\)"),
        (
            "_rekindle/tier.json",
            marker(format=3, version="9.9"),
            r"made by a newer version \(9.9, format 3\); this one, .* knows format 2",
        ),
        (
            "_rekindle/tier.json",
            marker(format=1, version="0.1"),
            r"made by an older version \(0.1, format 1\), .*: ingest the objects again into another folder",
        ),
        ("_rekindle/tier.json", b"not json", r"_rekindle/tier.json is not what Rekindle writes"),
        ("_rekindle/tier.json", b"[]", r"_rekindle/tier.json is not what Rekindle writes"),
    ],
    ids=["file", "folder", "delta-table", "events", "product", "newer", "older", "not-json", "no-object"],
)
def test_place_that_is_refused(empty_store: TierStore, name: str, data: bytes, message: str) -> None:
    empty_store.put(name, data)
    before = {file.path for file in empty_store.list("")}
    for attempt in (table.check_is_tier_or_empty, table.prepare):
        with pytest.raises(TierError, match=message) as caught:
            attempt(empty_store)
        assert empty_store.uri in str(caught.value)
    assert {file.path for file in empty_store.list("")} == before


def test_tier_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "hot").write_text("x")
    with pytest.raises(TierError, match="this is a file"):
        table.check_is_tier_or_empty(open_tier(str(tmp_path / "hot"), StorageOptions()))


def test_workers_that_do_not_see_the_launchers_tier(local_tier: TierStore, tmp_path: Path) -> None:
    assert open_existing_tier(TierLocation(local_tier.uri)).uri == local_tier.uri
    with pytest.raises(TierError, match="the worker on .* does not find it"):
        open_existing_tier(TierLocation(str(tmp_path / "of another machine")))


@pytest.mark.parametrize("name", [".DS_Store", "lost+found/x", "_rekindle/tmp/x"])
def test_what_folders_have_by_themselves_is_no_other_thing(tmp_path: Path, name: str) -> None:
    put_local(tmp_path, name)
    table.prepare(open_tier(str(tmp_path), StorageOptions()))


def test_table_of_other_partitions(tmp_path: Path) -> None:
    put_local(tmp_path, "_rekindle/tier.json", marker())
    DeltaTable.create(str(tmp_path / "events"), table.arrow_schema([]), partition_by=["date"])
    with pytest.raises(TierError, match=r"its partitions are \('date',\), not \('tier', 'date'\)"):
        table.prepare(open_tier(str(tmp_path), StorageOptions()))


def test_table_that_lacks_columns(tmp_path: Path) -> None:
    put_local(tmp_path, "_rekindle/tier.json", marker())
    DeltaTable.create(
        str(tmp_path / "events"),
        pa.schema([("x", pa.string()), ("tier", pa.string()), ("date", pa.date32())]),
        partition_by=["tier", "date"],
    )
    with pytest.raises(TierError, match="lacks the columns _time, _time_source"):
        table.prepare(open_tier(str(tmp_path), StorageOptions()))


def test_table_of_a_newer_protocol(tmp_path: Path) -> None:
    tier = open_tier(str(tmp_path), StorageOptions())
    table.prepare(tier)
    log = tmp_path / "events/_delta_log/00000000000000000001.json"
    log.write_bytes(
        orjson.dumps(
            {
                "protocol": {
                    "minReaderVersion": 3,
                    "minWriterVersion": 7,
                    "readerFeatures": ["fromTheFuture"],
                    "writerFeatures": ["fromTheFuture"],
                }
            }
        )
    )
    with pytest.raises(TierError, match=r"its table can't be read|its table can't be written"):
        table.prepare(tier)


def test_store_without_conditional_put_is_refused(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    monkeypatch.setattr(type(tier), "put_new", type(tier).put)
    with pytest.raises(TierError, match="If-None-Match"):
        table.prepare(tier)
    assert list(tier.list("events/")) == []


def test_no_such_bucket(s3: S3) -> None:
    with pytest.raises(TierError, match="no-such-bucket"):
        table.check_is_tier_or_empty(open_tier("s3://no-such-bucket-here/hot", s3.options))


def test_log_reaches_the_disk_before_a_commit_counts(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    original = os.fsync
    monkeypatch.setattr(
        os,
        "fsync",
        lambda descriptor: (synced.append(Path(f"/proc/self/fd/{descriptor}").resolve().name), original(descriptor))[1],
    )
    publish(local_tier, ["a"])
    version = table.open_events(local_tier).version()
    assert f"{version:020d}.json" in synced
    assert synced[synced.index(f"{version:020d}.json") + 1] == "_delta_log"
