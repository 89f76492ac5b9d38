"""Maintenance runs: each executed deletion, undoing, restore, move, compaction, promotion or removal.

Each has a folder `_rekindle/runs/RUN/`.

`run.json` is written before anything is done, `changes-UUID.json` before each attempt to commit, `done.json` when the
audit has the run. Only the table's log decides what was done: of the changes that a run has written, those whose path
is an app id of a commit.
"""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.table.liveness import SILENCE_SECONDS, is_gone
from transforms.query.instants import format_instant
from transforms.storage import TierStore
from transforms.storage.json_folder import JsonFolder, folders_in

ROOT = "_rekindle/runs"
DELETE, RESTORE, TIER, COMPACT, REMOVE, PROMOTE = "delete", "restore", "tier", "compact", "remove", "promote"
UNDO = "undo"
DONE = "done.json"
NEEDS = "needs.json"
"""What a restore reads, a list of paths in the table: no removal deletes them while the restore runs."""
_ALIVE = "alive.json"
CHANGES = "changes-"
_RUN = "run.json"
_OVER = frozenset({TIER, COMPACT, PROMOTE})
"""Kinds of runs of which nothing is asked any more once they are done."""
_KEPT = timedelta(days=30)
"""How long their folders are kept."""
_ACTOR: ContextVar[str | None] = ContextVar("actor", default=None)
_REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
REQUEST = "request"
"""The parameter of a run that has the id of what asked for it."""
_STAMP = "%Y%m%dT%H%M%SZ"
CUTOFF = "cutoff-"
"""A file without content of a deletion that is done: what follows is the latest cut-off of its rules."""


@dataclass(frozen=True, kw_only=True)
class MaintenanceRun:
    """One run of maintenance.

    Attributes:
        id: Its name, which begins with its time.
        kind: `delete`, `undo`, `restore`, `tier`, `compact`, `promote` or `remove`.
        now: The time that retention counts from (`--now`), UTC.
        started_at: The time by the clock, UTC.
        who: Who ran it: `user@host`, or the key by which it was asked for over HTTP.
        host: On which machine.
        pid: By which process there.
        rules: The text of the rules file, or None where it has none.
        rules_file: Its name.
        rules_sha256: Its hash, in hexadecimal digits.
        rules_version: The version of the tier's configuration that has it; None where a file was given.
        holds: Name and condition of the holds that were in force, None where the run knows none.
        parameters: Its other parameters.
    """

    id: str
    kind: str
    now: datetime
    started_at: datetime
    who: str
    host: str
    pid: int
    rules: str | None = None
    rules_file: str | None = None
    rules_sha256: str | None = None
    rules_version: int | None = None
    holds: tuple[tuple[str, str | None], ...] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def new(cls, kind: str, *, now: datetime | None = None, **fields: Any) -> MaintenanceRun:
        """Return a run of this process that begins now."""
        started = datetime.now(timezone.utc)
        host = socket.gethostname()
        common: dict[str, Any] = {
            "kind": kind,
            "now": now or started,
            "started_at": started,
            "host": host,
            "pid": os.getpid(),
        }
        if (request := _REQUEST.get()) is not None:
            fields["parameters"] = {**fields.get("parameters", {}), REQUEST: request}
        return cls(id=new_id(kind, started), who=who(), **common, **fields)

    @property
    def removal_time(self) -> int:
        """When the files it removes count as removed, in milliseconds since 1970 UTC: not before its start."""
        return int(max(self.now, self.started_at).timestamp() * 1000)

    def as_document(self) -> dict[str, Any]:
        """Return the run as a JSON document."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> MaintenanceRun:
        """Return the run that `as_document` was made from."""
        times = {name: datetime.fromisoformat(document[name]) for name in ("now", "started_at")}
        holds = document["holds"]
        return cls(
            **document | times | {"holds": None if holds is None else tuple((name, when) for name, when in holds)}
        )


class RunFolder(JsonFolder):
    """The folder of one run."""

    def __init__(self, tier: TierStore, run_id: str) -> None:
        """Name the folder; nothing is read or written yet."""
        super().__init__(tier, f"{ROOT}/{run_id}")
        self.run_id = run_id
        self.kind = run_id.rpartition("-")[0].rpartition("-")[2]

    @classmethod
    def begin(cls, tier: TierStore, run: MaintenanceRun) -> RunFolder:
        """Write the folder of a new run."""
        folder = cls(tier, run.id)
        tier.put_new(folder.path(_RUN), orjson.dumps(run.as_document(), option=orjson.OPT_INDENT_2))
        return folder

    def run(self) -> MaintenanceRun:
        """Return the run.

        Raises:
            ConfigurationError: there is none of that name.
        """
        document = self.read_json(_RUN)
        if document is None:
            raise ConfigurationError(f"there is no run {self.run_id} in {self.tier.uri}", field="run")
        return MaintenanceRun.from_document(document)

    def is_done(self) -> bool:
        """Whether nothing of the run is left to do."""
        return self.tier.exists(self.path(DONE))

    def show_life(self) -> None:
        """Sign that the run is at work, for other machines too; to be called every few seconds."""
        self.write_json(_ALIVE, {"at": format_instant(datetime.now(timezone.utc))})

    def is_live(self) -> bool:
        """Whether there is such a run, and it may still be at work.

        On this machine its process must exist; where it has signed, the last sign must be recent too, because another
        process may have got the number of one that is gone.
        """
        document = self.read_json(_RUN)
        if document is None or self.is_done():
            return False
        run = MaintenanceRun.from_document(document)
        sign = self.read_json(_ALIVE)
        if sign is None:
            return not is_gone(run.host, run.pid, run.started_at)
        last = datetime.fromisoformat(sign["at"].replace("Z", "+00:00"))
        is_silent = datetime.now(timezone.utc) - last > timedelta(seconds=SILENCE_SECONDS)
        return not is_silent and not is_gone(run.host, run.pid, last)

    def new_changes(self, document: dict[str, Any]) -> str:
        """Write what an attempt is about to commit, and return the file's path, which the commit must name."""
        path = self.path(f"{CHANGES}{uuid.uuid4()}.json")
        self.tier.put_new(path, orjson.dumps(document))
        return path

    def changes(self) -> list[str]:
        """Return the paths of the changes of all attempts."""
        return [self.path(name) for name in self.names(CHANGES)]


def new_id(kind: str, started: datetime) -> str:
    """Return a new id, which begins with its time."""
    return f"{started:{_STAMP}}-{kind}-{uuid.uuid4().hex[:8]}"


def begun_at(run_id: str) -> datetime:
    """Return when a run began, by its id."""
    return datetime.strptime(run_id.partition("-")[0], _STAMP).replace(tzinfo=timezone.utc)


def list_runs(tier: TierStore) -> Iterator[RunFolder]:
    """Yield the folders of all runs, the oldest first."""
    return (RunFolder(tier, run_id) for run_id in sorted(folders_in(tier, ROOT)))


def unfinished_runs(tier: TierStore) -> list[RunFolder]:
    """Return the folders of the runs that are not done, the oldest first; costs one listing."""
    return [
        RunFolder(tier, run_id)
        for run_id, found in sorted(files_of_runs(tier).items())
        if _RUN in found and DONE not in found
    ]


def forget_ended_runs(tier: TierStore) -> None:
    """Remove the folders of runs that ended long ago and that nothing asks for again: the audit has them.

    What a deletion, an undoing, a restore or a removal has changed stays: later restores and jobs go by it. `run.json`
    goes first and `done.json` last, so that a folder of which a part is left is of no unfinished run.
    """
    for run_id, found in files_of_runs(tier).items():
        folder = RunFolder(tier, run_id)
        idle = not any(name.startswith(CHANGES) for name in found)
        if DONE in found and (idle or folder.kind in _OVER) and _is_old(run_id):
            for name in sorted(found, key=lambda name: (name != _RUN, name == DONE)):
                tier.delete(folder.path(name))


def _is_old(run_id: str) -> bool:
    try:
        return datetime.now(timezone.utc) - begun_at(run_id) > _KEPT
    except ValueError:  # no name of the product's
        return False


def files_of_runs(tier: TierStore) -> dict[str, set[str]]:
    """Return the names of the files in each run's folder, by the runs' ids; costs one listing."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for file in tier.list(f"{ROOT}/"):
        run_id, _, name = file.path.removeprefix(f"{ROOT}/").partition("/")
        names[run_id].add(name)
    return names


@contextmanager
def acting_for(name: str | None, *, request: str | None = None) -> Iterator[None]:
    """Let what the block does count as done by somebody who is no user of this machine; None is its user.

    The runs that begin in it have the id of the request as a parameter.
    """
    before, request_before = _ACTOR.set(name), _REQUEST.set(request)
    try:
        yield
    finally:
        _ACTOR.reset(before)
        _REQUEST.reset(request_before)


def who() -> str:
    """Return who acts: the user of this process, `user@host`, or whoever it acts for."""
    return _ACTOR.get() or f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
