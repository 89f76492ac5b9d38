"""The ledger: what counts of it, and what it answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from tests.transforms.hot_tier.samples import MODIFIED, entry, publish, uri_of, write
from transforms.core.errors import TierError
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry, WaveRecord
from transforms.hot_tier.ledger.ledger_files import folded_path, sidecar_path
from transforms.hot_tier.ledger.publish import publish_wave
from transforms.hot_tier.ledger.published_index import PublishedIndex
from transforms.hot_tier.ledger.sidecar import ENTRY_SCHEMA, read_rows, write_sidecar
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

FULL = LedgerEntry(
    bucket="bucket",
    key="odd \t key/é.gz",
    etag="etag",
    size=2**40,
    modified=MODIFIED,
    job="job",
    wave=3,
    status="salvaged",
    k=0,
    reason="gzip: cut off at byte 7",
    replaced=False,
    codec="gzip",
    format="text",
    unchecked=True,
    records_in=5,
    blank=1,
    header=2,
    events=5,
    events_with_error=1,
    rejected=0,
    bytes_read=10,
    bytes_decoded=20,
    min_time=datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=timezone.utc),
    max_time=datetime(2024, 1, 2, tzinfo=timezone.utc),
    warnings=("one", "two"),
)
RECORD = WaveRecord(job="job", wave=0, k=1, version=1, files=0, bytes=0)


def load(tier: TierStore, previous: Ledger | None = None) -> Ledger:
    return Ledger.load(tier, Snapshot.load(tier), previous)


def test_entries_come_back_as_they_were(tier: TierStore) -> None:
    failed = replace(FULL, status="failed", events=0, rejected=5)
    publish_wave(tier, job="job", wave=3, files=[], entries=[failed])
    assert load(tier).of_job("job") == [replace(failed, k=1)]
    assert load(tier).of_job("other") == []


def test_bytes_of_the_newest_commits(local_tier: TierStore) -> None:
    assert Ledger().bytes_of_newest(3) == (0, 0)
    for number in range(3):
        failed = replace(FULL, key=str(number), status="failed", events=0, rejected=5)
        publish_wave(local_tier, job=f"job{number}", wave=3, files=[], entries=[failed])
    publish(local_tier, ["a"])
    ledger = load(local_tier)
    written = ledger.waves_of_job("job")[0].bytes
    assert ledger.bytes_of_newest(3) == (20 + sum(one.bytes_read for one in ledger.of_job("job")), written)
    assert written > 0


def test_one_wave_of_a_job(tier: TierStore) -> None:
    for wave in range(3):
        publish(tier, [f"k{wave}"], wave=wave)
    publish_wave(tier, job="job", wave=1, files=[], entries=[entry("more", 0, wave=1, status="failed")])
    ledger = load(tier)

    assert [one.key for one in ledger.of_job("job")] == ["k0", "k1", "k2", "more"]
    assert [one.key for one in ledger.of_job("job", 1)] == ["k1", "more"]
    assert [(record.wave, record.k) for record in ledger.waves_of_job("job", 1)] == [(1, 2), (1, 4)]
    assert ledger.table_of_job("job").schema == ENTRY_SCHEMA
    assert ledger.table_of_job("job")["key"].to_pylist() == ["k0", "k1", "k2", "more"]


def test_empty_ledger(tier: TierStore) -> None:
    for ledger in (Ledger(), load(tier)):
        assert ledger.published("bucket", "key") == []
        assert ledger.of_job("job") == []
        assert ledger.waves_of_job("job") == []
        assert ledger.k == 0


def test_sidecar_that_no_commit_names_does_not_count(tier: TierStore) -> None:
    publish(tier, ["a"])
    for k in (1, 2):
        stray = replace(RECORD, job="stray", k=k, token=7)
        tier.put_new(sidecar_path(k, 7), write_sidecar(stray, [entry("b", 1, job="stray")]))
    ledger = load(tier)
    assert ledger.published("bucket", "b") == []
    assert len(ledger.published("bucket", "a")) == 1
    assert ledger.waves_of_job("stray") == []
    publish(tier, ["c"], wave=1)
    assert load(tier).published("bucket", "b") == []


def test_other_files_in_the_folder_are_left_alone(tier: TierStore) -> None:
    publish(tier, ["a"])
    tier.put("_rekindle/ledger/commits/notes.txt", b"x")
    tier.put("_rekindle/ledger/folded/1-16.parquet.bak", b"x")
    tier.put("_rekindle/ledger/README", b"x")
    assert len(load(tier).published("bucket", "a")) == 1


def test_files_of_another_table(local_tier: TierStore) -> None:
    publish(local_tier, ["a"])
    (sidecar,) = local_tier.list("_rekindle/ledger/commits/")
    local_tier.put_new(folded_path(1, 1), local_tier.get(sidecar.path))
    local_tier.delete(sidecar.path)
    assert load(local_tier).k == 1

    other = replace(RECORD, token=(load(local_tier).token_of(1) or 0) ^ 1)
    local_tier.put(folded_path(1, 1), write_sidecar(other, [entry("a", 1)]))
    with pytest.raises(TierError, match="not those of this table"):
        load(local_tier)


def test_missing_sidecar_is_said(tier: TierStore) -> None:
    publish(tier, ["a"])
    (sidecar,) = tier.list("_rekindle/ledger/")
    tier.delete(sidecar.path)
    with pytest.raises(TierError, match="ledger's file of commit 1 is gone"):
        load(tier)


def test_published_contents_in_their_order(tier: TierStore) -> None:
    publish(tier, ["a"], job="one", content="1")
    publish(tier, ["a"], job="two", content="2", on_changed="append")
    assert [(one.etag, one.job, one.k) for one in load(tier).published("bucket", "a")] == [
        ("1", "one", 1),
        ("2", "two", 2),
    ]
    publish(tier, ["a"], job="three", content="3")
    assert [(one.etag, one.job, one.k) for one in load(tier).published("bucket", "a")] == [("3", "three", 3)]
    assert load(tier).published("other", "a") == []


def test_same_file_by_another_root_is_the_same_object() -> None:
    """`file:///a` + `b/c` and `file:///a/b` + `c` are one file, and one `_object`."""
    first = replace(FULL, bucket="file:///a", key="b/c")
    assert first.uri == replace(FULL, bucket="file:///a/b", key="c").uri == "file:///a/b/c"


def test_nothing_is_read_twice(local_tier: TierStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(local_tier, ["a"])
    publish(local_tier, ["b"], job="other")
    reads: list[str] = []
    original = type(local_tier).get
    monkeypatch.setattr(type(local_tier), "get", lambda self, path: (reads.append(path), original(self, path))[1])
    ledger = load(local_tier)
    assert len(reads) == 2
    assert load(local_tier, ledger) is ledger

    reads.clear()
    assert len(ledger.published("bucket", "a")) == len(ledger.published("bucket", "b")) == 1
    assert len(ledger.of_job("job")) == len(ledger.waves_of_job("job")) == len(ledger.of_job("job")) == 1
    assert len(reads) == 1, "a job's entries are in the files of its own commits"
    publish(local_tier, ["c"], wave=1)
    reads.clear()
    later = load(local_tier, ledger)
    assert len(reads) == 1
    assert [len(later.published("bucket", key)) for key in "abc"] == [1, 1, 1]
    assert [one.key for one in later.of_job("job")] == ["a", "c"]
    assert len(reads) == 2
    assert ledger.published("bucket", "c") == []


def test_many_entries_are_found_by_their_names() -> None:
    made = [replace(entry(f"k{number}", 1), k=1) for number in range(3000)]
    failed = entry("failed", 0, status="failed")
    index = PublishedIndex()
    for some in ([*made[:2000], failed], made[2000:2001], made[2001:]):
        index = index.extended(read_rows(write_sidecar(RECORD, some)))
    for number in (0, 1, 1500, 1999, 2000, 2001, 2999):
        ((replaced, found),) = index.find(uri_of(f"k{number}"))
        assert (replaced, found.etag, found.size, found.job, found.k) == (False, "1", 100, "job", 1)
    assert list(index.find(uri_of("k3000"))) == []
    assert list(index.find(uri_of("failed"))) == []


def test_as_failure() -> None:
    assert FULL.as_failure() == {
        "object": "s3://bucket/odd \t key/é.gz",
        "status": "salvaged",
        "reason": "gzip: cut off at byte 7",
    }
    assert FULL.is_published
    assert not replace(FULL, status="quarantined").is_published


def test_wave_records(tier: TierStore) -> None:
    files = write(tier, ["a", "b"])
    result = publish_wave(tier, job="job", wave=4, files=files, entries=[entry("a", 5), entry("b", 5)])
    (record,) = load(tier).waves_of_job("job")
    assert replace(record, token=0) == WaveRecord(
        job="job", wave=4, k=1, version=result.version, files=len(files), bytes=sum(file.size for file in files)
    )
    assert load(tier).token_of(1) == record.token
    assert load(tier).token_of(2) is None
