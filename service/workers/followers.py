"""Starts the processes of kept requests, and follows those that are gone: any service of the tier does."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from http import HTTPStatus

from pipelines.jobs.queued.claims import SilenceWatch
from service.logs import log
from service.settings import ServiceSettings
from service.workers.kept_requests import KeptRequest, folder_of, open_requests
from service.workers.kept_run import write_outcome
from transforms.core.errors import RekindleError
from transforms.storage import TierStore

_LOOK_SECONDS = 10.0
_UNCLAIMED = timedelta(seconds=30)
"""The service that was asked starts a process at once: so late, it is gone."""
_PAUSE = timedelta(seconds=30)
"""Before a request is tried again at which the tier failed."""
MOST_CLAIMS = 5


@dataclass(kw_only=True)
class RequestFollower:
    """Looks for requests that nobody is at, by a thread.

    Attributes:
        settings: How the service runs.
        tier: The hot tier.
        start: Starts a process for a request, by its id and the number of its claim.
        clock: The time, for tests.
    """

    settings: ServiceSettings
    tier: TierStore
    start: Callable[[str, int], None] = field(init=False)
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    watch: SilenceWatch = field(default_factory=SilenceWatch)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Let processes be started as the service does."""
        self.start = partial(start_process, self.settings)

    def begin(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._loop, name="rekindle-requests", daemon=True).start()

    def stop(self) -> None:
        """Look no more; processes at work go on."""
        self._over.set()

    def _loop(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            try:
                self.look()
            except (RekindleError, OSError) as error:
                log(f"kept requests could not be looked at: {error}", level=logging.WARNING)

    def look(self) -> None:
        """Start a process for each request that nobody is at."""
        for one in open_requests(self.tier):
            number = one.claim.number if one.claim else 0
            if self._is_at_work(one):
                continue
            if number < MOST_CLAIMS:
                self.start(one.id, number + 1)
                continue
            text = f"{number} processes have tried it, and none came to its end: the service's log has more"
            error = {"status": HTTPStatus.SERVICE_UNAVAILABLE, "error": text, "field": None}
            write_outcome(folder_of(self.tier, one.id), error)

    def _is_at_work(self, asked: KeptRequest) -> bool:
        """Whether a process is at a request, or is to be given time before the next is started."""
        claim = asked.claim
        if claim is None:
            return self.clock() - asked.asked_at < _UNCLAIMED
        if claim.content.state == "held":
            return not self.watch.is_silent(folder_of(self.tier, asked.id), claim)
        return claim.modified is not None and self.clock() - claim.modified < _PAUSE


def start_process(settings: ServiceSettings, request_id: str, number: int) -> None:
    """Start a process that claims a request by a number; the end of this one does not end it."""
    command = [sys.executable, "-m", "service.workers.kept_run", settings.model_dump_json(by_alias=True)]
    environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1"}
    null = subprocess.DEVNULL
    process = subprocess.Popen(
        [*command, request_id, str(number)], stdin=null, stdout=null, env=environment, start_new_session=True
    )
    threading.Thread(target=process.wait, name="rekindle-maintenance", daemon=True).start()
