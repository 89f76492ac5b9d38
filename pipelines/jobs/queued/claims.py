"""Claims: which worker runs a job of the queue, or any other task. The newest claim of a task holds.

A claim is the file `claim/N.json` in the task's folder. Of several workers that want the job one succeeds, because the
file is written put-if-absent. Its owner writes it again every few seconds; a claim that is silent is taken over as
N + 1. Two workers that run one job, because one only seemed to be silent, are no danger to what is published: the
ledger decides that. It is a waste, which the first one ends as soon as it sees that its claim is not the newest.
"""

from __future__ import annotations

import os
import re
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import orjson
from pydantic import ValidationError

from pipelines.documents import JsonModel
from transforms.core.errors import DamagedFileError
from transforms.storage import TierFile
from transforms.storage.json_folder import JsonFolder

SILENT_SECONDS = 60.0
"""A claim that has not been written again for so long is taken over."""
SIGN_SECONDS = 5.0
"""How often a worker writes its claim again."""
_NUMBER = re.compile(r"(\d+)\.json")
_PREFIX = "claim/"


class ClaimFile(JsonModel):
    """What `claim/N.json` holds.

    Attributes:
        machine, pid, began: The process: its machine, its number there, and when that machine started it.
        token: Random: by it the process knows its own claim, where the store's answer was lost.
        state: `held`; `released`, where another may take the job; or `ended`.
        crashes: How many claims before it, in a row, fell silent.
    """

    machine: str
    pid: int
    began: str
    token: str
    state: Literal["held", "released", "ended"] = "held"
    crashes: int = 0


@dataclass(frozen=True, kw_only=True)
class JobClaim:
    """One claim of a job, as it was read or written.

    Attributes:
        number: From 1 on.
        modified: When the file was last written, by the store's clock; None for one that this process has just written.
    """

    number: int
    content: ClaimFile
    modified: datetime | None = None


def newest_claim(folder: JsonFolder) -> JobClaim | None:
    """Return the claim of a job that holds, None where it has none."""
    files = {claim_number(file): file for file in folder.tier.list(folder.path(_PREFIX))}
    for number in sorted(files, reverse=True):
        content = _read_claim(folder, number)
        if content is not None:
            return JobClaim(number=number, content=content, modified=files[number].modified)
    return None


def _read_claim(folder: JsonFolder, number: int) -> ClaimFile | None:
    """Return what a claim holds, None where it is gone; a damaged one is somebody's who may be silent."""
    try:
        content = folder.read_json(f"{_PREFIX}{number}.json")
        return None if content is None else ClaimFile.model_validate(content)
    except (DamagedFileError, ValidationError):
        return ClaimFile(machine="", pid=0, began="", token="")


def claim_number(file: TierFile) -> int:
    """Return the number of a claim's file, 0 for another file."""
    found = _NUMBER.fullmatch(file.path.rpartition("/")[2])
    return int(found[1]) if found else 0


def take_claim(folder: JsonFolder, number: int, *, crashes: int = 0) -> JobClaim | None:
    """Take a job for this process; return None where another was faster."""
    pid = os.getpid()
    content = ClaimFile(
        machine=machine(), pid=pid, began=started_at(pid) or "", token=uuid.uuid4().hex, crashes=crashes
    )
    name = f"{_PREFIX}{number}.json"
    try:
        folder.tier.put_new(folder.path(name), orjson.dumps(content.as_document()))
    except FileExistsError:
        there = folder.read_json(name)
        if there is None or ClaimFile.model_validate(there).token != content.token:
            return None
    return JobClaim(number=number, content=content)


def write_claim(folder: JsonFolder, claim: JobClaim, state: Literal["held", "released", "ended"] = "held") -> None:
    """Write a claim of this process again: a sign of life, or its end."""
    folder.write_json(f"{_PREFIX}{claim.number}.json", replace_state(claim, state).content.as_document())


def replace_state(claim: JobClaim, state: Literal["held", "released", "ended"]) -> JobClaim:
    """Return a claim in another state."""
    return replace(claim, content=claim.content.model_copy(update={"state": state}))


def is_newest(folder: JsonFolder, claim: JobClaim) -> bool:
    """Whether nobody has taken the job over."""
    return max(map(claim_number, folder.tier.list(folder.path(_PREFIX))), default=0) <= claim.number


@dataclass
class SilenceWatch:
    """Which claims are silent: those whose process this machine knows to be gone, or that have long not changed.

    How long is measured by this process's clock from when it first saw the claim so: clocks of machines differ.
    """

    clock: Callable[[], float] = time.monotonic
    _seen: dict[tuple[str, int], tuple[datetime | None, float]] = field(default_factory=dict)

    def is_silent(self, folder: JsonFolder, claim: JobClaim) -> bool:
        """Whether a claim that is held must be taken over."""
        content = claim.content
        if content.machine == machine():
            return started_at(content.pid) != content.began
        key = (folder.root, claim.number)
        modified, since = self._seen.get(key, (None, 0.0))
        if key not in self._seen or modified != claim.modified:
            self._seen[key] = (claim.modified, self.clock())
            return False
        return self.clock() - since > SILENT_SECONDS

    def forget(self, folder: JsonFolder) -> None:
        """Forget the claims in a folder."""
        for key in [key for key in self._seen if key[0] == folder.root]:
            del self._seen[key]


@cache
def machine() -> str:
    """Return what tells this machine from others, also one container from another of the same host name."""
    boot = _read(Path("/proc/sys/kernel/random/boot_id"))
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        namespace = ""
    return "/".join(filter(None, (socket.gethostname(), boot, namespace)))


def started_at(pid: int) -> str | None:
    """Return when a process of this machine began, so that its number is not taken for a later one's; None if none is.

    Where the machine does not say when, the answer is empty for each process that is there.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    stat = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    if stat and stat[0] in "ZX":  # it has ended, and its parent has not asked yet
        return None
    return stat[19] if len(stat) > 19 else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
