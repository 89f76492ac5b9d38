"""A wave is published exactly once, whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from tests.transforms.hot_tier.samples import entry, events, expected_ids, ids, publish, read, times_of, uri_of, write
from transforms.core.errors import TierError
from transforms.hot_tier.data.rewrite import rewrite_file, without_contents
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger import publish as publishing
from transforms.hot_tier.ledger import wave_files
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.table import commit as commits
from transforms.hot_tier.table.prepare import promote_new, promoted_columns
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore


def ledger(tier: TierStore) -> Ledger:
    return Ledger.load(tier, Snapshot.load(tier))


def statuses(result: publishing.PublishResult) -> dict[str, str]:
    return {one.key: one.status for one in result.entries}


def test_events_and_ledger_appear_together(tier: TierStore) -> None:
    result = publish(tier, ["a", "b"], rows=7)

    assert ids(tier) == expected_ids(["a", "b"], rows=7)
    assert statuses(result) == {"a": "ingested", "b": "ingested"}
    assert result.files == len(Snapshot.load(tier).files)
    assert result.version == Snapshot.load(tier).version
    kept = {one.key: one for one in ledger(tier).of_job("job")}
    assert {one.k for one in kept.values()} == {1}
    assert kept["a"].events == 7
    assert kept["a"].min_time is not None
    assert int(kept["a"].min_time.timestamp() * 1e6) == times_of("a", 7)[0]
    assert set(result.entries) == set(kept.values())


def test_the_range_of_times_is_that_of_all_files(local_tier: TierStore) -> None:
    """Whichever file is named last: by it, what replaces the object finds its events."""
    batches = [times_of("a", 2), [time - 10_000_000 for time in times_of("a", 2)], [times_of("a", 2)[0] + 5_000_000]]
    files = []
    for times in (batches[1], batches[2], batches[0]):
        writer = HotTierWriter(local_tier, columns=promoted_columns(local_tier), job="job")
        writer.write(events(uri_of("a"), times, str(times[0])))
        files += writer.close()
    publish_wave(local_tier, job="job", wave=0, files=files, entries=[entry("a", 5)])
    (kept,) = ledger(local_tier).of_job("job")
    assert kept.min_time is not None
    assert kept.max_time is not None
    assert int(kept.min_time.timestamp() * 1e6) == batches[1][0]
    assert int(kept.max_time.timestamp() * 1e6) == batches[2][0]
    publish(local_tier, ["a"], job="new", content="2")
    assert ids(local_tier) == expected_ids(["a"], content="2")


def test_second_call_gives_the_same_result(tier: TierStore) -> None:
    files = write(tier, ["a", "b"])
    entries = [entry("a", 5), entry("b", 5)]
    first = publish_wave(tier, job="job", wave=0, files=files, entries=entries)
    second = publish_wave(tier, job="job", wave=0, files=files, entries=entries)

    assert second == first
    assert ids(tier) == expected_ids(["a", "b"])


def test_second_launcher_with_files_of_its_own_adds_nothing(tier: TierStore) -> None:
    first = publish(tier, ["a", "b"])
    second = publish(tier, ["a", "b"])

    assert second.entries == first.entries
    assert (second.files, second.bytes, second.version) == (first.files, first.bytes, first.version)
    assert ids(tier) == expected_ids(["a", "b"])


def test_second_launcher_publishes_what_the_first_could_not_read(tier: TierStore) -> None:
    publish_wave(
        tier, job="job", wave=0, files=write(tier, ["a"]), entries=[entry("a", 5), entry("b", 0, status="failed")]
    )
    result = publish(tier, ["a", "b"])

    assert statuses(result) == {"a": "ingested", "b": "ingested"}
    assert ids(tier) == expected_ids(["a", "b"])
    assert {one.key: one.status for one in ledger(tier).of_job("job")} == {"a": "ingested", "b": "ingested"}


def test_second_launcher_that_fails_where_the_first_did_not_changes_nothing(tier: TierStore) -> None:
    publish(tier, ["a", "b"])
    version = Snapshot.load(tier).version
    result = publish_wave(
        tier, job="job", wave=0, files=write(tier, ["a"]), entries=[entry("a", 5), entry("b", 0, status="failed")]
    )

    assert statuses(result) == {"a": "ingested", "b": "ingested"}
    assert Snapshot.load(tier).version == version


def test_what_another_job_has_is_taken_out(tier: TierStore) -> None:
    publish(tier, ["b", "x"], job="other")
    result = publish(tier, ["a", "b", "c"])

    assert statuses(result) == {"a": "ingested", "b": "known", "c": "ingested"}
    assert [one.known_of for one in result.entries if one.key == "b"] == ["other"]
    assert ids(tier) == expected_ids(["a", "b", "c", "x"])


def test_only_files_that_hold_such_rows_are_written_again(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(local_tier, ["b"], job="other")
    files = write(local_tier, ["a", "b"]) + write(local_tier, ["c"])
    rewritten: list[str] = []
    original = rewrite_file
    monkeypatch.setattr(
        wave_files,
        "rewrite_file",
        lambda tier, path, *args, **more: (rewritten.append(path), original(tier, path, *args, **more))[1],
    )
    publish_wave(local_tier, job="job", wave=0, files=files, entries=[entry(key, 5) for key in "abc"])

    shared = [file.path for file in files if len(file.objects) == 2]
    assert rewritten == shared
    live = Snapshot.load(local_tier).files
    assert all((file.path in live) == (set(file.objects) <= {uri_of("a"), uri_of("c")}) for file in files)
    assert ids(local_tier) == expected_ids(["a", "b", "c"])


def test_rewritten_file_that_lacks_rows_is_not_published(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(local_tier, ["a"], job="other")
    version = Snapshot.load(local_tier).version
    original = without_contents
    monkeypatch.setattr(f"{wave_files.__name__}.without_contents", lambda gone: original({**gone, uri_of("d"): None}))
    monkeypatch.setattr(publishing, "back_off", lambda failures: 0.0)
    with pytest.raises(TierError, match="rows were written where .* were counted. Nothing of it was"):
        publish(local_tier, ["a", "d", "g"])
    assert Snapshot.load(local_tier).version == version


def test_wave_of_nothing_new_is_recorded_and_brings_nothing(tier: TierStore) -> None:
    publish(tier, ["a"], job="other")
    result = publish(tier, ["a"])

    assert statuses(result) == {"a": "known"}
    assert (result.files, result.bytes) == (0, 0)
    assert [record.wave for record in ledger(tier).waves_of_job("job")] == [0]
    assert ledger(tier).of_job("job") == []
    assert ids(tier) == expected_ids(["a"])
    again = publish(tier, ["a"])
    assert again == result


def test_empty_wave(tier: TierStore) -> None:
    result = publish_wave(tier, job="job", wave=3, files=[], entries=[])

    assert result.entries == ()
    assert [record.wave for record in ledger(tier).waves_of_job("job")] == [3]
    assert read(tier).height == 0


def test_wave_whose_every_object_failed(tier: TierStore) -> None:
    failed = [
        replace(entry(key, 3, status=status), reason=f"{key}!")
        for key, status in [("a", "failed"), ("b", "quarantined"), ("c", "vanished")]
    ]
    files = write(tier, ["b"], rows=3)
    result = publish_wave(tier, job="job", wave=0, files=files, entries=failed)

    assert statuses(result) == {"a": "failed", "b": "quarantined", "c": "vanished"}
    assert read(tier).height == 0
    assert [one.as_failure() for one in ledger(tier).of_job("job")] == [
        {"object": uri_of(one.key), "status": one.status, "reason": one.reason} for one in failed
    ]
    assert publish_wave(tier, job="job", wave=0, files=files, entries=failed) == result


def test_rows_of_a_quarantined_object_leave_shared_files(tier: TierStore) -> None:
    files = write(tier, ["a", "d", "g"], rows=4)
    assert any(len(file.objects) == 3 for file in files)
    result = publish_wave(
        tier,
        job="job",
        wave=0,
        files=files,
        entries=[entry("a", 4), entry("d", 4, status="quarantined"), entry("g", 4, status="salvaged")],
    )

    assert ids(tier) == expected_ids(["a", "g"], rows=4)
    assert result.files == len(Snapshot.load(tier).files)
    assert {one.key: (one.events, one.rejected) for one in result.entries} == {"a": (4, 0), "d": (0, 4), "g": (4, 0)}


def test_replace_takes_the_older_rows_out_of_all_files(tier: TierStore) -> None:
    writer = HotTierWriter(tier, columns=promoted_columns(tier))
    batches = [
        events(uri_of(key), [time + day * 86_400_000_000 for time in times_of("x", 3)], str(day))
        for key in "ab"
        for day in range(3)
    ]
    for batch in batches:
        writer.write(batch)
    publish_wave(tier, job="old", wave=0, files=writer.close(), entries=[entry("a", 9), entry("b", 9)])
    assert len(Snapshot.load(tier).files) == 3
    publish(tier, ["c"], job="old", wave=1)

    result = publish(tier, ["b"], rows=4, content="2")

    assert [one.replaced for one in result.entries] == [True]
    kept = sorted(f"e_{uri_of('a')}-{day}-{i}" for day in range(3) for i in range(3))
    assert ids(tier) == sorted(kept + expected_ids(["c"]) + expected_ids(["b"], rows=4, content="2"))
    frame = read(tier)
    assert frame.filter(pl.col("date") != pl.col("_time").dt.date()).height == 0
    assert publish(tier, ["b"], rows=4, content="2").entries == result.entries
    assert [one.etag for one in ledger(tier).published("bucket", "b")] == ["2"]


def test_replace_drops_a_file_of_nothing_else(tier: TierStore) -> None:
    old = publish(tier, ["a"], job="old")
    result = publish(tier, ["a"], content="2")

    assert (old.files, result.files) == (1, 1)
    assert len(Snapshot.load(tier).files) == 1
    assert ids(tier) == expected_ids(["a"], content="2")


def test_replaced_content_that_comes_back_replaces_in_turn(tier: TierStore) -> None:
    for number, content in enumerate("121"):
        publish(tier, ["a"], job=f"job{number}", content=content)

    assert ids(tier) == expected_ids(["a"], content="1")


def test_append_keeps_the_older_rows(tier: TierStore) -> None:
    publish(tier, ["a"], job="old")
    result = publish(tier, ["a"], content="2", on_changed="append")

    assert [one.replaced for one in result.entries] == [False]
    assert ids(tier) == sorted(expected_ids(["a"]) + expected_ids(["a"], content="2"))
    third = publish(tier, ["a"], job="third", content="1", on_changed="append")
    assert statuses(third) == {"a": "known"}


def test_skip_leaves_the_older_rows(tier: TierStore) -> None:
    publish(tier, ["a"], job="old")
    result = publish(tier, ["a", "b"], content="2", on_changed="skip")

    assert statuses(result) == {"a": "skipped", "b": "ingested"}
    assert ids(tier) == sorted(expected_ids(["a"]) + expected_ids(["b"], content="2"))


def test_skip_holds_for_changed_content_also_by_force(tier: TierStore) -> None:
    """`--force` brings once more what is known, and `onChanged: skip` leaves what has changed."""
    publish(tier, ["a", "b"], job="old")
    rules: dict[str, Any] = {"on_changed": "skip", "force": True}
    assert statuses(publish(tier, ["a"], job="changed", content="2", **rules)) == {"a": "skipped"}
    assert statuses(publish(tier, ["b"], job="same", **rules)) == {"b": "ingested"}
    assert ids(tier) == sorted(expected_ids(["a", "b"]) + expected_ids(["b"]))


def test_force_adds_the_same_events_once_more_and_no_more(tier: TierStore) -> None:
    publish(tier, ["a"], job="old")
    for _ in range(2):
        publish(tier, ["a"], force=True)

    assert ids(tier) == sorted(expected_ids(["a"]) * 2)


def test_another_wave_of_the_same_job_adds_nothing(local_tier: TierStore) -> None:
    for force in (False, True):
        publish(local_tier, ["a"], wave=0, force=force)
        assert statuses(publish(local_tier, ["a"], wave=1, force=force)) == {"a": "known"}
    assert ids(local_tier) == expected_ids(["a"])


def test_force_still_replaces_changed_content(tier: TierStore) -> None:
    publish(tier, ["a"], job="old")
    publish(tier, ["a"], content="2", force=True)

    assert ids(tier) == expected_ids(["a"], content="2")


def test_salvaged_is_known_and_replaced_on_demand(tier: TierStore) -> None:
    publish_wave(
        tier, job="old", wave=0, files=write(tier, ["a"], rows=2), entries=[entry("a", 2, job="old", status="salvaged")]
    )

    assert statuses(publish(tier, ["a"], job="second")) == {"a": "known"}
    result = publish(tier, ["a"], job="third", retry_failed=True)
    assert [(one.status, one.replaced) for one in result.entries] == [("ingested", True)]
    assert ids(tier) == expected_ids(["a"])
    assert publish(tier, ["a"], job="third", retry_failed=True).entries == result.entries
    assert statuses(publish(tier, ["a"], job="fourth", retry_failed=True)) == {"a": "known"}


def test_retry_of_one_content_leaves_the_others_that_were_appended(tier: TierStore) -> None:
    publish(tier, ["a"], job="one", content="1")
    publish_wave(
        tier,
        job="two",
        wave=0,
        files=write(tier, ["a"], rows=2, content="2", job="two"),
        entries=[entry("a", 2, job="two", status="salvaged", content="2")],
        on_changed="append",
    )
    publish(tier, ["a"], job="three", content="2", on_changed="append", retry_failed=True)

    assert ids(tier) == sorted(expected_ids(["a"], content="1") + expected_ids(["a"], content="2"))
    assert [(one.etag, one.job) for one in ledger(tier).published("bucket", "a")] == [("1", "one"), ("2", "three")]


@pytest.mark.parametrize("status", ["failed", "quarantined", "vanished", "archived"])
def test_what_failed_is_tried_again_by_a_later_job(local_tier: TierStore, status: str) -> None:
    publish_wave(local_tier, job="old", wave=0, files=[], entries=[entry("a", 0, job="old", status=status)])
    result = publish(local_tier, ["a"])

    assert [(one.status, one.replaced) for one in result.entries] == [("ingested", False)]
    assert ids(local_tier) == expected_ids(["a"])


def test_failed_retry_keeps_what_is_there(local_tier: TierStore) -> None:
    publish(local_tier, ["a"], job="old")
    publish_wave(
        local_tier, job="new", wave=0, files=[], entries=[entry("a", 0, job="new", status="failed", content="2")]
    )

    assert ids(local_tier) == expected_ids(["a"])
    result = publish(local_tier, ["a"], job="newer", content="2")
    assert [one.replaced for one in result.entries] == [True]
    assert ids(local_tier) == expected_ids(["a"], content="2")


@pytest.mark.parametrize(
    ("files_of", "entries", "message"),
    [
        (["a"], [entry("a", 6)], "hold 5 events of s3://bucket/a, its entries count 6"),
        (["a"], [entry("a", 5), entry("b", 1)], "hold 0 events of s3://bucket/b"),
        (["a", "b"], [entry("a", 5)], "events of s3://bucket/b, its entries count none"),
        (["a"], [entry("a", 5), entry("a", 5)], "more than one entry for s3://bucket/a"),
    ],
    ids=["too-few", "missing", "unknown", "doubled"],
)
def test_wave_that_does_not_balance_is_refused(
    local_tier: TierStore, files_of: list[str], entries: list[Any], message: str
) -> None:
    version = Snapshot.load(local_tier).version
    with pytest.raises(TierError, match=message):
        publish_wave(local_tier, job="job", wave=0, files=write(local_tier, files_of), entries=entries)
    assert Snapshot.load(local_tier).version == version


class KilledError(BaseException):
    """The process ends here."""


def _kill_before(*_: Any, **__: Any) -> Any:
    raise KilledError


def _kill_after(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        original(*args, **more)
        raise KilledError

    return call


@pytest.mark.parametrize("point", ["before-sidecar", "after-sidecar", "after-commit", "before-settling"])
@pytest.mark.parametrize("changed", [False, True], ids=["append", "replace"])
def test_killed_between_steps(tier: TierStore, monkeypatch: pytest.MonkeyPatch, point: str, changed: bool) -> None:
    publish(tier, ["a", "old"], job="old")
    content = "2" if changed else "1"
    files = write(tier, ["a", "b"], content=content)
    entries = [entry("a", 5, content=content), entry("b", 5, content=content)]
    with monkeypatch.context() as patch:
        if point == "before-sidecar":
            patch.setattr(type(tier), "put_new", _kill_before)
        elif point == "after-sidecar":
            patch.setattr(publishing, "commit", _kill_before)
        elif point == "after-commit":
            patch.setattr(publishing, "commit", _kill_after(commits.commit))
        else:
            patch.setattr(publishing, "finish_commit", _kill_before)
        with pytest.raises(KilledError):
            publish_wave(tier, job="job", wave=0, files=files, entries=entries)
    before = sorted(expected_ids(["a", "old"]))
    after = (
        sorted(expected_ids(["old"]) + expected_ids(["a", "b"], content=content))
        if changed
        else expected_ids(["a", "b", "old"])
    )
    assert ids(tier) == (before if point in ("before-sidecar", "after-sidecar") else after)

    publish_wave(tier, job="job", wave=0, files=files, entries=entries)

    assert ids(tier) == after
    assert len(ledger(tier).waves_of_job("job")) == 1


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "refused"])
def test_lost_answer(tier: TierStore, monkeypatch: pytest.MonkeyPatch, committed: bool) -> None:
    calls: list[int] = []

    def commit(snapshot: Snapshot, **more: Any) -> None:
        calls.append(snapshot.version)
        if committed or len(calls) > 1:
            commits.commit(snapshot, **more)
        if len(calls) == 1:
            raise OSError("connection reset")

    monkeypatch.setattr(publishing, "commit", commit)
    publish(tier, ["a", "b"])

    assert len(calls) == (1 if committed else 2)
    assert ids(tier) == expected_ids(["a", "b"])
    assert len(ledger(tier).waves_of_job("job")) == 1


def test_commit_that_lands_late(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store takes the first request after it has been given up: what the ledger needs for it is still there."""
    late: list[Callable[[], None]] = []

    def commit(snapshot: Snapshot, **more: Any) -> None:
        if not late:
            late.append(lambda: commits.commit(snapshot, **more))
            raise OSError("timed out")
        if len(late) == 1:
            late.append(late[0])
            late[0]()
        commits.commit(snapshot, **more)

    monkeypatch.setattr(publishing, "commit", commit)
    result = publish(tier, ["a", "b"])

    assert statuses(result) == {"a": "ingested", "b": "ingested"}
    assert ids(tier) == expected_ids(["a", "b"])
    assert {one.key for one in ledger(tier).of_job("job")} == {"a", "b"}
    assert len(ledger(tier).waves_of_job("job")) == 1
    assert sum(1 for _ in tier.list("_rekindle/ledger/")) == 1, "the refused attempt's sidecar is gone"


def test_failures_are_counted_anew_when_rivals_commit(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many commit before it: who is refused because others came first tries again."""
    refused: list[int] = []

    def commit(snapshot: Snapshot, **more: Any) -> None:
        if len(refused) < 3 * publishing.MOST_FAILURES:
            refused.append(snapshot.version)
            commits.commit(snapshot, transactions=[("rival", len(refused))])
        commits.commit(snapshot, **more)

    monkeypatch.setattr(publishing, "commit", commit)
    monkeypatch.setattr(publishing, "back_off", lambda failures: 0.0)
    assert statuses(publish(local_tier, ["a"])) == {"a": "ingested"}
    assert len(set(refused)) == 3 * publishing.MOST_FAILURES
    assert ids(local_tier) == expected_ids(["a"])


def test_answer_that_was_a_lie(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that is reported and is not there is made again."""
    calls: list[int] = []

    def commit(snapshot: Snapshot, **more: Any) -> None:
        calls.append(1)
        if len(calls) > 2:
            commits.commit(snapshot, **more)

    monkeypatch.setattr(publishing, "commit", commit)
    publish(local_tier, ["a"])

    assert len(calls) == 3
    assert ids(local_tier) == expected_ids(["a"])


def test_store_that_always_refuses(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def commit(snapshot: Snapshot, **more: Any) -> None:
        raise OSError("403 Forbidden")

    monkeypatch.setattr(publishing, "commit", commit)
    monkeypatch.setattr(publishing, "back_off", lambda failures: 0.0)
    with pytest.raises(TierError, match=r"wave 0 of job job can't be published: 403 Forbidden. Nothing of it was"):
        publish(local_tier, ["a"])
    assert read(local_tier).height == 0


def test_last_attempt_counts_although_its_answer_was_lost(
    local_tier: TierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def commit(snapshot: Snapshot, **more: Any) -> None:
        calls.append(1)
        if len(calls) > publishing.MOST_FAILURES:
            commits.commit(snapshot, **more)
        raise OSError("connection reset")

    monkeypatch.setattr(publishing, "commit", commit)
    monkeypatch.setattr(publishing, "back_off", lambda failures: 0.0)
    assert statuses(publish(local_tier, ["a"])) == {"a": "ingested"}
    assert len(calls) == publishing.MOST_FAILURES + 1


def test_store_that_goes_away_after_the_commit(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def commit(snapshot: Snapshot, **more: Any) -> None:
        commits.commit(snapshot, **more)
        monkeypatch.setattr(Snapshot, "load", _fail)

    def _fail(tier: TierStore) -> Snapshot:
        raise OSError("network is down")

    monkeypatch.setattr(publishing, "back_off", lambda failures: 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "commit", commit)
        with pytest.raises(TierError, match="network is down. Run the same job again to find out whether it was"):
            publish(local_tier, ["a"])
    monkeypatch.undo()
    assert statuses(publish(local_tier, ["a"])) == {"a": "ingested"}
    assert ids(local_tier) == expected_ids(["a"])


def _rival(tier: TierStore, action: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something happen between the plan and the commit of the next attempt."""
    done: list[int] = []
    original = commits.commit

    def commit(snapshot: Snapshot, **more: Any) -> None:
        if not done:
            done.append(1)
            action()
        original(snapshot, **more)

    monkeypatch.setattr(publishing, "commit", commit)


def test_rival_publishes_the_same_object_first(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _rival(tier, lambda: publish(tier, ["a", "x"], job="rival"), monkeypatch)
    result = publish(tier, ["a", "b"])

    assert statuses(result) == {"a": "known", "b": "ingested"}
    assert ids(tier) == expected_ids(["a", "b", "x"])
    assert sum(1 for _ in tier.list("_rekindle/ledger/")) == 2, "the refused attempt's sidecar is gone"


def test_rival_rewrites_the_files_that_are_to_be_replaced(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tier, ["a", "d", "g"], job="old")
    _rival(tier, lambda: publish(tier, ["d"], job="rival", content="3"), monkeypatch)
    publish(tier, ["a"], content="2")

    assert ids(tier) == sorted(
        expected_ids(["a"], content="2") + expected_ids(["d"], content="3") + expected_ids(["g"])
    )


def test_rival_replaces_the_same_object(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tier, ["a", "d"], job="old")
    _rival(tier, lambda: publish(tier, ["a"], job="rival", content="2"), monkeypatch)
    result = publish(tier, ["a"], content="2")

    assert statuses(result) == {"a": "known"}
    assert ids(tier) == sorted(expected_ids(["a"], content="2") + expected_ids(["d"]))


def test_rival_adds_columns(tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tier, ["b"], job="other")
    _rival(tier, lambda: promote_new(tier, ["status"]), monkeypatch)
    publish(tier, ["a", "b"])

    assert ids(tier) == expected_ids(["a", "b"])
    assert read(tier).filter(pl.col("status").is_null()).height == 10


def test_stale_plan_is_refused(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    with pytest.raises(ValueError, match="not live in version"):
        commits.commit(
            Snapshot.load(local_tier), added=[], removed=["tier=hot/date=2024-01-01/part-none.parquet"], transactions=[]
        )


def test_checkpoint_and_ledger_survive_many_waves(tier: TierStore) -> None:
    keys = [f"k{i}" for i in range(12)]
    for number, key in enumerate(keys):
        assert publish(tier, [key], wave=number).warnings == ()

    assert any(file.path.endswith(".checkpoint.parquet") for file in tier.list("events/_delta_log/"))
    assert ids(tier) == expected_ids(keys)
    kept = ledger(tier)
    assert [record.wave for record in kept.waves_of_job("job")] == list(range(12))
    assert all(len(kept.published("bucket", key)) == 1 for key in keys)
    assert statuses(publish(tier, keys, job="again")) == dict.fromkeys(keys, "known")


def test_failure_after_the_commit_is_a_warning(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: DeltaTable) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(commits, "CHECKPOINT_INTERVAL", 1)
    monkeypatch.setattr(DeltaTable, "create_checkpoint", fail)
    result = publish(local_tier, ["a"])

    assert [("disk full" in warning, "is committed" in warning) for warning in result.warnings] == [(True, True)]
    assert ids(local_tier) == expected_ids(["a"])


@pytest.mark.parametrize(
    "columns", [((), ()), (("a",), ()), ((), ("a",)), (("a",), ("b",))],
    ids=["by-deltalake", "by-us-first", "by-us-second", "by-us"],
)  # fmt: skip
def test_of_two_commits_from_one_version_one_succeeds(tier: TierStore, columns: tuple[Sequence[str], ...]) -> None:
    """Whether deltalake writes the log's entry, or we do because columns come with it."""
    first, second = Snapshot.load(tier), Snapshot.load(tier)
    commits.commit(first, transactions=[("x", 1)], columns=columns[0])
    with pytest.raises((DeltaError, FileExistsError)):
        commits.commit(second, transactions=[("x", 2)], columns=columns[1])
    after = Snapshot.load(tier)
    assert (after.version, after.transaction_version("x")) == (first.version + 1, 1)
    assert after.columns == [*first.columns, *columns[0]]
