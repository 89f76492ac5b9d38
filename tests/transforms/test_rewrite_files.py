"""`RewriteFiles`: what the workers of a deletion, a move and a compaction write, of which no commit knows yet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.conftest import S3
from tests.pipelines.reading import everything_in, read_live, stored_files
from tests.transforms.beam import Given, Ran, run
from tests.transforms.hot_tier.tiers import Tier, event
from transforms.core.errors import GoneError, TierError
from transforms.hot_tier.maintenance import execute
from transforms.hot_tier.maintenance.tasks import Destination, SourceResult, Task, TaskResult, results_folder
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.prepare import promoted_columns
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules_file import load_rules
from transforms.rewrite_files import RewriteFiles, read_results
from transforms.storage import StorageOptions, TierLocation, TierStore, open_tier

RULES = """
rules:
  - {name: db, retention: 14d, when: service=db}
  - {name: all, retention: 30d}
holds:
  - {name: ann, when: user=ann}
"""
PROGRAM = CompiledRules.of(load_rules(RULES, source="rules.yaml"), datetime(2026, 9, 20, tzinfo=timezone.utc))
COLD = Destination("cold", target_bytes=1 << 20, level=3)
RUN = "20260920T000000Z-delete-1"


def filled(store: TierStore) -> TierStore:
    """Put files into a tier: some rows of one go, all of another (but for one that is held), none of the third."""
    Tier(store).add(
        [event("2026-09-01T10:00:00", "db 1", service="db"), event("2026-09-01T12:00:00", "web", service="web")],
        [
            event("2026-09-01T11:00:00", "db 2", service="db"),
            event("2026-09-01T13:00:00", "held", service="db", user="ann"),
        ],
        [event("2026-09-19T10:00:00", "young", service="db")],
        promote=["service"],
    )
    return store


def sources_of(store: TierStore) -> list[LiveFile]:
    """Return the three files in the order of their times."""
    return sorted(Snapshot.load(store).files.values(), key=lambda file: file.min_time)


def rewriting(store: TierStore, options: StorageOptions | None = None, *, count_only: bool = False) -> RewriteFiles:
    return RewriteFiles(
        TierLocation(store.uri, options or StorageOptions()),
        RUN,
        None if count_only else tuple(promoted_columns(store)),
    )


def rewritten(transform: RewriteFiles, *tasks: Task, again: int = 0, workers: int = 1) -> Ran:
    return run(transform, Given(Task, tasks), again=again, workers=workers)


def results(store: TierStore, *tasks: Task) -> list[TaskResult]:
    return read_results(results_folder(store, RUN), tasks)


def messages(store: TierStore, file: FileDescription | None) -> list[str]:
    assert file is not None
    table = pq.ParquetFile(io.BytesIO(store.get(f"events/{file.path}"))).read()
    assert table.num_rows == file.rows
    assert len(store.get(f"events/{file.path}")) == file.size
    found: list[str] = table["_message"].to_pylist()
    return found


def numbers(result: TaskResult) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return [(one.path, one.taken, one.held) for one in result.sources]


def single_tasks(files: Sequence[LiveFile]) -> list[Task]:
    return [Task((file,), PROGRAM, None) for file in files]


def test_a_deletion_writes_what_is_left_of_each_file(local_tier: TierStore) -> None:
    files = sources_of(filled(local_tier))
    before, live = stored_files(local_tier), read_live(local_tier)
    tasks = single_tasks(files)
    ran = rewritten(rewriting(local_tier), *tasks)
    assert sorted(ran.main) == [0, 1, 1]
    assert ran.labels == ["RewriteFiles/Spread", "RewriteFiles/Rewrite"]
    assert ran.kinds == {"main": int}
    assert ran.counters == {"rows_taken": 2, "files": 3}

    some, held, none = results(local_tier, *tasks)
    assert numbers(some) == [(files[0].path, (1, 0), (0,))]
    assert numbers(held) == [(files[1].path, (1, 0), (1,))]
    assert none == TaskResult((SourceResult(files[2].path, (0, 0), (0,)),))
    first, second = some.sources[0].rest, held.sources[0].rest
    assert (messages(local_tier, first), messages(local_tier, second)) == (["web"], ["held"])
    assert first is not None
    assert second is not None
    assert {(one.tier, one.date, one.rows, one.min_time == one.max_time) for one in (first, second)} == {
        ("hot", "2026-09-01", 1, True)
    }
    assert stored_files(local_tier) == before | {first.path, second.path}
    assert read_live(local_tier) == live


@pytest.mark.parametrize("where", ["rest", "moved"])
def test_a_file_that_lacks_rows_is_no_result(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The rows of new files are held against those that were counted, so that no commit can name too few."""
    file = sources_of(filled(local_tier))[0]
    name = {"rest": "rewrite_file", "moved": "merge_files"}[where]
    original = getattr(execute, name)

    def too_few(*args: Any, **more: Any) -> Any:
        made = original(*args, **more)
        less = [replace(one, rows=one.rows - 1) for one in ([made] if where == "rest" else made)]
        return less[0] if where == "rest" else less

    monkeypatch.setattr(execute, name, too_few)
    task = Task((file,), PROGRAM, None if where == "rest" else COLD)
    with pytest.raises(TierError, match=rf"{file.path}: 0 rows were written where 1 were counted"):
        execute.execute_task(local_tier, task, promoted=promoted_columns(local_tier), run_id=RUN)


def test_to_count_writes_nothing_but_the_numbers(local_tier: TierStore) -> None:
    files = sources_of(filled(local_tier))
    before = everything_in(local_tier)
    tasks = single_tasks(files)
    ran = rewritten(rewriting(local_tier, count_only=True), *tasks)
    assert (sorted(ran.main), ran.counters) == ([0, 1, 1], {"rows_taken": 2, "files": 3})
    assert results(local_tier, *tasks) == [
        TaskResult((SourceResult(files[0].path, (1, 0), (0,)),)),
        TaskResult((SourceResult(files[1].path, (1, 0), (1,)),)),
        TaskResult((SourceResult(files[2].path, (0, 0), (0,)),)),
    ]
    results_folder(local_tier, RUN).remove()
    assert everything_in(local_tier) == before


@pytest.mark.parametrize("count_only", [True, False])
def test_small_files_in_one_task_are_as_each_in_its_own(local_tier: TierStore, count_only: bool) -> None:
    files = sources_of(filled(local_tier))
    task = Task(tuple(files), PROGRAM, None)
    ran = rewritten(rewriting(local_tier, count_only=count_only), task)
    assert (ran.main, ran.counters) == ([2], {"rows_taken": 2, "files": 3})
    [result] = results(local_tier, task)
    assert numbers(result) == [
        (files[0].path, (1, 0), (0,)),
        (files[1].path, (1, 0), (1,)),
        (files[2].path, (0, 0), (0,)),
    ]
    left = [messages(local_tier, one.rest) for one in result.sources if one.rest]
    assert left == ([] if count_only else [["web"], ["held"]])


@pytest.mark.parametrize("count_only", [True, False])
def test_which_of_some_small_files_is_damaged_or_gone(local_tier: TierStore, count_only: bool) -> None:
    files = sources_of(filled(local_tier))
    transform, task = rewriting(local_tier, count_only=count_only), Task(tuple(files), PROGRAM, None)
    local_tier.put(f"events/{files[1].path}", b"PAR1 and no more")
    with pytest.raises(TierError, match=rf": {files[1].path} is damaged, and"):
        rewritten(transform, task)
    local_tier.delete(f"events/{files[1].path}")
    with pytest.raises(GoneError, match=rf"a file is gone from the store \(.*{files[1].path}"):
        rewritten(transform, task)


def test_a_move_writes_what_is_taken_where_it_goes(local_tier: TierStore) -> None:
    files = sources_of(filled(local_tier))
    before = stored_files(local_tier)
    task = Task(tuple(files[:2]), PROGRAM, COLD)
    ran = rewritten(rewriting(local_tier), task)
    assert (ran.main, ran.counters) == ([2], {"rows_taken": 2, "files": 2})
    [result] = results(local_tier, task)
    [moved] = result.moved
    assert (moved.tier, moved.date, moved.rows) == ("cold", "2026-09-01", 2)
    assert moved.path.startswith("tier=cold/date=2026-09-01/")
    assert messages(local_tier, moved) == ["db 1", "db 2"]
    assert [messages(local_tier, one.rest) for one in result.sources] == [["web"], ["held"]]
    assert len(stored_files(local_tier) - before) == 3


def test_a_compaction_merges_files_in_the_order_of_time(local_tier: TierStore) -> None:
    files = sources_of(filled(local_tier))
    task = Task(tuple(files[:2]), None, Destination("hot", target_bytes=1 << 20, level=1))
    ran = rewritten(rewriting(local_tier), task)
    assert (ran.main, ran.counters) == ([4], {"rows_taken": 4, "files": 2})
    [result] = results(local_tier, task)
    assert result.sources == tuple(SourceResult(file.path, (2,)) for file in files[:2])
    [merged] = result.moved
    assert messages(local_tier, merged) == ["db 1", "db 2", "web", "held"]


def test_no_task(local_tier: TierStore) -> None:
    filled(local_tier)
    before = everything_in(local_tier)
    ran = rewritten(rewriting(local_tier))
    assert ran.main == []
    assert not any(ran.counters.values())
    assert results(local_tier) == []
    assert everything_in(local_tier) == before


def test_a_bundle_that_is_tried_again_leaves_orphans_and_changes_nothing(local_tier: TierStore) -> None:
    files = sources_of(filled(local_tier))
    before, live = stored_files(local_tier), read_live(local_tier)
    tasks = [Task(tuple(files[:2]), PROGRAM, COLD), *single_tasks(files[2:])]
    ran = rewritten(rewriting(local_tier), *tasks, again=1, workers=2)
    assert (sorted(ran.main), ran.counters) == ([0, 2], {"rows_taken": 2, "files": 3})
    assert len(results_folder(local_tier, RUN).names()) == 2
    first, second = results(local_tier, *tasks)
    assert [one.taken for one in (*first.sources, *second.sources)] == [(1, 0), (1, 0), (0, 0)]
    described = {file.path for file in (*first.moved, *(one.rest for one in first.sources if one.rest))}
    assert len(described) == 3
    assert described < stored_files(local_tier)
    assert len(stored_files(local_tier) - before) == 2 * 3
    assert read_live(local_tier) == live


@pytest.mark.parametrize("count_only", [True, False])
def test_a_file_that_is_gone(local_tier: TierStore, count_only: bool) -> None:
    files = sources_of(filled(local_tier))
    local_tier.delete(f"events/{files[0].path}")
    message = (
        rf"^hot tier {local_tier.uri}: a file is gone from the store \(.*\): another command has removed it meanwhile; "
    )
    message += "run it again "
    with pytest.raises(GoneError, match=message + r"\[while running 'RewriteFiles/Rewrite'\]$"):
        rewritten(rewriting(local_tier, count_only=count_only), *single_tasks(files[:1]))
    with pytest.raises(
        GoneError, match=r": what the workers have written is gone from _rekindle/results/.*; run it again$"
    ):
        results(local_tier, *single_tasks(files[:1]))


@pytest.mark.parametrize("count_only", [True, False])
def test_a_file_that_is_damaged(local_tier: TierStore, count_only: bool) -> None:
    files = sources_of(filled(local_tier))
    local_tier.put(f"events/{files[0].path}", b"PAR1 and no more")
    with pytest.raises(TierError, match=files[0].path):
        rewritten(rewriting(local_tier, count_only=count_only), *single_tasks(files[:1]))


def test_files_of_several_partitions_are_no_task(local_tier: TierStore) -> None:
    files = sources_of(filled(local_tier))
    with pytest.raises(ValueError, match=r"^a task's files are of one partition, not \["):
        Task(tuple(files), PROGRAM, COLD)
    with pytest.raises(ValueError, match=r"^a task's files are of one partition, not \[\]$"):
        Task((), PROGRAM, None)


def test_a_place_without_a_hot_tier(local_tier: TierStore, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    tasks = single_tasks(sources_of(filled(local_tier)))
    with pytest.raises(TierError, match=rf"^hot tier {nowhere}: the worker on .* does not find it"):
        rewritten(RewriteFiles(TierLocation(str(nowhere)), RUN, None), *tasks)
    assert not nowhere.exists()


def test_on_s3(s3: S3) -> None:
    tier = filled(open_tier(f"s3://{s3.bucket}/hot", s3.options))
    files = sources_of(tier)
    task = Task(tuple(files[:2]), PROGRAM, COLD)
    ran = rewritten(rewriting(tier, s3.options), task, again=1)
    assert (ran.main, ran.counters) == ([2], {"rows_taken": 2, "files": 2})
    [result] = results(tier, task)
    assert messages(tier, result.moved[0]) == ["db 1", "db 2"]
    assert len(stored_files(tier)) == 3 + 2 * 3
