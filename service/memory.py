"""How `rekindle serve --memory` is shared: what the processes take by themselves, the buffers of jobs, and queries."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.core.errors import ConfigurationError

SERVER_BYTES = 256 << 20
"""What the server takes after its first queries."""
WORKER_BYTES = 600 << 20
"""What a worker takes while it runs a job of large objects, without its buffers for writing."""
SQL_BYTES = 512 << 20
"""What a statement takes at most before it spills to the disk."""
CACHE_BYTES = 64 << 20
_LEAST_BYTES = 64 << 20
"""The least for a job's buffers, and for a query."""


@dataclass(frozen=True)
class MemoryShares:
    """Bytes for each.

    Attributes:
        job: A job's buffers (`RunSettings.memory`); None for its default.
        sql: A statement, before it spills to the disk.
        cache: Counts of files that are kept.
    """

    job: int | None = None
    sql: int = SQL_BYTES
    cache: int = CACHE_BYTES


def share_memory(total: int | None, *, job_workers: int, places: int) -> MemoryShares:
    """Return what each part may take, so that all together stay under a total.

    Args:
        total: In bytes; None for the defaults.
        job_workers: How many jobs run at once.
        places: How many queries run at once.

    Raises:
        ConfigurationError: the total is too small.
    """
    if total is None:
        return MemoryShares()
    spare = total - SERVER_BYTES - job_workers * WORKER_BYTES
    least = (job_workers + places) * _LEAST_BYTES
    if spare < least:
        enough = (total - spare + least) >> 20
        raise ConfigurationError(
            f"--memory: a service with {job_workers} workers for jobs takes {enough:,} MiB, not {total >> 20:,}: "
            "give it more, or fewer --job-workers",
            field="memory",
        )
    jobs = spare // 2 if job_workers else 0
    queries = spare - jobs
    cache = min(CACHE_BYTES, queries // 8)
    sql = min(SQL_BYTES, (queries - cache) // places)
    return MemoryShares(job=jobs // job_workers if job_workers else None, sql=sql, cache=cache)
