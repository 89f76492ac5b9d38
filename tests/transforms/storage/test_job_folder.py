"""What the launcher, its workers and other commands share about a job."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.conftest import S3
from transforms.core.errors import CanceledError
from transforms.storage import StorageOptions, TierLocation, open_tier
from transforms.storage.job_folder import Heartbeat, JobFolder, list_jobs, newest_jobs


def test_documents_progress_and_removal(tmp_path: Path) -> None:
    tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    folder = JobFolder(tier, "a-job")
    assert not folder.exists()
    assert folder.read_json("job.json") is None
    folder.write_json("job.json", {"n": 1})
    folder.write_json("job.json", {"n": 2})
    assert folder.exists()
    assert folder.read_json("job.json") == {"n": 2}
    assert [one.task_id for one in list_jobs(tier)] == ["a-job"]
    folder.remove()
    assert not folder.exists()
    assert list(list_jobs(tier)) == []


@pytest.mark.parametrize("place", ["local", "s3"])
def test_newest_jobs(place: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if place == "local":
        tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    else:
        s3: S3 = request.getfixturevalue("s3")
        tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    start = datetime(2025, 1, 1, tzinfo=timezone.utc)
    assert newest_jobs(tier, 3) == []
    for number in (3, 0, 4, 1, 2):
        JobFolder(tier, f"job-{number}").register(start + timedelta(minutes=number))
    assert [one.task_id for one in newest_jobs(tier, 3)] == ["job-4", "job-3", "job-2"]
    JobFolder(tier, "job-3").unregister()
    assert [one.task_id for one in newest_jobs(tier, 10)] == ["job-4", "job-2", "job-1", "job-0"]
    assert list(list_jobs(tier)) == []


def test_a_worker_tells_how_far_it_is_and_stops_when_asked(tmp_path: Path) -> None:
    folder = JobFolder(open_tier(str(tmp_path / "hot"), StorageOptions()), "a-job")
    now = 0.0
    heartbeat = Heartbeat(TierLocation(str(tmp_path / "hot")), "a-job", wave=3, seconds=2, clock=lambda: now)
    heartbeat.tick(bytes_read=10, events=1)
    assert folder.progress() == []
    now = 2.5
    heartbeat.tick(bytes_read=5, events=2, objects=1)
    assert folder.progress() == [{"wave": 3, "objects": 1, "bytesRead": 15, "events": 3}]
    folder.request_cancel()
    heartbeat.tick()
    now = 5.0
    with pytest.raises(CanceledError, match="a-job"):
        heartbeat.tick()
    folder.withdraw_cancel()
    assert not folder.cancel_requested()
    folder.clear_progress()
    assert folder.progress() == []
