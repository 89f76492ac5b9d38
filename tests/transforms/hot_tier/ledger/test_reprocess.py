"""`--reprocess`: the same content is replaced, in one commit, whichever job has published it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from tests.transforms.hot_tier.samples import BUCKET, entry, expected_ids, ids, publish, read, write
from transforms.hot_tier.data.rewrite import rewrite_file
from transforms.hot_tier.ledger import publish as publishing
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry, Published
from transforms.hot_tier.ledger.publish import OvertakenError, PublishResult, publish_wave
from transforms.hot_tier.table.commit import commit
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore


def jobs(tier: TierStore) -> Counter[tuple[str, str]]:
    """Return how many events of each object are there, by the job that brought them."""
    rows = read(tier).select(pl.col("_object").str.split("/").list.last(), pl.col("_correlation_id").cast(pl.String))
    return Counter(rows.rows())


def published(tier: TierStore, key: str) -> list[Published]:
    return Ledger.load(tier, Snapshot.load(tier)).published(BUCKET, key)


def reprocess(tier: TierStore, *keys: str, job: str = "again", rows: int = 5) -> PublishResult:
    return publish(tier, keys, job=job, rows=rows, reprocess=True)


def test_known_objects_are_replaced_and_new_ones_come_with_them(tier: TierStore) -> None:
    publish(tier, ["a", "b", "c"], job="old")
    version = Snapshot.load(tier).version
    result = reprocess(tier, "a", "b", "d", rows=3)

    assert [(one.key, one.status, one.replaced) for one in result.entries] == [
        ("a", "ingested", True), ("b", "ingested", True), ("d", "ingested", False),
    ]  # fmt: skip
    assert jobs(tier) == {("a", "again"): 3, ("b", "again"): 3, ("c", "old"): 5, ("d", "again"): 3}
    assert Snapshot.load(tier).version == version + 1, "one commit"
    assert reprocess(tier, "a", "b", "d", rows=3).entries == result.entries
    assert Snapshot.load(tier).version == version + 1


def test_two_at_once_leave_each_object_once(tier: TierStore) -> None:
    publish(tier, ["a", "b"], job="old")
    for job in ("one", "two"):
        reprocess(tier, "a", "b", job=job)
    assert jobs(tier) == {("a", "two"): 5, ("b", "two"): 5}
    assert ids(tier) == expected_ids(["a", "b"])

    late = reprocess(tier, "a", "b", job="one")  # its bundle is tried again, after the other has replaced what it made
    assert [one.status for one in late.entries] == ["ingested", "ingested"]
    assert jobs(tier) == {("a", "two"): 5, ("b", "two"): 5}


def test_a_plain_job_beside_it_finds_the_object_known(tier: TierStore) -> None:
    reprocess(tier, "a")
    assert [one.status for one in publish(tier, ["a"], job="plain").entries] == ["known"]
    reprocess(tier, "a", job="last")
    assert jobs(tier) == {("a", "last"): 5}


def test_what_force_has_doubled_is_there_once(tier: TierStore) -> None:
    publish(tier, ["a"], job="old")
    publish(tier, ["a"], job="forced", force=True)
    reprocess(tier, "a")
    assert jobs(tier) == {("a", "again"): 5}
    assert [one.job for one in published(tier, "a")] == ["again"]


def test_other_contents_that_were_appended_stay(tier: TierStore) -> None:
    publish(tier, ["a"], job="one", content="1")
    publish(tier, ["a"], job="two", content="2", on_changed="append")
    publish(tier, ["a"], job="three", content="2", on_changed="append", reprocess=True)
    assert jobs(tier) == {("a", "one"): 5, ("a", "three"): 5}


@pytest.mark.parametrize(
    ("on_changed", "expected"),
    [("replace", {("a", "again"): 5}), ("append", {("a", "old"): 5, ("a", "again"): 5}), ("skip", {("a", "old"): 5})],
)
def test_new_content_goes_by_on_changed(local_tier: TierStore, on_changed: str, expected: dict[object, int]) -> None:
    publish(local_tier, ["a"], job="old", content="1")
    publish(local_tier, ["a"], job="again", content="2", on_changed=on_changed, reprocess=True)
    assert jobs(local_tier) == expected


def salvaged(one: LedgerEntry) -> LedgerEntry:
    return replace(one, status="salvaged", reason="broken at byte 7")


BROKEN: dict[str, Callable[[LedgerEntry], LedgerEntry]] = {
    "failed": lambda one: replace(one, status="failed", reason="broken", events=0, rejected=2),
    "quarantined": lambda one: replace(one, status="quarantined", reason="broken", events=0, rejected=2),
    "vanished": lambda one: replace(one, status="vanished", reason="gone", events=0, records_in=0),
    "salvaged": salvaged,
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_old_events_stay_where_the_new_reading_breaks(
    local_tier: TierStore, change: Callable[[LedgerEntry], LedgerEntry]
) -> None:
    publish(local_tier, ["a", "b"], job="old")
    files = write(local_tier, ["a", "b"], rows=2, job="again")
    entries = [change(entry("a", 2, job="again")), entry("b", 2, job="again")]
    result = publish_wave(local_tier, job="again", wave=0, files=files, entries=entries, reprocess=True)

    assert jobs(local_tier) == {("a", "old"): 5, ("b", "again"): 2}
    first = result.entries[0]
    assert first.status == ("quarantined" if entries[0].status == "salvaged" else entries[0].status)
    assert first.records_in == first.events + first.dropped + first.rejected
    assert [one.job for one in published(local_tier, "a")] == ["old"]
    again = publish_wave(local_tier, job="again", wave=0, files=files, entries=entries, reprocess=True)
    assert (again.entries, jobs(local_tier)) == (result.entries, {("a", "old"): 5, ("b", "again"): 2})


def test_what_was_salvaged_before_is_replaced_by_what_is_salvaged_now(local_tier: TierStore) -> None:
    for job, rows in (("old", 5), ("again", 3)):
        publish_wave(
            local_tier,
            job=job,
            wave=0,
            files=write(local_tier, ["a"], rows=rows, job=job),
            entries=[salvaged(entry("a", rows, job=job))],
            reprocess=True,
        )
    assert jobs(local_tier) == {("a", "again"): 3}


def test_rows_in_the_cold_tier_are_replaced_too(local_tier: TierStore) -> None:
    publish(local_tier, ["a", "b"], job="old")
    snapshot = Snapshot.load(local_tier)
    moved = [
        rewrite_file(
            local_tier,
            file.path,
            lambda table: pl.repeat(True, table.num_rows, eager=True).to_arrow(),
            tier_name="cold",
            date=file.date,
            promoted=snapshot.columns,
        )
        for file in snapshot.files.values()
    ]
    commit(snapshot, added=[file for file in moved if file], removed=list(snapshot.files), transactions=[("moved", 1)])
    assert read(local_tier)["tier"].unique().to_list() == ["cold"]

    reprocess(local_tier, "a")
    assert jobs(local_tier) == {("a", "again"): 5, ("b", "old"): 5}
    assert dict(read(local_tier).select(pl.col("_correlation_id").cast(pl.String), "tier").unique().rows()) == {
        "again": "hot", "old": "cold",
    }  # fmt: skip


def test_the_ledger_keeps_the_digest_of_what_holds(local_tier: TierStore) -> None:
    for job, digest in (("old", "1:a"), ("again", "1:b")):
        publish_wave(
            local_tier,
            job=job,
            wave=0,
            files=write(local_tier, ["a"], job=job),
            entries=[replace(entry("a", 5, job=job), digest=digest)],
            reprocess=True,
        )
        assert [one.digest for one in published(local_tier, "a")] == [digest]
    assert [one.digest for one in Ledger.load(local_tier, Snapshot.load(local_tier)).of_job("old")] == ["1:a"]


class KilledError(BaseException):
    """The process ends here."""


def kill(*_: object, **__: object) -> None:
    raise KilledError


def kill_after_commit(*args: Any, **more: Any) -> None:
    commit(*args, **more)
    raise KilledError


MOMENTS: dict[str, tuple[str, Callable[..., None], bool]] = {
    "before-sidecar": ("write_sidecar", kill, False),
    "after-sidecar": ("commit", kill, False),
    "after-commit": ("commit", kill_after_commit, True),
    "before-the-end": ("finish_commit", kill, True),
}


@pytest.mark.parametrize("job", ["again", "another"], ids=["resumed", "same-command-again"])
@pytest.mark.parametrize(("step", "killing", "committed"), MOMENTS.values(), ids=MOMENTS)
def test_killed_between_steps(
    local_tier: TierStore,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    killing: Callable[..., None],
    committed: bool,
    job: str,
) -> None:
    publish(local_tier, ["a", "b"], job="old")
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(publishing, step, killing)
        reprocess(local_tier, "a", "b")
    assert jobs(local_tier) == dict.fromkeys([(key, "again" if committed else "old") for key in "ab"], 5)
    reprocess(local_tier, "a", "b", job=job)
    assert jobs(local_tier) == {("a", job): 5, ("b", job): 5}
    assert ids(local_tier) == expected_ids(["a", "b"])


def test_a_wave_that_was_overtaken_is_not_published(local_tier: TierStore) -> None:
    asked: list[int] = []

    def is_current(snapshot: Snapshot) -> bool:
        asked.append(snapshot.version)
        return False

    publish(local_tier, ["a"], job="old", is_current=is_current)
    publish(local_tier, ["a"], job="changed", content="2", reprocess=True, is_current=is_current)
    assert not asked, "nothing was replaced by the same content"
    version = Snapshot.load(local_tier).version
    with pytest.raises(OvertakenError, match="wave 0 of job again was overtaken by a deletion or restore"):
        publish(local_tier, ["a"], job="again", content="2", reprocess=True, is_current=is_current)
    assert (asked, Snapshot.load(local_tier).version) == ([version], version)
    assert jobs(local_tier) == {("a", "changed"): 5}


Step = tuple[str, str, dict[str, Any]]
LINEAGES: dict[str, tuple[list[Step], list[str]]] = {
    "once": ([("one", "1", {})], ["one"]),
    "again": ([("one", "1", {}), ("two", "1", {"reprocess": True}), ("three", "1", {"reprocess": True})],
              ["one", "two", "three"]),
    "forced": ([("one", "1", {}), ("two", "1", {"force": True}), ("three", "1", {"reprocess": True})],
               ["two", "three"]),
    "other-content-between": ([("one", "1", {}), ("two", "2", {}), ("three", "1", {}),
                               ("four", "1", {"reprocess": True})],
                              ["three", "four"]),
    "appended": ([("one", "1", {}), ("two", "2", {"on_changed": "append"}), ("three", "2", {"reprocess": True}),
                  ("four", "1", {"reprocess": True})], ["one", "four"]),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "expected"), LINEAGES.values(), ids=LINEAGES)
def test_lineage(local_tier: TierStore, steps: list[Step], expected: list[str]) -> None:
    for job, content, rules in steps:
        publish(local_tier, ["a"], job=job, content=content, **rules)
    ledger = Ledger.load(local_tier, Snapshot.load(local_tier))
    last = ledger.published(BUCKET, "a")[-1]
    assert [one.job for one in ledger.lineage(last, BUCKET, "a")] == expected


def test_a_ledger_without_digests_is_read(local_tier: TierStore) -> None:
    publish(local_tier, ["a"], job="old")
    [sidecar] = [file.path for file in local_tier.list("_rekindle/ledger/commits/")]
    table = pq.read_table(io.BytesIO(local_tier.get(sidecar)))
    sink = io.BytesIO()
    pq.write_table(table.drop_columns(["digest"]), sink)
    local_tier.put(sidecar, sink.getvalue())
    assert [one.digest for one in published(local_tier, "a")] == [None]
    assert [one.digest for one in Ledger.load(local_tier, Snapshot.load(local_tier)).of_job("old")] == [None]
    reprocess(local_tier, "a")
    assert jobs(local_tier) == {("a", "again"): 5}
