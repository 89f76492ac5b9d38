"""What was deleted comes back exactly, once, and with what has come later."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import REGION, S3
from tests.fault_proxy import Fault, FaultProxy
from tests.transforms.hot_tier.maintenance.failing import Failing, Killed
from tests.transforms.hot_tier.maintenance.making import (
    Chosen,
    compact_events,
    delete_events,
    ending,
    everything,
    move_events,
    rows_by_id,
    with_filename,
)
from tests.transforms.hot_tier.maintenance.test_audit import NOBODY, at_once
from tests.transforms.hot_tier.maintenance.vacuum.test_removal import DEAD, later
from tests.transforms.hot_tier.samples import NOON, entry, events, expected_ids, ids, publish, read, uri_of
from tests.transforms.hot_tier.tiers import foreign_file, give_columns
from transforms.core import schema
from transforms.core.errors import ConfigurationError, TierError
from transforms.hot_tier.data import data_file
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.maintenance.audit import read_audit
from transforms.hot_tier.maintenance.commit_run import CommittedRun
from transforms.hot_tier.maintenance.finish import finish, finish_interrupted
from transforms.hot_tier.maintenance.restore import removed_rows as removed_rows_module
from transforms.hot_tier.maintenance.restore.removed_rows import Pair, removed_rows
from transforms.hot_tier.maintenance.restore.restore import find_runs, hold_for, plan_restore, restore
from transforms.hot_tier.maintenance.vacuum.removal import remove_old_files
from transforms.hot_tier.table.delta import promoted_columns
from transforms.hot_tier.table.file_description import JOB_METADATA, new_path
from transforms.hot_tier.table.prepare import prepare
from transforms.hot_tier.table.runs import RESTORE, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.compiler import compile_query
from transforms.retention.rules_file import load_rules
from transforms.storage import StorageOptions, TierStore, open_tier

DAYS = timedelta(days=1)


def restored(tier: TierStore, *, run_id: str | None = None, to: int | datetime | None = None) -> CommittedRun | None:
    """Restore as `rekindle restore` does."""
    finish_interrupted(tier, NOBODY)
    found = find_runs(tier, Snapshot.load(tier), run_id=run_id, to=to)
    run = MaintenanceRun.new(RESTORE)
    folder = RunFolder.begin(tier, run)
    committed = restore(folder, run, found.runs)
    finish(folder, run, committed)
    return committed


def content(tier: TierStore) -> dict[str, Any]:
    """Return all columns of all events; each is there once."""
    table = read(tier)
    rows = rows_by_id(table)
    assert len(rows) == len(table)
    return rows


@pytest.mark.parametrize(
    "chosen", [with_filename("a"), ending("0", "3"), everything], ids=["whole-object", "some-rows", "everything"]
)
def test_the_same_content_comes_back(tier: TierStore, monkeypatch: pytest.MonkeyPatch, chosen: Chosen) -> None:
    monkeypatch.setattr(data_file, "ROW_GROUP_ROWS", 7)
    monkeypatch.setattr(removed_rows_module, "_BATCH_ROWS", 3)
    publish(tier, ["a", "b", "c"], rows=40)
    before = content(tier)
    run, deleted = delete_events(tier, chosen)
    after = Snapshot.load(tier)
    assert len(content(tier)) == len(before) - deleted.document["events"]

    plan = plan_restore(tier, after, find_runs(tier, after, run_id=run.id).runs)
    committed = restored(tier, run_id=run.id)
    assert committed is not None
    assert content(tier) == before
    assert (
        (plan.events, plan.newer)
        == (committed.document["events"], committed.document["newer"])
        == (deleted.document["events"], 0)
    )
    assert plan.files == len(committed.document["files"])
    row = read_audit(tier)[-1]
    assert (row["kind"], row["events"], row["files"], row["version_after"]) == (
        "restore",
        plan.events,
        plan.files,
        committed.version,
    )
    assert orjson.loads(row["detail"]) == {"runs": [run.id], "newer": 0}
    for path in committed.document["files"]:
        with tier.open_input(f"events/{path}") as source:
            assert pq.ParquetFile(source).metadata.metadata[JOB_METADATA.encode()].decode() == row["run_id"]


def test_layout_and_columns_that_came_later(local_tier: TierStore) -> None:
    tier = local_tier
    writer = HotTierWriter(tier, columns=promoted_columns(tier))
    writer.write(events(uri_of("a"), [NOON, NOON + 1], status=["404", "200"], host=["x", None]))
    publish_wave(tier, job="job", wave=0, files=writer.close(), entries=[entry("a", 2)])
    run, _ = delete_events(tier, ending("1"))
    give_columns(tier, ["status"])
    publish(tier, ["b"], job="other")
    restored(tier, run_id=run.id)
    rows = {row["_event_id"]: row for row in read(tier).to_dicts()}
    assert rows[f"e_{uri_of('a')}-1-1"]["attributes"] is None, "what is a column by now moves there"
    assert rows[f"e_{uri_of('a')}-1-1"]["status"] == "200"
    snapshot = Snapshot.load(tier)
    assert sorted(path.rpartition("-")[2] for path in snapshot.files) == ["5.parquet", "6.parquet", "6.parquet"]


LATER: dict[str, Callable[[TierStore], object]] = {
    "compaction": compact_events,
    "tiering": lambda tier: move_events(tier, everything),
    "ingest": lambda tier: publish(tier, ["d"], job="other"),
    "checkpoint": lambda tier: [publish(tier, [f"more-{number}"], job=f"job-{number}") for number in range(12)],
}


@pytest.mark.parametrize(
    "meanwhile", ["compaction", "tiering", "ingest", pytest.param("checkpoint", marks=pytest.mark.slow)]
)
def test_what_came_later_stays(tier: TierStore, meanwhile: str) -> None:
    publish(tier, ["a", "b", "c"])
    before = content(tier)
    run, _ = delete_events(tier, ending("1"))
    LATER[meanwhile](tier)
    now = content(tier)
    restored(tier, run_id=run.id)
    assert content(tier) == before | now


@pytest.mark.parametrize(
    ("rules", "back"),
    [
        pytest.param({"content": "2"}, False, id="replaced"),
        pytest.param({"force": True}, False, id="forced"),
        pytest.param({"content": "2", "on_changed": "append"}, True, id="appended"),
    ],
)
def test_objects_that_came_again(tier: TierStore, rules: dict[str, Any], back: bool) -> None:
    """Rows of objects that were replaced or forced since do not come back and are counted; appended ones do."""
    publish(tier, ["a", "b"])
    run, _ = delete_events(tier, with_filename("a", "b"))
    publish(tier, ["a"], job="other", **rules)
    snapshot = Snapshot.load(tier)
    plan = plan_restore(tier, snapshot, find_runs(tier, snapshot, run_id=run.id).runs)
    committed = restored(tier, run_id=run.id)
    assert committed is not None
    assert (
        (plan.events, plan.newer)
        == (committed.document["events"], committed.document["newer"])
        == ((10, 0) if back else (5, 5))
    )
    again = expected_ids(["a"], content=rules.get("content", "1"))
    assert ids(tier) == sorted([*expected_ids(["b"]), *again, *(expected_ids(["a"]) if back else [])])


def test_replaced_before_the_deletion_comes_back(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    publish(local_tier, ["a"], job="other", content="2")
    before = content(local_tier)
    run, _ = delete_events(local_tier, ending("1", "2"))
    restored(local_tier, run_id=run.id)
    assert content(local_tier) == before


def test_superseded_content_by_job(local_tier: TierStore) -> None:
    tier = local_tier
    publish(tier, ["a", "b"])
    publish(tier, ["a"], job="second", content="2", on_changed="append")
    publish(tier, ["a"], job="third", content="2", force=True)
    publish(tier, ["b"], job="fourth", content="2")
    ledger = Ledger.load(tier, Snapshot.load(tier))
    assert [ledger.superseded_since(k) for k in range(5)] == [
        {},
        {uri_of("b"): {"job"}},
        {uri_of("a"): {"second"}, uri_of("b"): {"job"}},
        {uri_of("b"): {"job"}},
        {},
    ]


# Which runs


def test_runs_by_version_and_time(local_tier: TierStore) -> None:
    tier = local_tier
    publish(tier, ["a", "b", "c"])
    before = content(tier)
    first, one = delete_events(tier, with_filename("a"))
    second, _ = delete_events(tier, ending("1"))
    between = datetime.now(timezone.utc)
    third, _ = delete_events(tier, ending("2"))
    snapshot = Snapshot.load(tier)

    def found(**which: Any) -> list[str]:
        return [one.run.id for one in find_runs(tier, snapshot, **which).runs]

    assert found(to=one.document["versionBefore"]) == [first.id, second.id, third.id]
    assert found(to=one.version) == [second.id, third.id]
    assert found(to=99) == []
    assert found(to=between) == [third.id]
    assert found(to=between - DAYS) == [first.id, second.id, third.id]

    restored(tier, run_id=second.id)
    again = find_runs(tier, Snapshot.load(tier), to=0)
    assert ([one.run.id for one in again.runs], again.restored) == ([first.id, third.id], (second.id,))
    restored(tier, to=0)
    assert content(tier) == before


def test_run_that_was_not_finished_is_found(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    run, committed = delete_events(local_tier, with_filename("a"), done=False)
    (found,) = find_runs(local_tier, Snapshot.load(local_tier), run_id=run.id).runs
    assert (found.committed, found.events) == (committed, 5)


@pytest.mark.parametrize("kind", ["none", "compact", "nothing"])
def test_no_such_run(local_tier: TierStore, kind: str) -> None:
    publish(local_tier, ["a", "b"])
    deleted, _ = delete_events(local_tier, with_filename("a"))
    compacted, _ = compact_events(local_tier)
    nothing = MaintenanceRun.new("delete")
    finish(RunFolder.begin(local_tier, nothing), nothing, None)
    asked = {"none": "../jobs", "compact": compacted.id, "nothing": nothing.id}[kind]
    with pytest.raises(ConfigurationError, match=rf"run \S+ .* and undone jobs, the latest first: {deleted.id}$"):
        find_runs(local_tier, Snapshot.load(local_tier), run_id=asked)


# Once


def test_twice_is_once(tier: TierStore) -> None:
    publish(tier, ["a", "b"])
    before = content(tier)
    run, _ = delete_events(tier, with_filename("a"))
    (found,) = find_runs(tier, Snapshot.load(tier), run_id=run.id).runs
    restored(tier, run_id=run.id)
    again = MaintenanceRun.new(RESTORE)
    assert restore(RunFolder.begin(tier, again), again, [found]) is None
    assert find_runs(tier, Snapshot.load(tier), run_id=run.id).restored == (run.id,)
    assert content(tier) == before


def test_two_at_once_are_once(tier: TierStore) -> None:
    publish(tier, ["a", "b", "c"])
    before = content(tier)
    first, _ = delete_events(tier, with_filename("a"))
    delete_events(tier, ending("2"))
    at_once([lambda: restored(tier, to=0), lambda: restored(tier, run_id=first.id), lambda: restored(tier, to=0)])
    assert content(tier) == before


def test_deleted_again_and_restored_again(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    before = content(local_tier)
    for _ in range(3):
        run, _ = delete_events(local_tier, with_filename("a"))
        restored(local_tier, run_id=run.id)
        assert content(local_tier) == before


def test_replaced_while_it_is_written(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is refused, and what was written is written again without the rows that were replaced."""
    publish(local_tier, ["a", "b"])
    run, _ = delete_events(local_tier, with_filename("a", "b"))
    found = find_runs(local_tier, Snapshot.load(local_tier), run_id=run.id)
    restoring = MaintenanceRun.new(RESTORE)
    folder = RunFolder.begin(local_tier, restoring)
    new_changes = folder.new_changes

    def replaced_first(document: dict[str, Any]) -> str:
        monkeypatch.setattr(folder, "new_changes", new_changes)
        publish(local_tier, ["a"], job="other", content="2")
        return new_changes(document)

    monkeypatch.setattr(folder, "new_changes", replaced_first)
    committed = restore(folder, restoring, found.runs)
    assert committed is not None
    assert (committed.document["events"], committed.document["newer"]) == (5, 5)
    assert ids(local_tier) == sorted([*expected_ids(["b"]), *expected_ids(["a"], content="2")])


# Too late


def test_after_physical_removal_it_is_too_late(tier: TierStore) -> None:
    publish(tier, ["a", "b", "c"])
    first, _ = delete_events(tier, with_filename("a"), now=datetime.now(timezone.utc))
    removal = remove_old_files(tier, later(days=8), 7 * DAYS, is_live=DEAD)
    now = content(tier)
    second, _ = delete_events(tier, with_filename("b"))
    snapshot = Snapshot.load(tier)
    message = rf"too late: files of run {first.id} were removed at 20\S+Z by run {removal.run_id}"
    for runs in (find_runs(tier, snapshot, run_id=first.id), find_runs(tier, snapshot, to=0)):
        with pytest.raises(TierError, match=message):
            plan_restore(tier, snapshot, runs.runs)
        run = MaintenanceRun.new(RESTORE)
        with pytest.raises(TierError, match=message):
            restore(RunFolder.begin(tier, run), run, runs.runs)
    restored(tier, run_id=second.id)
    assert content(tier) == now


def test_which_runs_are_too_late_and_which_are_not(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b", "c", "d"])
    gone: list[tuple[MaintenanceRun, str | None]] = []
    for number, name in enumerate("ab"):
        run, _ = delete_events(local_tier, with_filename(name), now=datetime.now(timezone.utc))
        gone.append((run, remove_old_files(local_tier, later(days=8 * (number + 1)), 7 * DAYS, is_live=DEAD).run_id))
    kept = [delete_events(local_tier, with_filename(name))[0] for name in "cd"]
    snapshot = Snapshot.load(local_tier)
    with pytest.raises(TierError) as raised:
        plan_restore(local_tier, snapshot, find_runs(local_tier, snapshot, to=0).runs)
    message = str(raised.value)
    whose = [
        re.escape(f"files of run {run.id} were removed at ") + r"20\S+Z" + re.escape(f" by run {by}")
        for run, by in gone
    ]
    assert re.search(rf"too late: {'; '.join(whose)}, as their grace was over; nothing was restored", message), message
    assert message.endswith(f"The others can still be restored, each by itself: --run {kept[0].id}, --run {kept[1].id}")
    for run in kept:
        assert restored(local_tier, run_id=run.id) is not None


def test_removed_while_it_is_read(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(local_tier, ["a", "b"])
    run, _ = delete_events(local_tier, with_filename("a"))
    found = find_runs(local_tier, Snapshot.load(local_tier), run_id=run.id)
    loaded = Ledger.load

    def removed_first(*args: Any) -> Ledger:
        remove_old_files(local_tier, later(days=8), 7 * DAYS, is_live=DEAD)
        return loaded(*args)

    monkeypatch.setattr(Ledger, "load", removed_first)
    with pytest.raises(TierError, match=rf"too late: files of run {run.id} were removed at"):
        plan_restore(local_tier, Snapshot.load(local_tier), found.runs)


def test_files_that_somebody_else_removed(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    run, committed = delete_events(local_tier, with_filename("a"))
    local_tier.delete(f"events/{committed.document['files'][0]['old']}")
    with pytest.raises(TierError, match="is gone from the store"):
        restored(local_tier, run_id=run.id)


# Interrupted


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before-a-call", "after-a-call"])
def test_interrupted_at_every_call(tmp_path: Path, after: bool) -> None:
    number = 0
    while True:
        number += 1
        tier = open_tier(str(tmp_path / f"hot-{number}"), StorageOptions())
        prepare(tier)
        publish(tier, ["a", "b"])
        before = content(tier)
        run, _ = delete_events(tier, ending("1", "2"))
        try:
            restored(Failing(tier, number, after=after), run_id=run.id)  # type: ignore[arg-type]
        except Killed:
            pass
        else:
            break
        finish_interrupted(tier, NOBODY)
        restored(tier, to=0)
        assert content(tier) == before
        assert [row["events"] for row in read_audit(tier) if row["kind"] == "restore" and row["events"]] == [4]
    assert number > 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [{"lose_answer": True}, {"status": 503}, {"reset": True}], ids=["answer-lost", "503", "reset"]
)
def test_requests_that_fail(s3: S3, fault_proxy: FaultProxy, fault: dict[str, object]) -> None:
    straight = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    prepare(straight)
    publish(straight, ["a", "b"])
    before = content(straight)
    run, _ = delete_events(straight, ending("1"))
    tier = open_tier(straight.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))
    log_entry = f"hot/events/_delta_log/{Snapshot.load(straight).version + 1:020d}.json"
    met = fault_proxy.add(Fault(log_entry, method="PUT", **fault))  # type: ignore[arg-type]
    fault_proxy.add(Fault("*", method="GET", skip=9, **fault))  # type: ignore[arg-type]
    restored(tier, run_id=run.id)
    assert met.count == 0
    assert content(straight) == before


# Rows


def key_file(tier: TierStore, name: str, keys: Sequence[str | None], groups: int = 1000) -> str:
    """Write a file of these keys; without a name it is the product's own."""
    path = f"tier=hot/date=2024-01-01/{name}.parquet" if name else new_path("hot", "2024-01-01", 5)
    jobs = pa.array([None] * len(keys), pa.string())
    table = pa.table({"_event_id": pa.array(keys, pa.string()), "_correlation_id": jobs, "_object": ["o"] * len(keys)})
    with tier.open_output(f"events/{path}") as output:
        pq.write_table(table, output, row_group_size=groups)
    return path


@pytest.mark.parametrize("seed", range(8))
def test_rows_against_a_slow_reference(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Also where keys are there more than once."""
    chance = np.random.default_rng(seed)
    monkeypatch.setattr(removed_rows_module, "_BATCH_ROWS", int(chance.integers(1, 20)))
    keys = [str(number) for number in chance.integers(0, [1000, 20][seed % 2], 200)]
    stays = chance.random(200) < [0.05, 0.5, 0.95, 1][seed % 4]
    rest = [key for key, stay in zip(keys, stays, strict=True) if stay]
    old, new = key_file(local_tier, "", keys, int(chance.integers(1, 60))), key_file(local_tier, "", rest)
    pair = Pair(old, new, "hot", "2024-01-01", 200, 200 - len(rest))
    masks = [rows.restorable for rows in removed_rows(local_tier, pair, {})]
    gone = [key for key, removed in zip(keys, np.concatenate(masks), strict=True) if removed]
    assert sorted(gone) == sorted(key for key, stay in zip(keys, stays, strict=True) if not stay)


@pytest.mark.parametrize(
    "rest", [["a", "x"], ["b", "a"], ["a", "b", "c", "d"], ["a"]], ids=["other", "order", "more", "fewer"]
)
def test_file_that_is_not_what_was_left(local_tier: TierStore, rest: list[str]) -> None:
    old, new = key_file(local_tier, "", ["a", "b", "c"]), key_file(local_tier, "", rest)
    with pytest.raises(TierError, match="nothing was restored"):
        list(removed_rows(local_tier, Pair(old, new, "hot", "2024-01-01", 3, 1), {}))


def test_the_order_of_another_writers_rows_does_not_matter(local_tier: TierStore) -> None:
    old, new = key_file(local_tier, "theirs", ["c", "a", "b", "a"]), key_file(local_tier, "", ["a", "a", "c"])
    (found,) = removed_rows(local_tier, Pair(old, new, "hot", "2024-01-01", 4, 1), {})
    assert found.restorable.tolist() == [False, False, True, False]


def test_another_writers_rows_without_ids_are_not_guessed_at(local_tier: TierStore) -> None:
    old, new = key_file(local_tier, "theirs", [None, "a", None]), key_file(local_tier, "", [None, "a"])
    with pytest.raises(TierError, match="have no _event_id"):
        list(removed_rows(local_tier, Pair(old, new, "hot", "2024-01-01", 3, 1), {}))


def test_file_of_another_writer(local_tier: TierStore) -> None:
    """Its rows need not be in the order of time."""
    foreign_file(local_tier)
    before = read(local_tier).sort("_event_id")
    run, _ = delete_events(local_tier, everything)
    assert len(read(local_tier)) == 0
    restored(local_tier, run_id=run.id)
    after = read(local_tier).sort("_event_id")
    others = [name for name in before.columns if name not in ("status", "attributes")]
    assert after.select(others).equals(before.select(others))
    assert before["status"].to_list() == [None, "404"]
    assert after["status"].to_list() == ["404", "404"]
    assert after["attributes"].null_count() == 2


# Rules and holds

RULES = """
rules:
  - {name: first, retention: 14d, when: filename=a}
  - {name: second, retention: 30d, when: "filename=b OR filename=c"}
  - {name: third, retention: 60d, enabled: false}
"""
LONG_AGO = datetime(2024, 10, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("rules", "now", "found"),
    [
        pytest.param(None, None, {"first": 2, "second": 4}, id="the-run's-own"),
        pytest.param(None, LONG_AGO, {}, id="not-yet"),
        pytest.param("rules: [{name: all, retention: 1d}]", None, {"all": 6}, id="others"),
        pytest.param(
            "rules: [{name: all, retention: 1d}]\nholds: [{name: h, when: filename=b}]", None, {"all": 4}, id="held"
        ),
        pytest.param("rules: []", None, {}, id="none"),
    ],
)
def test_rules_that_would_delete_it_again(
    local_tier: TierStore, rules: str | None, now: datetime | None, found: dict[str, int]
) -> None:
    publish(local_tier, ["a", "b", "c"])
    run, _ = delete_events(local_tier, ending("1", "2"), rules=RULES)
    snapshot = Snapshot.load(local_tier)
    file = None if rules is None else load_rules(rules, source="rules.yaml")
    plan = plan_restore(local_tier, snapshot, find_runs(local_tier, snapshot, run_id=run.id).runs, rules=file, now=now)
    assert plan.rules == found


@pytest.mark.parametrize(
    ("taken", "held"),
    [
        pytest.param({"first": 1}, {"a"}, id="one"),
        pytest.param({"first": 1, "second": 2}, {"a", "b", "c"}, id="two"),
        pytest.param({"quoted": 2}, {"b"}, id="quoted"),
        pytest.param({"first": 1, "third": 2}, {"a", "b", "c"}, id="without-condition"),
        pytest.param({"unknown": 2}, {"a", "b", "c"}, id="unknown"),
    ],
)
def test_hold(local_tier: TierStore, taken: dict[str, int], held: set[str]) -> None:
    publish(local_tier, ["a", "b", "c"])
    rules = RULES + "  - {name: quoted, retention: 9d, when: 'filename=\"b\"'}\n"
    _, committed = delete_events(local_tier, everything, rules=rules)
    (found,) = find_runs(local_tier, Snapshot.load(local_tier), to=0).runs
    committed.document["rules"] = [
        {"name": name, "events": events, "cutoff": "2026-01-01T00:00:00Z"} for name, events in taken.items()
    ]
    found.committed.document["rules"] = committed.document["rules"]
    (hold,) = load_rules(hold_for([found, found]), source="holds").holds
    table = pl.DataFrame({"filename": ["a", "b", "c"], "_format": ["text"] * 3})
    old, young = (
        table.with_columns(pl.lit(datetime(year, 1, 1, tzinfo=timezone.utc)).alias("_time")) for year in (2025, 2026)
    )
    assert hold.when is not None
    assert set(old.filter(compile_query(hold.when, old.columns))["filename"]) == held
    assert young.filter(compile_query(hold.when, young.columns)).is_empty()
    assert found.run.id in hold.name


def test_columns_of_the_reference_are_all_compared(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    (row, *_) = content(local_tier).values()
    assert set(row) >= {*schema.SYSTEM_COLUMNS, *schema.BASE_ATTRIBUTES, "attributes"}
