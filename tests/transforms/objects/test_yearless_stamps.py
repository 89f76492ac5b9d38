"""The years of stamps that name none: the same however an object is read, in parsing, pipelines and the preview."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pytest

from transforms.core.schema import EventBatch
from transforms.cut_objects import RoughRange, cut_objects, read_parts
from transforms.elements import EventBatchCoder
from transforms.event_pipelines.definition import load_pipelines
from transforms.formats.options import FormatOptions
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.parts import ObjectPart
from transforms.objects.read_object import read_part
from transforms.objects.reading import ReadSettings
from transforms.objects.sampling.preview_object import preview_object
from transforms.objects.sampling.sample_object import sample_object
from transforms.storage import ObjectInfo, ObjectStore, StorageOptions, open_store, open_tier
from transforms.storage.job_folder import JobFolder

MODIFIED = datetime(2025, 3, 21, tzinfo=timezone.utc)
THREE_YEARS = (
    "a line before all\n"
    "May 10 01:00:00 pc app: a\n"
    "Dec 31 23:59:58 pc app: b\n"
    "\tat the end of the year\n"
    "Dec 31 23:59:59 pc app: c\n"
    "Jan  1 00:00:00 pc app: d\n"
    "\tat its beginning\n"
    "Dec 31 23:59:59 pc app: late\n"
    "\tat the end once more\n"
    "Jan  1 00:00:01 pc app: e\n"
    "\n"
    "Sep 30 10:00:00 pc app: f\n"
    "Mar 20 01:00:00 pc app: g\n"
)
YEARS = [2023, 2023, 2023, 2023, 2023, 2024, 2024, 2023, 2023, 2024, 2024, 2025]
"""Those of its records; that of the first is of LastModified without --year, and it inherits none."""
PIPELINES = {
    "none": "",
    "java": "pipelines: [{name: p, steps: [{regex: {source: message, pattern: '^(?P<when>... .. ..:..:..) pc'}}, "
    "{timestamp: {source: when, format: 'MMM ppd HH:mm:ss'}}]}]",
    "auto": "pipelines: [{name: p, steps: [{regex: {source: message, pattern: '^(?P<when>... .. ..:..:..) pc'}}, "
    "{timestamp: {source: when}}]}]",
    "message": "pipelines: [{name: p, steps: [{timestamp: {source: message}}]}]",
    "some": "pipelines: [{name: p, when: 'late OR f', steps: [{timestamp: {source: message}}]}]",
    "ready-made": "include: [syslog]\npipelines: []",
}

Place = Callable[[str, bytes], tuple[ObjectInfo, ObjectStore]]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    def make(name: str, content: bytes) -> tuple[ObjectInfo, ObjectStore]:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        os.utime(folder / name, (MODIFIED.timestamp(), MODIFIED.timestamp()))
        store = open_store(f"file://{folder}", StorageOptions())
        [info] = [info for page in store.list_pages("") for info in page if info.key == name]
        return info, store

    return make


def settings_of(year: int | None = None) -> ReadSettings:
    return ReadSettings(task_id="job", formats=FormatOptions(year=year))


def read(
    parts: Sequence[ObjectPart], store: ObjectStore, settings: ReadSettings, pipelines: str = ""
) -> tuple[list[tuple[str, datetime, str]], list[ObjectOutcome]]:
    shaping = ShapingSettings.of(settings.formats, load_pipelines(pipelines, source="p.yaml") if pipelines else ())
    rows: list[tuple[str, datetime, str]] = []
    outcomes: list[ObjectOutcome] = []
    coder = EventBatchCoder()
    for part in parts:
        for element in read_part(part, store, settings):
            if isinstance(element, ObjectOutcome):
                outcomes.append(element)
                continue
            shaped = shape_events(coder.decode(coder.encode(element)), shaping).events.to_pylist()
            rows += [(row["_event_id"].rpartition("-")[2], row["_time"], row["_time_source"]) for row in shaped]
    return rows, outcomes


@pytest.mark.parametrize("year", [pytest.param(None, id="by-last-modified"), pytest.param(2023, id="by-flag")])
@pytest.mark.parametrize("pipelines", [pytest.param(text, id=name) for name, text in PIPELINES.items()])
def test_the_order_gives_the_years(place: Place, pipelines: str, year: int | None) -> None:
    info, store = place("a.log", THREE_YEARS.encode())
    rows, [outcome] = read([ObjectPart(info)], store, settings_of(year), pipelines)
    assert [time.year for _, time, _ in rows[1:]] == YEARS[1:]
    assert {source for _, _, source in rows} >= {"inherited", "object"}
    assert (outcome.warnings, outcome.bytes_read) == ((), info.size)  # it is small: its bytes were kept


@pytest.mark.parametrize(
    ("pipelines", "year"),
    [
        pytest.param(PIPELINES["none"], None, id="by-last-modified"),
        pytest.param(PIPELINES["java"], 2023, id="by-flag-in-a-pipeline"),
    ],
)
def test_wherever_it_is_cut(tmp_path: Path, place: Place, pipelines: str, year: int | None) -> None:
    info, store = place("a.log", THREE_YEARS.encode())
    whole, _ = read([ObjectPart(info)], store, settings_of(year), pipelines)
    tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    for place_of_cut in range(30, info.size, 13):
        folder = JobFolder(tier, f"job-{place_of_cut}")
        ranges = [RoughRange(info, 0, place_of_cut), RoughRange(info, place_of_cut, info.size)]
        for rough in ranges:
            cut_objects(store, rough, settings_of(year), folder)
        parts = read_parts(folder, ranges, settings_of(year).formats)
        assert parts is not None
        assert read(parts, store, settings_of(year), pipelines)[0] == whole


@pytest.mark.parametrize("kept", [pytest.param(0, id="read-twice"), pytest.param(1 << 20, id="kept")])
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_compressed_and_not(place: Place, monkeypatch: pytest.MonkeyPatch, compressed: bool, kept: int) -> None:
    monkeypatch.setattr("transforms.objects.read_object._KEPT", kept)
    data = THREE_YEARS.encode()
    info, store = place("a.log.gz" if compressed else "a.log", gzip.compress(data) if compressed else data)
    ticks: list[int] = []
    rows: list[datetime] = []
    for element in read_part(ObjectPart(info), store, settings_of(), tick=lambda nbytes, events: ticks.append(nbytes)):
        if isinstance(element, EventBatch):
            rows += shape_events(element, ShapingSettings()).events.column("_time").to_pylist()
        else:
            assert element.bytes_read == info.size * (1 if kept else 3)
            assert element.bytes_decoded == len(data)
    assert [time.year for time in rows[1:]] == YEARS[1:]
    assert sum(ticks) == info.size  # its progress goes to its end, and no further


def test_what_can_be_read_of_a_damaged_object(place: Place) -> None:
    data = gzip.compress(THREE_YEARS.encode() + os.urandom(1 << 20).hex().encode())
    info, store = place("a.log.gz", data[: len(data) // 2])
    rows, [outcome] = read([ObjectPart(info)], store, settings_of())
    assert outcome.status == "salvaged"
    assert [time.year for _, time, _ in rows[1:]] == YEARS[1:]


@pytest.mark.parametrize(
    ("year", "chosen"),
    [
        pytest.param(
            None,
            "each has the latest year that does not put it more than a day after the object's LastModified (--year "
            "names another)",
            id="by-last-modified",
        ),
        pytest.param(2023, "all are of 2023 (--year)", id="by-flag"),
    ],
)
def test_stamps_in_no_order_are_told(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch, year: int | None, chosen: str
) -> None:
    monkeypatch.setattr("transforms.timestamps.years.rollovers.MOST", 3)
    info, store = place("a.log", THREE_YEARS.encode())
    rows, [outcome] = read([ObjectPart(info)], store, settings_of(year))
    assert outcome.warnings == (f"its stamps name no year and are in no order of years: {chosen}",)
    years = [2025, 2024, 2024, 2024, 2024, 2025, 2025, 2024, 2024, 2025, 2024, 2025]
    assert [time.year for _, time, _ in rows[1:]] == (years[1:] if year is None else [year] * 11)
    folder = JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "job")
    ranges = [RoughRange(info, 0, 100), RoughRange(info, 100, info.size)]
    for rough in ranges:
        cut_objects(store, rough, settings_of(year), folder)
    parts = read_parts(folder, ranges, settings_of(year).formats)
    assert parts is not None
    in_parts, outcomes = read(parts, store, settings_of(year))
    assert (in_parts, [one.warnings for one in outcomes]) == (rows, [outcome.warnings, ()])


FULL = (
    "2025-03-01 00:00:00 first\n" + "Dec 31 23:59:59 2024-12-31T23:59:59Z a\nJan  1 00:00:00 2019-01-01T00:00:00Z b\n"
)


def test_full_stamps_beside_them_win(place: Place) -> None:
    info, store = place("a.log", FULL.encode())
    rows, [outcome] = read([ObjectPart(info)], store, settings_of())
    assert [time.year for _, time, _ in rows] == [2025, 2024, 2019]
    assert outcome.warnings == ()


@pytest.mark.parametrize(
    ("size", "year", "origin", "years"),
    [
        pytest.param(1 << 16, None, "the object's LastModified", YEARS[1:], id="whole"),
        pytest.param(1 << 16, 2020, "--year", [year - 3 for year in YEARS[1:]], id="whole-with-year"),
        pytest.param(
            120,
            None,
            "the object's LastModified, in a backfill also by the order of all its stamps",
            [2024] * 4,
            id="part",
        ),
        pytest.param(160, 2020, "--year", [2020, 2020, 2020, 2020, 2021], id="part-with-year"),
    ],
)
def test_the_preview_has_the_years_that_it_can_know(
    place: Place, size: int, year: int | None, origin: str, years: list[int]
) -> None:
    info, store = place("a.log", THREE_YEARS.encode())
    settings = settings_of(year)
    sample = sample_object(info, store, settings, size=size)
    shown = preview_object(sample, settings, (), events=20)["events"][1:]
    assert [int(event["before"]["_time"][:4]) for event in shown] == years
    assert shown[0]["timeOrigin"] == f"stamp 'May 10 01:00:00' in the text; its year by {origin}"
