"""The list of jobs for a server that is asked for it again and again: what has ended is not read each time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.jobs.rows.kept_rows import load_job_rows
from pipelines.jobs.rows.row import JobRow, newest_first
from transforms.storage import TierStore
from transforms.storage.job_folder import newest_jobs

ANSWER_SECONDS = 1.0
ENDED_SECONDS = 60.0
"""So long a job that has ended and is not in the queue is taken for ended: `rekindle jobs resume` may continue it.

Of what another service resumes the entry among the jobs changes, and it is read again.
"""
_MOST = 5000


@dataclass
class JobRows:
    """The newest jobs of a tier.

    Attributes:
        tier: Where they are.
        queued: Returns the ids of the jobs in the queue.
        clock: The time in seconds, for tests.
    """

    tier: TierStore
    queued: Callable[[], set[str]]
    clock: Callable[[], float] = time.monotonic
    _ended: OrderedDict[str, tuple[JobRow, datetime, float]] = field(default_factory=OrderedDict)
    _answers: dict[int, tuple[list[JobRow], float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def newest(self, limit: int) -> list[JobRow]:
        """Return so many of the newest jobs, as they were a second ago at most; who asks meanwhile waits for it."""
        with self._lock:
            rows, at = self._answers.get(limit, ([], float("-inf")))
            if self.clock() - at >= ANSWER_SECONDS:
                rows = self._read(limit)
                self._answers = {limit: (rows, self.clock())}
            return list(rows)

    def forget(self) -> None:
        """Read all anew: something was changed."""
        with self._lock:
            self._answers = {}
            self._ended.clear()

    def _read(self, limit: int) -> list[JobRow]:
        queued, now = self.queued(), self.clock()
        listed = newest_jobs(self.tier, limit)
        changed = {one.task_id: one.modified for one in listed}
        known = {
            task_id: row
            for task_id, (row, modified, at) in self._ended.items()
            if task_id not in queued and changed.get(task_id) == modified and now - at < ENDED_SECONDS
        }
        read = load_job_rows(self.tier, [one for one in listed if one.task_id not in known])
        for row in read:
            if row.has_ended:
                self._ended.pop(row.task_id, None)
                self._ended[row.task_id] = (row, changed[row.task_id], now)
        while len(self._ended) > _MOST:
            self._ended.popitem(last=False)
        return newest_first([*known.values(), *read])
