"""The metrics of one service process, which Prometheus reads from `/metrics`.

Each metric is an attribute of `Metrics`, made with its registry; labels have few values, and none that a client
chooses. What the tier knows (the queue, the table) is asked of it at each scrape: `service.operation.tier_state`.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_REQUEST_SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """What this process counts since it began.

    Attributes:
        registry: Whose metrics `/metrics` shows: others' are made with it too.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "rekindle_http_requests", "Answers, by route.", ["method", "route", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "rekindle_http_request_seconds",
            "From a request to the end of its answer.",
            ["route"],
            registry=registry,
            buckets=_REQUEST_SECONDS,
        )
        self.requests_running = Gauge("rekindle_http_requests_running", "Requests at work.", registry=registry)
        self.connections_dropped = Counter(
            "rekindle_http_connections_dropped", "Connections closed unasked.", ["reason"], registry=registry
        )
        self.queries = Counter("rekindle_queries", "Queries that have ended.", ["outcome"], registry=registry)
        self.queries_running = Gauge("rekindle_queries_running", "Queries that run.", registry=registry)
        self.queries_waiting = Gauge("rekindle_queries_waiting", "Queries that wait for a turn.", registry=registry)
        self.workers = Gauge("rekindle_workers", "Workers that run.", registry=registry)
        self.worker_crashes = Counter("rekindle_worker_crashes", "Workers that ended by an error.", registry=registry)
        self.jobs_ended = Counter(
            "rekindle_jobs_ended", "Jobs that this service's workers ended.", ["status"], registry=registry
        )
        self.job_objects = Counter("rekindle_job_objects", "Objects that its workers have read.", registry=registry)
        self.job_objects_broken = Counter(
            "rekindle_job_objects_broken", "Objects of them that failed or were not read wholly.", registry=registry
        )
        self.job_events = Counter(
            "rekindle_job_events", "Events that its workers have read, dropped ones too.", registry=registry
        )
        self.job_read_bytes = Counter(
            "rekindle_job_read_bytes", "Compressed bytes that its workers have read.", registry=registry
        )
        self.hec_answers = Counter(
            "rekindle_hec_answers", "Answers of HEC, health's excepted, by its code.", ["code"], registry=registry
        )
        self.hec_events = Counter("rekindle_hec_events", "Events that HEC has taken.", registry=registry)
        self.hec_log_bytes = Gauge(
            "rekindle_hec_log_bytes", "What HEC's log takes on the disk: events that wait.", registry=registry
        )
        self.hec_log_fill = Gauge(
            "rekindle_hec_log_fill", "How full HEC's log is: at 1 it takes nothing more.", registry=registry
        )
        self.hec_commit_failing = Gauge(
            "rekindle_hec_commit_failing", "Whether the last commit of HEC's events failed.", registry=registry
        )
        self.daily_runs = Counter(
            "rekindle_daily_runs", "Runs by --daily that this service did.", ["kind", "outcome"], registry=registry
        )

    def count_answer(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            method: As the client wrote it; one that HTTP does not have is counted as `other`.
            route: The route's path, `-` where there is none.
            status: The answer's.
            seconds: From the request to the end of the answer.
        """
        self.requests.labels(method if method in _METHODS else "other", route, status).inc()
        self.request_seconds.labels(route).observe(seconds)
