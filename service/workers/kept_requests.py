"""Requests of maintenance that the tier keeps, so that a page need not wait, and any service can show how they end.

`_rekindle/maintenance/ID/` has `request.json`, the claims of the processes that have tried it (`claim/N.json`, as those
of jobs), and at last `outcome.json`. A process that is gone is followed by another (`service.workers.kept_run`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import orjson

from pipelines.documents import JsonObject
from pipelines.jobs.queued.claims import JobClaim, newest_claim
from service.workers.maintenance import MaintenanceRequest
from transforms.hot_tier.table.runs import begun_at, new_id
from transforms.storage import TierStore
from transforms.storage.json_folder import JsonFolder

ROOT = "_rekindle/maintenance"
REQUEST, OUTCOME = "request.json", "outcome.json"
_ID = re.compile(r"\d{8}T\d{6}Z-[a-z]+-[0-9a-f]{8}(-execute)?")
_EXECUTE = "-execute"
_KEPT = timedelta(days=30)
"""How long what has ended is kept: the audit has what was done."""


@dataclass(frozen=True, kw_only=True)
class KeptRequest:
    """A request of maintenance, and what has become of it.

    Attributes:
        id: Its name.
        request: What was asked for.
        asked_at: When.
        claim: The newest claim of a process, None where none has begun, or it has ended.
        outcome: `answer`, the report or error, and `at`, when it came; None as long as it is not there.
    """

    id: str
    request: MaintenanceRequest
    asked_at: datetime
    claim: JobClaim | None
    outcome: JsonObject | None


def folder_of(tier: TierStore, request_id: str) -> JsonFolder:
    """Return the folder of a request."""
    return JsonFolder(tier, f"{ROOT}/{request_id}")


def execution_of(dry_run: str) -> str:
    """Return the id of the request that executes a dry run."""
    return f"{dry_run}{_EXECUTE}"


def keep_request(tier: TierStore, request: MaintenanceRequest, *, dry_run: str | None = None) -> str:
    """Keep a request, and return its id.

    Args:
        tier: The hot tier.
        request: What is asked for.
        dry_run: The id of the dry run that it executes: of two that execute one, the first is kept.
    """
    forget_old_requests(tier)
    now = datetime.now(timezone.utc)
    request_id = new_id(request.kind, now) if dry_run is None else execution_of(dry_run)
    path = folder_of(tier, request_id).path(REQUEST)
    document = {"at": now.isoformat(), "request": request.model_dump(mode="json", by_alias=True)}
    try:
        tier.put_new(path, orjson.dumps(document))
    except FileExistsError:
        if dry_run is None:
            raise
    return request_id


def load_request(tier: TierStore, request_id: str) -> KeptRequest | None:
    """Return a request, None where there is none of that id."""
    folder = folder_of(tier, request_id)
    document = folder.read_json(REQUEST) if _ID.fullmatch(request_id) else None
    if document is None:
        return None
    outcome = folder.read_json(OUTCOME)
    claim = newest_claim(folder) if outcome is None else None
    asked_at, request = datetime.fromisoformat(document["at"]), MaintenanceRequest.model_validate(document["request"])
    return KeptRequest(id=request_id, request=request, asked_at=asked_at, claim=claim, outcome=outcome)


def open_requests(tier: TierStore) -> list[KeptRequest]:
    """Return the requests that have no outcome, the oldest first; costs one listing where there are none."""
    found = (load_request(tier, name) for name, files in _files(tier) if REQUEST in files and OUTCOME not in files)
    return [one for one in found if one is not None and one.outcome is None]


def forget_old_requests(tier: TierStore) -> None:
    """Remove the requests that ended long ago."""
    for name, files in _files(tier):
        if OUTCOME in files and datetime.now(timezone.utc) - begun_at(name) > _KEPT:
            for file in sorted(files, key=lambda file: file == OUTCOME):  # last, so that nothing is open again
                tier.delete(f"{ROOT}/{name}/{file}")


def _files(tier: TierStore) -> Iterator[tuple[str, set[str]]]:
    """Yield the names of the folders of requests, each with its files, the oldest first."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for file in tier.list(f"{ROOT}/"):
        name, _, rest = file.path.removeprefix(f"{ROOT}/").partition("/")
        if _ID.fullmatch(name):
            names[name].add(rest)
    yield from sorted(names.items())
