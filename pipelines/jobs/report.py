"""The report of a job (docs/jobs.md), put together from the job's folder and the ledger.

It is the same while the job runs, after it, and for a resumed job.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from pipelines.jobs.plan import WORK, Plan
from pipelines.status import read_status
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.ledger.entries import parse_count
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry, WaveRecord
from transforms.hot_tier.table import prepare as table
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.objects.event_counts import CountKey, EventCount, describe_too_old
from transforms.query.instants import parse_time
from transforms.storage import TierStore
from transforms.storage.job_folder import JobFolder

OBJECT_COUNTS = (
    "evaluated", "matched", "known", "deleted", "skipped", "archived", "empty",
    "ingested", "replaced", "salvaged", "quarantined", "failed", "vanished",
)  # fmt: skip
BROKEN = ("failed", "salvaged", "quarantined", "vanished")
SOME_FAILED = 3
_TASK_ID = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class JobState:
    """What the job's folder says of a job.

    Attributes:
        job: `job.json`: specification and settings.
        status: `status.json`: status, stage, times, numbers of discovery, warnings.
        plan: The plan, None before there is one.
        failures: The objects of a wave that was not published, because one failed (`onError: fail`): no ledger names
            them.
    """

    job: dict[str, Any]
    status: dict[str, Any]
    plan: Plan | None
    failures: list[dict[str, Any]]

    @classmethod
    def load(cls, folder: JobFolder) -> JobState:
        """Read the folder."""
        job = folder.read_json("job.json")
        plan = Plan.load(job["job"]["bucket"], folder)
        return cls(job, read_status(folder), plan, folder.read_json("failures.json") or [])


def build_report(
    task_id: str, state: JobState, ledger: Ledger, progress: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Return the report of a job as docs/jobs.md names it, with `stage` and `progress` while it runs."""
    entries = ledger.of_job(task_id)
    waves = ledger.waves_of_job(task_id)
    status = state.status
    finished = status.get("finishedAt")
    report: dict[str, Any] = {
        "taskId": task_id,
        "status": status.get("status", "Pending"),
        "job": state.job["job"],
        "hotTier": state.job["settings"]["hot_tier"],
        "startedAt": status.get("startedAt"),
        "finishedAt": finished,
        "seconds": round(status.get("seconds", 0.0) if finished else status.get("seconds", 0.0) + _running(status), 3),
        "waves": len({wave.wave for wave in waves}),
        "tableVersion": max((wave.version for wave in waves), default=status.get("tableVersion")),
        "objects": _object_counts(state, entries, waves),
        **_with_failures(_sums(entries), state.failures),
        "byFormat": _counts_by(((entry.format, entry.events) for entry in entries), "events"),
        "byCodec": _counts_by(((entry.codec, entry.bytes_read) for entry in entries), "bytesRead"),
        "timeRange": _time_range(entries),
        "filesWritten": sum(wave.files for wave in waves),
        "bytesWritten": sum(wave.bytes for wave in waves),
    }
    report["megabytesPerSecond"] = (
        round(report["bytesDecoded"] / 1e6 / report["seconds"], 1) if report["seconds"] else 0.0
    )
    report["failures"] = [entry.as_failure() for entry in entries if entry.status in BROKEN] + [
        {name: failure[name] for name in ("object", "status", "reason")}
        for failure in state.failures
        if failure["reason"]
    ]
    report["warnings"] = [
        *status.get("warnings", []),
        *_warnings_of_events(entries),
        *(f"{entry.uri}: {text}" for entry in entries for text in entry.warnings),
    ]
    if status.get("reason"):
        report["reason"] = status["reason"]
    if not finished:
        report["stage"] = status.get("stage")
        report["progress"] = _progress(state, entries, progress)
    return report


def load_report(tier: TierStore, task_id: str) -> dict[str, Any]:
    """Return the report of any job as it stands.

    Raises:
        ConfigurationError: there is no such job.
    """
    folder = find_job(tier, task_id)
    return build_report(task_id, JobState.load(folder), load_ledger(tier), folder.progress())


def load_ledger(tier: TierStore, previous: Ledger | None = None) -> Ledger:
    """Return the ledger of a hot tier, empty where there is no table yet; what `previous` has read is not read
    again.
    """
    return Ledger.load(tier, Snapshot.load(tier), previous) if table.exists(tier) else Ledger()


def find_job(tier: TierStore, task_id: str) -> JobFolder:
    """Return the folder of a job.

    Raises:
        ConfigurationError: there is no such job.
    """
    folder = JobFolder(tier, task_id)
    if not _TASK_ID.fullmatch(task_id) or not folder.exists():
        raise ConfigurationError(f"there is no job {task_id} in {tier.uri}; `rekindle jobs list` names those there are")
    return folder


def exit_code(report: dict[str, Any], *, require_match: bool) -> int:
    """Return what `rekindle backfill` ends with (docs/jobs.md)."""
    if report["status"] == "Canceled":
        return 130
    if report["status"] != "Succeeded":
        return 1
    objects = report["objects"]
    if any(objects[kind] for kind in BROKEN):
        return SOME_FAILED
    return 1 if require_match and not objects["matched"] else 0


def _running(status: dict[str, Any]) -> float:
    """Seconds since the running job's last start, or, where nobody runs it, until its last sign of life."""
    started = status.get("resumedAt") or status.get("startedAt")
    if not started:
        return 0.0
    end = parse_time(status["updatedAt"]).timestamp() if status.get("updatedAt") else time.time()
    return max(0.0, end - parse_time(started).timestamp())


def _warnings_of_events(entries: Iterable[LedgerEntry]) -> list[str]:
    """Return what happened to events on their way, over all objects."""
    events: Counter[CountKey] = Counter()
    untimed_objects = 0
    for entry in entries:
        counts = {key: number for text, number in entry.counts if (key := parse_count(text))}
        events.update(counts)
        untimed_objects += CountKey(EventCount.UNTIMED) in counts
    untimed, failed, old = [], [], []
    for key, number in sorted(events.items()):
        if key.kind is EventCount.UNTIMED:
            where = f"{untimed_objects:,} object{'s' * (untimed_objects != 1)}"
            cure = "`rekindle preview` shows what can be done"
            untimed.append(f"{_events(number)} of {where}: no time was found, that of receipt holds ({cure})")
        elif key.kind is EventCount.STEP_FAILED:
            failed.append(f"pipeline {key.name}, {key.detail} failed on {_events(number)}, left as they were")
        else:
            old.append(describe_too_old(key, _events(number), one=number == 1))
    return untimed + failed + old


def _events(number: int) -> str:
    return f"{number:,} event{'s' * (number != 1)}"


def _object_counts(state: JobState, entries: Sequence[LedgerEntry], waves: Sequence[WaveRecord]) -> dict[str, int]:
    counts = dict.fromkeys(OBJECT_COUNTS, 0)
    counts["evaluated"] = state.status.get("evaluated", 0)
    counts["matched"] = state.status.get("matched", 0)
    statuses = Counter(entry.status for entry in entries)
    statuses.update(failure["status"] for failure in state.failures)
    for status, number in statuses.items():
        counts[status] += number
    counts["replaced"] = sum(entry.replaced for entry in entries if entry.status == "ingested")
    if state.plan is not None:
        for kind, number in state.plan.counts().items():
            if kind != WORK:
                counts[kind] += number
        done = {wave.wave for wave in waves}
        planned = sum(wave in done for wave in state.plan.table["wave"].to_pylist())
        # taken out when they were to be published: another job had them by then
        counts["known"] += planned - len(entries)
    return counts


def _sums(entries: Sequence[LedgerEntry]) -> dict[str, int]:
    return {
        "bytesRead": sum(entry.bytes_read for entry in entries),
        "bytesDecoded": sum(entry.bytes_decoded for entry in entries),
        "recordsIn": sum(entry.records_in for entry in entries),
        "blank": sum(entry.blank for entry in entries),
        "header": sum(entry.header for entry in entries),
        "events": sum(entry.events for entry in entries),
        "eventsWithError": sum(entry.events_with_error for entry in entries),
        "rejected": sum(entry.rejected for entry in entries),
    }


def _with_failures(sums: dict[str, int], failures: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Add what was read of a wave that was not published."""
    return {name: number + sum(failure.get(name, 0) for failure in failures) for name, number in sums.items()}


def _counts_by(names: Iterable[tuple[str | None, int]], summed: str) -> dict[str, dict[str, int]]:
    """Return, for each name in order, how many objects have it and the sum of their numbers; objects without a name are
    left out.
    """
    found: dict[str, dict[str, int]] = {}
    for name, number in names:
        if name:
            row = found.setdefault(name, {"objects": 0, summed: 0})
            row["objects"] += 1
            row[summed] += number
    return dict(sorted(found.items()))


def _time_range(entries: Sequence[LedgerEntry]) -> list[str] | None:
    first = min((entry.min_time for entry in entries if entry.min_time), default=None)
    last = max((entry.max_time for entry in entries if entry.max_time), default=None)
    return [_iso(first), _iso(last)] if first and last else None


def _iso(value: datetime) -> str:
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _progress(state: JobState, entries: Sequence[LedgerEntry], progress: Sequence[dict[str, Any]]) -> float:
    """Return which part of the work's bytes is done, 0 to 1."""
    if state.plan is None or not state.plan.work_bytes:
        return 0.0
    current = state.status.get("wave", 0)
    running = sum(worker["bytesRead"] for worker in progress if worker["wave"] == current)
    published = sum(entry.size for entry in entries)
    done: float = round((published + running) / state.plan.work_bytes, 4)
    return min(1.0, done)
