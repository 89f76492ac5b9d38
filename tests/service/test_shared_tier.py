"""Services on one tier on S3: jobs outlive the service that ran them, and either service may be asked about all."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import S3, many
from tests.fault_proxy import Fault, FaultProxy
from tests.pipelines.conftest import Ended, content, rekindle
from tests.service.conftest import SECONDS, LiveService, serving
from tests.service.processes import children_of
from tests.service.test_live import kill_at_once
from transforms.storage import open_tier
from transforms.storage.job_folder import JobFolder

__all__ = ["rekindle"]
OBJECTS = 3
LINES = 20


@dataclass
class SharedTier:
    """A tier on S3, and a source whose objects `held.log` are answered only when the test lets them.

    Attributes:
        uri: The tier.
        flags: How commands reach both.
        held: Set where the objects are answered.
        asked: Counts who waits for one.
    """

    s3: S3
    uri: str
    flags: tuple[object, ...]
    held: threading.Event
    asked: threading.Semaphore
    faults: list[Fault] = field(default_factory=list)

    def put_objects(self, jobs: int) -> None:
        for job in range(jobs):
            for name in [*(f"{number}.log" for number in range(OBJECTS - 1)), "held.log"]:
                lines = "".join(f"2025-01-01 10:00:00 job {job} {name} {line}\n" for line in range(LINES))
                self.s3.put(f"{job}/{name}", lines.encode())

    def job(self, number: int) -> dict[str, Any]:
        return {"bucket": self.s3.bucket, "pattern": f"{number}/**"}

    def await_held(self, jobs: int) -> None:
        """Wait until so many more jobs wait for an object."""
        for _ in range(jobs):
            assert self.asked.acquire(timeout=SECONDS)

    def folder(self, task_id: str) -> JobFolder:
        return JobFolder(open_tier(self.uri, self.s3.options), task_id)

    def worker(self, task_id: str) -> int:
        """Return the number of the process that has claimed a job first."""
        pid: int = self.folder(task_id).read_json("claim/1.json")["pid"]
        return pid

    def queue(self) -> list[str]:
        listed = self.s3.client.list_objects_v2(Bucket=self.uri.split("/")[2], Prefix="hot/_rekindle/queue/")
        return [one["Key"] for one in listed.get("Contents", [])]


@pytest.fixture
def shared(s3: S3, fault_proxy: FaultProxy) -> Iterator[SharedTier]:
    """A tier, whose source holds objects back."""
    held, asked = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        asked.release()
        held.wait(SECONDS)

    fault_proxy.add(Fault("*", count=-1, named=lambda key: key.endswith("held.log"), before=hold))
    s3.client.create_bucket(Bucket=f"{s3.bucket}-tier")
    flags = ("--endpoint-url", fault_proxy.endpoint_url, "--tier-endpoint-url", s3.endpoint_url)
    try:
        yield SharedTier(s3, f"s3://{s3.bucket}-tier/hot", flags, held, asked)
    finally:
        held.set()


def workers_of(service: LiveService) -> list[int]:
    """Return the numbers of a service's workers."""
    return children_of(service.process.pid)


def await_empty(shared: SharedTier) -> None:
    """Wait until no job is in the queue: a job's report is there a moment before."""
    deadline = time.monotonic() + SECONDS
    while shared.queue():
        assert time.monotonic() < deadline
        threading.Event().wait(0.1)


def assert_once(rekindle: Callable[..., Ended], shared: SharedTier, jobs: int) -> None:
    """Assert that each line of each object is in the tier once."""
    rows = content(rekindle, shared.uri, "--endpoint-url", shared.s3.endpoint_url)
    found = sorted((row["filename"], row["_message"].rpartition(" ")[2]) for row in rows)
    names = [*(f"{number}.log" for number in range(OBJECTS - 1)), "held.log"]
    assert found == sorted(
        (f"{job}/{name}", str(line)) for job in range(jobs) for name in names for line in range(LINES)
    )


@pytest.mark.slow
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside-another"])
def test_killed_during_three_jobs(shared: SharedTier, rekindle: Callable[..., Ended], *, beside: bool) -> None:
    shared.put_objects(3)
    with ExitStack() as services:
        first = services.enter_context(serving(shared.uri, *shared.flags, "--job-workers", "3"))
        ids = [first.ask("POST", "/ingest", shared.job(number))[1]["taskId"] for number in range(3)]
        shared.await_held(3)
        assert [first.ask("GET", f"/jobs/{task_id}")[1]["status"] for task_id in ids] == ["Running"] * 3
        other = services.enter_context(serving(shared.uri, *shared.flags)) if beside else None
        assert len(kill_at_once(first)) == 3
        shared.held.set()
        after = other or services.enter_context(serving(shared.uri, *shared.flags))
        reports = [after.wait_for(task_id) for task_id in ids]
        await_empty(shared)
    assert [(one["status"], one["objects"]["ingested"]) for one in reports] == [("Succeeded", OBJECTS)] * 3
    assert_once(rekindle, shared, 3)


@pytest.mark.slow
def test_two_services_share_a_queue(shared: SharedTier, rekindle: Callable[..., Ended]) -> None:
    shared.put_objects(4)
    with ExitStack() as services:
        one, two = (services.enter_context(serving(shared.uri, *shared.flags, "--job-workers", "1")) for _ in range(2))
        ids = [one.ask("POST", "/ingest", shared.job(number))[1]["taskId"] for number in range(4)]
        shared.await_held(2)
        running = [task_id for task_id in ids if one.ask("GET", f"/jobs/{task_id}")[1]["status"] == "Running"]
        assert {shared.worker(task_id) for task_id in running} == {*workers_of(one), *workers_of(two)}
        waiting = [task_id for task_id in ids if task_id not in running]
        assert two.ask("POST", f"/jobs/{waiting[0]}/cancel")[1]["status"] == "Canceled"
        canceled = next(task_id for task_id in running if shared.worker(task_id) in workers_of(one))
        two.ask("POST", f"/jobs/{canceled}/cancel")
        shared.held.set()
        assert two.wait_for(canceled)["status"] == "Canceled"
        others = [task_id for task_id in ids if task_id not in (waiting[0], canceled)]
        assert {service.wait_for(task_id)["status"] for service in (one, two) for task_id in others} == {"Succeeded"}
        listed = [service.ask("GET", "/jobs")[1]["jobs"] for service in (one, two)]
        assert {row["taskId"] for row in listed[0]} == {row["taskId"] for row in listed[1]} == set(ids)
        for task_id in (waiting[0], canceled):
            assert one.ask("POST", f"/jobs/{task_id}/resume")[0] == 200
            assert one.wait_for(task_id)["status"] == "Succeeded"
        await_statuses(two, dict.fromkeys(ids, "Succeeded"))
        await_empty(shared)
    assert_once(rekindle, shared, 4)


def await_statuses(service: LiveService, expected: dict[str, str]) -> None:
    """Wait until a service lists jobs as they are: its list is a second old at most."""
    for _ in range(30):
        listed = {row["taskId"]: row["status"] for row in service.ask("GET", "/jobs")[1]["jobs"]}
        if listed == expected:
            return
        threading.Event().wait(0.1)
    assert listed == expected


@pytest.mark.slow
def test_services_killed_at_random(shared: SharedTier, rekindle: Callable[..., Ended]) -> None:
    shared.held.set()
    shared.put_objects(6)
    rng = random.Random(7)  # noqa: S311
    flags = (*shared.flags, "--job-workers", "2")
    with ExitStack() as services:
        running = [services.enter_context(serving(shared.uri, *flags)) for _ in range(2)]
        ids = [running[number % 2].ask("POST", "/ingest", shared.job(number))[1]["taskId"] for number in range(6)]
        # the same objects again, by jobs that run beside the first ones
        ids += [running[0].ask("POST", "/ingest", {"bucket": shared.s3.bucket, "pattern": "**"})[1]["taskId"]]
        for number in range(many(16)):
            threading.Event().wait(rng.uniform(0.1, 4))
            kill_at_once(running[number % 2])
            running[number % 2] = services.enter_context(serving(shared.uri, *flags))
        for task_id in ids:
            assert running[0].wait_for(task_id)["status"] == "Succeeded", running[0].log
        await_empty(shared)
    assert_once(rekindle, shared, 6)
