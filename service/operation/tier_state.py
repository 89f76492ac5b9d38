"""What the tier itself knows, as metrics: all services of a tier show the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from pydantic import ValidationError

from pipelines.jobs.queued.job_queue import ROOT
from pipelines.jobs.report import WatchReport
from pipelines.jobs.rows.kept_rows import read_job_rows
from pipelines.jobs.rows.row import JobRow
from transforms.core.errors import RekindleError
from transforms.hot_tier.search.serving.snapshots import Snapshots
from transforms.hot_tier.table import location
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

_KEPT_SECONDS = 5.0
_MOST_READ = 64
"""Jobs are claimed in their order: those behind so many wait."""
_MICROSECONDS = 1_000_000
_OF_WATCHES: Final[tuple[tuple[str, str, Callable[[WatchReport], float], Callable[[list[float]], float]], ...]] = (
    ("rekindle_watches", "Watches of the queue that run.", lambda watch: 1, sum),
    ("rekindle_watches_failing", "Those whose last attempt failed.", lambda watch: watch.last_error is not None, sum),
    (
        "rekindle_watch_lag_seconds",
        "From the creation of objects to their publication, in the last waves: the longest.",
        lambda watch: watch.lag_seconds or 0,
        max,
    ),
    ("rekindle_watch_waiting_objects", "Objects found and not published yet.", lambda watch: watch.waiting, sum),
    ("rekindle_watch_queued_messages", "About how many messages wait.", lambda watch: watch.queued or 0, sum),
    (
        "rekindle_watch_last_hour_objects",
        "Objects published in the last hour.",
        lambda watch: watch.last_hour.objects,
        sum,
    ),
    ("rekindle_watch_last_hour_events", "Their events.", lambda watch: watch.last_hour.events, sum),
    (
        "rekindle_watch_last_hour_failed",
        "Objects not read, or not wholly, in the last hour.",
        lambda watch: watch.last_hour.failed,
        sum,
    ),
)
"""Of each metric: its name, what it tells, its value of one watch, and how those of several are combined."""


@dataclass(eq=False)  # a registry keeps it by its identity
class TierState:
    """Metrics of a tier's queue and table, five seconds old at most; a tier that can't be read is `reachable 0`.

    Attributes:
        tier: The tier.
        snapshots: Its newest snapshot.
        clock: The time in seconds, for tests.
    """

    tier: TierStore
    snapshots: Snapshots
    clock: Callable[[], float] = time.monotonic
    _metrics: list[Metric] = field(default_factory=list)
    _at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def collect(self) -> Iterable[Metric]:
        """Return the metrics, as prometheus-client asks a collector for them."""
        with self._lock:
            if self.clock() - self._at >= _KEPT_SECONDS:
                self._metrics = list(self._read())
                self._at = self.clock()
            return self._metrics

    def describe(self) -> Iterable[Metric]:
        """Return nothing: a registry would else read the tier when this is registered."""
        return ()

    def _read(self) -> Iterator[Metric]:
        try:
            found = [*self._queue(), *self._table()]
        except (RekindleError, OSError):
            found = []
        yield GaugeMetricFamily("rekindle_tier_reachable", "Whether the hot tier can be read.", bool(found))
        yield from found

    def _queue(self) -> Iterator[Metric]:
        entries = sorted(self.tier.list(ROOT), key=lambda file: (file.modified, file.path))
        ids = [entry.path.removeprefix(ROOT) for entry in entries]
        rows = {row.task_id: row for row in read_job_rows(self.tier, ids[:_MOST_READ])}
        running = sum(row.status == "Running" for row in rows.values())
        jobs = GaugeMetricFamily("rekindle_jobs", "Jobs in the tier's queue.", labels=["status"])
        jobs.add_metric(["Running"], running)
        jobs.add_metric(["Pending"], len(entries) - running)
        yield jobs
        yield from _metrics_of_watches([row for row in rows.values() if row.status == "Running"])
        waiting = [
            entry.modified
            for entry, task_id in zip(entries, ids, strict=True)
            if task_id not in rows or rows[task_id].status == "Pending"
        ]
        age = (datetime.now(timezone.utc) - waiting[0]).total_seconds() if waiting else 0.0
        text = "For how long the job that waits longest has been in the queue."
        yield GaugeMetricFamily("rekindle_queue_lag_seconds", text, max(0.0, age))

    def _table(self) -> Iterator[Metric]:
        if location.exists(self.tier):
            yield from _metrics_of(self.snapshots.newest())


def _metrics_of_watches(running: Iterable[JobRow]) -> Iterator[Metric]:
    watches = [watch for row in running if (watch := _watch_of(row)) is not None]
    for name, text, value, combine in _OF_WATCHES:
        yield GaugeMetricFamily(name, text, combine([0.0, *map(value, watches)]))


def _watch_of(row: JobRow) -> WatchReport | None:
    with suppress(ValidationError):  # another version of Rekindle runs it
        return None if row.watch is None else WatchReport.model_validate(row.watch)
    return None


def _metrics_of(snapshot: Snapshot) -> Iterator[Metric]:
    yield GaugeMetricFamily("rekindle_table_version", "Commits to the table `events`.", snapshot.version)
    events, files, size = (
        GaugeMetricFamily(f"rekindle_table_{name}", f"{text} of the table `events`, by its part.", labels=["tier"])
        for name, text in (("events", "Events"), ("files", "Live files"), ("bytes", "Bytes of the live files"))
    )
    for part in ("hot", "cold"):
        live = [file for file in snapshot.files.values() if file.tier == part]
        events.add_metric([part], sum(file.rows for file in live))
        files.add_metric([part], len(live))
        size.add_metric([part], sum(file.size for file in live))
    yield from (events, files, size)
    newest = max((file.max_time for file in snapshot.files.values()), default=None)
    if newest is not None:
        text = "The time of the newest event: what now has more is the lag of what comes in."
        yield GaugeMetricFamily("rekindle_newest_event_timestamp_seconds", text, newest / _MICROSECONDS)
