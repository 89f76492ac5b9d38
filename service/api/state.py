"""What the requests of a service share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from pipelines.jobs.queued.job_queue import JobQueue
from service.access.keyring import Keyring
from service.access.limits import RateLimit
from service.api.engine import SearchEngine
from service.api.job_rows import JobRows
from service.operation.metrics import Metrics
from service.operation.tier_state import TierState
from service.settings import ServiceSettings
from transforms.storage import TierStore


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
    guesses: RateLimit = field(default_factory=lambda: RateLimit(burst=10, a_second=0.2))
    calls: RateLimit = field(default_factory=lambda: RateLimit(burst=1000, a_second=100))

    def __post_init__(self) -> None:
        """Make what depends on the tier."""
        self.queue = JobQueue(self.tier)
        self.keyring = Keyring(self.tier)
        self.job_rows = JobRows(self.tier, self.queue.task_ids)
        self.engine = SearchEngine(self.tier, queries=self.metrics.queries)
        self.metrics.queries_running.set_function(lambda: self.engine.gate.running)
        self.metrics.queries_waiting.set_function(lambda: self.engine.gate.waiting)
        self.metrics.workers.set_function(lambda: self.count_workers())
        self.metrics.registry.register(TierState(self.tier, self.engine.snapshots))


def service_of(request: Request) -> Service:
    """Return the service that answers a request."""
    found: Service = request.app.state.service
    return found
