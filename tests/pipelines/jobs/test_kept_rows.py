"""Rows of ended jobs are kept for the list; whatever was kept, lost or is late, the list shows what the folders say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipelines.jobs.rows import kept_rows
from pipelines.jobs.rows.kept_rows import ROWS_FILE, keep_ended_row, list_job_rows
from pipelines.jobs.rows.row import JobRow, newest_first, row_of
from tests.conftest import S3
from tests.fault_proxy import FaultProxy
from transforms.core.errors import TierError
from transforms.storage import StorageOptions, TierStore, open_tier
from transforms.storage.job_folder import STATUS_FILE, JobFolder, list_jobs

START = datetime(2025, 1, 1, tzinfo=timezone.utc)
UNDONE = {"runId": "run-1", "at": "2025-02-01T00:00:00Z"}


@pytest.fixture(params=["local", "s3"])
def tier(request: pytest.FixtureRequest, tmp_path: Path) -> TierStore:
    if request.param == "local":
        return open_tier(str(tmp_path / "hot"), StorageOptions())
    s3: S3 = request.getfixturevalue("s3")
    return open_tier(f"s3://{s3.bucket}/hot", s3.options)


def add_job(tier: TierStore, number: int, *, status: str = "Succeeded", **job: object) -> JobFolder:
    """Leave what a job leaves that has ended, or runs."""
    folder, started = JobFolder(tier, f"job-{number}"), START + timedelta(minutes=number)
    entry = folder.register(started)
    folder.write_json("job.json", {"job": {"bucket": "some-bucket", **job}, "settings": {"key": "ik_1"}})
    folder.write_json(STATUS_FILE, {"status": status, "startedAt": started.isoformat(), "listed": entry})
    broken = {"failed": 1, "salvaged": 0, "quarantined": 0, "vanished": 2}
    folder.write_json("report.json", {"objects": {"ingested": number, **broken}, "events": 7})
    keep_ended_row(folder)
    return folder


def entry_of(folder: JobFolder) -> str:
    return str(folder.read_json(STATUS_FILE)["listed"])


def from_folders(tier: TierStore) -> list[JobRow]:
    """Return the rows as the folders say."""
    return newest_first(row for folder in list_jobs(tier) if (row := row_of(folder)) is not None)


def lose_rows_file(tier: TierStore, folder: JobFolder) -> None:
    tier.delete(ROWS_FILE)


def break_rows_file(tier: TierStore, folder: JobFolder) -> None:
    tier.put(ROWS_FILE, b"[1]")


def keep_rows_otherwise(tier: TierStore, folder: JobFolder) -> None:
    """Let entry and file have what another version of the product would write."""
    folder.keep_row(entry_of(folder), {"taskId": folder.task_id, "something": 1})
    if tier.local_path is None:
        rows = orjson.loads(tier.get(ROWS_FILE))
        tier.put(ROWS_FILE, orjson.dumps({etag: row | {"other": 1} for etag, row in rows.items()}))


def lose_row(tier: TierStore, folder: JobFolder) -> None:
    folder.keep_row(entry_of(folder), None)


def damage_row(tier: TierStore, folder: JobFolder) -> None:
    tier.put(entry_of(folder), b"{no")


def resume(tier: TierStore, folder: JobFolder) -> None:
    lose_row(tier, folder)
    folder.write_json(STATUS_FILE, folder.read_json(STATUS_FILE) | {"status": "Running"})


def mark(tier: TierStore, folder: JobFolder) -> None:
    folder.mark_undone(UNDONE)


def mark_and_take_back(tier: TierStore, folder: JobFolder) -> None:
    folder.mark_undone(UNDONE)
    folder.mark_undone(None)


def mark_when_row_is_lost(tier: TierStore, folder: JobFolder) -> None:
    lose_row(tier, folder)
    folder.mark_undone(UNDONE)


@pytest.mark.parametrize(
    "change",
    [lose_rows_file, break_rows_file, keep_rows_otherwise, lose_row, damage_row, resume, mark, mark_and_take_back,
     mark_when_row_is_lost],
)  # fmt: skip
def test_the_list_says_what_the_folders_say(tier: TierStore, change: Callable[[TierStore, JobFolder], None]) -> None:
    folders = [add_job(tier, number, status=status) for number, status in enumerate(("Succeeded", "Failed", "Running"))]
    assert list_job_rows(tier) == from_folders(tier)
    change(tier, folders[1])
    assert list_job_rows(tier) == from_folders(tier)
    add_job(tier, 3)  # its end brings the file up to date
    rows = list_job_rows(tier)
    assert rows == from_folders(tier)
    assert [(row.task_id, row.ingested, row.events, row.failed, row.key) for row in (rows[0], rows[3])] == [
        ("job-3", 3, 7, 3, "ik_1"), ("job-0", 0, 7, 3, "ik_1"),
    ]  # fmt: skip
    assert [row.task_id for row in list_job_rows(tier, 2)] == ["job-3", "job-2"]


def test_the_list_takes_two_requests_on_s3(s3: S3, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "NEWEST", 3)
    tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    folders = [add_job(tier, number) for number in range(4)]
    through_proxy = open_tier(tier.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region="us-east-1"))

    def requests(limit: int) -> int:
        before = len(fault_proxy.seen)
        assert list_job_rows(through_proxy, limit) == from_folders(tier)[:limit]
        return len(fault_proxy.seen) - before

    requests(1)  # the first asks for the bucket's region too
    assert requests(3) == 2
    assert requests(4) == 3
    folders[3].mark_undone(UNDONE)
    assert requests(3) == 3
    add_job(tier, 4)
    assert requests(3) == 2
    add_job(tier, 5, pattern="x" * 20_000)
    assert requests(3) == 3


def test_two_launchers_of_a_job_end_it_at_once(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, rows = add_job(tier, 0), []

    def load_and_be_late(one: JobFolder) -> JobRow | None:
        rows.append(row_of(one))
        other = {"status": "Failed", "startedAt": START.isoformat(), "listed": entry_of(one)}
        one.write_json(STATUS_FILE, other if len(rows) == 1 else one.read_json(STATUS_FILE))
        return rows[-1]

    with monkeypatch.context() as patched:
        patched.setattr(kept_rows, "row_of", load_and_be_late)
        keep_ended_row(folder)
    assert [row.status for row in list_job_rows(tier)] == ["Failed"]


def test_a_store_that_refuses_ends_no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    folder = add_job(tier, 0)
    lose_row(tier, folder)

    def refuse(*_: Any) -> None:
        raise TierError("no room")

    monkeypatch.setattr(tier, "put", refuse)
    keep_ended_row(folder)
    assert list_job_rows(tier) == from_folders(tier)
