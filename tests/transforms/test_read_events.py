"""`ReadEvents`: the batches and outcomes of a wave's objects, however their reading ended."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from tests.conftest import S3
from tests.transforms.beam import Given, Ran, run
from tests.transforms.sources import MODIFIED, Source
from transforms.core.errors import AccessError, CanceledError, ConfigurationError
from transforms.core.record_years import RecordYears
from transforms.core.schema import CONSTANT, PRODUCT, TEXT, TIME
from transforms.elements import EventBatch, Split
from transforms.formats.options import FormatOptions
from transforms.hot_tier.ledger.entries import entry_of
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.objects.event_columns import event_id_prefix
from transforms.objects.joined.joining import is_small
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.parts import ObjectPart
from transforms.objects.read_object import read_part
from transforms.objects.reading import ReadSettings
from transforms.read_events import ReadEvents, _ReadEventsFn
from transforms.storage import ObjectInfo, SourceLocation, StorageOptions, TierLocation, open_tier
from transforms.storage.job_folder import Heartbeat, JobFolder

UTC = timezone.utc
LOG = b"2025-08-11 00:00:01 one\n\n2025-08-11 00:00:02 two\n"
TABLE = b"host,when,note\nweb-1,2025-08-11T00:00:00Z,hello\n,2025-08-11T00:00:01Z,\n"
JSON = b'{"time":"2025-08-11T00:00:00Z","msg":"hi","n":1}\nnot json\n'
LINES = b"".join(b"line %d\n" % number for number in range(2000))
STAMPED = {
    "_event_id": TEXT,
    "_observed_at": TIME,
    **dict.fromkeys(
        ["_receiver", "_collector", "_processor", "_correlation_id", "_object", "_format", "filename"], CONSTANT
    ),
}
"""The columns that every event gets, in their order."""
WHOLE = {"status": "ingested", "codec": "none", "format": "text"}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source")


def reading(source: Source, tmp_path: Path, /, *, settings: ReadSettings | None = None, **fields: Any) -> ReadEvents:
    given: dict[str, Any] = {
        "source": source.location,
        "settings": (settings or ReadSettings(task_id="job"),),
        "tier": TierLocation(str(tmp_path / "hot")),
    }
    return ReadEvents(**given | fields)


def split(*parts: ObjectPart | ObjectInfo, number: int = 0) -> Split:
    return Split(3, number, tuple(part if isinstance(part, ObjectPart) else ObjectPart(part) for part in parts))


def entry(info: ObjectInfo, **fields: Any) -> LedgerEntry:
    """Return what the ledger gets of an object that is not compressed, of which all was read that it has."""
    sizes = {"bytes_read": info.size, "bytes_decoded": info.size}
    identity: dict[str, Any] = {
        "bucket": info.bucket,
        "key": info.key,
        "etag": info.etag,
        "size": info.size,
        "modified": info.modified,
    }
    return LedgerEntry(**identity | {"job": "job", "wave": 3} | sizes | fields)


def outcomes(ran: Ran) -> list[LedgerEntry]:
    """Return them as entries of the ledger, in the order of their keys."""
    entries = [entry_of(one, job="job", wave=3) for one in ran.outputs["outcomes"]]
    return sorted(entries, key=lambda one: one.key)


def batches_of(ran: Ran) -> list[pa.RecordBatch]:
    assert {batch.modified for batch in ran.main} <= {MODIFIED}
    return [batch.events for batch in ran.main]


def rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return a batch's rows without the time of receipt, which is one and the same."""
    found = batch.to_pylist()
    assert len({row.pop("_observed_at") for row in found}) == 1
    return found


def stamps(info: ObjectInfo, number: int, format_name: str) -> dict[str, Any]:
    return {
        "_event_id": f"{event_id_prefix(info)}{number}",
        "_receiver": "s3.pull",
        "_collector": PRODUCT,
        "_processor": PRODUCT,
        "_correlation_id": "job",
        "_object": info.uri,
        "_format": format_name,
        "filename": info.key,
    }


def test_objects_of_three_formats(source: Source, tmp_path: Path) -> None:
    source.put({"a.log": LOG, "b.csv": TABLE, "c.json.gz": gzip.compress(JSON)})
    log, table, json = (source.info(key) for key in ("a.log", "b.csv", "c.json.gz"))
    before = datetime.now(UTC)
    ran = run(reading(source, tmp_path), Given(Split, [split(log, table, json)]))
    assert ran.labels == ["ReadEvents/Read"]
    assert ran.kinds == {"main": EventBatch, "outcomes": ObjectOutcome}

    timed = {"_time": TIME, "_time_source": CONSTANT}
    expected = [
        pa.schema({"_message": TEXT, **STAMPED}),
        pa.schema({"_message": TEXT, "host": TEXT, "when": TEXT, "note": TEXT, **timed, **STAMPED}),
        pa.schema({"_message": TEXT, "time": TEXT, "msg": TEXT, "n": TEXT, "_error": TEXT, **timed, **STAMPED}),
    ]
    batches = sorted(batches_of(ran), key=lambda batch: batch.column("filename")[0].as_py())
    assert all(
        batch.schema.equals(wanted, check_metadata=True) for batch, wanted in zip(batches, expected, strict=True)
    )
    assert all(before <= batch.column("_observed_at")[0].as_py() <= datetime.now(UTC) for batch in batches)

    at = datetime(2025, 8, 11, tzinfo=UTC)
    first, second = TABLE.decode().splitlines()[1:]
    assert [rows(batch) for batch in batches] == [
        [
            {"_message": "2025-08-11 00:00:01 one", **stamps(log, 0, "text")},
            {"_message": "2025-08-11 00:00:02 two", **stamps(log, 1, "text")},
        ],
        [
            {
                "_message": first,
                "host": "web-1",
                "when": "2025-08-11T00:00:00Z",
                "note": "hello",
                "_time": at,
                "_time_source": "record",
            }
            | stamps(table, 0, "csv"),
            {"_message": second, "host": "", "when": "2025-08-11T00:00:01Z", "note": "", "_time": at.replace(second=1)}
            | {"_time_source": "record", **stamps(table, 1, "csv")},
        ],
        [
            {
                "_message": JSON.decode().splitlines()[0],
                "time": "2025-08-11T00:00:00Z",
                "msg": "hi",
                "n": "1",
                "_error": None,
            }
            | {"_time": at, "_time_source": "record", **stamps(json, 0, "json")},
            {
                "_message": "not json",
                "time": None,
                "msg": None,
                "n": None,
                "_error": "invalid_json: unexpected text at character 1",
            }
            | {"_time": None, "_time_source": None, **stamps(json, 1, "json")},
        ],
    ]
    assert outcomes(ran) == [
        entry(log, **WHOLE, records_in=2, events=2, blank=1),
        entry(table, **WHOLE | {"format": "csv"}, records_in=2, events=2, header=1),
        entry(
            json,
            status="ingested",
            codec="gzip",
            format="json",
            records_in=2,
            events=2,
            events_with_error=1,
            bytes_decoded=len(JSON),
        ),
    ]
    assert ran.counters == {"objects": 3, "events": 6, "bytes_read": log.size + table.size + json.size}


def test_what_the_settings_add_to_each_event(source: Source, tmp_path: Path) -> None:
    source.put({"b.csv": TABLE})
    columns = (("_iam_key_id", "key-1"), ("_team", "payments"))
    defaults = (("host", "unknown"), ("source", "s3"), ("note", "-"))
    settings = ReadSettings(task_id="job", defaults=defaults, columns=columns, formats=FormatOptions(format="text"))
    [batch] = batches_of(run(reading(source, tmp_path, settings=settings), Given(Split, [split(source.info("b.csv"))])))
    assert {
        name: set(batch.column(name).to_pylist())
        for name in ("_iam_key_id", "_team", "host", "source", "note", "_format")
    } == {
        "_iam_key_id": {"key-1"},
        "_team": {"payments"},
        "host": {"unknown"},
        "source": {"s3"},
        "note": {"-"},
        "_format": {"text"},
    }
    assert batch.column("_message").to_pylist() == TABLE.decode().splitlines()


@pytest.mark.parametrize("given", [pytest.param([], id="no-split"), pytest.param([split()], id="a-split-of-nothing")])
def test_nothing_to_read(source: Source, tmp_path: Path, given: list[Split]) -> None:
    source.put({})
    ran = run(reading(source, tmp_path), Given(Split, given))
    assert ran.outputs == {"main": [], "outcomes": []}
    assert not any(ran.counters.values())


def test_a_bundle_that_is_tried_again_gives_its_events_once(source: Source, tmp_path: Path) -> None:
    source.put({"a.log": LOG, "b.csv": TABLE, "c.log.gz": gzip.compress(LINES)[:-9], "d.log": b"gone"})
    splits = [
        split(*map(source.info, keys), number=number)
        for number, keys in enumerate([("a.log", "b.csv"), ("c.log.gz", "d.log")])
    ]
    (source.folder / "d.log").unlink()
    once = run(reading(source, tmp_path), Given(Split, splits))
    again = run(reading(source, tmp_path), Given(Split, splits), again=2, workers=2)
    assert outcomes(again) == outcomes(once)
    assert len(outcomes(once)) == 4
    found = [
        sorted((row for batch in batches_of(ran) for row in rows(batch)), key=lambda row: row["_event_id"])
        for ran in (once, again)
    ]
    assert found[0] == found[1]
    assert len({row["_event_id"] for row in found[0]}) == len(found[0]) == 2 + 2 + 2000
    assert (
        again.counters
        == once.counters
        == {"objects": 4, "events": 2004, "bytes_read": sum(one.bytes_read for one in outcomes(once))}
    )


def test_parts_of_an_object_are_one_object(source: Source, tmp_path: Path) -> None:
    info = source.put({"a.log": LINES}).info("a.log")
    cut = LINES.index(b"line 1200\n")
    parts = [ObjectPart(info, 0, cut, first=0, looked_at=100), ObjectPart(info, cut, None, first=1200, looked_at=50)]
    ran = run(reading(source, tmp_path), Given(Split, [split(parts[1], number=1), split(parts[0])]), workers=2)
    ids = [value for batch in batches_of(ran) for value in batch.column("_event_id").to_pylist()]
    assert sorted(ids) == sorted(f"{event_id_prefix(info)}{number}" for number in range(2000))
    lines = {row["_event_id"]: row["_message"] for batch in batches_of(ran) for row in batch.to_pylist()}
    assert all(lines[f"{event_id_prefix(info)}{number}"] == f"line {number}" for number in range(2000))
    first, second = sorted(outcomes(ran), key=lambda one: -one.events)
    assert first == entry(info, **WHOLE, records_in=1200, events=1200, bytes_read=cut + 100, bytes_decoded=cut)
    head = len(LINES)  # of an object of less than `HEAD_BYTES` all of it
    before = cut  # what precedes the part: its first lines may have the time of one there
    rest = len(LINES) - cut
    expected = {**WHOLE, "records_in": 800, "events": 800, "bytes_decoded": rest}
    assert second == entry(info, **expected, bytes_read=rest + 50 + head + before)
    assert ran.counters == {"objects": 1, "events": 2000, "bytes_read": len(LINES)}


def test_stamps_without_a_year_have_theirs_by_their_order(source: Source, tmp_path: Path) -> None:
    lines = b"Nov 30 10:00:00 pc app: a\nJan  1 00:00:00 pc app: b\n"
    source.put({"a.log": lines, "b.log.gz": gzip.compress(lines), "c.log": LOG})
    infos = [source.info(key) for key in ("a.log", "b.log.gz", "c.log")]
    ran = run(reading(source, tmp_path), Given(Split, [split(*infos)]))
    years = {tuple(batch.events.column("filename").unique().to_pylist()): batch.years for batch in ran.main}
    latest = infos[0].modified.year
    expected = RecordYears((0, 1, 2, 3), (latest - 1, latest) * 2)
    assert years == {("a.log", "b.log.gz"): expected, ("c.log",): None}
    assert ran.counters["bytes_read"] == sum(info.size for info in infos)


TRUNCATED = gzip.compress(LINES)[:-9]


@pytest.mark.parametrize(
    ("content", "on_error", "expected", "reason"),
    [
        pytest.param(b"", "salvage", {**WHOLE}, None, id="empty"),
        pytest.param(
            b"\x89PNG\r\n\x1a\n" + bytes(60),
            "salvage",
            {"status": "failed", "codec": "none"},
            "unsupported: PNG image",
            id="picture",
        ),
        pytest.param(
            TRUNCATED,
            "salvage",
            {
                "status": "salvaged",
                "codec": "gzip",
                "format": "text",
                "records_in": 2000,
                "events": 2000,
                "bytes_decoded": len(LINES),
            },
            "truncated gzip stream: it ends at compressed byte",
            id="truncated-salvage",
        ),
        pytest.param(
            TRUNCATED,
            "quarantine",
            {
                "status": "quarantined",
                "codec": "gzip",
                "format": "text",
                "records_in": 2000,
                "rejected": 2000,
                "bytes_decoded": len(LINES),
            },
            "truncated gzip stream: it ends at compressed byte",
            id="truncated-quarantine",
        ),
        pytest.param(
            TRUNCATED,
            "fail",
            {
                "status": "failed",
                "codec": "gzip",
                "format": "text",
                "records_in": 2000,
                "rejected": 2000,
                "bytes_decoded": len(LINES),
            },
            "truncated gzip stream: it ends at compressed byte",
            id="truncated-fail",
        ),
        pytest.param(
            TRUNCATED[:15],
            "salvage",
            {"status": "failed", "codec": "gzip", "format": "text", "bytes_decoded": 0},
            "truncated gzip stream",
            id="nothing-to-salvage",
        ),
    ],
)
def test_an_object_that_can_not_be_read_is_an_outcome(
    source: Source, tmp_path: Path, content: bytes, on_error: str, expected: dict[str, Any], reason: str | None
) -> None:
    info = source.put({"a": content, "b.log": LOG}).info("a")
    settings = ReadSettings(task_id="job", on_error=on_error)
    ran = run(reading(source, tmp_path, settings=settings), Given(Split, [split(info, source.info("b.log"))]))
    found, other = outcomes(ran)
    assert (found.reason or "").startswith(reason or "")
    assert (found.reason is None) is (reason is None)
    assert replace(found, reason=None) == entry(info, **expected)
    assert other == entry(source.info("b.log"), **WHOLE, records_in=2, events=2, blank=1)
    assert sum(batch.num_rows for batch in ran.main) == found.records_in + 2
    assert ran.counters["objects"] == 2


def test_objects_that_vanished_or_changed_since_they_were_listed(source: Source, tmp_path: Path) -> None:
    keys = ["changed.log", "fine.log", "gone.log"]
    source.put(dict.fromkeys(keys, LOG))
    infos = [source.info(key) for key in keys]
    source.put({"changed.log": LOG + b"more\n"})
    (source.folder / "gone.log").unlink()
    ran = run(reading(source, tmp_path), Given(Split, [split(*infos)]))
    assert [(one.key, one.status, one.events) for one in outcomes(ran)] == [
        ("changed.log", "vanished", 0),
        ("fine.log", "ingested", 2),
        ("gone.log", "vanished", 0),
    ]
    changed, _, gone = outcomes(ran)
    assert changed.reason is not None
    assert changed.reason.startswith(f"{infos[0].uri}: ")
    assert gone.reason == f"{infos[2].uri}: no such file; it was there when it was listed"
    assert {row["_object"] for batch in batches_of(ran) for row in batch.to_pylist()} == {infos[1].uri}
    assert ran.counters == {"objects": 3, "events": 2, "bytes_read": infos[1].size}


def test_a_worker_says_how_far_it_is(source: Source, tmp_path: Path) -> None:
    source.put({"a.log": LOG, "b.csv": TABLE})
    run(reading(source, tmp_path), Given(Split, [split(source.info("a.log")), split(source.info("b.csv"), number=1)]))
    progress = JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "job").progress()
    assert sorted(progress, key=lambda one: one["bytesRead"]) == [
        {"wave": 3, "objects": 1, "bytesRead": len(LOG), "events": 2},
        {"wave": 3, "objects": 1, "bytesRead": len(TABLE), "events": 2},
    ]


def test_a_job_that_is_canceled_stops_its_workers(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Heartbeat.__post_init__

    def always_beating(heartbeat: Heartbeat) -> None:
        heartbeat.seconds = 0
        begin(heartbeat)

    monkeypatch.setattr(Heartbeat, "__post_init__", always_beating)
    source.put({"a.log": LOG})
    JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "job").request_cancel()
    with pytest.raises(CanceledError, match=r"^job job was canceled \[while running 'ReadEvents/Read/.*'\]$"):
        run(reading(source, tmp_path), Given(Split, [split(source.info("a.log"))]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            {"source": SourceLocation("b/logs")},
            r"bucket 'b/logs': what follows the name belongs in the pattern",
            id="bucket",
        ),
        pytest.param(
            {"source": SourceLocation("file://logs")},
            r"bucket 'file://logs': a local folder is named by its whole path",
            id="folder",
        ),
        pytest.param(
            {"tier": TierLocation("gs://b")}, r"hot tier 'gs://b': it is a folder .* or s3://bucket/prefix", id="tier"
        ),
    ],
)
def test_places_that_are_none(source: Source, tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    info = source.put({"a.log": LOG}).info("a.log")
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        run(reading(source, tmp_path, **fields), Given(Split, [split(info)]))


def listed(s3: S3, key: str) -> ObjectInfo:
    head = s3.client.head_object(Bucket=s3.bucket, Key=key)
    return ObjectInfo(
        bucket=s3.bucket, key=key, etag=head["ETag"].strip('"'), size=head["ContentLength"], modified=MODIFIED
    )


def test_each_source_is_read_as_it_says(source: Source, tmp_path: Path) -> None:
    source.put({"a.log": b"1;2\n", "b.log": b"1;2\n"})
    settings = (
        ReadSettings(task_id="job", formats=FormatOptions(format="text"), defaults=(("index", "first"),)),
        ReadSettings(task_id="job", formats=FormatOptions(format="csv", delimiter=";", headers=("x", "y"))),
    )
    infos = [source.info("a.log"), replace(source.info("b.log"), source=1)]
    ran = run(replace(reading(source, tmp_path), settings=settings), Given(Split, [split(*infos)]))
    rows = {row["filename"]: row for batch in batches_of(ran) for row in batch.to_pylist()}
    assert {key: row["_format"] for key, row in rows.items()} == {"a.log": "text", "b.log": "csv"}
    assert (rows["a.log"]["index"], "x" in rows["a.log"]) == ("first", False)
    assert ("index" in rows["b.log"], rows["b.log"]["x"], rows["b.log"]["y"]) == (False, "1", "2")
    assert sorted(batch.source for batch in ran.main) == [0, 1]


def test_on_s3(s3: S3) -> None:
    keys = ["changed.log", "fine.log", "gone.log"]
    for key in keys:
        s3.put(key, LOG)
    infos = [listed(s3, key) for key in keys]
    s3.put("changed.log", LOG + b"more\n")
    s3.client.delete_object(Bucket=s3.bucket, Key="gone.log")
    read = ReadEvents(
        SourceLocation(s3.bucket, s3.options),
        (ReadSettings(task_id="job"),),
        TierLocation(f"s3://{s3.bucket}/hot", s3.options),
    )
    ran = run(read, Given(Split, [split(*infos)]), again=1)
    assert [(one.key, one.status, one.events) for one in outcomes(ran)] == [
        ("changed.log", "vanished", 0),
        ("fine.log", "ingested", 2),
        ("gone.log", "vanished", 0),
    ]
    assert [row["_object"] for batch in batches_of(ran) for row in batch.to_pylist()] == [
        f"s3://{s3.bucket}/fine.log"
    ] * 2
    assert ran.counters == {"objects": 3, "events": 2, "bytes_read": len(LOG)}


@pytest.mark.moto_only(reason="it has no archive")
def test_an_archived_object(s3: S3, tmp_path: Path) -> None:
    s3.put("tape.log", LOG, StorageClass="GLACIER")
    read = ReadEvents(
        SourceLocation(s3.bucket, s3.options), (ReadSettings(task_id="job"),), TierLocation(str(tmp_path / "hot"))
    )
    ran = run(read, Given(Split, [split(listed(s3, "tape.log"))]))
    assert [(one.key, one.status, one.events) for one in outcomes(ran)] == [("tape.log", "archived", 0)]
    assert ran.main == []


def test_a_bucket_that_can_not_be_read_at_all_is_no_outcome(s3: S3, tmp_path: Path) -> None:
    info = ObjectInfo(bucket="no-such-bucket-of-ours", key="a.log", etag="e", size=9, modified=MODIFIED)
    read = ReadEvents(
        SourceLocation(info.bucket, s3.options), (ReadSettings(task_id="job"),), TierLocation(str(tmp_path / "hot"))
    )
    with pytest.raises(AccessError, match=r"no-such-bucket-of-ours.*\[while running 'ReadEvents/Read/.*'\]$"):
        run(read, Given(Split, [split(info)]))


def test_a_small_object_that_expands_is_not_held(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def read_many(*given: Any, **named: Any) -> Iterator[Any]:
        for number, element in enumerate(read_part(*given, **named)):
            read.append(number)
            yield element

    monkeypatch.setattr("transforms.read_events.read_part", read_many)
    content = bz2.compress(b"2025-08-11 00:00:01 the same line again\n" * 600_000)
    info = source.put({"a.log.bz2": content}).info("a.log.bz2")
    assert is_small(ObjectPart(info))
    reader = _ReadEventsFn(reading(source, tmp_path))
    reader.setup()
    elements = cast(Generator[Any, None, None], reader.process(split(info)))
    next(elements)
    assert len(read) == 2
    assert [isinstance(element, EventBatch) for element in (next(elements), next(elements))] == [True, True]
    elements.close()
