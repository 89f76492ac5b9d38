"""The audit's rows: one for each rule and hold of a run, one for any other run and for a change of configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from transforms.hot_tier.configuration.store import PIPELINES_SET, Configuration
from transforms.hot_tier.maintenance.accounting import kept_rules
from transforms.hot_tier.maintenance.commit_run import CommittedRun
from transforms.hot_tier.table.runs import DELETE, TIER, UNDO, MaintenanceRun
from transforms.query.instants import format_instant, parse_time
from transforms.retention.durations import format_duration
from transforms.retention.rules import Rule

HOLD = "hold"
_NO_COUNTS = {"events": 0, "files": 0, "bytes": 0}
_DETAILS: tuple[str, ...] = ("runs", "newer", "grace", "orphans", "columns", "jobs", "objects", "objectsHeld")

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
    return [_common(run, at) | row | versions for row in rows or [_whole_row(run, document)]]


def hold_rows(run: MaintenanceRun, committed: CommittedRun | None, at: datetime) -> list[Row]:
    """Return a row for each hold that was in force, the tier's and the file's, with the events that it kept.

    Args:
        run: The run.
        committed: What it changed; None where there was nothing to change.
        at: When.
    """
    counted = committed.document.get("holds", ()) if committed else ()
    kept: dict[str, int | None] = {hold["name"]: hold["events"] for hold in counted}
    conditions = dict(run.holds or ())
    return [
        _common(run, at)
        | {"kind": HOLD, "rule": name, "detail": _json({"when": conditions.get(name), "kept": kept.get(name)})}
        for name in dict.fromkeys([*conditions, *kept])
    ]


def configuration_row(configuration: Configuration) -> Row:
    """Return the row of a change of the tier's configuration."""
    change = configuration.change
    assert change is not None, "only version 0, which is no file, was made by no change"
    at = parse_time(configuration.at)
    row = {
        "run_id": f"config-{configuration.version:08d}",
        "kind": change.kind,
        "rule": change.name,
        "done_at": at,
        "now": at,
        "who": configuration.who,
        "detail": _json({"version": configuration.version, **change.detail}),
    }
    if change.kind == PIPELINES_SET and configuration.pipelines is not None:
        file = configuration.pipelines
        row |= {"rules_file": file.file, "rules_sha256": file.sha256}
    return row


def _rule_rows(run: MaintenanceRun, document: Row) -> list[Row]:
    counts: dict[str, Row] = {rule["name"]: rule for rule in document.get("rules", ())}
    known = {rule.name: _terms(rule, run.now) for rule in kept_rules(run).rules}
    return [_rule_row(name, counts.get(name, {}), known.get(name, {})) for name in dict.fromkeys([*known, *counts])]


def _rule_row(name: str, counts: Row, terms: Row) -> Row:
    detail = terms | {key: counts[key] for key in ("cutoff", "filesWhole") if key in counts}
    known = {key: counts[key] for key in _NO_COUNTS if key in counts}
    return _NO_COUNTS | known | {"rule": name, "detail": _json(detail)}


def _whole_row(run: MaintenanceRun, document: Row) -> Row:
    """Return the row of a run that has no rules."""
    asked = {"jobs": [run.parameters["job"]]} if run.kind == UNDO else {}
    detail = asked | {key: document[key] for key in _DETAILS if key in document}
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
