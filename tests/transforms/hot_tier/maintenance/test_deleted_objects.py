"""Past deletions are known by one listing, however many there were."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.transforms.hot_tier.maintenance.making import delete_events, with_filename
from tests.transforms.hot_tier.samples import publish
from transforms.hot_tier.maintenance.deleted_objects import Deletions
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.table.runs import DELETE, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

CUTOFF = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp() * 1_000_000)
"""Of the rules of `making`."""


def test_no_deletions(tier: TierStore) -> None:
    publish(tier, ["a"])
    assert Deletions.load(tier) is None


@pytest.mark.parametrize("done", [True, False], ids=["done", "killed"])
def test_latest_cutoff(tier: TierStore, done: bool) -> None:
    publish(tier, ["a", "b"])
    delete_events(tier, with_filename("a"), done=done)
    found = Deletions.load(tier)
    assert found is not None
    assert found.cutoff == CUTOFF
    finish_interrupted(tier, lambda _: False)
    assert Deletions.load(tier, found.snapshot) == found


def test_one_listing(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(local_tier, ["a", "b", "c"])
    for name in ("a", "b"):
        delete_events(local_tier, with_filename(name))
    for _ in range(3):
        idle = MaintenanceRun.new(DELETE, rules="rules: []")
        finish(RunFolder.begin(local_tier, idle), idle, None)
    begun = MaintenanceRun.new(DELETE, rules="rules: []")
    RunFolder.begin(local_tier, begun)
    finish_interrupted(local_tier, lambda _: False)  # it is given up

    snapshot = Snapshot.load(local_tier)
    asked: list[str] = []
    listing = local_tier.list
    monkeypatch.setattr(local_tier, "list", lambda prefix: asked.append(prefix) or listing(prefix))
    monkeypatch.setattr(local_tier, "get", None)
    found = Deletions.load(local_tier, snapshot)
    assert found is not None
    assert found.cutoff == CUTOFF
    assert asked == ["_rekindle/runs/"]


def test_deletions_that_took_nothing(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    idle = MaintenanceRun.new(DELETE, rules="rules: []")
    finish(RunFolder.begin(local_tier, idle), idle, None)
    assert Deletions.load(local_tier) is None
