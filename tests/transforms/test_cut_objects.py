"""`CutObjects`, and large objects in parts: the same events, ids and balance as in one piece, or no parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.beam import Given, run
from tests.transforms.sources import Source
from transforms.core.errors import ConfigurationError, TierError
from transforms.core.record_years import RecordYears
from transforms.core.schema import EventBatch
from transforms.cut_objects import CutObjects, RoughRange, cut_objects, propose_ranges, read_parts
from transforms.event_pipelines.definition import load_pipelines
from transforms.formats.options import FormatOptions
from transforms.hot_tier.ledger.entries import entry_of
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.outcomes import ObjectOutcome, merge_outcomes
from transforms.objects.parts import ObjectPart, worth_cutting
from transforms.objects.read_object import read_part
from transforms.objects.reading import Reading, ReadSettings
from transforms.storage import (
    ObjectInfo,
    ObjectStore,
    SourceLocation,
    StorageOptions,
    TierLocation,
    TierStore,
    open_store,
    open_tier,
)
from transforms.storage.job_folder import JobFolder

MODIFIED = datetime(2025, 8, 12, tzinfo=timezone.utc).timestamp()
ROWS = 400
LINES = "".join(
    f"2025-08-11 00:{n // 60:02d}:{n % 60:02d} line {n} of a log\n" + "\n" * (n % 7 == 0) for n in range(ROWS)
)
TABLE = "host,when,note\n" + "".join(
    f'web-{n},2025-08-11 00:{n // 60:02d}:{n % 60:02d},"said ""{n}"""\n' for n in range(ROWS)
)
BROKEN_CELLS = "host,when,note\n" + "".join(
    f'web-{n},2025-08-11 00:00:00,"first, line\nsecond {n}, line"\n' for n in range(ROWS)
)
NDJSON = "".join(
    f'{{"time": "2025-08-11T00:{n // 60:02d}:{n % 60:02d}Z", "n": {n}, "x": "{{}}"}}\n' + "\r\n" * (n % 9 == 0)
    for n in range(ROWS)
)
IIS = "#Software: IIS\n#Fields: date time c-ip note\n"
HEADED = IIS + "".join(
    f'2025-08-11 00:{n // 60:02d}:{n % 60:02d} - "said ""{n}"""\n' + "#Date: x\n" * (n % 50 == 0) for n in range(ROWS)
)
CLOCKS = "#Date: 2025-08-11 00:00:00\n#Fields: time note\n" + "".join(f"{n % 24:02d}:00:00 {n}\n" for n in range(ROWS))
ZEEK = "#separator \\x09\n#fields\tts\tuid\tnote\n" + "".join(f"{1754870400 + n}.5\tC{n}\t-\n" for n in range(ROWS))
ARRAY = "[" + NDJSON.replace("}\n", "},\n").replace("\r\n", "")[:-2] + "]"
OWN_HEADER = {"format": "csv", "skip_rows": 3, "headers": ("a", "b", "c")}
PRETTY = "".join(f'{{\n  "n": {n}\n}}\n' for n in range(ROWS))

CASES = [
    pytest.param("a.log", LINES, {}, True, id="text"),
    pytest.param("a.log", "\ufeff" + LINES.replace("\n", "\r\n"), {}, True, id="text-bom-crlf"),
    pytest.param("a.log", LINES[:-1] + "\nlast without end", {}, True, id="text-without-last-newline"),
    pytest.param("a.csv", TABLE, {}, True, id="csv"),
    pytest.param("a.csv", TABLE, OWN_HEADER, True, id="csv-own-header"),
    pytest.param("a.csv", BROKEN_CELLS, {}, True, id="csv-newlines-in-cells"),
    pytest.param("a.csv", TABLE.replace(",", "\t"), {"format": "csv", "delimiter": "\t"}, True, id="csv-tabs"),
    pytest.param("a.json", NDJSON, {}, True, id="ndjson"),
    pytest.param("a.json", "\ufeff" + NDJSON, {}, True, id="ndjson-bom"),
    pytest.param("a.json", PRETTY, {}, False, id="pretty-json"),
    pytest.param("a.json", ARRAY, {}, False, id="json-array"),
    pytest.param("a.json", NDJSON.replace('"n": 77,', '"n": 77'), {}, False, id="ndjson-with-a-bad-line"),
    pytest.param("a.log", HEADED, {}, True, id="w3c"),
    pytest.param("a.log", HEADED + IIS + "2025-08-11 01:00:00 - last\n", {}, True, id="w3c-header-repeated"),
    pytest.param("a.log", HEADED + "#Fields: date time\n2025-08-11 01:00:00\n", {}, False, id="w3c-fields-change"),
    pytest.param("a.log", CLOCKS, {}, False, id="w3c-clocks-alone"),
    pytest.param("a.log", ZEEK + "#close\tx\n", {}, True, id="zeek"),
    pytest.param("a.log", LINES, {"format": "text", "multiline_start": "^2025.*0 line"}, False, id="events-of-lines"),
    pytest.param("a.log", LINES.replace("log", "l\xf6g"), {"encoding": "windows-1252"}, True, id="text-encoding"),
    pytest.param("a.csv", BROKEN_CELLS.replace("line", "l\xe9"), {"encoding": "koi8-r"}, True, id="csv-encoding"),
    pytest.param("a.json", NDJSON.replace("{}", "\xe9"), {"encoding": "latin-1"}, True, id="ndjson-encoding"),
    pytest.param("a.log", HEADED.replace("said", "\xe9"), {"encoding": "cp437"}, True, id="w3c-encoding"),
    pytest.param("a.log", LINES, {"encoding": "utf-8"}, True, id="text-utf8-by-name"),
    pytest.param("a.log", LINES, {"encoding": "shift_jis"}, False, id="text-bytes-a-character"),
    pytest.param("a.log", LINES, {"format": "text", "join_partial": True}, False, id="text-partial-lines"),
    pytest.param("a.log", "x" * 20_000, {}, False, id="no-line-ends"),
    pytest.param("a.log", LINES.replace(" of", " \udce9\udce9"), {}, True, id="text-bad-bytes"),
    pytest.param("a.log", LINES.replace(" of", " \udc81"), {"encoding": "cp1252"}, True, id="text-not-its-encoding"),
    pytest.param("a.log", LINES, {"max_record": 34}, True, id="text-long-lines"),
    pytest.param("a.csv", TABLE.replace("said", "\udce9"), {"max_record": 37}, True, id="csv-bad-bytes-long-rows"),
    pytest.param("a.log", HEADED.replace("said", "\udce9"), {"max_record": 31}, True, id="w3c-bad-bytes-long-lines"),
]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]]:
    def make(name: str, content: bytes) -> tuple[ObjectInfo, ObjectStore]:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        os.utime(folder / name, (MODIFIED, MODIFIED))
        store = open_store(f"file://{folder}", StorageOptions())
        [info] = [info for page in store.list_pages("") for info in page if info.key == name]
        return info, store

    return make


def rows_and_entry(
    parts: Sequence[ObjectPart], store: ObjectStore, settings: ReadSettings
) -> tuple[list[dict[str, Any]], LedgerEntry]:
    rows: list[dict[str, Any]] = []
    outcomes: list[ObjectOutcome] = []
    for part in parts:
        for element in read_part(part, store, settings):
            if isinstance(element, EventBatch):
                rows += [
                    {name: value for name, value in row.items() if value is not None}
                    for row in element.events.to_pylist()
                ]
            else:
                outcomes.append(element)
    for row in rows:
        del row["_observed_at"]
    [outcome] = merge_outcomes(outcomes)
    return rows, entry_of(outcome, job="job", wave=0)


def cut(
    info: ObjectInfo, store: ObjectStore, settings: ReadSettings, folder: JobFolder, count: int
) -> list[ObjectPart] | None:
    places = [info.size * number // count for number in range(count + 1)]
    ranges = [RoughRange(info, start, end) for start, end in zip(places, places[1:], strict=False)]
    for rough in ranges:
        cut_objects(store, rough, settings, folder)
    return read_parts(folder, ranges)


@pytest.mark.parametrize(("name", "text", "options", "can_be_cut"), CASES)
@pytest.mark.parametrize("count", [2, 5, 16])
def test_parts_give_what_the_whole_gives(
    tmp_path: Path,
    place: Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]],
    name: str,
    text: str,
    options: dict[str, Any],
    can_be_cut: bool,
    count: int,
) -> None:
    info, store = place(name, text.encode("utf-8", "surrogateescape"))
    settings = ReadSettings(task_id="job", formats=FormatOptions(**options))
    parts = cut(info, store, settings, JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "job"), count)
    assert (parts is not None) is can_be_cut
    if parts is None:
        return
    assert len(parts) > 1
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert rows_and_entry(parts, store, settings)[0] == rows_and_entry([ObjectPart(info)], store, settings)[0]
    whole, merged = rows_and_entry([ObjectPart(info)], store, settings)[1], rows_and_entry(parts, store, settings)[1]
    assert merged.bytes_read > whole.bytes_read == info.size  # the parts had to be looked for
    assert replace(merged, bytes_read=info.size) == whole


TRACES = "".join(
    f"2025-08-11 00:{n // 60:02d}:{n % 60:02d} ERROR {n}\n" + "\tat com.example.Shop.sell(Shop.java:42)\n" * (n % 9)
    for n in range(30)
)
LONG_LINES = "a line before all\n" + "".join(
    f"2025-08-11 00:00:{n:02d} {'x' * (n * 13 % 500)}\n" + f"\t{'y' * (n * 29 % 400)}\n\r\n" * 3 for n in range(30)
)
SURROGATES = "".join(
    f'{{"time": "2025-08-11T00:00:{n:02d}Z"}}\n{{"n": {n}}}\n{{"s": "\\ud800"}}\n' * (1 + n % 3) for n in range(30)
)
SHORTENED = """pipelines:
- {name: some, steps: [{sample: {keep: 0.5}}, {regex: {source: message, pattern: '^(?P<head>.{1,24})'}}]}
- {name: short, steps: [{message: {source: head}}]}"""


def times_of(
    parts: Sequence[ObjectPart], store: ObjectStore, settings: ReadSettings, pipelines: str
) -> list[tuple[str, datetime, str]]:
    shaped = [
        shape_events(batch, ShapingSettings(pipelines=load_pipelines(pipelines, source="p.yaml") if pipelines else ()))
        for part in parts
        for batch in read_part(part, store, settings)
        if isinstance(batch, EventBatch)
    ]
    return [(row["_event_id"], row["_time"], row["_time_source"]) for one in shaped for row in one.events.to_pylist()]


@pytest.mark.parametrize("pipelines", [pytest.param("", id="no-pipelines"), pytest.param(SHORTENED, id="pipelines")])
@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        pytest.param("a.log", TRACES, "auto", id="traces"),
        pytest.param("a.log", TRACES.replace("\n", "\r\n"), "auto", id="traces-crlf"),
        pytest.param("a.log", TRACES.replace("Shop", "Caf\xe9"), "latin-1", id="traces-latin-1"),
        pytest.param("a.log", LONG_LINES, "auto", id="beyond-the-window"),
        pytest.param("a.json", SURROGATES, "auto", id="json-with-errors"),
    ],
)
def test_parts_inherit_times_as_the_whole_does(
    place: Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    encoding: str,
    pipelines: str,
) -> None:
    monkeypatch.setattr("transforms.objects.inherited_times.window.WINDOW", 300)
    monkeypatch.setattr("transforms.objects.inherited_times.preceding_records.LOOKED_AT", 100)
    monkeypatch.setattr("transforms.objects.inherited_times.preceding_records.RECORD_WINDOW", 150)
    data = text.encode("utf-8" if encoding == "auto" else encoding)
    info, store = place(name, data)
    settings = ReadSettings(task_id="job", formats=FormatOptions(encoding=encoding))
    whole = times_of([ObjectPart(info)], store, settings, pipelines)
    sources = {source for _, _, source in whole}
    assert sources >= {"inherited", "record" if name == "a.json" else "detected"}
    assert pipelines or "object" in sources  # a sample goes by event ids, and these by the folder of the test
    lines = data.splitlines(keepends=True)
    ends = [sum(map(len, lines[:count])) for count in range(len(lines) + 1)]
    records = [sum(line.strip(b"\r\n") != b"" for line in lines[:count]) for count in range(len(lines) + 1)]
    for number in range(1, len(lines), max(1, len(lines) // 17)):
        parts = [
            ObjectPart(info, 0, ends[number]),
            ObjectPart(info, ends[number], None, first=records[number]),
        ]
        assert times_of(parts, store, settings, pipelines) == whole


COLLECTED = "".join(
    f'{{"time": {1754870400 + n}, "event": "sold"}}\n'
    '{"event": "\\tat Shop.sell"}\n{"event": {"at": "x"}}\n{"event": ""}\n'
    for n in range(12)
)
MIXED = (NDJSON[:500] + '\n{"n": 1}\n  at x\nExited.\n{"n": 2}\n  at y\n') * 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("a.log", LONG_LINES, id="text"),
        pytest.param("a.log", COLLECTED, id="hec"),
        pytest.param("a.json", MIXED, id="json-with-bad-lines"),
    ],
)
def test_times_are_inherited_alike_wherever_blocks_are_cut(
    place: Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
) -> None:
    monkeypatch.setattr("transforms.objects.inherited_times.window.WINDOW", 300)
    info, _ = place(name, text.encode())

    def times(size: int) -> list[tuple[str, datetime, str]]:
        monkeypatch.setattr("transforms.formats.chunks.BLOCK_BYTES", size)
        reading = Reading(info, ReadSettings(task_id="job"), received=datetime.now(timezone.utc))
        chunks = iter([text.encode()[at : at + size] for at in range(0, len(text), size)])
        shaped = [shape_events(batch, ShapingSettings()).events.to_pylist() for batch in reading.batches(chunks)]
        return [(row["_event_id"], row["_time"], row["_time_source"]) for rows in shaped for row in rows]

    whole = times(1 << 20)
    assert {source for _, _, source in whole} >= {"inherited", "detected" if text is LONG_LINES else "record"}
    for size in (1, 7, 64, 300, 1000):
        assert times(size) == whole


def test_a_record_over_a_whole_range(
    tmp_path: Path, place: Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]]
) -> None:
    info, store = place("a.log", b"short\n" + b"x" * 3000 + b"\nlast\n")
    settings = ReadSettings(task_id="job")
    parts = cut(info, store, settings, JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "job"), 5)
    assert parts is not None
    assert [row["_message"][:5] for row in rows_and_entry(parts, store, settings)[0]] == ["short", "xxxxx", "last"]


def test_a_compressed_object_is_not_cut(
    tmp_path: Path, place: Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]]
) -> None:
    import gzip

    info, store = place("a.log", gzip.compress(LINES.encode()))
    assert (
        cut(
            info,
            store,
            ReadSettings(task_id="job"),
            JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "job"),
            2,
        )
        is None
    )


def test_one_bad_part_is_the_objects_fate() -> None:
    info = ObjectInfo(bucket="b", key="k", etag="e", size=9, modified=datetime(2025, 8, 12, tzinfo=timezone.utc))

    def outcome(status: str, records: int) -> ObjectOutcome:
        reason = None if status == "ingested" else "gone"
        return ObjectOutcome(info=info, status=status, reason=reason, records=records)

    [one] = merge_outcomes([outcome("ingested", 5), outcome("vanished", 2), outcome("ingested", 7)])
    merged = entry_of(one, job="job", wave=0)
    assert (merged.status, merged.reason, merged.records_in, merged.events, merged.rejected) == (
        "vanished",
        "gone",
        14,
        0,
        14,
    )


def test_one_warning_has_the_sums_of_all_parts(
    tmp_path: Path, place: Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]]
) -> None:
    info, store = place("a.csv", TABLE.replace("said", "\udce9").encode("utf-8", "surrogateescape"))
    settings = ReadSettings(task_id="job", formats=FormatOptions(max_record=37))
    parts = cut(info, store, settings, JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "job"), 5)
    assert parts is not None and len(parts) == 5
    outcomes = [one for part in parts for one in read_part(part, store, settings) if isinstance(one, ObjectOutcome)]
    for order in (outcomes, outcomes[::-1]):
        [merged] = merge_outcomes(order)
        replaced, cut_short, unreadable = merged.all_warnings
        assert replaced.startswith("400 byte sequences that are no UTF-8 were replaced")
        assert cut_short == (
            "390 records longer than 37 bytes (--max-record) were cut: 1,380 bytes of them are not kept"
        )
        assert unreadable.startswith("400 of 400 records could not be read as csv, the first: invalid_text")


def test_only_what_makes_a_wave_shorter_is_cut() -> None:
    def info(key: str, mib: int) -> ObjectInfo:
        return ObjectInfo(
            bucket="b", key=key, etag="e", size=mib << 20, modified=datetime(2025, 8, 12, tzinfo=timezone.utc)
        )

    big = info("big.log", 1000)
    assert worth_cutting([[big], [info("small.log", 10)]], 2) == [(big, (1010 << 20) // 2 // 4)]
    assert worth_cutting([[big], [info("other.log", 990)]], 2) == []
    assert worth_cutting([[info("big.log.gz", 1000)], []], 2) == []
    assert worth_cutting([[info("big.log", 40)], []], 2) == []


LARGE = {"a.log": LINES.encode(), "b.json": PRETTY.encode(), "c.csv": TABLE.encode()}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "bucket").put(LARGE)


def cutting(source: Source, tier: TierStore, task_id: str = "job", /, **fields: Any) -> CutObjects:
    settings: dict[str, Any] = {
        "source": source.location,
        "settings": (ReadSettings(task_id=task_id),),
        "tier": TierLocation(tier.uri),
    }
    return CutObjects(**settings | fields)


def ranges_of(source: Source, *keys: str, count: int = 4) -> list[RoughRange]:
    infos = [source.info(key) for key in keys]
    return [rough for info in infos for rough in propose_ranges(info, info.size // count)]


def documents(folder: JobFolder) -> dict[str, Any]:
    """Return what is in a job's folder."""
    return {name: folder.read_json(name) for name in folder.names()}


@pytest.mark.parametrize("again", [pytest.param(0, id="once"), pytest.param(1, id="each-bundle-tried-again")])
def test_ranges_are_cut_as_the_plain_function_cuts_them(source: Source, local_tier: TierStore, again: int) -> None:
    ranges = ranges_of(source, *LARGE)
    ran = run(cutting(source, local_tier), Given(RoughRange, ranges), again=again, workers=2)
    assert sorted(ran.main) == sorted(f"{source.bucket}/{key}" for key in LARGE for _ in range(4))
    assert (ran.kinds, ran.counters) == ({"main": str}, {})
    assert ran.labels == ["CutObjects/Spread", "CutObjects/Cut"]

    plain = JobFolder(local_tier, "plain")
    for rough in ranges:
        cut_objects(source.store, rough, ReadSettings(task_id="plain"), plain)
    folder = JobFolder(local_tier, "job")
    assert documents(folder) == documents(plain)
    assert len(documents(folder)) == 4 + 1 + 4
    for key in LARGE:
        assert read_parts(folder, ranges_of(source, key)) == read_parts(plain, ranges_of(source, key))


def test_what_is_written_of_a_range(source: Source, local_tier: TierStore) -> None:
    source.put({"short.log": b"0123456789\n" * 4})
    info = source.info("short.log")
    ranges = [RoughRange(info, 0, 15), RoughRange(info, 15, 21), RoughRange(info, 21, 44)]
    run(cutting(source, local_tier), Given(RoughRange, ranges))
    found = {name.rpartition("/")[2]: document for name, document in documents(JobFolder(local_tier, "job")).items()}
    head, windows = (
        44,
        {15: 44 - 15, 21: 44 - 21},
    )  # the head, and what lies behind each proposed place: of a short object all
    none: dict[str, Any] = {"stretches": []}
    assert found == {
        "0-15.json": {"start": 0, "end": 22, "records": 2, "bytes_read": head + windows[15] + 22, **none},
        "15-21.json": {"start": 22, "end": 22, "records": 0, "bytes_read": head + windows[15] + windows[21], **none},
        "21-44.json": {"start": 22, "end": 44, "records": 2, "bytes_read": head + windows[21] + 22, **none},
    }
    assert read_parts(JobFolder(local_tier, "job"), ranges) == [
        ObjectPart(info, 0, 22, first=0, looked_at=head + windows[15] + 22),
        ObjectPart(info, 22, None, first=2, looked_at=head + windows[21] + 22),
    ]


def test_an_object_is_cut_as_its_source_is_read(source: Source, local_tier: TierStore) -> None:
    first, second = ranges_of(source, "a.log", count=2), ranges_of(source, "c.csv", count=2)
    second = [replace(one, info=one.info.with_source(1)) for one in second]
    several_lines = FormatOptions(format="text", multiline_start="dated")
    settings = (ReadSettings(task_id="job"), ReadSettings(task_id="job", formats=several_lines))
    run(cutting(source, local_tier, settings=settings), Given(RoughRange, first + second))
    parts = read_parts(JobFolder(local_tier, "job"), first)
    assert parts is not None
    assert [part.info.source for part in parts] == [0, 0]
    assert read_parts(JobFolder(local_tier, "job"), second) is None  # events of several lines are read in one piece


def test_ranges_of_stamps_without_a_year_know_the_years_of_the_object(source: Source, local_tier: TierStore) -> None:
    months = [f"{month} {day:2} 10:00:00 pc app: x\n" for month in ("Jun", "Dec", "Feb") for day in range(1, 29)]
    source.put({"years.log": "".join(months * 2).encode()})
    ranges = ranges_of(source, "years.log")
    run(cutting(source, local_tier), Given(RoughRange, ranges), workers=2)
    folder = JobFolder(local_tier, "job")
    starts = (0, 56, 140)  # the first June; its February, with the June behind it; the last February
    for year, first in ((2020, 2020), (None, source.info("years.log").modified.year - 2)):
        parts = read_parts(folder, ranges, FormatOptions(year=year))
        assert parts is not None
        assert len(parts) == 4
        assert {part.years for part in parts} == {RecordYears(starts, (first, first + 1, first + 2))}


def test_nothing_to_cut(source: Source, local_tier: TierStore) -> None:
    assert run(cutting(source, local_tier), Given(RoughRange)).main == []
    assert JobFolder(local_tier, "job").names() == []


def test_an_object_that_vanished_or_changed_is_not_cut(source: Source, local_tier: TierStore) -> None:
    ranges = ranges_of(source, "a.log", "c.csv")
    (source.folder / "a.log").unlink()
    (source.folder / "c.csv").write_bytes(b"another,content\n1,2\n")
    ran = run(cutting(source, local_tier), Given(RoughRange, ranges), again=1)
    assert len(ran.main) == 8
    folder = JobFolder(local_tier, "job")
    assert [name.rpartition("/")[2] for name in folder.names()] == ["refused.json"] * 2
    assert [read_parts(folder, ranges[:4]), read_parts(folder, ranges[4:])] == [None, None]


def test_an_object_is_looked_at_no_more_once_a_range_of_it_was_refused(source: Source, local_tier: TierStore) -> None:
    source.put({"bad.json": NDJSON.replace('"n": 77,', '"n": 77').encode()})
    ranges = ranges_of(source, "bad.json")
    good, bad = ranges[-1:], ranges[:1]
    for task_id, order in {"good first": (good, bad), "bad first": (bad, good)}.items():
        for some in order:
            run(cutting(source, local_tier, task_id), Given(RoughRange, some))
    assert len(JobFolder(local_tier, "good first").names()) == 2
    assert [name.rpartition("/")[2] for name in JobFolder(local_tier, "bad first").names()] == ["refused.json"]
    assert read_parts(JobFolder(local_tier, "good first"), ranges) is None


@pytest.mark.parametrize(
    ("fields", "kind", "message"),
    [
        pytest.param(
            {"tier": TierLocation("/nowhere/at/all")},
            TierError,
            r"hot tier /nowhere/at/all: the worker on .* does not find it",
            id="tier",
        ),
        pytest.param(
            {"source": SourceLocation("gs://b")},
            ConfigurationError,
            r"bucket 'gs://b': only S3 .* and local folders",
            id="bucket",
        ),
    ],
)
def test_where_nothing_can_be_cut(
    source: Source, local_tier: TierStore, fields: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=rf"^{message}.* \[while running 'CutObjects/Cut'\]$"):
        run(cutting(source, local_tier, **fields), Given(RoughRange, ranges_of(source, "a.log")))
    assert JobFolder(local_tier, "job").names() == []
