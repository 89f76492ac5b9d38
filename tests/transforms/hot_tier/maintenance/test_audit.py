"""Every run is in the audit once, whoever finishes it and however often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import orjson
import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from tests.conftest import REGION, S3
from tests.fault_proxy import Fault, FaultProxy
from tests.transforms.hot_tier.maintenance.making import (
    RULES,
    Made,
    compact_events,
    delete_events,
    ending,
    move_events,
    with_filename,
)
from tests.transforms.hot_tier.samples import expected_ids, ids, publish
from transforms.core.errors import TierError
from transforms.hot_tier.maintenance.audit import read_audit, write_audit
from transforms.hot_tier.maintenance.commit_run import Change, CommittedRun, commit_run, find_committed
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.table.runs import (
    COMPACT,
    DELETE,
    REMOVE,
    TIER,
    MaintenanceRun,
    RunFolder,
    unfinished_runs,
    who,
)
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, TierStore, open_tier

NOBODY = lambda run: False  # noqa: E731
LATER = {"name": "set later", "events": 2}
"""A hold that was set while a run was at work."""


def ruled(kind: str = DELETE, **fields: Any) -> MaintenanceRun:
    return MaintenanceRun.new(kind, rules=RULES, rules_file="rules.yaml", rules_sha256="ab", **fields)


def test_a_row_for_each_rule(tier: TierStore) -> None:
    publish(tier, ["a", "b"])
    before = Snapshot.load(tier).version
    began = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    run, committed = delete_events(tier, with_filename("a"))
    short, none = read_audit(tier)

    assert began <= short.pop("done_at") <= datetime.now(timezone.utc)
    assert orjson.loads(short.pop("detail")) == {
        "when": "filename=a",
        "retention": "14d",
        "cutoff": "2026-01-01T00:00:00Z",
        "filesWhole": 0,
    }
    assert short == {
        "run_id": run.id,
        "kind": "delete",
        "rule": "short",
        "now": run.now,
        "who": run.who,
        "events": 5,
        "files": 1,
        "bytes": 7,
        "version_before": before,
        "version_after": committed.version,
        "rules_file": "rules.yaml",
        "rules_sha256": "ab",
    }
    assert (none["rule"], none["events"], none["files"]) == ("none", 0, 0)
    assert RunFolder(tier, run.id).read_json("done.json") == {"changes": committed.path, "version": committed.version}


def test_runs_that_took_nothing_and_runs_without_rules(tier: TierStore) -> None:
    publish(tier, ["a", "b"])
    nothing = MaintenanceRun.new(
        TIER, rules="tiers: [{name: old, retention: 36h}, {name: later, retention: 1d, enabled: false}]"
    )
    finish(RunFolder.begin(tier, nothing), nothing, None)
    empty = MaintenanceRun.new(DELETE, rules="rules: []")
    finish(RunFolder.begin(tier, empty), empty, None)
    compacted, committed = compact_events(tier)

    rows = read_audit(tier)
    assert [(row["kind"], row["rule"], row["events"], row["version_after"]) for row in rows] == [
        ("tier", "old", 0, None),
        ("tier", "later", 0, None),
        ("delete", None, 0, None),
        ("compact", None, 10, committed.version),
    ]
    assert [orjson.loads(row["detail"]) for row in rows[:2]] == [
        {
            "when": None,
            "retention": "36h",
            "cutoff": (nothing.now - timedelta(hours=36)).isoformat().replace("+00:00", "Z"),
        },
        {"when": None, "retention": "1d", "enabled": False},
    ]
    assert rows[3]["files"] == len(committed.document["files"])


def test_rules_that_cannot_be_read_any_more(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    run, committed = delete_events(local_tier, ending("0"), rules="what: was a rule once", done=False)
    write_audit(local_tier, run, committed)
    assert [(row["rule"], row["events"]) for row in read_audit(local_tier)] == [("short", 1), ("none", 0)]


def test_other_readers_see_all_rows(tier: TierStore) -> None:
    for _ in range(12):  # a checkpoint comes between
        write_audit(tier, ruled(), None)
    options = tier.polars_options() or None
    assert len(pl.scan_delta(tier.table_uri("audit"), storage_options=options).collect()) == 24
    table = DeltaTable(tier.table_uri("audit"), storage_options=tier.delta_options())
    assert table.to_pyarrow_table(filters=[("kind", "=", "delete")]).num_rows == 24
    assert len(read_audit(tier)) == 24


def test_append_only(local_tier: TierStore) -> None:
    write_audit(local_tier, ruled(), None)
    with pytest.raises(DeltaError, match="append"):
        DeltaTable(local_tier.table_uri("audit")).delete()


def test_a_row_for_each_hold(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    nothing, run = (ruled(holds=(("case", "x=1"), ("all", None))) for _ in range(2))
    write_audit(local_tier, nothing, None)
    write_audit(local_tier, run, CommittedRun("changes", 1, {"holds": [{"name": "case", "events": 7}, LATER]}))
    write_audit(local_tier, MaintenanceRun.new(COMPACT), None)
    rows = [row for row in read_audit(local_tier) if row["kind"] == "hold"]
    assert [(row["run_id"], row["rule"], row["events"], orjson.loads(row["detail"])) for row in rows] == [
        (nothing.id, "case", None, {"when": "x=1", "kept": None}),
        (nothing.id, "all", None, {"when": None, "kept": None}),
        (run.id, "case", None, {"when": "x=1", "kept": 7}),
        (run.id, "all", None, {"when": None, "kept": None}),
        (run.id, "set later", None, {"when": None, "kept": 2}),
    ]


def at_once(calls: list[Callable[[], object]]) -> None:
    """Call all at the same moment, each in a thread of its own."""
    start = threading.Barrier(len(calls))
    failed: list[BaseException] = []

    def called(call: Callable[[], object]) -> None:
        start.wait()
        try:
            call()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=called, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_many_at_once_also_make_the_table(tier: TierStore) -> None:
    runs = [ruled(holds=(("case", "x=1"),)) for _ in range(3)]
    at_once([partial(write_audit, tier, run, None) for run in runs * 3])
    rows = read_audit(tier)
    assert sorted((row["run_id"], row["rule"]) for row in rows if row["kind"] == "delete") == sorted(
        (run.id, rule) for run in runs for rule in ("short", "none")
    )
    assert [row["rule"] for row in rows if row["kind"] == "hold"] == ["case"] * 3
    assert len(list(tier.list("audit/0"))) == 3  # refused attempts leave no file


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    "fault",
    [{"lose_answer": True}, {"reset": True}, {"status": 503}, {"status": 412, "code": "PreconditionFailed"}],
    ids=["answer-lost", "reset", "503", "reported-conflict"],
)
@pytest.mark.parametrize("version", [0, 2])
def test_answers_that_are_lost(
    s3: S3, fault_proxy: FaultProxy, fault: dict[str, Any], times: int, version: int
) -> None:
    straight = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    tier = open_tier(straight.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))
    met = fault_proxy.add(Fault(f"hot/audit/_delta_log/{version:020d}.json", method="PUT", count=times, **fault))
    runs = [ruled(), ruled()]
    for run in runs:
        write_audit(tier, run, None)
    assert met.count < times
    assert [row["run_id"] for row in read_audit(straight)] == [run.id for run in runs for _ in range(2)]


@pytest.mark.slow
def test_store_that_refuses(s3: S3, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transforms.hot_tier.table.commit.back_off", lambda failures: 0.0)
    straight = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    write_audit(straight, ruled(), None)
    tier = open_tier(straight.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))
    fault_proxy.add(
        Fault("hot/audit/_delta_log/00000000000000000002.json", method="PUT", count=-1, status=403, code="AccessDenied")
    )
    with pytest.raises(TierError, match="can't be written to the audit"):
        write_audit(tier, ruled(), None)
    assert len(read_audit(straight)) == 2


# What killed processes have left


def test_committed_but_not_audited(tier: TierStore) -> None:
    publish(tier, ["a", "b"])
    run, committed = delete_events(tier, with_filename("a"), done=False)
    assert finish_interrupted(tier, lambda run: True) == []
    assert read_audit(tier) == []
    assert [one.id for one in finish_interrupted(tier, NOBODY)] == [run.id]
    assert [(row["run_id"], row["version_after"]) for row in read_audit(tier)] == [(run.id, committed.version)] * 2
    assert finish_interrupted(tier, NOBODY) == []
    assert unfinished_runs(tier) == []


def test_audited_but_not_marked(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    run, committed = delete_events(local_tier, with_filename("a"), done=False)
    write_audit(local_tier, run, committed)
    finish_interrupted(local_tier, NOBODY)
    assert len(read_audit(local_tier)) == 2
    assert RunFolder(local_tier, run.id).read_json("done.json") == {
        "changes": committed.path,
        "version": committed.version,
    }


def test_never_committed(tier: TierStore) -> None:
    publish(tier, ["a", "b"])
    run = ruled()
    folder = RunFolder.begin(tier, run)
    folder.new_changes({"files": [], "version": 99})
    assert [one.id for one in finish_interrupted(tier, NOBODY)] == [run.id]
    done = folder.read_json("done.json") or {}
    assert (done["changes"], done["version"], done["givenUpBy"]) == (None, None, who())
    assert datetime.fromisoformat(done["at"].replace("Z", "+00:00")) >= run.started_at
    assert read_audit(tier) == []


def test_silent_run_that_wakes_up_again(tier: TierStore) -> None:
    """Taken for dead by another, it finds out before it changes anything; so does one that is about to commit."""
    publish(tier, ["a", "b"])
    made = Made(tier, with_filename("a"), run=ruled())
    folder = RunFolder.begin(tier, made.run)

    def plan(snapshot: Snapshot) -> Change | None:
        finish_interrupted(tier, NOBODY)
        return made.change(snapshot)

    with pytest.raises(TierError, match="gave it up"):
        commit_run(folder, made.run, plan)
    with pytest.raises(TierError, match="gave it up"):
        commit_run(folder, made.run, made.change)
    assert ids(tier) == expected_ids(["a", "b"])


def test_many_finish_the_same_at_once(tier: TierStore) -> None:
    publish(tier, ["a", "b"])
    committed, _ = delete_events(tier, with_filename("a"), done=False)
    never = ruled()
    RunFolder.begin(tier, never)
    at_once([lambda: finish_interrupted(tier, NOBODY) for _ in range(4)])
    assert [row["run_id"] for row in read_audit(tier)] == [committed.id] * 2
    assert unfinished_runs(tier) == []


def test_nothing_to_finish_costs_one_listing(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(local_tier, ["a", "b"])
    move_events(local_tier, with_filename("a"))
    asked: list[str] = []
    listing = local_tier.list
    monkeypatch.setattr(local_tier, "list", lambda prefix: asked.append(prefix) or listing(prefix))
    monkeypatch.setattr(local_tier, "get", None)
    assert finish_interrupted(local_tier, NOBODY) == []
    assert asked == ["_rekindle/runs/"]


@pytest.mark.parametrize(
    ("host", "pid", "sign", "live"),
    [
        pytest.param(None, None, None, True, id="this-process"),
        pytest.param(None, 2**22 + 1, None, False, id="gone"),
        pytest.param(None, 2**22 + 1, 0, False, id="gone-a-moment-ago"),
        pytest.param(None, None, 3600, False, id="another-with-its-number"),
        pytest.param("elsewhere", None, None, True, id="other-machine-just-begun"),
        pytest.param("elsewhere", None, 5, True, id="other-machine-at-work"),
        pytest.param("elsewhere", None, 3600, False, id="other-machine-silent"),
    ],
)
def test_life(local_tier: TierStore, host: str | None, pid: int | None, sign: int | None, live: bool) -> None:
    run = MaintenanceRun.new(REMOVE)
    folder = RunFolder.begin(local_tier, replace(run, host=host or run.host, pid=pid or run.pid))
    if sign is not None:
        folder.write_json("alive.json", {"at": (datetime.now(timezone.utc) - timedelta(seconds=sign)).isoformat()})
    assert folder.is_live() == live
    folder.write_json("done.json", {})
    assert not folder.is_live()


def test_no_such_run_is_not_live(local_tier: TierStore) -> None:
    assert not RunFolder(local_tier, "none").is_live()
    run = MaintenanceRun.new(REMOVE)
    folder = RunFolder.begin(local_tier, run)
    folder.show_life()
    assert folder.is_live()


@pytest.mark.parametrize("done", [False, True])
def test_what_is_committed_by_each_snapshot(local_tier: TierStore, done: bool) -> None:
    publish(local_tier, ["a", "b"])
    before = Snapshot.load(local_tier)
    run, committed = delete_events(local_tier, with_filename("a"), done=done)
    folder = RunFolder(local_tier, run.id)
    assert find_committed(before, folder) is None
    assert find_committed(Snapshot.load(local_tier), folder) == committed
