"""The status of a job, `status.json` in its folder: written while it runs, read by whoever asks."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any

from pipelines.console import Console, Progress
from transforms.core.errors import DamagedFileError
from transforms.core.json_object import JsonObject
from transforms.hot_tier.table.liveness import is_gone
from transforms.query.instants import parse_time
from transforms.storage.job_folder import STATUS_FILE, JobFolder

BROKEN = ("failed", "salvaged", "quarantined", "vanished")
"""What becomes of an object that can't be read, or not wholly."""
ENDED = ("Succeeded", "Failed", "Canceled")
_MOST_WARNINGS = 1000


@dataclass(frozen=True, kw_only=True)
class JobStatus:
    """The fields of `status.json`, there in camelCase; what is None is left out.

    Attributes:
        status: `Pending`, `Running`, `Succeeded`, `Failed` or `Canceled`; None before the file is written.
        warnings: For the report.
        columns_added: Attributes that got a column, for the report.
        seconds: How long the job has run, without the time since it was last started.
        host, pid: The launcher's machine, and its process there.
        started_at, finished_at, updated_at, resumed_at: Times, as `now` has them.
        stage: `Discovery` or `Processing`.
        evaluated, excluded, matched: How many objects discovery has looked at, how many are left out by `exclude`, and
            how many match.
        wave: The wave that is running.
        reason: Why the job has failed or was canceled.
        undone: The run by which it was undone (`runId`), and when that began (`at`).
        listed: The path of its entry in the list of jobs.
        queued: True where a worker of a service runs the job, and another one goes on with it if that one ends.
        watch: How a watch stands, as its report has it; None of other jobs.
    """

    status: str | None = None
    warnings: tuple[str, ...] = ()
    columns_added: tuple[str, ...] = ()
    seconds: float = 0.0
    host: str | None = None
    pid: int | None = None
    started_at: str | None = None
    stage: str | None = None
    evaluated: int | None = None
    excluded: int | None = None
    matched: int | None = None
    wave: int | None = None
    reason: str | None = None
    finished_at: str | None = None
    updated_at: str | None = None
    resumed_at: str | None = None
    undone: dict[str, str] | None = None
    listed: str | None = None
    queued: bool | None = None
    watch: JsonObject | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the job will not go on by itself."""
        return self.status in ENDED

    def document(self) -> dict[str, object]:
        """Return the status as JSON takes it."""
        values = {stored_name(one.name): getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> JobStatus:
        """Return the status that `document` was made from."""
        values = {one.name: document.get(stored_name(one.name)) for one in fields(cls)}
        known = {name: value for name, value in values.items() if value is not None}
        lists = {name: tuple(document.get(stored_name(name), ())) for name in ("warnings", "columns_added")}
        return cls(**known | lists)


class StatusFile:
    """The status of the job that this process runs, kept in step with the file.

    Attributes:
        current: The status as it stands.
        console: Where the job reports to.
    """

    def __init__(self, folder: JobFolder, console: Console) -> None:
        """Begin as pending; nothing is written yet."""
        self._folder = folder
        self.console = console
        self.current = JobStatus(status="Pending")

    def restore(self) -> None:
        """Take over the status that an earlier run of the job has left."""
        self.current = _read(self._folder) or self.current

    def update(self, **fields: Any) -> None:
        """Set fields; they are written with the next `save`."""
        self.current = replace(self.current, **fields)

    def save(self, **fields: Any) -> None:
        """Set fields, and write all."""
        if fields:  # else the thread that saves once a second could undo what another has just set
            self.update(**fields)
        self._folder.write_json(STATUS_FILE, replace(self.current, updated_at=now()).document())

    def warn(self, text: str) -> None:
        """Keep a warning for the report, once; a watch that goes on for ever keeps as many as people read."""
        known = self.current.warnings
        if text not in known and len(known) < _MOST_WARNINGS:
            self.update(warnings=(*known, text))


def now() -> str:
    """Return the time as the report has it: UTC, milliseconds, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_status(folder: JobFolder) -> JobStatus:
    """Return the status of a job; one that was running and whose process is gone has failed, or waits in the queue."""
    status = _read(folder) or JobStatus()
    host, pid, updated = status.host, status.pid, status.updated_at
    if status.status == "Running" and host and pid and updated and is_gone(host, pid, parse_time(updated)):
        if status.queued:
            return replace(status, status="Pending", reason=f"its worker ended after {updated}; another continues it")
        cure = f"`rekindle jobs resume {folder.task_id}` continues it"
        return replace(status, status="Failed", reason=f"its process ended without a message after {updated}; {cure}")
    return status


def read_progress(folder: JobFolder, wave: int | None) -> Progress:
    """Return what the workers of a wave have read so far, and have not published."""
    workers = [worker for worker in folder.progress() if worker["wave"] == wave]
    return Progress(
        objects=sum(worker["objects"] for worker in workers),
        bytes_read=sum(worker["bytesRead"] for worker in workers),
        events=sum(worker["events"] for worker in workers),
    )


def _read(folder: JobFolder) -> JobStatus | None:
    """Return the status, None where there is none, or a damaged one: what was published is in the ledger, not here."""
    try:
        document = folder.read_json(STATUS_FILE)
    except DamagedFileError:
        return None
    is_status = isinstance(document, dict) and isinstance(document.get("status"), str)
    return JobStatus.from_document(document) if is_status else None


def stored_name(name: str) -> str:
    """Return the name of a field as JSON has it, in camelCase."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
