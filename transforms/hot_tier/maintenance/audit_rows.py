"""The audit's rows: one for each rule of a deletion or tiering, one for any other run, and the changes of holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from transforms.hot_tier.maintenance.accounting import kept_rules
from transforms.hot_tier.maintenance.commit_run import CommittedRun
from transforms.hot_tier.table.runs import DELETE, TIER, MaintenanceRun
from transforms.query.instants import format_instant
from transforms.retention.durations import format_duration
from transforms.retention.rules import Rule

HOLD_SET, HOLD_LIFTED = "hold_set", "hold_lifted"
_NO_COUNTS = {"events": 0, "files": 0, "bytes": 0}
_DETAILS: tuple[str, ...] = ("runs", "newer", "grace", "orphans", "columns")

Row = dict[str, Any]


def run_rows(run: MaintenanceRun, committed: CommittedRun | None, at: datetime) -> list[Row]:
    """Return the rows of a run.

    Args:
        run: The run.
        committed: What it changed; None where there was nothing to change.
        at: When that was committed, or that there is nothing was known.
    """
    document = committed.document if committed else {}
    rows = _rule_rows(run, document) if run.kind in (DELETE, TIER) else []
    versions = {
        "version_before": document.get("versionBefore"),
        "version_after": committed.version if committed else None,
    }
    return [_common(run, at) | row | versions for row in rows or [_whole_row(document)]]


def hold_rows(run: MaintenanceRun, at: datetime, in_force: Mapping[str, str | None]) -> list[Row]:
    """Return the rows about holds that have changed since the last run.

    Args:
        run: The run.
        at: When.
        in_force: Name and condition of the holds that are set by the audit.
    """
    if run.holds is None:
        return []
    found = dict(run.holds)
    lifted = [name for name, when in in_force.items() if name not in found or found[name] != when]
    new = [name for name, when in found.items() if name not in in_force or in_force[name] != when]
    changes = [(HOLD_LIFTED, name, in_force[name]) for name in lifted] + [(HOLD_SET, name, found[name]) for name in new]
    rows = ({"kind": kind, "rule": name, "detail": _json({"when": when})} for kind, name, when in changes)
    return [_common(run, at) | row for row in rows]


def holds_in_force(rows: Iterable[Row]) -> dict[str, str | None]:
    """Return name and condition of the holds that are set after these rows of the audit, in its order."""
    holds: dict[str, str | None] = {}
    for row in rows:
        if row["kind"] == HOLD_LIFTED:
            holds.pop(row["rule"], None)
        elif row["kind"] == HOLD_SET:
            holds[row["rule"]] = orjson.loads(row["detail"])["when"]
    return holds


def _rule_rows(run: MaintenanceRun, document: Row) -> list[Row]:
    counts: dict[str, Row] = {rule["name"]: rule for rule in document.get("rules", ())}
    known = {rule.name: _terms(rule, run.now) for rule in kept_rules(run).rules}
    return [_rule_row(name, counts.get(name, {}), known.get(name, {})) for name in dict.fromkeys([*known, *counts])]


def _rule_row(name: str, counts: Row, terms: Row) -> Row:
    detail = terms | {key: counts[key] for key in ("cutoff", "filesWhole") if key in counts}
    known = {key: counts[key] for key in _NO_COUNTS if key in counts}
    return _NO_COUNTS | known | {"rule": name, "detail": _json(detail)}


def _whole_row(document: Row) -> Row:
    """Return the row of a run that has no rules."""
    detail = {key: document[key] for key in _DETAILS if key in document}
    counts: Row = dict(_NO_COUNTS)
    if document:
        counts = {"events": document.get("events"), "files": len(document["files"]), "bytes": document["bytes"]}
    return {**counts, "rule": None, "detail": _json(detail)}


def _common(run: MaintenanceRun, at: datetime) -> Row:
    return {
        "run_id": run.id,
        "kind": run.kind,
        "done_at": at,
        "now": run.now,
        "who": run.who,
        "rules_file": run.rules_file,
        "rules_sha256": run.rules_sha256,
    }


def _terms(rule: Rule, now: datetime) -> Row:
    """Return a rule's terms; a disabled rule has no cut-off."""
    terms: Row = {"when": rule.text, "retention": format_duration(rule.retention)}
    if not rule.enabled:
        return terms | {"enabled": False}
    try:
        return terms | {"cutoff": format_instant(now - rule.retention)}
    except OverflowError:
        return terms | {"cutoff": None}


def _json(detail: Row) -> str:
    return orjson.dumps(detail).decode()
