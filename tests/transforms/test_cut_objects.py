"""Large objects in parts: the same events, ids and balance as in one piece, or no parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from transforms.core.schema import EventBatch
from transforms.cut_objects import RoughRange, cut_objects, read_parts
from transforms.formats.options import FormatOptions
from transforms.hot_tier.ledger.entries import entry_of
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.objects.outcomes import ObjectOutcome, merge_outcomes
from transforms.objects.parts import ObjectPart, worth_cutting
from transforms.objects.read_object import read_part
from transforms.objects.reading import ReadSettings
from transforms.storage import ObjectInfo, ObjectStore, StorageOptions, open_store, open_tier
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
    pytest.param("a.log", LINES, {"format": "text", "multiline_start": "^2025.*0 line"}, False, id="events-of-lines"),
    pytest.param("a.log", "x" * 20_000, {}, False, id="no-line-ends"),
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
    info, store = place(name, text.encode())
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
