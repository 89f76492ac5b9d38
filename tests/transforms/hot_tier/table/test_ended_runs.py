"""Folders of runs that ended long ago go, but for what restores and jobs still ask for."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tests.transforms.hot_tier.maintenance.failing import Failing, Killed
from transforms.hot_tier.maintenance.finish import finish
from transforms.hot_tier.table.prepare import prepare
from transforms.hot_tier.table.runs import (
    COMPACT,
    DELETE,
    DONE,
    PROMOTE,
    REMOVE,
    RESTORE,
    TIER,
    UNDO,
    MaintenanceRun,
    RunFolder,
    files_of_runs,
    forget_ended_runs,
    unfinished_runs,
)
from transforms.storage import TierStore


def leave_run(store: TierStore, kind: str, days: int, *, changes: bool, done: bool = True) -> str:
    """Leave the folder of a run that began so many days ago; return its id."""
    began = datetime.now(timezone.utc) - timedelta(days=days)
    run_id = f"{began:%Y%m%dT%H%M%SZ}-{kind}-1a2b3c4d"
    folder = RunFolder(store, run_id)
    for name in ("run.json", "alive.json", *(["changes-1.json"] * changes), *([DONE] * done)):
        folder.write_json(name, {})
    return run_id


@pytest.mark.parametrize("kind", [DELETE, UNDO, RESTORE, REMOVE, TIER, COMPACT, PROMOTE])
def test_what_stays(empty_store: TierStore, kind: str) -> None:
    asked_for = [leave_run(empty_store, kind, 31, changes=True)] if kind in (DELETE, UNDO, RESTORE, REMOVE) else []
    young = [leave_run(empty_store, kind, 29, changes=True), leave_run(empty_store, kind, 28, changes=False)]
    unfinished = [leave_run(empty_store, kind, days, changes=days == 90, done=False) for days in (90, 80)]
    leave_run(empty_store, kind, 32, changes=kind not in (DELETE, UNDO, RESTORE, REMOVE))
    leave_run(empty_store, kind, 33, changes=False)
    stay = {*asked_for, *young, *unfinished}
    before = {name: files for name, files in files_of_runs(empty_store).items() if name in stay}
    forget_ended_runs(empty_store)
    assert files_of_runs(empty_store) == before
    assert [folder.run_id for folder in unfinished_runs(empty_store)] == unfinished


@pytest.mark.parametrize("call", range(1, 6))
@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
def test_killed_while_it_removes(empty_store: TierStore, call: int, *, after: bool) -> None:
    leave_run(empty_store, COMPACT, 31, changes=True)
    try:
        forget_ended_runs(Failing(empty_store, call, after=after))  # type: ignore[arg-type]
    except Killed:
        assert unfinished_runs(empty_store) == []
    forget_ended_runs(empty_store)
    assert files_of_runs(empty_store) == {}


def test_the_end_of_a_run_removes_older_ones(empty_store: TierStore) -> None:
    prepare(empty_store)
    leave_run(empty_store, TIER, 31, changes=True)
    RunFolder(empty_store, "a name of others").write_json(DONE, {})
    run = MaintenanceRun.new(COMPACT)
    finish(RunFolder.begin(empty_store, run), run, None)
    assert set(files_of_runs(empty_store)) == {"a name of others", run.id}
