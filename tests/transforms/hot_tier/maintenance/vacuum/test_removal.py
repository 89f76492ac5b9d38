"""What was removed leaves the store when its grace is over, and nothing else does."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import REGION, S3
from tests.fault_proxy import Fault, FaultProxy
from tests.transforms.hot_tier.maintenance.failing import Failing, Killed
from tests.transforms.hot_tier.maintenance.making import (
    Made,
    compact_events,
    delete_events,
    ending,
    everything,
    move_events,
    with_filename,
)
from tests.transforms.hot_tier.maintenance.test_audit import NOBODY, at_once
from tests.transforms.hot_tier.samples import NOON, entry, events, expected_ids, ids, publish, uri_of, write
from transforms.core.errors import TierError
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.maintenance.audit import read_audit
from transforms.hot_tier.maintenance.commit_run import commit_run
from transforms.hot_tier.maintenance.finish import finish_interrupted
from transforms.hot_tier.maintenance.restore.restore import find_runs, restore
from transforms.hot_tier.maintenance.vacuum.removal import Removal, remove_old_files
from transforms.hot_tier.maintenance.vacuum.tombstones import removal_times
from transforms.hot_tier.table.delta import promoted_columns
from transforms.hot_tier.table.prepare import prepare
from transforms.hot_tier.table.runs import NEEDS, REMOVE, RESTORE, MaintenanceRun, RunFolder
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, TierStore, open_tier

DAYS = timedelta(days=1)
DEAD = lambda writer: False  # noqa: E731
LIVE = lambda writer: True  # noqa: E731


def all_ids(tier: TierStore) -> set[str]:
    """Return the ids of all events in all objects of the store, whether a commit names them or not."""
    found: set[str] = set()
    for file in tier.list("events/tier="):
        found |= set(pq.read_table(io.BytesIO(tier.get(file.path)), columns=["_event_id"])["_event_id"].to_pylist())
    return found


def files(tier: TierStore) -> set[str]:
    return {file.path.removeprefix("events/") for file in tier.list("events/tier=")}


def later(**length: float) -> MaintenanceRun:
    return MaintenanceRun.new(REMOVE, now=datetime.now(timezone.utc) + timedelta(**length))


def aged(tier: TierStore, path: str, age: timedelta) -> None:
    """Let a local file look old."""
    assert tier.local_path is not None
    then = (datetime.now(timezone.utc) - age).timestamp()
    os.utime(tier.local_path / "events" / path, (then, then))


CHANGES: dict[str, Callable[[TierStore], object]] = {
    "compaction": compact_events,
    "replacement": lambda tier: publish(tier, ["b"], job="other", content="2"),
    "tiering": lambda tier: move_events(tier, everything),
    "nothing": lambda tier: None,
}


@pytest.mark.parametrize("before", CHANGES)
@pytest.mark.parametrize("after", ["nothing", "compaction"])
def test_deleted_rows_are_in_no_file_once_the_grace_is_over(tier: TierStore, before: str, after: str) -> None:
    """All objects are read, not only the live ones: what another commit took out of the table holds the rows too."""
    publish(tier, ["a", "b", "c"])
    CHANGES[before](tier)
    delete_events(tier, with_filename("a"))
    CHANGES[after](tier)
    live = ids(tier)

    assert remove_old_files(tier, later(), 7 * DAYS, is_live=DEAD).files == 0
    assert set(expected_ids(["a"])) <= all_ids(tier)
    removal = remove_old_files(tier, later(days=8), 7 * DAYS, is_live=DEAD)
    assert removal.files > 0
    assert all_ids(tier) == set(live)
    assert ids(tier) == live
    assert files(tier) == set(Snapshot.load(tier).files)

    row = read_audit(tier)[-1]
    assert (row["kind"], row["files"], row["bytes"], row["run_id"]) == (
        "remove",
        removal.files,
        removal.bytes,
        removal.run_id,
    )
    assert remove_old_files(tier, later(days=8), 7 * DAYS, is_live=DEAD).files == 0


def test_grace_0_takes_what_any_clock_removed(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    run, _ = delete_events(local_tier, with_filename("a"), now=datetime.now(timezone.utc) + 30 * DAYS)
    # its clock is thirty days ahead
    assert remove_old_files(local_tier, later(), timedelta(minutes=1), is_live=DEAD).files == 0
    removal = remove_old_files(local_tier, later(), timedelta(0), is_live=DEAD)
    assert removal.files == 1
    assert removal.run_id != run.id
    assert all_ids(local_tier) == set(expected_ids(["b"]))


def test_a_clock_in_the_past_removes_nothing_early(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    run, _ = delete_events(local_tier, with_filename("a"), now=datetime.now(timezone.utc) - 300 * DAYS)
    assert remove_old_files(local_tier, run, 7 * DAYS, is_live=DEAD).files == 0


# When files were removed


@pytest.mark.parametrize("commits", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_times_with_and_without_checkpoints(tier: TierStore, commits: int) -> None:
    publish(tier, ["a", "b"])
    run, committed = delete_events(tier, with_filename("a"))
    for number in range(commits):
        publish(tier, ["c"], job=f"job-{number}", content=str(number))
    snapshot = Snapshot.load(tier)
    times = removal_times(tier, snapshot)

    assert set(times) == files(tier) - set(snapshot.files)
    (old,) = [file["old"] for file in committed.document["files"]]
    assert times[old] == run.removal_time
    assert min(times.values()) == run.removal_time


def test_checkpoint_in_parts_and_entries_that_are_gone(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    for number in range(12):
        publish(local_tier, ["c"], job=f"job-{number}", content=str(number))
    snapshot = Snapshot.load(local_tier)
    times = removal_times(local_tier, snapshot)
    assert local_tier.local_path is not None
    log = local_tier.local_path / "events/_delta_log"
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    table = pq.read_table(checkpoint)
    half = table.num_rows // 2
    for number, part in enumerate([table.slice(0, half), table.slice(half)], 1):
        pq.write_table(part, log / checkpoint.name.replace(".parquet", f".{number:010d}.{2:010d}.parquet"))
    checkpoint.unlink()
    for version in range(5):
        (log / f"{version:020d}.json").unlink()
    assert removal_times(local_tier, snapshot) == times

    (log / checkpoint.name.replace(".parquet", f".{1:010d}.{2:010d}.parquet")).unlink()
    with pytest.raises(TierError, match="gone from events/_delta_log/"):
        removal_times(local_tier, snapshot)


def test_path_that_was_removed_and_added_again_is_live(local_tier: TierStore) -> None:
    from transforms.hot_tier.table.commit import commit

    publish(local_tier, ["a"])
    written = write(local_tier, ["b"])
    commit(Snapshot.load(local_tier), added=written, transactions=[("x", 1)])
    commit(Snapshot.load(local_tier), removed=[written[0].path], transactions=[("x", 2)])
    assert set(removal_times(local_tier, Snapshot.load(local_tier))) == {written[0].path}
    commit(Snapshot.load(local_tier), added=written, transactions=[("x", 3)])
    assert removal_times(local_tier, Snapshot.load(local_tier)) == {}


# Orphans


@pytest.mark.parametrize(
    ("age", "is_live", "goes"),
    [
        pytest.param(8 * DAYS, DEAD, True, id="old-and-dead"),
        pytest.param(8 * DAYS, LIVE, False, id="old-and-live"),
        pytest.param(6 * DAYS, DEAD, False, id="young"),
    ],
)
def test_orphans_of_jobs(local_tier: TierStore, age: timedelta, is_live: Callable[[str], bool], goes: bool) -> None:
    publish(local_tier, ["a"])
    (file,) = write(local_tier, ["b"])
    aged(local_tier, file.path, age)
    asked: list[str] = []
    remove_old_files(
        local_tier, later(days=100), 7 * DAYS, is_live=lambda writer: asked.append(writer) or is_live(writer)
    )
    assert (file.path not in files(local_tier)) == goes
    assert asked in ([], ["job"])
    assert ids(local_tier) == expected_ids(["a"])


@pytest.mark.parametrize(("age", "goes"), [(timedelta(hours=23), False), (timedelta(hours=25), True)])
@pytest.mark.parametrize("content", [b"", b"PAR1 half a file"], ids=["empty", "half"])
def test_orphans_that_cannot_be_read(local_tier: TierStore, content: bytes, age: timedelta, goes: bool) -> None:
    publish(local_tier, ["a"])
    path = "tier=hot/date=2024-10-04/part-00000-foreign.c000.snappy.parquet"
    local_tier.put(f"events/{path}", content)
    aged(local_tier, path, age)
    remove_old_files(local_tier, later(), timedelta(0), is_live=LIVE)
    assert (path not in files(local_tier)) == goes


def test_what_is_no_parquet_file_stays(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    local_tier.put("events/tier=hot/notes.txt", b"")
    aged(local_tier, "tier=hot/notes.txt", 99 * DAYS)
    assert remove_old_files(local_tier, later(), timedelta(0), is_live=DEAD).files == 0


def test_leftovers(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    assert local_tier.local_path is not None
    folder: Path = local_tier.local_path / "_rekindle/tmp"
    for name, age in (("old", 25), ("young", 23)):
        (folder / name).write_bytes(b"x")
        then = datetime.now().timestamp() - age * 3600
        os.utime(folder / name, (then, then))
    remove_old_files(local_tier, later(), 7 * DAYS, is_live=DEAD)
    assert [path.name for path in folder.iterdir()] == ["young"]


# Who adds files that were taken for orphans


def test_wave_whose_files_were_removed(tier: TierStore) -> None:
    publish(tier, ["a"])
    written = write(tier, ["b"])
    assert remove_old_files(tier, later(), timedelta(0), is_live=DEAD).files == len(written)
    with pytest.raises(TierError, match="was removed before it was published"):
        publish_wave(tier, job="job", wave=1, files=written, entries=[entry("b", 5, wave=1)])
    assert ids(tier) == expected_ids(["a"])
    publish(tier, ["b"], wave=1)
    assert ids(tier) == expected_ids(["a", "b"])


@pytest.mark.parametrize("who", ["wave", "run"])
def test_removal_that_has_not_deleted_yet(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """Its list is committed, the file is still there: it must not be added any more."""
    publish(local_tier, ["a", "b"])
    written = write(local_tier, ["c"])
    made = Made(local_tier, with_filename("a"))
    folder = RunFolder.begin(local_tier, made.run)
    change = made.change(Snapshot.load(local_tier))
    monkeypatch.setattr("transforms.hot_tier.maintenance.vacuum.removal.delete_listed", _killed)
    with pytest.raises(Killed):
        remove_old_files(local_tier, later(), timedelta(0), is_live=DEAD)
    assert written[0].path in files(local_tier)

    with pytest.raises(TierError, match="was removed before it was published"):
        if who == "wave":
            publish_wave(local_tier, job="job", wave=1, files=written, entries=[entry("c", 5, wave=1)])
        else:
            changed = change and type(change)(written, change.removed, change.document)
            commit_run(folder, made.run, lambda snapshot: changed)
    assert ids(local_tier) == expected_ids(["a", "b"])
    finish_interrupted(local_tier, lambda run: run.kind != REMOVE)
    assert files(local_tier) == set(Snapshot.load(local_tier).files)


def test_removal_leaves_what_another_has_listed(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its files would be counted and audited twice: they are neither live nor removed by any commit any more."""
    publish(local_tier, ["a", "b"])
    delete_events(local_tier, with_filename("a"))
    write(local_tier, ["c"])
    before = files(local_tier)
    with monkeypatch.context() as patch:
        patch.setattr("transforms.hot_tier.maintenance.vacuum.removal.delete_listed", _killed)
        with pytest.raises(Killed):
            remove_old_files(local_tier, later(), timedelta(0), is_live=DEAD)
    assert remove_old_files(local_tier, later(), timedelta(0), is_live=DEAD) == Removal()
    write(local_tier, ["d"])
    assert remove_old_files(local_tier, later(), timedelta(0), is_live=DEAD).files == 1, "what came since, alone"
    assert files(local_tier) == before
    finish_interrupted(local_tier, lambda run: run.kind != REMOVE)
    assert files(local_tier) == set(Snapshot.load(local_tier).files)
    removed = sorted(row["files"] for row in read_audit(local_tier) if row["kind"] == "remove")
    assert removed == [1, len(before) - len(files(local_tier))]


def test_wave_that_is_published_first_keeps_its_files(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the removal's plan and its commit: the commit is refused, and planned again."""
    publish(local_tier, ["a"])
    written = write(local_tier, ["b"])

    def is_live(writer: str) -> bool:
        if ids(local_tier) == expected_ids(["a"]):
            publish_wave(local_tier, job="job", wave=1, files=written, entries=[entry("b", 5, wave=1)])
        return False

    assert remove_old_files(local_tier, later(), timedelta(0), is_live=is_live).files == 0
    assert ids(local_tier) == expected_ids(["a", "b"])


def _killed(*_: object) -> None:
    raise Killed


def test_what_a_restore_at_work_reads_stays(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"])
    _, committed = delete_events(local_tier, with_filename("a"))
    needs = [file["old"] for file in committed.document["files"]]
    folder = RunFolder.begin(local_tier, MaintenanceRun.new(RESTORE))
    folder.write_json(NEEDS, needs)
    assert (
        remove_old_files(local_tier, later(days=9), 7 * DAYS, is_live=lambda writer: writer == folder.run_id).files == 0
    )
    assert remove_old_files(local_tier, later(days=9), 7 * DAYS, is_live=DEAD).files == len(needs)


# Interrupted, and at once


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before-a-call", "after-a-call"])
def test_interrupted_at_every_call(tmp_path: Path, after: bool) -> None:
    number = 0
    while True:
        number += 1
        tier = open_tier(str(tmp_path / f"hot-{number}"), StorageOptions())
        prepare(tier)
        publish(tier, ["a", "b", "c"])
        delete_events(tier, with_filename("a"))
        delete_events(tier, with_filename("b"))
        write(tier, ["d"])
        failing = Failing(tier, number, after=after)
        try:
            remove_old_files(failing, later(), timedelta(0), is_live=DEAD)  # type: ignore[arg-type]
        except Killed:
            pass
        else:
            break
        finish_interrupted(tier, NOBODY)
        remove_old_files(tier, later(), timedelta(0), is_live=DEAD)
        finish_interrupted(tier, NOBODY)
        assert files(tier) == set(Snapshot.load(tier).files)
        assert ids(tier) == expected_ids(["c"])
        removed = [row["files"] for row in read_audit(tier) if row["kind"] == "remove"]
        assert sum(removed) == 3
    assert number > 20


def test_many_at_once(tier: TierStore) -> None:
    publish(tier, ["a", "b", "c"])
    delete_events(tier, with_filename("a"))
    delete_events(tier, ending("1"))
    at_once([lambda: remove_old_files(tier, later(), timedelta(0), is_live=LIVE) for _ in range(4)])
    finish_interrupted(tier, NOBODY)
    assert files(tier) == set(Snapshot.load(tier).files)
    assert len(ids(tier)) == 8
    rows = [row for row in read_audit(tier) if row["kind"] == "remove"]
    assert len({row["run_id"] for row in rows}) == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [{"lose_answer": True}, {"status": 503}, {"reset": True}], ids=["answer-lost", "503", "reset"]
)
def test_requests_that_fail(s3: S3, fault_proxy: FaultProxy, fault: dict[str, object]) -> None:
    straight = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    prepare(straight)
    publish(straight, ["a", "b"])
    delete_events(straight, with_filename("a"))
    tier = open_tier(straight.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))
    entry_of_removal = f"hot/events/_delta_log/{Snapshot.load(straight).version + 1:020d}.json"
    for key, method in ((entry_of_removal, "PUT"), ("*", "DELETE"), ("*", "GET")):
        fault_proxy.add(Fault(key, method=method, **fault))  # type: ignore[arg-type]
    remove_old_files(tier, later(), timedelta(0), is_live=DEAD)
    assert all_ids(straight) == set(expected_ids(["b"]))
    assert [row["files"] for row in read_audit(straight) if row["kind"] == "remove"] == [1]


@pytest.mark.slow
def test_store_that_does_not_let_go(s3: S3, fault_proxy: FaultProxy) -> None:
    """Nothing is told as removed before it is; the next command goes on."""
    straight = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    prepare(straight)
    publish(straight, ["a", "b"])
    _, committed = delete_events(straight, with_filename("a"))
    tier = open_tier(straight.uri, StorageOptions(endpoint_url=fault_proxy.endpoint_url, region=REGION))
    old = f"hot/events/{committed.document['files'][0]['old']}"
    fault_proxy.add(Fault(old, method="DELETE", count=-1, status=403, code="AccessDenied"))
    with pytest.raises(TierError):
        remove_old_files(tier, later(), timedelta(0), is_live=DEAD)
    assert [row for row in read_audit(straight) if row["kind"] == "remove"] == []
    (run,) = finish_interrupted(straight, NOBODY)
    assert all_ids(straight) == set(expected_ids(["b"]))
    assert [row["run_id"] for row in read_audit(straight) if row["kind"] == "remove"] == [run.id]


@pytest.mark.moto_only(reason="it lists unfinished uploads of one key only, and removes those of a day ago by itself")
def test_parts_that_were_never_made_whole(s3: S3) -> None:
    tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    for key in ("hot/events/x", "other"):
        s3.client.create_multipart_upload(Bucket=s3.bucket, Key=key)
    assert tier.remove_leftovers(50 * 365 * DAYS) == 0  # the server says that all begin in 2010
    assert tier.remove_leftovers(DAYS) == 1
    assert [upload["Key"] for upload in s3.client.list_multipart_uploads(Bucket=s3.bucket)["Uploads"]] == ["other"]


def test_on_a_bucket_with_versions_removal_leaves_older_versions_only(s3: S3) -> None:
    """A lifecycle rule of the bucket ends those (docs/retention.md)."""
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    tier = open_tier(f"s3://{s3.bucket}/hot", s3.options)
    prepare(tier)
    publish(tier, ["a", "b"])
    _, committed = delete_events(tier, with_filename("a"))
    assert remove_old_files(tier, later(), timedelta(0), is_live=DEAD).files == 1
    assert all_ids(tier) == set(ids(tier)) == set(expected_ids(["b"]))
    old = f"hot/events/{committed.document['files'][0]['old']}"
    found = s3.client.list_object_versions(Bucket=s3.bucket, Prefix=old)
    assert [(one["Key"], one["IsLatest"]) for one in found["DeleteMarkers"]] == [(old, True)]
    assert [(one["Key"], one["IsLatest"]) for one in found["Versions"]] == [(old, False)]
    assert remove_old_files(tier, later(), timedelta(0), is_live=DEAD).files == 0


@pytest.mark.slow
def test_everything_at_once(local_tier: TierStore) -> None:
    """Removals delete orphans of running writers too: these get an error, and no reader sees half a table."""
    tier = local_tier
    publish(tier, ["first"])
    chance = random.Random(3)
    stolen: list[str] = []

    def again(act: Callable[[], object]) -> None:
        while True:
            try:
                act()
            # a file that is being read may go, too, where there is no grace
            except (TierError, FileNotFoundError) as error:
                stolen.append(str(error))
            else:
                return

    def publishing(name: str) -> None:
        for number in range(6):
            again(partial(publish, tier, [f"{name}{number}"], job=name, wave=number))

    def maintain(act: Callable[[], object], times: int) -> None:
        for _ in range(times):
            again(act)
            time.sleep(chance.random() * 0.05)

    at_once(
        [
            lambda: publishing("a"),
            lambda: publishing("b"),
            lambda: maintain(lambda: compact_events(tier), 4),
            lambda: maintain(lambda: remove_old_files(tier, later(), timedelta(0), is_live=DEAD), 12),
            lambda: maintain(lambda: remove_old_files(tier, later(), timedelta(0), is_live=DEAD), 12),
            lambda: maintain(lambda: finish_interrupted(tier, lambda run: RunFolder(tier, run.id).is_live()), 5),
        ]
    )
    finish_interrupted(tier, NOBODY)
    assert ids(tier) == expected_ids(["first", *(f"{name}{number}" for name in "ab" for number in range(6))])
    remove_old_files(tier, later(), timedelta(0), is_live=DEAD)
    assert files(tier) == set(Snapshot.load(tier).files)


def test_no_value_of_deleted_rows_is_left_in_dictionaries(local_tier: TierStore) -> None:
    """Parquet keeps a dictionary's values whether a row has them or not."""
    tier = local_tier
    hosts = ["open", "secret", "open", "other"]
    for number, key in enumerate("ab"):
        writer = HotTierWriter(tier, columns=promoted_columns(tier), job="job")
        writer.write(
            events(uri_of(key), [NOON + place for place in range(4)], host=[f"{host}-{key}" for host in hosts])
        )
        publish_wave(tier, job="job", wave=number, files=writer.close(), entries=[entry(key, 4, wave=number)])
    compact_events(tier)
    delete_events(tier, ending("1"))
    run, _ = delete_events(tier, ending("3"))
    publish(tier, ["b"], job="other", content="2")
    restoring = MaintenanceRun.new(RESTORE)
    restore(RunFolder.begin(tier, restoring), restoring, find_runs(tier, Snapshot.load(tier), run_id=run.id).runs)
    remove_old_files(tier, later(), timedelta(0), is_live=DEAD)

    found: set[str] = set()
    for path in files(tier):
        table = pq.read_table(io.BytesIO(tier.get(f"events/{path}")), columns=["host"], read_dictionary=["host"])
        found |= {value for chunk in table["host"].chunks for value in chunk.dictionary.to_pylist()}
    assert found == {"open-a", "other-a"}


def test_log_forgets_what_is_removed_and_nothing_else(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"], job="job")
    CHANGES["replacement"](local_tier)
    compact_events(local_tier)
    removed = set(removal_times(local_tier, Snapshot.load(local_tier)))
    assert removed
    removal = remove_old_files(local_tier, later(days=1), timedelta(0), is_live=DEAD)
    assert removal.files == len(removed)
    CHANGES["compaction"](local_tier)
    publish(local_tier, ["b"], job="third", content="3")

    snapshot = Snapshot.load(local_tier)
    before = removal_times(local_tier, snapshot)
    snapshot.events.create_checkpoint()
    after = removal_times(local_tier, Snapshot.load(local_tier))
    assert after.items() <= before.items()
    assert after
    assert removed.isdisjoint(after)
    assert set(Snapshot.load(local_tier).files) == set(snapshot.files)
    assert ids(local_tier) == sorted(expected_ids(["a"]) + expected_ids(["b"], content="3"))
