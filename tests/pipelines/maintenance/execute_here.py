"""A run's tasks without Beam, in the process of the test: `monkeypatch.setattr(Rewriter, "_run", execute_here)`."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.maintenance.rewriter import Rewriter
from transforms.hot_tier.maintenance.execute import count_rows, execute_task
from transforms.hot_tier.maintenance.tasks import Task, TaskResult


def execute_here(rewriter: Rewriter, tasks: Sequence[Task], promoted: Sequence[str] | None) -> list[TaskResult]:
    """Execute tasks, or only count what they would take."""

    def result(task: Task) -> TaskResult:
        if promoted is None:
            return count_rows(rewriter.tier, task)
        return execute_task(rewriter.tier, task, promoted=promoted, run_id=rewriter._run_id)

    return [TaskResult.from_document(result(task).as_document()) for task in tasks]
