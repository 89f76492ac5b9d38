"""`Rewriter`: what is known of files is not found out again, whatever other files they come with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from tests.pipelines.maintenance.execute_here import execute_here
from tests.transforms.test_rewrite_files import COLD, PROGRAM, filled, sources_of
from transforms.hot_tier.maintenance.tasks import Task, TaskResult
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, open_tier


def test_a_new_plan_repeats_no_file_of_an_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executed: list[tuple[str, ...]] = []

    def run(rewriter: Rewriter, tasks: Sequence[Task], promoted: Sequence[str] | None) -> list[TaskResult]:
        executed.extend(task.paths for task in tasks)
        return execute_here(rewriter, tasks, promoted)

    monkeypatch.setattr(Rewriter, "_run", run)
    tier = filled(open_tier(str(tmp_path), StorageOptions()))
    first, second, third = sources_of(tier)
    promoted = Snapshot.load(tier).columns
    with closing(Rewriter(MaintenanceSettings(hot_tier=tier.uri), "run")) as rewriter:
        [before] = rewriter.rewrite([Task((first, second), PROGRAM, None)], promoted)
        [after] = rewriter.rewrite([Task((second, third), PROGRAM, None)], promoted)
        assert executed == [(first.path, second.path), (third.path,)]
        assert [one.path for one in after.sources] == [second.path, third.path]
        assert before.sources[1] == after.sources[0]
        assert rewriter.rewrite([Task((first, second), PROGRAM, None)], promoted) == [before]
        rewriter.rewrite([Task((first, second), PROGRAM, COLD)], promoted)
        assert executed[2:] == [(first.path, second.path)]
