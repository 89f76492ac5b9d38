"""`--daily HH:MM`: once a day, in UTC, a deletion and a move to the cold tier by the rules that the tier keeps.

Each is a run in a process of its own (`service.operation.daily_run`). Of all services of a tier one does it: a day has
a folder in the tier, and a run there is claimed as a job of the queue is, so that another service goes on with what one
that was killed has begun.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone

from pipelines.jobs.queued.claims import JobClaim, SilenceWatch, newest_claim
from service.logs import log
from service.operation.daily_folder import KINDS, DailyKind, folder_of
from service.operation.metrics import Metrics
from service.settings import ServiceSettings
from transforms.core.errors import RekindleError
from transforms.storage import TierStore

LATE = timedelta(hours=1)
"""A service that starts so late after the time still does the day's runs, if no other has begun them."""
MOST_CLAIMS = 5
"""A run that was begun so often, and never ended, is left to the next day."""
PAUSE = timedelta(minutes=5)
"""Before a run that failed is tried again."""
_LOOK_SECONDS = 10.0


@dataclass(kw_only=True)
class DailySchedule:
    """When the runs of a day are due.

    Attributes:
        at: The time of the day, UTC.
        watch: Which claims are silent.
    """

    at: time
    watch: SilenceWatch = field(default_factory=SilenceWatch)

    def next_run(self, tier: TierStore, now: datetime) -> tuple[date, DailyKind, int] | None:
        """Return the day, the kind and the number of the claim of a run that is to be begun now, None where none is.

        Raises:
            RekindleError: the tier can't be read.
        """
        since_midnight = timedelta(hours=self.at.hour, minutes=self.at.minute)
        day = (now - since_midnight).date()  # it lasts until the same time of the next
        for kind in KINDS:
            claim = newest_claim(folder_of(tier, day, kind))
            if claim is None:
                late = now - datetime.combine(day, self.at, timezone.utc)
                return (day, kind, 1) if kind != KINDS[0] or late < LATE else None
            if self._is_at_work(tier, day, kind, claim, now):
                return None
            if claim.content.state != "ended" and claim.number < MOST_CLAIMS:
                return day, kind, claim.number + 1
        return None

    def _is_at_work(self, tier: TierStore, day: date, kind: DailyKind, claim: JobClaim, now: datetime) -> bool:
        """Whether a service does a run, or is to be given time before it is tried again."""
        if claim.content.state == "held":
            return not self.watch.is_silent(folder_of(tier, day, kind), claim)
        return claim.content.state == "released" and claim.modified is not None and now - claim.modified < PAUSE


@dataclass(kw_only=True)
class DailyRuns:
    """Begins the runs of each day, by a thread.

    Attributes:
        settings: How the service runs.
        tier: The hot tier.
        metrics: Where runs are counted.
        clock: The time, for tests.
    """

    settings: ServiceSettings
    tier: TierStore
    metrics: Metrics
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin, where there is a time."""
        if self.settings.daily is not None:
            threading.Thread(target=self._loop, name="rekindle-daily", daemon=True).start()

    def stop(self) -> None:
        """Begin no run any more; one at work goes on."""
        self._over.set()

    def _loop(self) -> None:
        schedule = DailySchedule(at=time.fromisoformat(self.settings.daily or ""))
        log(f"The tier's rules are run every day at {schedule.at:%H:%M} UTC")
        while not self._over.wait(_LOOK_SECONDS):
            try:
                self.run_due(schedule)
            except (RekindleError, OSError) as error:
                log(f"the daily run could not be begun: {error}", level=logging.ERROR)

    def run_due(self, schedule: DailySchedule) -> bool:
        """Do a run that is due, and return whether there was one."""
        due = schedule.next_run(self.tier, self.clock())
        if due is None:
            return False
        day, kind, number = due
        command = [sys.executable, "-m", "service.operation.daily_run", self.settings.model_dump_json(by_alias=True)]
        environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1"}
        ended = subprocess.run(
            [*command, kind, day.isoformat(), str(number)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            check=False,
        )
        outcome = ended.stdout.decode(errors="replace").strip() if ended.returncode == 0 else "crashed"
        if outcome:
            self.metrics.daily_runs.labels(kind, outcome).inc()
        return True
