"""What a run did, or would do, by rule: the numbers of its report and of the audit (docs/jobs.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.maintenance.classify_files import without_rows
from transforms.hot_tier.maintenance.tasks import SourceResult, Task, TaskResult
from transforms.hot_tier.table.runs import TIER, MaintenanceRun
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.instants import format_instant
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules import RulesFile
from transforms.retention.rules_file import RULES, TIERS, load_rules

Outcome = tuple[LiveFile, SourceResult]


def account(compiled: CompiledRules, outcomes: Sequence[Outcome], rows: int) -> dict[str, Any]:
    """Count what rules take, as the report shows it.

    Args:
        compiled: The rules.
        outcomes: The files that were examined, and the result of each.
        rows: The rows of the whole table.

    Returns:
        `rules`, each with `name`, `cutoff`, `events`, `files`, `filesWhole`, `bytes` (of a file kept in part, by
        the share of its rows) and `share` (of all rows, 0 to 1); `holds`, each with `name` and `events`, those that it
        keeps from the rules (counted for the first of several holds); `held`, `events`, `bytes` and `share` in all.
    """
    by_rule = [_of_rule(compiled, number, outcomes, rows) for number in range(len(compiled.rules))]
    by_hold = [_of_hold(compiled, number, outcomes) for number in range(len(compiled.holds))]
    events = sum(rule["events"] for rule in by_rule)
    return {
        "rules": by_rule,
        "holds": by_hold,
        "held": sum(hold["events"] for hold in by_hold),
        "events": events,
        "bytes": sum(rule["bytes"] for rule in by_rule),
        "share": _share(events, rows),
    }


def without_use(compiled: CompiledRules, found: dict[str, Any], snapshot: Snapshot) -> list[str]:
    """Return warnings about rules and holds that, as the log proves, match nothing at all, as mistyped values do.

    Args:
        compiled: The rules.
        found: What they take (`account`).
        snapshot: The table.
    """
    idle = [
        *(
            (f"rule {rule.name}", rule.when)
            for rule, count in zip(compiled.rules, found["rules"], strict=True)
            if not count["events"]
        ),
        *(
            (f"hold {hold.name}", hold.when)
            for hold, count in zip(compiled.holds, found["holds"], strict=True)
            if not count["events"]
        ),
    ]
    proved = without_rows(snapshot, [condition for _, condition in idle]) if snapshot.rows else [False] * len(idle)
    return [
        f"{name}: no event of the tier meets its condition"
        for (name, _), is_so in zip(idle, proved, strict=True)
        if is_so
    ]


def outcomes_of(tasks: Sequence[Task], results: Sequence[TaskResult]) -> list[Outcome]:
    """Return the files of tasks, each with its result."""
    return [
        pair
        for task, result in zip(tasks, results, strict=True)
        for pair in zip(task.sources, result.sources, strict=True)
    ]


def file_changes(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the files that lost rows, each with the file that replaced it."""
    return [
        {
            "old": file.path,
            "new": result.rest.path if result.rest else None,
            "tier": file.tier,
            "date": file.date,
            "rows": file.rows,
            "taken": sum(result.taken),
        }
        for file, result in outcomes
        if any(result.taken)
    ]


def _of_rule(compiled: CompiledRules, number: int, outcomes: Sequence[Outcome], rows: int) -> dict[str, Any]:
    rule = compiled.rules[number]
    taken = [(file, result.taken[number], sum(result.taken)) for file, result in outcomes if result.taken[number]]
    events = sum(count for _, count, _ in taken)
    return {
        "name": rule.name,
        "cutoff": None if rule.cutoff_time is None else format_instant(rule.cutoff_time),
        "events": events,
        "files": len(taken),
        "filesWhole": sum(in_all == file.rows for file, _, in_all in taken),
        "bytes": sum(round(file.size * count / file.rows) for file, count, _ in taken),
        "share": _share(events, rows),
    }


def _of_hold(compiled: CompiledRules, number: int, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "name": compiled.holds[number].name,
        "events": sum(result.held[number] for _, result in outcomes if result.held),
    }


def _share(events: int, rows: int) -> float:
    return round(events / rows, 6) if rows else 0.0


_NONE = RulesFile((), (), "")


def kept_rules(run: MaintenanceRun) -> RulesFile:
    """Return the rules and holds of a deletion or tiering, none where they are missing or no longer valid."""
    if run.rules is None:
        return _NONE
    try:
        return load_rules(run.rules, source=run.rules_file or run.id, section=TIERS if run.kind == TIER else RULES)
    except ConfigurationError:  # valid for an older version only
        return _NONE
