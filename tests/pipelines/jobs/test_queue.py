"""The queue of jobs: who claims what, and what becomes of a job whose worker is gone, at any moment."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.queued import claims, job_queue
from pipelines.jobs.queued.claims import SILENT_SECONDS, SilenceWatch, newest_claim, started_at, take_claim, write_claim
from pipelines.jobs.queued.job_queue import MOST_CRASHES, JobQueue
from pipelines.jobs.rows.kept_rows import list_job_rows
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import check_specification
from pipelines.status import JobStatus, read_status
from tests.conftest import S3
from transforms.core.errors import ConflictError, TierError
from transforms.storage import StorageOptions, TierStore, open_tier
from transforms.storage.job_folder import STATUS_FILE, JobFolder

GONE = 2**22 + 1
"""More than the largest number of a process on Linux."""


@pytest.fixture
def tier(tmp_path: Path) -> TierStore:
    return open_tier(str(tmp_path / "hot"), StorageOptions())


def submit(tier: TierStore) -> JobFolder:
    settings = RunSettings(hot_tier=tier.uri)
    return JobFolder(tier, JobQueue(tier).submit(check_specification({"bucket": "some-bucket"}), settings))


def entries(tier: TierStore) -> list[str]:
    return [file.path for file in tier.list("_rekindle/queue/")]


def let_owner_die(folder: JobFolder) -> None:
    """Make the newest claim that of a process of this machine that is gone."""
    claim = newest_claim(folder)
    assert claim is not None
    write_claim(folder, replace(claim, content=claim.content.model_copy(update={"pid": GONE})))


def test_jobs_are_claimed_in_their_order_and_once(tier: TierStore) -> None:
    first, second = submit(tier), submit(tier)
    claimed = [JobQueue(tier).claim_next() for _ in range(3)]
    assert [one and one.folder.task_id for one in claimed] == [first.task_id, second.task_id, None]
    assert [one and one.claim.number for one in claimed] == [1, 1, None]


def test_of_many_at_once_one_claims(tier: TierStore) -> None:
    submit(tier)
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda _: JobQueue(tier).claim_next(), range(8)))
    assert sum(one is not None for one in claimed) == 1


def test_two_at_once_on_s3(s3: S3) -> None:
    tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    folder = submit(tier)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: JobQueue(tier).claim_next(), range(4)))
    assert [one.folder.task_id for one in claimed if one] == [folder.task_id]
    assert [row.status for row in list_job_rows(tier, 10)] == ["Pending"]


@pytest.mark.parametrize("state", ["released", "held"])
def test_a_job_without_its_worker_is_taken_over(tier: TierStore, state: Any) -> None:
    folder = submit(tier)
    claimed = JobQueue(tier).claim_next()
    assert claimed is not None
    assert JobQueue(tier).claim_next() is None
    if state == "held":
        let_owner_die(folder)
    else:
        write_claim(folder, claimed.claim, "released")
    again = JobQueue(tier).claim_next()
    assert again is not None
    assert (again.claim.number, again.claim.content.crashes) == (2, int(state == "held"))
    assert JobQueue(tier).claim_next() is None
    assert not claims.is_newest(folder, claimed.claim)
    assert claims.is_newest(folder, again.claim)


def test_a_process_of_another_time_is_not_the_owner(tier: TierStore) -> None:
    """Numbers of processes come again, after a restart of a container at once."""
    folder = submit(tier)
    JobQueue(tier).claim_next()
    claim = newest_claim(folder)
    assert claim is not None
    write_claim(folder, replace(claim, content=claim.content.model_copy(update={"began": "1"})))
    assert JobQueue(tier).claim_next() is not None


def test_a_claim_of_another_machine_is_silent_after_a_minute(tier: TierStore) -> None:
    folder = submit(tier)
    now = 0.0
    queue = JobQueue(tier, SilenceWatch(clock=lambda: now))
    claimed = JobQueue(tier).claim_next()
    assert claimed is not None
    elsewhere = replace(claimed.claim, content=claimed.claim.content.model_copy(update={"machine": "another"}))
    for _ in range(3):  # it shows life
        write_claim(folder, elsewhere)
        assert queue.claim_next() is None
        now += SILENT_SECONDS - 1
        assert queue.claim_next() is None
    now += SILENT_SECONDS
    assert queue.claim_next() is not None


def test_whose_processes_are_there() -> None:
    assert started_at(GONE) is None
    assert started_at(1) is not None


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Canceled"])
def test_a_job_that_ended_and_was_not_closed_is_not_run_again(tier: TierStore, status: str) -> None:
    folder = submit(tier)
    JobQueue(tier).claim_next()
    folder.write_json(STATUS_FILE, JobStatus(status=status, started_at="2025-01-01T00:00:00Z").document())
    let_owner_die(folder)
    assert JobQueue(tier).claim_next() is None
    assert entries(tier) == []
    assert folder.read_json("report.json")["status"] == status


def test_a_job_that_kills_its_workers_fails(tier: TierStore) -> None:
    folder = submit(tier)
    for _ in range(MOST_CRASHES):
        assert JobQueue(tier).claim_next() is not None
        let_owner_die(folder)
    assert JobQueue(tier).claim_next() is None
    status = read_status(folder)
    assert (status.status, entries(tier)) == ("Failed", [])
    assert f"ended {MOST_CRASHES} times without a message" in (status.reason or "")
    JobQueue(tier).resume(folder)
    again = JobQueue(tier).claim_next()
    assert again is not None
    assert again.claim.content.crashes == 0


def test_a_waiting_job_is_canceled_at_once(tier: TierStore) -> None:
    folder = submit(tier)
    JobQueue(tier).cancel(folder)
    assert (read_status(folder).status, entries(tier)) == ("Canceled", [])
    assert folder.read_json("report.json")["status"] == "Canceled"
    assert JobQueue(tier).claim_next() is None


def test_a_claimed_job_is_asked_to_stop(tier: TierStore) -> None:
    folder = submit(tier)
    JobQueue(tier).claim_next()
    JobQueue(tier).cancel(folder)
    assert (folder.cancel_requested(), read_status(folder).status) == (True, "Pending")
    let_owner_die(folder)
    assert JobQueue(tier).claim_next() is None
    assert read_status(folder).status == "Canceled"


def test_a_canceled_job_is_resumed_and_once(tier: TierStore) -> None:
    folder = submit(tier)
    queue = JobQueue(tier)
    queue.cancel(folder)
    queue.resume(folder)
    assert (read_status(folder).status, folder.cancel_requested()) == ("Pending", False)
    with pytest.raises(ConflictError, match="in the queue already"):
        queue.resume(folder)
    claimed = queue.claim_next()
    assert claimed is not None
    assert claimed.claim.number == 2
    queue.close(claimed)
    assert entries(tier) == []


def test_a_running_job_without_its_worker_waits_in_the_list(tier: TierStore) -> None:
    folder = submit(tier)
    host = {"host": socket.gethostname(), "pid": GONE, "updatedAt": "2025-01-01T00:00:00Z"}
    folder.write_json(STATUS_FILE, {"status": "Running", "queued": True, **host})
    status = read_status(folder)
    assert (status.status, "another continues it" in (status.reason or "")) == ("Pending", True)


@pytest.mark.parametrize("writes", range(4))
def test_a_submission_that_is_killed_leaves_no_job(
    tier: TierStore, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    left = writes
    put = tier.put

    def put_some(path: str, data: bytes) -> None:
        nonlocal left
        if not left:
            raise TierError("killed")
        left -= 1
        put(path, data)

    monkeypatch.setattr(tier, "put", put_some)
    with pytest.raises(TierError, match="killed"):
        submit(tier)
    monkeypatch.undo()
    assert list_job_rows(tier) == []
    assert JobQueue(tier).claim_next() is None
    monkeypatch.setattr(job_queue, "_ABANDONED", -job_queue._ABANDONED)
    assert JobQueue(tier).claim_next() is None
    assert [file.path for file in tier.list("_rekindle/")] == []


DAMAGED = {
    "no entry": ("queue/{}", b""),
    "an entry that is a list": ("queue/{}", b"[]"),
    "an entry without a number": ("queue/{}", b'{"after":"x"}'),
    "an entry of other bytes": ("queue/{}", b"\xff"),
    "no claim": ("jobs/{}/claim/1.json", b""),
    "a claim of something else": ("jobs/{}/claim/1.json", b'{"a":1}'),
    "a claim that is a folder": ("jobs/{}/claim/1.json/x", b"{}"),
    "no status": ("jobs/{}/status.json", b""),
    "a status that is a list": ("jobs/{}/status.json", b"[1]"),
    "a status that is a number": ("jobs/{}/status.json", b'{"status":5}'),
    "no job": ("jobs/{}/job.json", b""),
    "a job of something else": ("jobs/{}/job.json", b"{}"),
}


@pytest.mark.parametrize(("path", "content"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_job_keeps_no_other_from_being_run_and_listed(tier: TierStore, path: str, content: bytes) -> None:
    damaged, other = submit(tier), submit(tier)
    tier.put(f"_rekindle/{path.format(damaged.task_id)}", content)
    queue = JobQueue(tier)
    claimed = [one.folder.task_id for one in (queue.claim_next(), queue.claim_next()) if one is not None]
    assert other.task_id in claimed
    assert other.task_id in {row.task_id for row in list_job_rows(tier)}


def test_what_is_wrong_with_a_damaged_entry_is_told(tier: TierStore) -> None:
    damaged = submit(tier)
    tier.put(f"_rekindle/queue/{damaged.task_id}", b"")
    told: list[tuple[str, str]] = []
    assert JobQueue(tier, skipped=lambda task_id, error: told.append((task_id, str(error)))).claim_next() is None
    cure = f"remove it, and `rekindle jobs resume {damaged.task_id}` puts the job into the queue again"
    assert told == [(damaged.task_id, f"_rekindle/queue/{damaged.task_id} of the hot tier is damaged: {cure}")]
    with pytest.raises(TierError, match="is damaged"):
        JobQueue(tier).cancel(damaged)


def test_a_damaged_claim_is_taken_over_when_it_is_silent(tier: TierStore) -> None:
    job, now = submit(tier), 0.0
    job.tier.put(job.path("claim/1.json"), b"")
    queue = JobQueue(tier, SilenceWatch(clock=lambda: now))
    assert queue.claim_next() is None
    now = SILENT_SECONDS + 1
    claimed = queue.claim_next()
    assert claimed is not None
    assert claimed.claim.number == 2


def test_a_job_with_a_damaged_status_is_run_anew(tier: TierStore) -> None:
    job = submit(tier)
    tier.put(job.path(STATUS_FILE), b"")
    claimed = JobQueue(tier).claim_next()
    assert claimed is not None
    assert claimed.folder.task_id == job.task_id


def test_a_claim_whose_answer_was_lost_is_known(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = submit(tier)
    put_new = tier.put_new

    def put_twice(path: str, data: bytes) -> None:
        put_new(path, data)
        raise FileExistsError(path)

    monkeypatch.setattr(tier, "put_new", put_twice)
    assert take_claim(folder, 1) is not None
    assert take_claim(folder, 1) is None
