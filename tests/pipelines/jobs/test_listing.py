"""`rekindle jobs list`, ids by their first characters, and what exit code 3 is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.jobs.rows.row import shortest_ids
from tests.pipelines.conftest import Ended

Rekindle = Callable[..., Ended]


@pytest.mark.parametrize(
    ("task_ids", "shown"),
    [
        ([], []),
        (["0123456789"], ["01234567"]),
        (["0123456789", "0123456788", "ab"], ["0123456789", "0123456788", "ab"]),
        (["0123456789", "012345678", "0123x"], ["0123456789", "012345678", "0123x"]),
    ],
)
def test_shortest_ids(task_ids: list[str], shown: list[str]) -> None:
    assert list(map(shortest_ids(task_ids).get, task_ids)) == shown


@pytest.mark.parametrize("broken", [2, 12])
def test_exit_code_3_names_what_failed(tmp_path: Path, rekindle: Rekindle, broken: int) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/good.log").write_text("2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z two\n")
    for number in range(broken):
        (tmp_path / f"in/{number:02d}.log.gz").write_bytes(b"\x1f\x8b\x08\x00no gzip")
    at = ("--hot-tier", tmp_path / "hot")
    ended = rekindle("backfill", "--bucket", f"file://{tmp_path}/in", *at, "--json", "--quiet")
    task_id = ended.json["taskId"]
    (line,) = [line for line in ended.err.splitlines() if line.startswith("Exit code 3")]
    names = [f"file://{tmp_path}/in/{number:02d}.log.gz" for number in range(min(broken, 10))]
    more = f" and 2 more (`rekindle jobs show {task_id} --json` shows all)" if broken > 10 else ""
    assert ended.code == 3
    assert line == f"Exit code 3: {broken} objects could not be read, or not wholly: {', '.join(names)}{more}"

    (row,) = rekindle("jobs", "list", *at, "--json").rows
    assert [row[name] for name in ("taskId", "status", "ingested", "events", "failed")] == [
        task_id, "Succeeded", 1, 2, broken,
    ]  # fmt: skip
    listed = rekindle("jobs", *at).out.splitlines()[2].split()
    assert [listed[0], *listed[3:6]] == [task_id[:8], "1", "2", str(broken)]
    for given in (task_id[:8], task_id[:1], task_id):
        assert rekindle("jobs", "show", given, *at, "--json").json["taskId"] == task_id
    assert rekindle("jobs", "cancel", task_id[:5], *at, "--json").json["taskId"] == task_id


def test_no_rate_where_nothing_was_read(tmp_path: Path, rekindle: Rekindle) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.log").write_text("2026-01-01T00:00:00Z one\n")
    flags = ("backfill", "--bucket", f"file://{tmp_path}/in", "--hot-tier", tmp_path / "hot", "--quiet")
    first, second = (rekindle(*flags).out for _ in range(2))
    assert ("MB/s" in first, "MB/s" in second, "Took" in second) == (True, False, True)


def test_first_characters_of_several_jobs(tmp_path: Path, rekindle: Rekindle) -> None:
    for task_id in ("aaaa-1", "aaaa-2", "aaaa"):
        path = tmp_path / f"hot/_rekindle/jobs/{task_id}/job.json"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    ended = rekindle("jobs", "cancel", "aaa", "--hot-tier", tmp_path / "hot")
    assert (ended.code, "3 jobs begin with aaa: aaaa, aaaa-1, aaaa-2" in ended.err) == (2, True), ended.err
    assert rekindle("jobs", "cancel", "aaaa", "--hot-tier", tmp_path / "hot").code == 0
