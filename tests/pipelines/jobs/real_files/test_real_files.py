"""Files of the kinds that real users have, through whole jobs: times, their sources, attributes, counts, warnings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from pipelines.cli import main as cli
from pipelines.jobs.reporting import load_ledger, load_report
from tests.pipelines.jobs.real_files.expected import EXPECTED, Expected
from tests.pipelines.jobs.real_files.inputs import FILES, PIPELINES
from tests.pipelines.reading import flat, read_live
from transforms.event_pipelines.ready_made import ready_made_names
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.storage import StorageOptions, open_tier

pytestmark = pytest.mark.slow

Rows = list[dict[str, Any]]
_IN_MAP = "attribute "  # what `flat` puts before a name that begins like a system column's


@dataclass(frozen=True)
class Finished:
    """What a job over files has made.

    Attributes:
        entries: The ledger's entry of each file.
        events: The flat events of each file, in the order of its records.
        report: The job's report as JSON.
    """

    entries: Mapping[str, LedgerEntry]
    events: Mapping[str, Rows]
    report: dict[str, Any]


@pytest.fixture(scope="module")
def job_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...]], Finished]:
    """Run one job over all files with the same flags."""

    @cache
    def run(flags: tuple[str, ...]) -> Finished:
        folder = tmp_path_factory.mktemp("job")
        for key, file in FILES.items():
            if file.flags == flags:
                path = folder / "logs" / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data)
                modified = datetime.fromisoformat(file.modified).timestamp()
                os.utime(path, (modified, modified))
        if flags == PIPELINES:
            (folder / "pipelines.yaml").write_text(f"include: [{', '.join(ready_made_names())}]\n")
            flags = ("--pipelines", str(folder / "pipelines.yaml"))
        code = cli.run(
            ["backfill", "--bucket", f"file://{folder}/logs", "--hot-tier", str(folder / "t"), "--quiet", *flags]
        )
        assert code in (0, 3)
        tier = open_tier(str(folder / "t"), StorageOptions())
        events: dict[str, Rows] = {}
        for table in read_live(tier).files.values():
            for row in map(dict, flat(table)):
                events.setdefault(_key(row["_object"]), []).append(row)
        for rows in events.values():
            rows.sort(key=lambda row: int(row["_event_id"].rpartition("-")[2]))
        (job,) = {row["_correlation_id"] for rows in events.values() for row in rows}
        entries = {_key(entry.uri): entry for entry in load_ledger(tier).of_job(job)}
        return Finished(entries, events, load_report(tier, job).model_dump(mode="json", by_alias=True))

    return run


def _key(uri: str) -> str:
    return uri.partition("/logs/")[2]


def _cases() -> list[Any]:
    return [pytest.param(key, EXPECTED[key], id=key) for key in FILES]


def _flat(row: dict[str, Any]) -> tuple[str, str, dict[str, str], str | None, str | None]:
    """Return time, source, attributes, error code and what was rescued of an event."""
    attributes = {name.removeprefix(_IN_MAP): value for name, value in row.items() if name[0] != "_"}
    del attributes["filename"]
    error = row.get("_error")
    code = error and error.partition(":")[0]
    return _text(row["_time"]), row["_time_source"], attributes, code, row.get("_rescued")


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(("key", "expected"), _cases())
def test_file(key: str, expected: Expected, job_with: Callable[[tuple[str, ...]], Finished]) -> None:
    job = job_with(FILES[key].flags)
    entry = job.entries[key]
    rows = job.events.get(key, [])
    assert list(map(_flat, rows)) == [
        (event.time, event.source, event.attributes, event.error, event.rescued) for event in expected.events
    ]
    messages = [row["_message"] for row in rows]
    compared = [event.message for event in expected.events]
    assert [text if wanted else None for text, wanted in zip(messages, compared, strict=True)] == compared
    assert (entry.status, entry.reason, entry.format) == (expected.status, expected.reason, expected.format)
    assert len(entry.warnings) == len(expected.warnings), entry.warnings
    assert all(part in text for part, text in zip(expected.warnings, entry.warnings, strict=True)), entry.warnings
    assert (entry.header, entry.blank) == (expected.header, expected.blank)
    assert (entry.records_in, entry.events) == (len(expected.events), len(expected.events))
    assert entry.records_in == entry.events + entry.dropped + entry.rejected
    assert entry.events_with_error == sum(event.error is not None for event in expected.events)


@pytest.mark.parametrize("flags", [(), PIPELINES], ids=["no flags", "pipelines"])
def test_the_report_has_their_sums(flags: tuple[str, ...], job_with: Callable[[tuple[str, ...]], Finished]) -> None:
    job = job_with(flags)
    entries = job.entries
    assert entries.keys() == {key for key, file in FILES.items() if file.flags == flags}
    assert job.report["recordsIn"] == sum(entry.records_in for entry in entries.values())
    assert job.report["recordsIn"] == job.report["events"] + job.report["dropped"] + job.report["rejected"]
    assert job.report["objects"]["matched"] == len(entries)
    assert {_key(failure["object"]) for failure in job.report["failures"]} == {
        key for key, entry in entries.items() if entry.status == "failed"
    }
    for key, entry in entries.items():
        for warning in entry.warnings:
            assert any(key in text and warning in text for text in job.report["warnings"]), warning


def test_every_case_is_there() -> None:
    assert EXPECTED.keys() == FILES.keys()
