"""From the log to the hot tier exactly once, whatever is killed, gone, full or copied."""

from __future__ import annotations

import queue
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.watching import tidying
from service.hec import batches
from service.hec.committer import Committer, app_id
from service.hec.log_folder import LogFolder, hold_folder
from service.hec.merging import FILES, Merging, merge
from service.hec.receiver import LeftLogs
from service.hec.write_ahead_log import WriteAheadLog
from service.settings import ServiceSettings
from tests.service.hec.conftest import CONTEXT, events_of
from transforms.core.errors import TierError
from transforms.formats import read_records
from transforms.hot_tier.configuration.pipelines import set_pipelines
from transforms.hot_tier.ledger import append as append_module
from transforms.hot_tier.ledger.append import OtherLogError, RemovedFilesError, last_appended
from transforms.hot_tier.table import commit as commit_module
from transforms.hot_tier.table.prepare import prepare
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, TierStore, open_tier

SECONDS = 60.0
STEPS = ("sealed", "written", "committed", "appended", "dropped")


class KilledError(BaseException):
    """Stands for the end of the process: nothing catches it."""


class Machine:
    """A hot tier and a folder of logs; services over them begin and are killed."""

    def __init__(self, folder: Path) -> None:
        """Make the tier."""
        self.path = folder / "hot"
        self.base = folder / "hec"
        self.tier: TierStore = open_tier(str(self.path), StorageOptions())
        self.table = prepare(self.tier).table_id
        self.held: list[LogFolder] = []

    def begin(self, **options: Any) -> Committer:
        """Begin a service."""
        folder = hold_folder(self.base, self.table)
        self.held.append(folder)
        committed = last_appended(Snapshot.load(self.tier), app_id(folder.instance))
        return Committer(self.tier, WriteAheadLog(folder, committed=committed), **options)

    def kill(self) -> None:
        """Let go of what a killed process would."""
        while self.held:
            self.held.pop().close()

    def messages(self) -> list[str]:
        return [row["_message"] for row in events_of(self.path)]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.kill()


def send(committer: Committer, *messages: str) -> None:
    """Send an event each, and wait for the answers."""
    for message in messages:
        payload = b'{"event":"%b"}\n' % message.encode()
        committer.wal.append(CONTEXT.dump(), payload, events=1).result(SECONDS)


def commit_all(committer: Committer) -> None:
    while committer.commit():
        pass


@pytest.mark.parametrize("step", STEPS)
def test_a_service_killed_at_any_step_loses_and_doubles_nothing(machine: Machine, step: str) -> None:
    def kill(name: str) -> None:
        if name == step:
            raise KilledError

    committer = machine.begin(step=kill)
    send(committer, "a", "b")
    with pytest.raises(KilledError):
        committer.commit()
    machine.kill()
    again = machine.begin()
    send(again, "c")
    commit_all(again)
    assert machine.messages() == ["a", "b", "c"]
    assert len({row["_event_id"] for row in events_of(machine.path)}) == 3
    assert not again.wal.has_events


def test_what_is_left_is_committed_at_once(machine: Machine) -> None:
    send(machine.begin(), "a")
    machine.kill()
    again = machine.begin(seconds=3600.0)
    again.start()
    assert again.wait_for(1).result(SECONDS) == 1
    assert again.close(SECONDS)
    assert machine.messages() == ["a"]


def test_the_end_commits_what_is_there(machine: Machine) -> None:
    committer = machine.begin(seconds=3600.0)
    committer.start()
    send(committer, "a")
    assert committer.close(SECONDS)
    assert machine.messages() == ["a"]


def test_what_was_not_flushed_when_it_was_killed_is_left_out(machine: Machine) -> None:
    committer = machine.begin()
    send(committer, "a", "b")
    segment = committer.wal.seal()[0].path
    segment.write_bytes(segment.read_bytes()[:-3])
    machine.kill()
    again = machine.begin()
    send(again, "c")
    commit_all(again)
    assert machine.messages() == ["a", "c"]


def test_an_answer_that_is_lost_is_found_out(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = commit_module.commit

    def lose(*arguments: Any, **options: Any) -> None:
        commit(*arguments, **options)
        raise OSError("the answer was lost")

    committer = machine.begin()
    send(committer, "a")
    monkeypatch.setattr(append_module, "commit", lose)
    commit_all(committer)
    assert machine.messages() == ["a"]
    assert not committer.wal.has_events


def test_a_commit_that_comes_late_is_this_logs_own(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[Callable[[], None]] = []
    commit, load = commit_module.commit, Snapshot.load

    def hold_back(*arguments: Any, **options: Any) -> None:
        late.append(lambda: commit(*arguments, **options))
        raise KilledError

    killed = machine.begin()
    send(killed, "a")
    monkeypatch.setattr(append_module, "commit", hold_back)
    with pytest.raises(KilledError):
        killed.commit()
    machine.kill()
    again = machine.begin()
    send(again, "b")
    monkeypatch.setattr(append_module, "commit", commit)

    def arrive(tier: TierStore) -> Snapshot:
        while late:
            late.pop()()
        return load(tier)

    monkeypatch.setattr(Snapshot, "load", arrive)
    commit_all(again)
    assert machine.messages() == ["a", "b"]


def test_a_tier_that_is_gone_for_a_while_gets_it_later(machine: Machine) -> None:
    committer = machine.begin()
    send(committer, "a")
    away = machine.path.with_name("away")
    machine.path.rename(away)
    with pytest.raises(TierError, match="hot tier"):
        committer.commit()
    send(committer, "b")
    shutil.rmtree(machine.path, ignore_errors=True)
    away.rename(machine.path)
    commit_all(committer)
    assert machine.messages() == ["a", "b"]


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Refuse commits while the list is not empty; without pauses."""
    commit, refusing = commit_module.commit, [True]

    def refuse(*arguments: Any, **options: Any) -> None:
        if refusing:
            raise OSError("refused")
        commit(*arguments, **options)

    monkeypatch.setattr(append_module, "commit", refuse)
    monkeypatch.setattr(commit_module, "MOST_FAILURES", 2)
    monkeypatch.setattr(commit_module, "back_off", lambda failures: 0.0)
    return refusing


def test_a_tier_that_refuses_is_not_filled_with_files(machine: Machine, refusals: list[bool]) -> None:
    committer = machine.begin()
    send(committer, "a")
    for _ in range(3):
        with pytest.raises(TierError, match="refused"):
            committer.commit()
    assert len(list(machine.path.rglob("part-*.parquet"))) == 1
    send(committer, "b")
    refusals.clear()
    commit_all(committer)
    assert machine.messages() == ["a", "b"]


def test_files_that_were_removed_meanwhile_are_written_again(machine: Machine, refusals: list[bool]) -> None:
    committer = machine.begin()
    send(committer, "a")
    with pytest.raises(TierError, match="refused"):
        committer.commit()
    orphan = next(machine.path.rglob("part-*.parquet"))
    orphan.unlink()
    commit_module.commit(Snapshot.load(machine.tier), transactions=[("purge", 1)])
    refusals.clear()
    with pytest.raises(RemovedFilesError, match="was removed before it was published"):
        committer.commit()
    commit_all(committer)
    assert machine.messages() == ["a"]


def test_a_copy_of_the_log_is_found_out(machine: Machine) -> None:
    committer = machine.begin()
    send(committer, "a")
    commit_all(committer)
    shutil.copytree(machine.base, machine.base.with_name("copy"))
    copied = hold_folder(machine.base.with_name("copy"), machine.table)
    machine.held.append(copied)
    twin = Committer(machine.tier, WriteAheadLog(copied, committed=1))
    send(committer, "b")
    send(twin, "x")
    commit_all(twin)
    with pytest.raises(OtherLogError, match="another service uses a copy of the log's folder"):
        committer.commit()
    assert committer.wal.has_events


def test_two_services_have_logs_of_their_own(machine: Machine) -> None:
    first, second = machine.begin(), machine.begin()
    send(first, "a")
    send(second, "b")
    commit_all(first), commit_all(second)
    assert sorted(machine.messages()) == ["a", "b"]
    assert len({row["_event_id"] for row in events_of(machine.path)}) == 2


def test_the_log_of_a_killed_service_is_taken_over_by_another(machine: Machine) -> None:
    running, killed = machine.begin(), machine.begin()
    send(killed, "a")
    machine.held.pop().close()
    left = LeftLogs(machine.base, machine.table, machine.tier)
    left.take_over()
    assert machine.messages() == ["a"]
    left.take_over()
    assert machine.messages() == ["a"]
    assert not running.wal.has_events


def test_the_tiers_own_pipelines_run_on_what_comes_in(machine: Machine) -> None:
    text = """
pipelines:
  - name: levels
    when: '#receiver=http.hec'
    steps:
      - regex: {source: message, pattern: 'level=(?P<level>\\w+)'}
  - name: noise
    steps:
      - drop: {when: level=debug}
"""
    set_pipelines(machine.tier, text, file="pipelines.yaml")
    committer = machine.begin()
    send(committer, "level=info a", "level=debug b", "level=warn c")
    commit_all(committer)
    rows = events_of(machine.path)
    assert [(row["_message"], row["level"]) for row in rows] == [("level=info a", "info"), ("level=warn c", "warn")]
    assert [row["_event_id"].rpartition("-")[2] for row in rows] == ["1", "3"]


def test_events_that_are_all_dropped_are_done_with(machine: Machine) -> None:
    set_pipelines(machine.tier, "pipelines: [{name: all, steps: [{drop: {}}]}]", file="pipelines.yaml")
    committer = machine.begin()
    send(committer, "a")
    commit_all(committer)
    assert not committer.wal.has_events
    assert last_appended(Snapshot.load(machine.tier), app_id(committer.wal.folder.instance)) == 1


def test_clients_that_wait_for_the_commit_are_answered_by_it(machine: Machine) -> None:
    committer = machine.begin()
    send(committer, "a", "b")
    waiting = [committer.wait_for(number) for number in (2, 1)]
    assert not any(one.done() for one in waiting)
    commit_all(committer)
    assert [one.result(SECONDS) for one in waiting] == [2, 1]
    assert committer.wait_for(2).done()


def test_a_commit_opens_the_table_as_often_after_many_as_after_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()
    load = Snapshot.load

    def count(tier: TierStore) -> Snapshot:
        counts["loads"] += 1
        return load(tier)

    committer = machine.begin()
    found = []
    monkeypatch.setattr(Snapshot, "load", count)
    for number in range(12):
        counts.clear()
        send(committer, f"{number}")
        committer.commit()
        found.append(counts["loads"])
    assert set(found) == {3}


def test_a_request_that_cannot_be_read_keeps_nothing_back(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(chunks: Iterator[bytes], *arguments: Any, **options: Any) -> Any:
        given = list(chunks)
        if any(b"poison" in chunk for chunk in given):
            raise ZeroDivisionError
        return read_records(iter(given), *arguments, **options)

    monkeypatch.setattr(batches, "read_records", read)
    committer = machine.begin()
    send(committer, "a", "b", "poison", "c")
    commit_all(committer)
    rows = events_of(machine.path)
    assert [row["_message"] for row in rows] == ["a", "b", '{"event":"poison"}', "c"]
    assert [row.get("_error", "").partition(":")[0] for row in rows] == ["", "", "not_read", ""]
    assert len({row["_event_id"] for row in rows}) == 4


def test_clients_of_one_key_do_not_disturb_each_other(machine: Machine) -> None:
    committer = machine.begin()
    for payload in (b'{"event":"s","time":1437522387}\n', b'{"event":"ms","time":"1437522387250"}\n'):
        committer.wal.append(CONTEXT.dump(), payload, events=1).result(SECONDS)
    commit_all(committer)
    assert [f"{row['_time']:%Y-%m-%d %H:%M:%S.%f}" for row in events_of(machine.path)] == [
        "2015-07-21 23:46:27.000000",
        "2015-07-21 23:46:27.250000",
    ]


def test_a_merge_begins_after_so_many_files(machine: Machine) -> None:
    settings = ServiceSettings(hot_tier=str(machine.path))
    begun = queue.Queue[ServiceSettings]()
    merging = Merging(settings, begin=begun.put)
    for _ in range(FILES - 1):
        merging.count(1)
    assert begun.empty()
    merging.count(1)
    assert begun.get(timeout=SECONDS) == settings


def test_small_files_are_merged(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "MOST_SMALL", 3)
    settings = ServiceSettings(hot_tier=str(machine.path))
    committer = machine.begin()
    for message in "abc":
        send(committer, message)
        committer.commit()
    assert merge(settings)
    assert not merge(settings)
    assert len(Snapshot.load(machine.tier).files) == 1
    assert machine.messages() == ["a", "b", "c"]
