"""How much disk and time a job takes: by what the tier's last jobs took, else by ordinary logs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.documents import JsonModel
from pipelines.jobs.rows.kept_rows import list_job_rows
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.storage import TierStore
from transforms.storage.job_folder import JobFolder

EXPECTED_RATIO = 1.5
"""Bytes of the hot tier for a byte of compressed source, at the most that was seen on ordinary logs."""
EXPECTED_EXPANSION = 10
"""Decoded bytes for a byte of a compressed object, at the most that was seen on ordinary logs."""
EXPECTED_RATE = 25 << 20
"""Decoded bytes that a core takes in a second: half of what `benchmarks/RESULTS.md` has."""
START_SECONDS = 5.0
"""Until a worker has begun, and for the first commit."""
_COMMITS = 16
_ENOUGH_BYTES = 16 << 20
"""What the newest commits must have read before what they have written is believed: of less, footers are the most."""
_MARGIN = 1.25
"""The next objects may be larger in the tier than those before."""
_JOBS = 10
_OF_ORDINARY, _OF_LAST = "at most in ordinary cases", "by what the last jobs took"


@dataclass(frozen=True)
class DiskNeed:
    """How many bytes of disk a job takes, and how that is known."""

    bytes: int
    reason: str


class ExpectedCost(JsonModel):
    """What a job would take.

    Attributes:
        seconds: How long it would run, once a worker has begun with it.
        seconds_known: How that is known.
        disk: Bytes that it would write.
        disk_known: How that is known.
        free: Bytes that are free there; None where nothing bounds them.
    """

    seconds: float
    seconds_known: str
    disk: int
    disk_known: str
    free: int | None


def disk_need(work_bytes: int, ledger: Ledger) -> DiskNeed:
    """Estimate how much disk a job takes by what the tier's newest commits took, else by ordinary logs."""
    read, written = ledger.bytes_of_newest(_COMMITS) if work_bytes else (0, 0)
    if read < _ENOUGH_BYTES:
        return DiskNeed(int(work_bytes * EXPECTED_RATIO), _OF_ORDINARY)
    return DiskNeed(int(work_bytes * written / read * _MARGIN), _OF_LAST)


def expected_cost(tier: TierStore, ledger: Ledger, *, work_bytes: int, decoded_bytes: int) -> ExpectedCost:
    """Estimate what a job takes.

    Args:
        tier: The hot tier.
        ledger: What is in it.
        work_bytes: The bytes of the objects that are work.
        decoded_bytes: About how many they are decoded, as `decoded_size` has it.
    """
    disk = disk_need(work_bytes, ledger)
    took = list(_last_jobs(tier)) if work_bytes else []
    decoded, seconds = sum(size for size, _ in took), sum(time for _, time in took)
    is_known = decoded >= _ENOUGH_BYTES and seconds > 0
    rate = decoded / seconds if is_known else EXPECTED_RATE * (os.cpu_count() or 1)
    return ExpectedCost(
        seconds=round(START_SECONDS + decoded_bytes / rate, 1) if work_bytes else 0.0,
        seconds_known=_OF_LAST if is_known else _OF_ORDINARY,
        disk=disk.bytes,
        disk_known=disk.reason,
        free=tier.free_bytes(),
    )


def decoded_size(size: int, codec: str | None) -> int:
    """Return about how many bytes objects of a size have when they are decoded."""
    return size if codec in (None, "none") else size * EXPECTED_EXPANSION


def _last_jobs(tier: TierStore) -> Iterator[tuple[int, float]]:
    """Yield how much the last jobs that have succeeded decoded, and in how many seconds."""
    for row in list_job_rows(tier, _JOBS):
        if row.status == "Succeeded" and row.ingested:
            report = JobFolder(tier, row.task_id).read_json("report.json") or {}
            decoded, seconds = report.get("bytesDecoded"), report.get("seconds")
            if isinstance(decoded, int) and isinstance(seconds, (int, float)):
                yield decoded, float(seconds)
