"""`rekindle jobs undo`: what a job has brought goes in one commit, and comes back by a restore, never twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pytest

from pipelines.maintenance.compact import compact
from pipelines.maintenance.delete import Deletion, delete
from pipelines.maintenance.reports import RestoreReport, UndoReport
from pipelines.maintenance.restore import Restore, restore
from pipelines.maintenance.rewriter import MaintenanceSettings, Rewriter
from pipelines.maintenance.rules import Rules
from pipelines.maintenance.tier import Tiering, tier
from pipelines.maintenance.undo import Undo, undo
from tests.transforms.hot_tier.maintenance.failing import Failing, Killed
from tests.transforms.hot_tier.maintenance.test_audit import at_once
from tests.transforms.hot_tier.samples import entry, expected_ids, ids, publish, uri_of, write
from tests.transforms.hot_tier.tiers import foreign_file
from tests.transforms.retention.rule_samples import rules_file
from transforms.core.errors import ConflictError, TierError, UnconfirmedError
from transforms.hot_tier.configuration.holds import add_hold, lift_hold
from transforms.hot_tier.ledger import folding
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.maintenance.audit import read_audit
from transforms.hot_tier.maintenance.deleted_objects import Deletions
from transforms.hot_tier.maintenance.finish import finish_interrupted
from transforms.hot_tier.table.prepare import prepare
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.parser import parse
from transforms.retention.durations import parse_duration
from transforms.retention.rules import Rule
from transforms.storage import StorageOptions, TierStore, open_tier
from transforms.storage.job_folder import JobFolder

pytestmark = pytest.mark.usefixtures("in_this_process")

OLD = parse_duration("1h")


@pytest.fixture
def store(tmp_path: Any) -> TierStore:
    store = open_tier(str(tmp_path / "hot"), StorageOptions())
    prepare(store)
    return store


class Opened(MaintenanceSettings):
    """Settings with a tier that is open."""

    def __init__(self, store: Any) -> None:
        super().__init__(hot_tier=store.uri)
        object.__setattr__(self, "store", store)

    def open_tier(self) -> TierStore:
        opened: TierStore = self.store  # type: ignore[attr-defined]
        return opened


def undone(store: Any, job: str = "two") -> UndoReport:
    return undo(Opened(store), Undo(task_id=job, confirm=lambda *_: True))


def restored(store: Any, run_id: str | None = None, *, to: int | None = None) -> RestoreReport:
    return restore(Opened(store), Restore(run_id=run_id, to=to, execute=True))


def deleted(store: TierStore, when: str) -> str:
    """Delete what a condition finds, by rules; return the run."""
    rule = Rule(name="old", retention=OLD, when=parse(when))
    rules = Rules(name="rules.yaml", text="rules: []", section="rules", file=rules_file(rule))
    return delete(Opened(store), Deletion(rules=rules, execute=True, confirm=lambda *_: True)).run_id


def moved(store: TierStore) -> None:
    rules = Rules(
        name="rules.yaml", text="tiers: []", section="tiers", file=rules_file(Rule(name="cold", retention=OLD))
    )
    tier(Opened(store), Tiering(rules=rules, execute=True))


def ledger(store: TierStore) -> Ledger:
    return Ledger.load(store, Snapshot.load(store))


def known(store: TierStore, keys: Sequence[str]) -> str:
    """Return those of some objects whose contents the ledger knows."""
    found = ledger(store)
    return "".join(key for key in keys if found.published("bucket", key))


def three_jobs(store: TierStore) -> None:
    """Publish three jobs that overlap: each finds some of its objects known already."""
    for job, keys in (("one", "ab"), ("two", "abcd"), ("three", "cdef")):
        publish(store, list(keys), job=job)


def test_the_middle_one_of_three_jobs_that_overlap(store: TierStore) -> None:
    three_jobs(store)
    whole = expected_ids("abcdef")
    assert ids(store) == whole
    report = undone(store)
    assert ids(store) == expected_ids("abef")
    assert known(store, "abcdef") == "abef"
    assert report.model_dump() | {"run_id": "", "bytes": 0, "share": 0, "files": 0, "files_whole": 0} == {
        "run_id": "", "executed": True, "task_id": "two", "undone_by": None, "events": 10, "files": 0,
        "files_whole": 0, "bytes": 0, "share": 0, "objects": 2, "replaced": 0, "holds": [], "held": 0,
        "objects_held": 0, "version_before": 3, "version_after": 4, "warnings": [],
    }  # fmt: skip
    assert report.files == report.files_whole > 0, "files of one job are not opened"
    row = read_audit(store)[-1]
    assert (row["kind"], row["run_id"], row["events"], row["version_after"]) == ("undo", report.run_id, 10, 4)
    assert orjson.loads(row["detail"]) == {"jobs": ["two"], "objects": 2}

    again = publish(store, list("abcd"), job="four")
    assert [one.status for one in again.entries] == ["ingested", "ingested", "known", "known"]
    assert ids(store) == whole
    done = restored(store, report.run_id)
    assert (done.events, done.newer, done.objects) == (0, 10, 0), "what came again does not come twice"
    assert ids(store) == whole
    assert ledger(store).undone_by("two") == report.run_id


def test_restored_at_once(store: TierStore) -> None:
    three_jobs(store)
    before = ids(store)
    report = undone(store)
    dry = restore(Opened(store), Restore(run_id=report.run_id[:-3]))
    done = restored(store, report.run_id)
    assert (dry.events, dry.newer, dry.objects) == (done.events, done.newer, done.objects) == (10, 0, 2)
    assert ids(store) == before
    assert known(store, "abcdef") == "abcdef"
    assert ledger(store).undone_by("two") is None
    assert {one.status for one in publish(store, list("cd"), job="four").entries} == {"known"}
    assert restored(store, report.run_id).already_restored == [report.run_id]
    assert orjson.loads(read_audit(store)[-1]["detail"])["jobs"] == ["two"]
    again = undone(store)
    assert (again.events, again.objects) == (10, 2)
    assert restored(store, again.run_id).events == 10
    assert ids(store) == before


def test_what_came_in_between_stays_and_is_not_doubled(store: TierStore) -> None:
    three_jobs(store)
    report = undone(store)
    publish(store, ["c"], job="four", content="2")
    done = restored(store, report.run_id)
    assert (done.events, done.newer, done.objects) == (5, 5, 1)
    assert ids(store) == sorted([*expected_ids("abdef"), *expected_ids("c", content="2")])
    assert [one.job for key in "cd" for one in ledger(store).published("bucket", key)] == ["four", "two"]


def test_the_first_of_two_attempts_comes_back(store: TierStore) -> None:
    """The second was worse, and is undone too; what is there then decides what of the second may come back."""
    publish(store, ["a", "b"], job="one")
    first = undone(store, "one")
    publish(store, ["a", "b"], job="two")
    second = undone(store, "two")
    both = restore(Opened(store), Restore(to=1))
    assert (both.events, both.newer, both.objects) == (10, 10, 2), "of both the newer comes back, and nothing twice"
    assert restored(store, first.run_id).events == 10
    assert ids(store) == expected_ids("ab")
    assert [one.job for one in ledger(store).published("bucket", "a")] == ["one"]
    done = restored(store, second.run_id)
    assert (done.events, done.newer, done.objects) == (0, 10, 0)
    assert ids(store) == expected_ids("ab")
    assert (ledger(store).undone_by("one"), ledger(store).undone_by("two")) == (None, second.run_id)


def test_replaced_content_does_not_come_back(store: TierStore) -> None:
    """It is not in the table, so it is not known: who has it may bring it again."""
    publish(store, ["a"], job="one")
    publish(store, ["a", "b"], job="two", content="2")
    report = undone(store)
    assert (report.objects, report.replaced) == (2, 1)
    assert ids(store) == []
    assert known(store, "ab") == ""
    publish(store, ["a"], job="three")
    assert ids(store) == expected_ids("a")


def test_what_was_read_again_is_gone_too(store: TierStore) -> None:
    publish(store, ["a"], job="one")
    publish(store, ["a", "b"], job="two", reprocess=True)
    report = undone(store)
    assert (report.events, report.objects, report.replaced) == (10, 2, 1)
    assert (ids(store), known(store, "ab")) == ([], "")
    assert restored(store, report.run_id).events == 10
    (content,) = ledger(store).published("bucket", "a")
    assert [one.job for one in ledger(store).lineage(content, "bucket", "a")] == ["one", "two"]


@pytest.mark.parametrize("rules", [{"force": True}, {"content": "2", "on_changed": "append"}], ids=["forced", "other"])
def test_what_another_job_has_of_the_same_object_stays(store: TierStore, rules: dict[str, Any]) -> None:
    publish(store, ["a"], job="one")
    publish(store, ["a"], job="two", **rules)
    both = ids(store)
    report = undone(store)
    assert ids(store) == expected_ids("a")
    assert known(store, "a") == "a"
    assert restored(store, report.run_id).events == 5
    assert ids(store) == both


@pytest.mark.parametrize("between", [compact, lambda settings: moved(settings.store)], ids=["compacted", "moved"])
def test_files_of_several_jobs_are_written_again(store: TierStore, between: Callable[[Any], object]) -> None:
    three_jobs(store)
    before = ids(store)
    between(Opened(store))
    report = undone(store)
    assert (report.events, report.files > report.files_whole) == (10, True)
    assert ids(store) == expected_ids("abef")
    between(Opened(store))
    assert restored(store, report.run_id).events == 10
    assert ids(store) == before


def test_what_holds_keep_stays_and_stays_known(store: TierStore) -> None:
    three_jobs(store)
    before = ids(store)
    add_hold(store, name="case", when='filename=c "1 3"')
    first = undone(store)
    assert (first.events, first.held, first.objects, first.objects_held) == (9, 1, 1, 1)
    assert [hold.model_dump() for hold in first.holds] == [{"name": "case", "events": 1}]
    kept = [f"e_{uri_of('c')}-1-3"]
    assert ids(store) == sorted([*expected_ids("abef"), *kept])
    assert known(store, "cd") == "c"
    publish(store, list("cd"), job="four")
    assert ids(store) == sorted([*expected_ids("abdef"), *kept]), "the object that has an event left is not doubled"
    again = undone(store)
    assert (again.events, again.held, again.objects_held, again.undone_by) == (0, 1, 1, first.run_id)
    assert again.version_after == again.version_before

    lift_hold(store, "case")
    rest = undone(store)
    assert ledger(store).undone_by("two") == rest.run_id
    alone = restore(Opened(store), Restore(run_id=first.run_id))
    assert (alone.events, alone.newer) == (0, 9), "c's others come back with its last, d came again"
    assert (rest.events, rest.objects, known(store, "c")) == (1, 1, "")
    both = restored(store, to=first.version_before)
    assert (both.runs, both.events, both.newer) == ([first.run_id, rest.run_id], 5, 5)
    assert ids(store) == before


@pytest.mark.parametrize("between", [lambda _: None, compact], ids=["files of one job", "of several"])
@pytest.mark.parametrize("hold", [None, 'filename=c "1 3"', "filename=c", "*"])
def test_a_dry_run_says_what_goes(store: TierStore, hold: str | None, between: Callable[[Any], object]) -> None:
    three_jobs(store)
    publish(store, list("bd"), job="two", wave=1, reprocess=True)
    between(Opened(store))
    if hold is not None:
        add_hold(store, name="case", when=hold)
    before, runs, version = ids(store), list(store.list("_rekindle/runs/")), Snapshot.load(store).version
    counted = undo(Opened(store), Undo(task_id="two", dry_run=True))
    assert (counted.executed, counted.version_before, counted.version_after) == (False, version, None)
    assert (ids(store), list(store.list("_rekindle/runs/"))) == (before, runs)
    assert (Snapshot.load(store).version, known(store, "abcdef")) == (version, "abcdef")
    done = undone(store)
    same = UndoReport.model_fields.keys() - {"run_id", "executed", "version_after"}
    assert counted.model_dump(include=same) == done.model_dump(include=same)
    assert (done.objects, done.replaced) == {None: (3, 1), "*": (0, 0)}.get(hold, (2, 1))


def test_a_dry_run_after_the_undoing(store: TierStore) -> None:
    three_jobs(store)
    first = undone(store)
    counted = undo(Opened(store), Undo(task_id="two", dry_run=True))
    assert (counted.events, counted.objects, counted.undone_by) == (0, 0, first.run_id)


def test_a_hold_that_is_set_while_it_runs(store: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    three_jobs(store)
    before_first_commit(monkeypatch, lambda: add_hold(store, name="case", when="filename=c"))
    report = undone(store)
    assert (report.events, report.held) == (5, 5)
    assert known(store, "cd") == "c"


def test_deletions_before_and_after(store: TierStore) -> None:
    """A restored deletion brings nothing of an undone job, unless that comes back with it."""
    three_jobs(store)
    before = ids(store)
    version = Snapshot.load(store).version
    first = deleted(store, "filename=c")
    report = undone(store)
    assert (report.events, report.objects) == (5, 2), "also what rules have deleted is not known any more"
    alone = restore(Opened(store), Restore(run_id=first))
    assert (alone.events, alone.newer) == (0, 5)
    second = deleted(store, "filename=e")
    done = restored(store, to=version)
    assert (done.runs, done.events, done.newer, done.objects) == ([first, report.run_id, second], 15, 0, 2)
    assert ids(store) == before
    assert known(store, "abcdef") == "abcdef"


def test_undone_events_are_not_those_that_rules_have_deleted(store: TierStore) -> None:
    three_jobs(store)
    deleted(store, "filename=e")
    undone(store)
    deletions = Deletions.load(store)
    assert deletions is not None
    contents = {uri_of(key): ledger(store).published("bucket", key) for key in "abcdef"}
    there = {uri: found for uri, found in contents.items() if found}
    assert deletions.have_lost_all(there) == {uri_of("e")}


def test_nothing_to_undo(store: TierStore) -> None:
    publish(store, ["a"], job="one")
    failed = entry("b", 0, job="two", status="failed")
    publish_wave(store, job="two", wave=0, files=[], entries=[failed])
    version = Snapshot.load(store).version
    report = undone(store)
    assert (report.events, report.objects, report.version_after, report.undone_by) == (0, 0, version, None)
    assert not list(store.list("_rekindle/runs/")), "nothing to audit or to restore"
    assert ledger(store).undone_by("two") is None
    publish(store, ["b"], job="two", wave=1)
    first = undone(store)
    assert (first.events, undone(store).undone_by) == (5, first.run_id)
    assert undone(store).version_after == first.version_after


def test_objects_without_events_are_no_longer_known(store: TierStore) -> None:
    publish_wave(store, job="two", wave=0, files=[], entries=[entry("empty", 0, job="two")])
    report = undone(store)
    assert (report.events, report.objects, known(store, ["empty"])) == (0, 1, "")
    assert restored(store, report.run_id).objects == 1
    assert known(store, ["empty"]) == "empty"


@pytest.mark.parametrize(
    ("harm", "message"),
    [("delete", "a file is gone from the store"), ("damage", "is damaged, and can't be read as Parquet")],
)
def test_a_file_that_can_not_be_read(store: TierStore, harm: str, message: str) -> None:
    publish(store, ["a"], job="one")
    publish(store, ["c"], job="two")
    for path in Snapshot.load(store).files:
        store.delete(f"events/{path}")
        if harm == "damage":
            store.put(f"events/{path}", b"PAR1 no more")
    with pytest.raises(TierError, match=message):
        undone(store)
    assert known(store, "ac") == "ac"


def test_no_tier_yet(tmp_path: Any) -> None:
    report = undone(open_tier(str(tmp_path / "none"), StorageOptions()))
    assert (report.events, report.version_after) == (0, 0)


def test_a_running_job_is_refused(store: TierStore) -> None:
    three_jobs(store)
    JobFolder(store, "two").write_json("status.json", {"status": "Running"})
    with pytest.raises(ConflictError, match="job two is running: cancel it first"):
        undone(store)
    assert ids(store) == expected_ids("abcdef")


def test_more_than_half_asks(store: TierStore) -> None:
    publish(store, ["a"], job="one")
    publish(store, ["b", "c"], job="two")
    before = ids(store)
    with pytest.raises(UnconfirmedError, match=r"10 of 15 events \(67%\) would be taken away: nothing was undone"):
        undo(Opened(store), Undo(task_id="two"))
    assert ids(store) == before
    assert undo(Opened(store), Undo(task_id="one")).events == 5


def test_the_question_says_what_does_not_come_back(store: TierStore) -> None:
    publish(store, ["a"], job="one")
    publish(store, ["a"], job="two", reprocess=True)
    with pytest.raises(UnconfirmedError, match="and the older content that 1 object had does not come back"):
        undo(Opened(store), Undo(task_id="two"))
    assert known(store, "a") == "a"


def test_an_undone_job_publishes_no_more(store: TierStore) -> None:
    """Its process was taken for dead, and is not."""
    three_jobs(store)
    report = undone(store)
    with pytest.raises(TierError, match=f"job two was undone by run {report.run_id}"):
        publish(store, ["x"], job="two", wave=1)
    with pytest.raises(TierError, match="was undone"):
        publish(store, ["c", "d"], job="two")
    assert ids(store) == expected_ids("abef")
    restored(store, report.run_id)
    publish(store, ["x"], job="two", wave=1)
    assert ids(store) == expected_ids("abcdefx")


def test_a_wave_that_comes_first_is_undone_too(store: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    three_jobs(store)
    before_first_commit(monkeypatch, lambda: publish(store, ["x"], job="two", wave=1))
    report = undone(store)
    assert (report.events, report.objects) == (15, 3)
    assert ids(store) == expected_ids("abef")


RIVALS: dict[str, Callable[[TierStore], object]] = {
    "backfill": lambda store: publish(store, ["c", "x"], job="four"),
    "replacement": lambda store: publish(store, ["c"], job="four", content="2"),
    "compaction": lambda store: compact(Opened(store)),
    "move": moved,
    "deletion": lambda store: deleted(store, "filename=c"),
    "undoing": undone,
    "another": lambda store: undone(store, "three"),
}
LEFT = {
    "backfill": [*expected_ids("abefx")],
    "replacement": [*expected_ids("abef"), *expected_ids("c", content="2")],
    "another": [*expected_ids("ab")],
}


@pytest.mark.parametrize("rival", RIVALS)
def test_what_others_commit_meanwhile(store: TierStore, monkeypatch: pytest.MonkeyPatch, rival: str) -> None:
    three_jobs(store)
    before_first_commit(monkeypatch, lambda: RIVALS[rival](store))
    report = undone(store)
    assert ids(store) == sorted(LEFT.get(rival, expected_ids("abef")))
    assert known(store, "d") == ""
    assert (report.events, sum(row["kind"] == "undo" for row in read_audit(store))) == {
        "undoing": (0, 2), "deletion": (5, 1), "replacement": (5, 1), "another": (10, 2),
    }.get(rival, (10, 1))  # fmt: skip
    if rival == "undoing":
        assert (report.undone_by, report.version_after) == (ledger(store).undone_by("two"), report.version_before)
    sidecars = [file.path for file in store.list("_rekindle/ledger/commits/")]
    assert len(sidecars) == ledger(store).k, "an attempt that was refused leaves nothing"


def before_first_commit(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something be done once, after an undoing was planned and before it commits."""
    real = Rewriter.rewrite
    calls: Iterator[Callable[[], object]] = iter([act])

    def rewrite(*args: Any) -> Any:
        found = real(*args)
        next(calls, lambda: None)()
        return found

    monkeypatch.setattr(Rewriter, "rewrite", rewrite)


def test_two_at_once(store: TierStore) -> None:
    three_jobs(store)
    at_once([lambda: undone(store), lambda: undone(store, "three"), lambda: undone(store)])
    assert ids(store) == expected_ids("ab")
    assert known(store, "abcdef") == "ab"
    runs = [row["run_id"] for row in read_audit(store) if row["events"]]
    assert len(runs) == 2
    at_once([lambda: restored(store, runs[0]), lambda: restored(store, runs[1]), lambda: restored(store, to=0)])
    assert ids(store) == expected_ids("abcdef")
    assert known(store, "abcdef") == "abcdef"


def test_the_ledger_is_folded_over_it(store: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "SIDECARS", 4)
    three_jobs(store)
    report = undone(store)
    (folded,) = store.list("_rekindle/ledger/")
    assert "/folded/" in folded.path, "who makes the last commit of a block folds it"
    assert known(store, "abcdef") == "abef"
    assert ledger(store).undone_by("two") == report.run_id
    assert [one.status for one in ledger(store).of_job("two")] == ["ingested", "ingested"]
    assert restored(store, report.run_id).objects == 2
    assert known(store, "abcdef") == "abcdef"


def test_rows_of_another_writers_file_are_examined(store: TierStore) -> None:
    foreign_file(store)
    publish(store, ["a"], job="two")
    report = undone(store)
    assert (report.events, len(ids(store))) == (5, 2)


@pytest.mark.parametrize("what", ["undo", "restore"])
@pytest.mark.parametrize("after", [False, True], ids=["before-a-call", "after-a-call"])
@pytest.mark.parametrize("step", [1, pytest.param(0, marks=pytest.mark.slow)], ids=["some", "all"])
def test_killed_at_every_call(tmp_path: Any, what: str, after: bool, step: int) -> None:
    """Run again, all is as if nothing had happened."""
    made = open_tier(str(tmp_path / "made"), StorageOptions())
    prepare(made)
    three_jobs(made)
    compact(Opened(made))
    JobFolder(made, "two").write_json("status.json", {"status": "Succeeded"})
    run_id = undone(made).run_id if what == "restore" else None

    def done(store: Any) -> object:
        return undone(store) if run_id is None else restored(store, run_id)

    keys = "abef" if run_id is None else "abcdef"
    calls = range(5, 10**9, 23) if step else range(1, 10**9)
    for number in calls:
        shutil.copytree(tmp_path / "made", tmp_path / f"hot-{number}")
        store = open_tier(str(tmp_path / f"hot-{number}"), StorageOptions())
        try:
            done(Failing(store, number, after=after))
        except Killed:
            is_killed = True
        else:
            is_killed = False
        finish_interrupted(store, lambda _: False)
        done(store)
        assert (ids(store), known(store, "abcdef")) == (expected_ids(keys), keys), number
        rows = [row["events"] for row in read_audit(store) if row["kind"] == what]
        assert [events for events in rows if events] == [10], number
        status = JobFolder(store, "two").read_json("status.json")
        assert ("undone" in status) == (run_id is None), number
        if not is_killed:
            break
    assert number > 30


def test_wave_written_for_two_jobs_is_told_apart(store: TierStore) -> None:
    """Rows of another job that come in one file with the job's are not touched, whoever wrote the file."""
    publish(store, ["a"], job="one")
    files = write(store, ["b"], job="two")
    publish_wave(store, job="two", wave=0, files=files, entries=[entry("b", 5, job="two")])
    compact(Opened(store))
    assert undone(store, "one").events == 5
    assert ids(store) == expected_ids("b")
