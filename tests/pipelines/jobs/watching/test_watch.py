"""A watch as a whole, in this process: what it ingests, what becomes of its messages, what it reports."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipelines.jobs.job import JobResult, resume_job, run_job
from pipelines.jobs.report import JobReport
from pipelines.jobs.reporting import load_report
from pipelines.jobs.rows.kept_rows import list_job_rows
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import check_specification
from tests.conftest import REGION, S3
from transforms.core.errors import ObjectError
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import ObjectInfo, open_tier
from transforms.storage.job_folder import JobFolder
from transforms.storage.s3 import S3Store

SECONDS = 120.0


@dataclass
class Watched:
    """A watch that runs in a thread."""

    settings: RunSettings
    task_id: str
    result: JobResult | None = None

    @property
    def folder(self) -> JobFolder:
        return JobFolder(open_tier(self.settings.hot_tier, self.settings.tier_options), self.task_id)

    @property
    def report(self) -> JobReport:
        return load_report(self.folder.tier, self.task_id)

    def wait_for(self, condition: Callable[[JobReport], bool]) -> JobReport:
        deadline = time.monotonic() + SECONDS
        while not condition(report := self.report):
            assert time.monotonic() < deadline, report
            threading.Event().wait(0.1)
        return report


@contextmanager
def running(run: Callable[[], JobResult], settings: RunSettings) -> Iterator[Watched]:
    """Run a watch until the block ends; its report is then whole."""
    results: list[JobResult | Exception] = []

    def work() -> None:
        try:
            results.append(run())
        except Exception as error:  # noqa: BLE001 - for the test
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    tier = open_tier(settings.hot_tier, settings.tier_options)
    watched = Watched(settings, "")
    deadline = time.monotonic() + SECONDS
    while not watched.task_id:
        assert not results and time.monotonic() < deadline, results
        rows = [row for row in list_job_rows(tier) if row.stage == "Watching" and row.status == "Running"]
        watched.task_id = rows[0].task_id if rows else ""
        threading.Event().wait(0.1)
    try:
        yield watched
    finally:
        watched.folder.request_cancel()
        thread.join(SECONDS)
        assert not thread.is_alive()
        assert isinstance(results[0], JobResult), results
        watched.result = results[0]


def watching(document: dict[str, Any], settings: RunSettings) -> Any:
    specification = check_specification(document)
    return running(lambda: run_job(specification, settings), settings)


@dataclass
class Queue:
    """A queue that gets the notifications of a bucket."""

    s3: S3
    client: Any
    url: str

    def send(self, *keys: str, event: str = "ObjectCreated:Put", bucket: str | None = None) -> None:
        records = [
            {
                "eventName": event,
                "s3": {"bucket": {"name": bucket or self.s3.bucket}, "object": {"key": key, "size": 1}},
            }
            for key in keys
        ]
        self.send_text(json.dumps({"Records": records}))

    def send_text(self, body: str) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=body)

    @property
    def messages(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


@pytest.fixture
def queue(s3: S3) -> Queue:
    client = boto3.client("sqs", endpoint_url=s3.endpoint_url, region_name=REGION)
    return Queue(s3, client, client.create_queue(QueueName=f"q-{uuid.uuid4().hex}")["QueueUrl"])


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings(hot_tier=str(tmp_path / "hot"))


def rows_of(settings: RunSettings) -> int:
    return Snapshot.load(open_tier(settings.hot_tier, settings.tier_options)).rows


def test_listing_again(tmp_path: Path, settings: RunSettings) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.log").write_text("2025-01-01 10:00:00 a\n")
    job = {"bucket": f"file://{source}", "pattern": "*.log", "watch": {"every": "1s", "maxWait": "1s"}}
    with watching(job, settings) as watch:
        assert rows_of(settings) == 1
        (source / "b.log").write_text("2025-01-01 10:00:01 b\n")
        (source / "c.txt").write_text("no match\n")
        watch.wait_for(lambda report: report.events == 2)
        (source / "b.log").write_text("2025-01-01 10:00:01 b\n2025-01-01 10:00:02 b\n")
        watch.wait_for(lambda report: report.objects.replaced == 1)
    report = watch.report
    assert (report.status, report.waves, rows_of(settings)) == ("Canceled", 3, 3)
    assert report.watch is not None and report.watch.counts.listings >= 2
    assert watch.folder.names() == ["cancel", "job.json", "report.json", "status.json", "totals.json"]

    (source / "d.log").write_text("2025-01-01 10:00:03 d\n")
    with running(lambda: resume_job(watch.task_id, settings), settings) as again:
        assert again.task_id == watch.task_id
        again.wait_for(lambda report: report.objects.ingested == 4)
    assert (again.report.waves, rows_of(settings)) == (4, 4)


@pytest.mark.moto_only(reason="it has no SQS")
def test_a_queue(s3: S3, queue: Queue, settings: RunSettings) -> None:
    """What is announced twice, of other places, gone, empty, or no notification: each once, or let go and counted."""
    settings = replace(settings, source_options=s3.options)
    s3.put("logs/old.log", b"2025-01-01 10:00:00 old\n")
    job = {"bucket": s3.bucket, "pattern": "logs/**", "watch": {"queue": queue.url, "maxWait": "1s"}}
    with watching(job, settings) as watch:
        s3.put("logs/a b+c.log", b"2025-01-01 10:00:01 a\n")
        s3.put("logs/d.log", b"2025-01-01 10:00:02 d\n")
        s3.put("logs/empty.log", b"")
        s3.put("other/a.log", b"x")
        for _ in range(2):
            queue.send("logs/a+b%2Bc.log", "logs/d.log")
        queue.send("logs/old.log")
        queue.send("logs/empty.log")
        queue.send("logs/gone.log")
        queue.send("other/a.log", "other/b.log")
        queue.send("logs/d.log", bucket="another")
        queue.send("logs/d.log", event="ObjectRemoved:Delete")
        queue.send_text('{"Event":"s3:TestEvent"}')
        queue.send_text("no JSON")
        watch.wait_for(lambda one: one.watch is not None and one.watch.counts.deleted >= 10)
    report = watch.report
    assert report.watch is not None
    counts = report.watch.counts
    assert counts.messages == counts.deleted
    assert (counts.unmatched, counts.other_events, counts.unreadable, counts.gone, counts.errors) == (3, 2, 1, 1, 0)
    assert (report.objects.ingested, report.events, rows_of(settings)) == (3, 3, 3)
    assert report.objects.empty == 1
    assert report.objects.matched == report.objects.known + 4
    assert report.watch.last_hour.objects == 3
    assert report.watch.lag_seconds is not None
    assert queue.messages == 0


@pytest.mark.slow
@pytest.mark.moto_only(reason="it has no SQS")
def test_what_fails_is_reported_and_given_back(s3: S3, queue: Queue, settings: RunSettings) -> None:
    settings = replace(settings, source_options=s3.options)
    job = {"bucket": s3.bucket, "watch": {"queue": queue.url, "maxWait": "1s"}}
    with watching(job, settings) as watch:
        s3.put("bad.log", b"\x1f\x8b\x08\x00 is no gzip at all")
        s3.put("good.log", b"2025-01-01 10:00:01 a\n")
        queue.send("bad.log")
        queue.send("good.log")
        watch.wait_for(lambda one: one.watch is not None and one.watch.counts.released == 1)
        watch.wait_for(lambda one: one.watch is not None and one.watch.counts.deleted == 1)
    report = watch.report
    assert [(one.object, one.status) for one in report.failures] == [(f"s3://{s3.bucket}/bad.log", "failed")]
    assert (report.objects.failed, report.objects.ingested, queue.messages) == (1, 1, 1)


@pytest.mark.slow
@pytest.mark.moto_only(reason="it has no SQS")
def test_what_fails_as_a_whole_is_tried_again(
    s3: S3, queue: Queue, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held stays held, and is ingested when the store answers, whatever its client had raised."""
    settings = replace(settings, source_options=s3.options)
    errors = [ObjectError("the store is gone"), OSError("the disk too")]
    look_up = S3Store.look_up

    def fail_at_first(store: S3Store, key: str) -> ObjectInfo:
        if errors:
            raise errors.pop()
        return look_up(store, key)

    monkeypatch.setattr(S3Store, "look_up", fail_at_first)
    job = {"bucket": s3.bucket, "watch": {"queue": queue.url, "maxWait": "1s"}}
    with watching(job, settings) as watch:
        s3.put("a.log", b"2025-01-01 10:00:01 a\n")
        queue.send("a.log")
        watch.wait_for(lambda one: one.watch is not None and one.watch.counts.deleted == 1)
    report = watch.report
    assert report.watch is not None
    assert (report.watch.counts.errors, report.watch.last_error, queue.messages) == (2, None, 0)
    assert (report.objects.ingested, rows_of(settings)) == (1, 1)
