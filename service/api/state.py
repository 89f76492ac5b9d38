"""What the requests of a service share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
from fastapi import Request

from pipelines.jobs.queued.job_queue import JobQueue
from service.access.keyring import Keyring
from service.access.limits import RateLimit
from service.api.engine import SearchEngine
from service.api.job_rows import JobRows
from service.api.running_calls import RunningCalls
from service.hec.receiver import HecReceiver
from service.operation.metrics import Metrics
from service.operation.tier_state import TierState
from service.settings import ServiceSettings
from transforms.storage import TierStore

_MOST_MAINTENANCE = 2
_MOST_UPLOADS = 8
"""Each may hold 32 MiB that an S3 tier has not taken yet."""


@dataclass(kw_only=True)
class Service:
    """What the requests of a service share.

    Attributes:
        settings: How it runs.
        tier: The hot tier.
        wake_workers: Lets a worker look into the queue at once.
        count_workers: Returns how many workers run.
        metrics: What it counts.
        queue: The queue of jobs.
        keyring: The keys.
        job_rows: The list of jobs.
        engine: What queries share.
        uploads: How many uploads may come in at once.
        maintenance: How many deletions and restores may run at once.
        tool_calls: Calls of `/mcp` that may be canceled.
        hec: The receiver of HEC.
        guesses: Wrong tokens, by address.
        calls: Calls, by key.
    """

    settings: ServiceSettings
    tier: TierStore
    wake_workers: Callable[[], None] = lambda: None
    count_workers: Callable[[], int] = lambda: 0
    metrics: Metrics = field(default_factory=Metrics)
    queue: JobQueue = field(init=False)
    keyring: Keyring = field(init=False)
    job_rows: JobRows = field(init=False)
    engine: SearchEngine = field(init=False)
    uploads: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(_MOST_UPLOADS))
    maintenance: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(_MOST_MAINTENANCE))
    tool_calls: RunningCalls = field(default_factory=RunningCalls)
    hec: HecReceiver = field(init=False)
    guesses: RateLimit = field(default_factory=lambda: RateLimit(burst=10, a_second=0.2))
    calls: RateLimit = field(default_factory=lambda: RateLimit(burst=1000, a_second=100))

    def __post_init__(self) -> None:
        """Make what depends on the tier."""
        self.queue = JobQueue(self.tier)
        self.keyring = Keyring(self.tier)
        self.job_rows = JobRows(self.tier, self.queue.task_ids)
        self.engine = SearchEngine(self.tier, memory=self.settings.memory_shares, queries=self.metrics.queries)
        self.hec = HecReceiver(self.settings, self.tier)
        self.metrics.hec_log_bytes.set_function(lambda: self.hec.log_bytes)
        self.metrics.hec_log_fill.set_function(lambda: self.hec.log_fill)
        self.metrics.hec_commit_failing.set_function(lambda: self.hec.is_commit_failing)
        self.metrics.queries_running.set_function(lambda: self.engine.gate.running)
        self.metrics.queries_waiting.set_function(lambda: self.engine.gate.waiting)
        self.metrics.workers.set_function(lambda: self.count_workers())
        self.metrics.registry.register(TierState(self.tier, self.engine.snapshots))


def service_of(request: Request) -> Service:
    """Return the service that answers a request."""
    found: Service = request.app.state.service
    return found
