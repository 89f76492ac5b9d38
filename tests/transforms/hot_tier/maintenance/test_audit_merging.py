"""The audit's files are merged: its rows stay, each once and in their order, whoever is killed or comes between."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest

from transforms.hot_tier.maintenance import audit_merging
from transforms.hot_tier.maintenance.audit import AUDIT, AuditLog, read_audit, write_audit
from transforms.hot_tier.maintenance.audit_merging import merge_audit
from transforms.hot_tier.table.runs import COMPACT, MaintenanceRun
from transforms.storage import TierStore

RUNS = 5


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_merging, "FILES", 3)


def fill(tier: TierStore, runs: int = RUNS) -> list[str]:
    """Write runs to the audit, and return their ids."""
    made = [MaintenanceRun.new(COMPACT) for _ in range(runs)]
    for run in made:
        write_audit(tier, run, None)
    return [run.id for run in made]


def audited(tier: TierStore) -> list[str]:
    return [row["run_id"] for row in read_audit(tier)]


def stored(tier: TierStore) -> list[str]:
    return sorted(
        file.path for file in tier.list(f"{AUDIT}/") if file.path.endswith(".parquet") and "_log" not in file.path
    )


def test_one_file_with_all_rows(tier: TierStore) -> None:
    made = fill(tier)
    before = read_audit(tier)
    merge_audit(tier)
    assert len(AuditLog.load(tier).files()) == 1
    assert read_audit(tier) == before
    made += fill(tier, 2)
    merge_audit(tier)
    assert len(AuditLog.load(tier).files()) == 1
    assert audited(tier) == made
    assert [row["run_id"] for row in read_audit(tier, limit=2)] == made[-2:]
    if tier.is_local:
        frame = pl.read_delta(tier.table_uri(AUDIT))
        assert sorted(frame["run_id"]) == sorted(made), "another reader"


def test_a_run_that_is_written_again_is_there_once(local_tier: TierStore) -> None:
    runs = [MaintenanceRun.new(COMPACT) for _ in range(4)]
    for run in runs:
        write_audit(local_tier, run, None)
    merge_audit(local_tier)
    for run in runs:
        write_audit(local_tier, run, None)
    assert audited(local_tier) == [run.id for run in runs]


def test_few_files_and_large_ones_stay(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fill(local_tier, 2)
    merge_audit(local_tier)
    assert len(AuditLog.load(local_tier).files()) == 2
    made += fill(local_tier, 2)
    merge_audit(local_tier)
    (merged,) = AuditLog.load(local_tier).sizes().items()
    monkeypatch.setattr(audit_merging, "LARGE", merged[1])
    made += fill(local_tier, 3)
    monkeypatch.setattr(audit_merging, "FILES", 4)
    merge_audit(local_tier)
    assert len(AuditLog.load(local_tier).files()) == 4
    monkeypatch.setattr(audit_merging, "FILES", 3)
    merge_audit(local_tier)
    assert AuditLog.load(local_tier).files()[0] == merged[0]
    assert len(AuditLog.load(local_tier).files()) == 2
    assert audited(local_tier) == made


def test_old_files_go_a_day_after_they_were_replaced(local_tier: TierStore) -> None:
    def age() -> None:
        week = datetime.now(timezone.utc) - timedelta(days=7)
        for path in stored(local_tier):
            assert local_tier.local_path is not None
            os.utime(local_tier.local_path / path, (week.timestamp(),) * 2)

    made = fill(local_tier)
    age()
    merge_audit(local_tier)
    assert len(stored(local_tier)) == RUNS + 1, "readers that opened the table before may read them"
    made += fill(local_tier, 3)
    merge_audit(local_tier)
    assert len(stored(local_tier)) == RUNS + 1 + 3 + 1, "the first merging was just now"
    age()
    made += fill(local_tier, 3)
    merge_audit(local_tier)
    assert len(stored(local_tier)) == 1 + 3 + 1, "what was replaced just now, and what replaces it"
    assert audited(local_tier) == made


def left_by_merging(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the runs of an audit that was merged once, and has files that are to be removed."""
    monkeypatch.setattr(audit_merging, "KEPT_FOR", timedelta(0))
    made = fill(tier)
    merge_audit(tier)
    return [*made, *fill(tier, 3)]


class KilledError(BaseException):
    """The process ends here."""


def at_each(monkeypatch: pytest.MonkeyPatch, tier: TierStore, act: Callable[[int, str, str], None]) -> None:
    """Call `act` before and after each write, with its number, its name, and the moment."""
    number = 0

    def around(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal number
            mine, number = number, number + 1
            act(mine, name, "before")
            result = original(*args, **kwargs)
            act(mine, name, "after")
            return result

        return call

    for method in ("put_new", "delete"):
        monkeypatch.setattr(type(tier), method, around(method, getattr(type(tier), method)))
    for name in ("commit_actions", "finish_commit"):
        monkeypatch.setattr(audit_merging, name, around(name, getattr(audit_merging, name)))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("number", "name"), [(0, "put_new"), (1, "commit_actions"), (2, "finish_commit"), (3, "delete"), (6, "delete")]
)
def test_killed_at_each_write(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, number: int, name: str, moment: str
) -> None:
    made = left_by_merging(local_tier, monkeypatch)
    dead = set(stored(local_tier)) - {f"{AUDIT}/{one}" for one in AuditLog.load(local_tier).files()}
    with monkeypatch.context() as patched:
        met: list[str] = []

        def kill(mine: int, what: str, when: str) -> None:
            if (mine, when) == (number, moment):
                met.append(what)
                raise KilledError

        at_each(patched, local_tier, kill)
        with pytest.raises(KilledError):
            merge_audit(local_tier)
        assert met == [name]
    assert audited(local_tier) == made
    made += fill(local_tier, 3)
    merge_audit(local_tier)
    assert audited(local_tier) == made
    assert len(AuditLog.load(local_tier).files()) == 1
    assert dead.isdisjoint(stored(local_tier))


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_another_comes_between(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, number: int, moment: str
) -> None:
    """Another process merges too, and writes a run, whole, between two writes."""
    made = fill(local_tier)
    busy = False

    def interleave(mine: int, what: str, when: str) -> None:
        nonlocal busy
        if (mine, when) == (number, moment) and not busy:
            busy = True
            merge_audit(local_tier)
            made.extend(fill(local_tier, 1))

    at_each(monkeypatch, local_tier, interleave)
    merge_audit(local_tier)
    assert busy
    assert audited(local_tier) == made
    merge_audit(local_tier)
    assert audited(local_tier) == made
