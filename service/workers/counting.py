"""What a worker does, told to its service by lines of JSON on its standard output."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from pipelines.console import Progress
from pipelines.documents import JsonModel
from pipelines.status import BROKEN
from service.logs import LogConsole
from service.operation.metrics import Metrics

if TYPE_CHECKING:
    from pipelines.jobs.report import JobReport


class WorkCount(JsonModel):
    """What has come since the last one."""

    objects: int = 0
    events: int = 0
    read_bytes: int = 0
    objects_broken: int = 0
    ended: str | None = None
    """The status of a job that has ended."""
    is_watching: bool = False
    """Whether it has claimed a watch, and runs no other job from now on."""

    def add_to(self, metrics: Metrics) -> None:
        """Count it."""
        metrics.job_objects.inc(self.objects)
        metrics.job_events.inc(self.events)
        metrics.job_read_bytes.inc(self.read_bytes)
        metrics.job_objects_broken.inc(self.objects_broken)
        if self.ended is not None:
            metrics.jobs_ended.labels(self.ended).inc()


def print_count(count: WorkCount) -> None:
    """Tell the service, if it is still there and reads."""
    with suppress(OSError):
        sys.stdout.buffer.write(orjson.dumps(count.as_document()) + b"\n")
        sys.stdout.buffer.flush()


class CountingConsole(LogConsole):
    """The console of a job that a worker runs: its messages go to the log, and what it reads to the service."""

    def __init__(self, task_id: str, *, is_new: bool) -> None:
        """Begin at nothing.

        Args:
            task_id: The job.
            is_new: Whether no worker has run it before: of a job that goes on, what is there already is not counted.
        """
        super().__init__(task_id)
        self._is_new = is_new
        self._counted = Progress() if is_new else None

    def progress(self, done: Progress) -> None:
        """Count what has come; what a wave that runs again reads again is not counted twice."""
        before = self._counted or done
        self._counted = Progress(
            objects=max(before.objects, done.objects),
            bytes_read=max(before.bytes_read, done.bytes_read),
            events=max(before.events, done.events),
        )
        count = WorkCount(
            objects=self._counted.objects - before.objects,
            read_bytes=self._counted.bytes_read - before.bytes_read,
            events=self._counted.events - before.events,
        )
        if count != WorkCount():
            print_count(count)

    def ended(self, report: JobReport) -> None:
        """Count what the job's report has more, and its end."""
        objects = report.objects.as_document()
        broken = sum(objects[name] for name in BROKEN)
        self.progress(
            Progress(
                objects=objects["ingested"] + broken,
                bytes_read=report.bytes_read,
                events=report.records_in,
            )
        )
        print_count(WorkCount(objects_broken=broken if self._is_new else 0, ended=report.status))
