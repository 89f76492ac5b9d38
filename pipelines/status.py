"""What a job says of itself while it runs: to a console, and in `status.json` in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Protocol

from transforms.hot_tier.table.liveness import is_gone
from transforms.query.instants import parse_time
from transforms.storage.job_folder import JobFolder


@dataclass(frozen=True)
class Progress:
    """How far a job is: objects, compressed bytes and events read by now, and the bytes there are in all."""

    objects: int = 0
    bytes_read: int = 0
    events: int = 0
    bytes_in_all: int = 0


class Console(Protocol):
    """Where a job says what it does; the command line draws it, tests and the service keep it."""

    def say(self, text: str) -> None:
        """Say a line."""

    def progress(self, done: Progress) -> None:
        """Show how far the job is; called about once a second while objects are read."""


class Silent:
    """A console that shows nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def progress(self, done: Progress) -> None:
        """Show nothing."""


class JobStatus:
    """The fields of `status.json`, kept in step with the file.

    Attributes:
        fields: Status, stage, times, numbers of discovery, warnings.
        console: Where to say what is done.
    """

    def __init__(self, folder: JobFolder, console: Console) -> None:
        """Begin as pending; nothing is written yet."""
        self._folder = folder
        self.console = console
        self.fields: dict[str, Any] = {"status": "Pending", "warnings": [], "seconds": 0.0}

    def restore(self) -> None:
        """Take over what the folder says of an earlier run of the job."""
        self.fields |= self._folder.read_json("status.json") or {}

    def save(self, **fields: Any) -> None:
        """Set fields and write them all."""
        self.fields |= fields
        self._folder.write_json("status.json", self.fields | {"updatedAt": now()})

    def warn(self, text: str) -> None:
        """Keep a warning for the report."""
        self.fields["warnings"].append(text)


def now() -> str:
    """Return the time as the report has it: UTC, milliseconds, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_status(folder: JobFolder) -> dict[str, Any]:
    """Return `status.json`; a job that was running and whose process is gone has failed."""
    status: dict[str, Any] = folder.read_json("status.json") or {}
    if status.get("status") == "Running" and is_gone(status["host"], status["pid"], parse_time(status["updatedAt"])):
        reason = f"its process ended without a word, after {status['updatedAt']}; `rekindle jobs resume {folder.task_id}` goes on"
        status |= {"status": "Failed", "reason": reason}
    return status
