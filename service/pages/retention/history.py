"""What was deleted, moved, undone and restored, by the audit; and what is at work now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.documents import JsonObject
from service.workers.kept_requests import KeptRequest, open_requests
from transforms.hot_tier.maintenance.audit import audit_document, read_audit
from transforms.hot_tier.table import location
from transforms.hot_tier.table.runs import DELETE, REQUEST, RESTORE, TIER, UNDO, unfinished_runs
from transforms.storage import TierStore

DONE = {DELETE: "Deleted", TIER: "Moved to cold", UNDO: "Job undone", RESTORE: "Restored"}
AT_WORK = {DELETE: "A deletion", TIER: "A move to the cold tier", UNDO: "The undoing of a job", RESTORE: "A restore"}
_MOST_READ = 2000
_MOST = 30


def read_history(tier: TierStore) -> list[JsonObject]:
    """Return the newest runs that took events away or brought them back, the newest first."""
    if not location.exists(tier):
        return []
    runs: dict[str, JsonObject] = {}
    restored: set[str] = set()
    for row in map(audit_document, read_audit(tier, limit=_MOST_READ)):
        if row["kind"] not in DONE or row["versionAfter"] is None:  # the others have changed nothing
            continue
        run = runs.setdefault(row["runId"], _new_run(row))
        run["events"] += row["events"] or 0
        run["bytes"] += row["bytes"] or 0
        if row["rule"] and row["events"]:
            run["rules"].append(row["rule"])
        if row["kind"] == RESTORE:
            restored.update(row["detail"].get("runs", ()))
    newest = list(runs.values())[::-1][:_MOST]
    return [run | {"is_restored": run["id"] in restored} for run in newest]


def _new_run(row: JsonObject) -> JsonObject:
    return {
        "id": row["runId"],
        "kind": row["kind"],
        "what": DONE[row["kind"]],
        "at": row["doneAt"],
        "who": row["who"] or "",
        "events": 0,
        "bytes": 0,
        "rules": [],
        "jobs": row["detail"].get("jobs", []),
        "runs": row["detail"].get("runs", []),
        "can_restore": row["kind"] in (DELETE, UNDO),
    }


def find_running(tier: TierStore) -> list[JsonObject]:
    """Return what is at work: requests of pages, and the runs of commands and schedules; costs two listings."""
    asked = open_requests(tier)
    known = {one.id for one in asked}
    found = [_running(one) for one in asked]
    for folder in unfinished_runs(tier):
        if folder.kind in AT_WORK and folder.is_live():
            run = folder.run()
            if run.parameters.get(REQUEST) not in known:
                found.append(_at_work(run.kind, since=run.started_at, who=run.who, request_id=None))
    return found


def _running(asked: KeptRequest) -> JsonObject:
    what = asked.request.kind if asked.request.execute else ""
    return _at_work(what, since=asked.asked_at, who=asked.request.who or "", request_id=asked.id)


def _at_work(kind: str, *, since: datetime, who: str, request_id: str | None) -> dict[str, Any]:
    return {"what": AT_WORK.get(kind, "A dry run"), "since": since, "who": who, "id": request_id}
