"""What a run has done, or would do, by rule: the numbers of its report and of the audit (spec §13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transforms.hot_tier.snapshot import LiveFile
from transforms.hot_tier.upkeep.tasks import SourceResult, Task, TaskResult
from transforms.query.instants import format_instant
from transforms.retention.program import Program

Outcome = tuple[LiveFile, SourceResult]


def account(program: Program, outcomes: Sequence[Outcome], rows: int) -> dict[str, Any]:
    """Return what rules take, as the report has it.

    Args:
        program: The rules.
        outcomes: The files that were looked at, and what came of each.
        rows: The rows of the whole table.

    Returns:
        `rules`, each with `name`, `cutoff`, `events`, `files`, `filesWhole`, `bytes` (of a file that stays in part, its size by the
        share of its rows) and `share` (of all rows, 0 to 1); `held`, `events`, `bytes` and `share` in all.
    """
    by_rule = [_of_rule(program, number, outcomes, rows) for number in range(len(program.rules))]
    events = sum(rule["events"] for rule in by_rule)
    return {
        "rules": by_rule,
        "held": sum(result.held for _, result in outcomes),
        "events": events,
        "bytes": sum(rule["bytes"] for rule in by_rule),
        "share": _share(events, rows),
    }


def outcomes_of(tasks: Sequence[Task], results: Sequence[TaskResult]) -> list[Outcome]:
    """Return the files of tasks, each with what came of it."""
    return [pair for task, result in zip(tasks, results, strict=True) for pair in zip(task.sources, result.sources, strict=True)]


def file_changes(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return which file took the place of which: of each that lost rows its path, and that of the file that has the others."""
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


def _of_rule(program: Program, number: int, outcomes: Sequence[Outcome], rows: int) -> dict[str, Any]:
    rule = program.rules[number]
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


def _share(events: int, rows: int) -> float:
    return round(events / rows, 6) if rows else 0.0
