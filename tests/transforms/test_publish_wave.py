"""`PublishWave`: a wave is in the table once, however often it is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import S3
from tests.pipelines.reading import everything_in, read_live, version_of
from tests.transforms.beam import Given, Ran, run
from tests.transforms.hot_tier.samples import NOON, entry, events, expected_ids, ids, publish, times_of, uri_of, write
from transforms.core.errors import ObjectError, TierError
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry
from transforms.hot_tier.ledger.publish import PublishResult
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.prepare import prepare, promoted_columns
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.objects.event_counts import CountKey, EventCount, EventCounts
from transforms.objects.outcomes import ObjectOutcome
from transforms.publish_wave import PublishWave
from transforms.storage import ObjectInfo, StorageOptions, TierLocation, TierStore, open_tier
from transforms.storage.job_folder import JobFolder

STEPS = ["KeyFiles", "KeyOutcomes", "KeyCounts", "Gather", "Publish"]
DIGEST = "1:d"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def publishing(tier: TierStore, options: StorageOptions | None = None, /, **fields: Any) -> PublishWave:
    given: dict[str, Any] = {
        "tier": TierLocation(tier.uri, options or StorageOptions()),
        "job": "job",
        "wave": 0,
        "on_changed": "replace",
        "on_error": "salvage",
        "force": False,
        "retry_failed": False,
        "reprocess": False,
        "digests": (DIGEST,),
    }
    return PublishWave(**given | fields)


def published(
    transform: PublishWave,
    files: Sequence[FileDescription] = (),
    outcomes: Sequence[LedgerEntry] = (),
    counts: Sequence[EventCounts] = (),
    *,
    again: int = 0,
) -> Ran:
    given = {
        "files": Given(FileDescription, files),
        "outcomes": Given(ObjectOutcome, [outcome_of(one) for one in outcomes]),
        "counts": Given(EventCounts, counts),
    }
    return run(transform, given, again=again)


def outcome_of(one: LedgerEntry) -> ObjectOutcome:
    """Return the outcome that becomes an entry."""
    info = ObjectInfo(bucket=one.bucket, key=one.key, etag=one.etag, size=one.size, modified=one.modified)
    return ObjectOutcome(
        info=info,
        status=one.status,
        reason=one.reason,
        records=one.records_in,
        blank=one.blank,
        header=one.header,
        bytes_read=one.bytes_read,
        bytes_decoded=one.bytes_decoded,
    )


def with_times(one: LedgerEntry, **fields: Any) -> LedgerEntry:
    """Return an entry as it is published: with the range of its events' times, and the number of the commit."""
    times = times_of(one.key, one.events)
    low, high = (EPOCH + timedelta(microseconds=value) for value in (times[0], times[-1]))
    return replace(one, min_time=low, max_time=high, k=1, digest=DIGEST, **fields)


def in_order(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    return sorted(entries, key=lambda one: one.key)


def recorded(tier: TierStore, job: str = "job") -> list[LedgerEntry]:
    """Return what the ledger has of a job."""
    return in_order(Ledger.load(tier, Snapshot.load(tier)).of_job(job))


def test_a_wave_of_files_outcomes_and_counts(local_tier: TierStore) -> None:
    files = write(local_tier, ["a", "b"], together=False)
    before = version_of(local_tier)
    a, b, failed = entry("a", 5), entry("b", 5), replace(entry("c", 2, status="failed"), reason="broken")
    untimed, step = CountKey(EventCount.UNTIMED), CountKey(EventCount.STEP_FAILED, "p", "steps[0].regex")
    counts = [
        EventCounts(uri_of("a"), ((untimed, 1), (step, 2))),
        EventCounts(uri_of("a"), ((untimed, 3),)),
        EventCounts(uri_of("c"), ((untimed, 2),)),
    ]
    ran = published(publishing(local_tier), files, [b, failed, a], counts)
    assert ran.labels == [f"PublishWave/{step}" for step in STEPS]
    assert (ran.kinds, ran.counters) == ({"main": PublishResult}, {})

    expected = [
        with_times(a, counts=(("pipeline p, steps[0].regex", 2), ("received", 4))),
        with_times(b),
        replace(failed, k=1, digest=DIGEST),
    ]
    [result] = ran.main
    assert type(result) is PublishResult
    assert in_order(result.entries) == expected
    assert replace(result, entries=()) == PublishResult(
        before + 1, (), files=len(files), bytes=sum(file.size for file in files)
    )
    assert recorded(local_tier) == expected
    live = read_live(local_tier)
    assert (live.version, set(live.files)) == (before + 1, {file.path for file in files})
    assert live.ids() == expected_ids(["a", "b"])


def test_nothing_to_publish(local_tier: TierStore) -> None:
    before = everything_in(local_tier)
    assert published(publishing(local_tier)).main == []
    assert everything_in(local_tier) == before


def test_a_wave_of_failures_alone_is_recorded(local_tier: TierStore) -> None:
    gone = replace(entry("a", 0, status="vanished"), reason="gone")
    [result] = published(publishing(local_tier), outcomes=[gone]).main
    assert (result.files, result.bytes, result.entries) == (0, 0, (replace(gone, k=1, digest=DIGEST),))
    assert recorded(local_tier) == [replace(gone, k=1, digest=DIGEST)]
    assert read_live(local_tier).files == {}


@pytest.mark.parametrize("place", ["local", "s3"])
def test_a_bundle_that_is_tried_again_publishes_once(
    place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """And so does the wave when a launcher that was killed after the commit runs it again, with other files."""
    s3: S3 | None = request.getfixturevalue("s3") if place == "s3" else None
    options = s3.options if s3 else StorageOptions()
    tier = open_tier(f"s3://{s3.bucket}/hot" if s3 else str(tmp_path / "hot"), options)
    prepare(tier)
    before = version_of(tier)
    outcomes = [entry("a", 5), entry("b", 5)]
    first = published(publishing(tier, options), write(tier, ["a", "b"]), outcomes, again=1).main
    live = read_live(tier)
    assert live.version == before + 1
    assert live.ids() == expected_ids(["a", "b"])
    assert in_order(first[0].entries) == recorded(tier) == [with_times(one) for one in outcomes]

    second = published(publishing(tier, options), write(tier, ["a", "b"]), outcomes).main
    assert read_live(tier) == live
    assert [replace(one, entries=()) for one in second] == [replace(one, entries=()) for one in first]
    assert in_order(second[0].entries) == recorded(tier)


def test_the_rest_of_a_wave_that_was_published_in_part(local_tier: TierStore) -> None:
    published(publishing(local_tier), write(local_tier, ["a"]), [entry("a", 5)])
    [result] = published(publishing(local_tier), write(local_tier, ["a", "b"]), [entry("a", 5), entry("b", 5)]).main
    assert ids(local_tier) == expected_ids(["a", "b"])
    assert [(one.key, one.status, one.k) for one in in_order(result.entries)] == [
        ("a", "ingested", 1),
        ("b", "ingested", 2),
    ]


def test_parts_of_an_object_are_one_entry(local_tier: TierStore) -> None:
    part = entry("a", 5)
    files = write(local_tier, ["a"]) + with_ids_from(local_tier, "a", 5, 3)
    parts = [replace(part, bytes_read=10, blank=1), replace(entry("a", 3), bytes_read=7, header=1)]
    [result] = published(publishing(local_tier), files, parts).main
    [merged] = result.entries
    assert (merged.records_in, merged.events, merged.bytes_read, merged.blank, merged.header) == (8, 8, 17, 1, 1)
    assert len(read_live(local_tier).ids()) == 8


def with_ids_from(tier: TierStore, key: str, start: int, rows: int) -> list[FileDescription]:
    """Write further events of an object, as the part of it does that begins at one."""
    writer = HotTierWriter(tier, columns=promoted_columns(tier), job="job")
    writer.write(events(uri_of(key), [NOON + number for number in range(start + rows)]).slice(start))
    return writer.close()


def test_one_bad_part_keeps_the_whole_object_out(local_tier: TierStore) -> None:
    [shared] = write(local_tier, ["a", "d"])
    bad = replace(entry("a", 2, status="vanished"), reason="gone")
    [result] = published(publishing(local_tier), [shared], [entry("a", 5), bad, entry("d", 5)]).main
    assert ids(local_tier) == expected_ids(["d"])
    a, d = in_order(result.entries)
    assert (a.status, a.reason, a.records_in, a.events, a.rejected) == ("vanished", "gone", 7, 0, 7)
    assert (d.status, d.events) == ("ingested", 5)
    assert shared.path not in read_live(local_tier).files


OLD, NEW = expected_ids(["a"]), expected_ids(["a"], content="2")


@pytest.mark.parametrize(
    ("content", "fields", "there", "status"),
    [
        pytest.param("2", {"on_changed": "replace"}, NEW, "ingested", id="changed-replace"),
        pytest.param("2", {"on_changed": "append"}, sorted(OLD + NEW), "ingested", id="changed-append"),
        pytest.param("2", {"on_changed": "skip"}, OLD, "skipped", id="changed-skip"),
        pytest.param("1", {}, OLD, "known", id="same"),
        pytest.param("1", {"force": True}, sorted(OLD * 2), "ingested", id="same-by-force"),
    ],
)
def test_an_object_that_another_job_has_published(
    local_tier: TierStore, content: str, fields: dict[str, Any], there: list[str], status: str
) -> None:
    publish(local_tier, ["a"], job="earlier")
    files = write(local_tier, ["a"], content=content)
    [result] = published(publishing(local_tier, **fields), files, [entry("a", 5, content=content)]).main
    assert ids(local_tier) == there
    assert [(one.status, one.replaced) for one in result.entries] == [(status, fields == {"on_changed": "replace"})]
    assert [one.known_of for one in result.entries] == ["earlier" if status == "known" else None]


@pytest.mark.parametrize(("retry", "rows"), [(False, 3), (True, 5)])
def test_what_was_salvaged_is_replaced_on_request(local_tier: TierStore, retry: bool, rows: int) -> None:
    salvaged = entry("a", 3, job="earlier", status="salvaged")
    published(publishing(local_tier, job="earlier"), write(local_tier, ["a"], rows=3, job="earlier"), [salvaged])
    published(publishing(local_tier, retry_failed=retry), write(local_tier, ["a"]), [entry("a", 5)])
    assert ids(local_tier) == expected_ids(["a"], rows=rows)


def test_on_error_fail_publishes_nothing_of_the_wave(local_tier: TierStore) -> None:
    files = write(local_tier, ["a"])
    before = read_live(local_tier)
    failed = replace(
        entry("b", 2, status="failed"), reason="truncated", bytes_read=50, bytes_decoded=70, blank=1, header=1
    )
    transform = publishing(local_tier, on_error="fail")
    message = rf"^{uri_of('b')}: truncated \(onError is fail: nothing of its wave was published\) "
    with pytest.raises(ObjectError, match=message + r"\[while running 'PublishWave/Publish'\]$") as raised:
        published(transform, files, [entry("a", 5), failed])
    assert type(raised.value) is ObjectError
    assert read_live(local_tier) == before
    assert recorded(local_tier) == []
    unread = {"bytesRead": 0, "bytesDecoded": 0, "recordsIn": 5, "blank": 0, "header": 0, "rejected": 5}
    read = {"bytesRead": 50, "bytesDecoded": 70, "recordsIn": 2, "blank": 1, "header": 1, "rejected": 2}
    assert JobFolder(local_tier, "job").read_json("failures.json") == [
        {"object": uri_of("a"), "status": "quarantined", "reason": None, **unread},
        {"object": uri_of("b"), "status": "failed", "reason": "truncated", **read},
    ]


def test_on_error_fail_is_about_failures_alone(local_tier: TierStore) -> None:
    statuses = ["vanished", "archived", "quarantined"]
    others = [
        replace(entry(key, 0, status=status), reason="so it is") for key, status in zip("bcd", statuses, strict=True)
    ]
    [result] = published(
        publishing(local_tier, on_error="fail"), write(local_tier, ["a"]), [entry("a", 5), *others]
    ).main
    assert [one.status for one in in_order(result.entries)] == ["ingested", *statuses]
    assert ids(local_tier) == expected_ids(["a"])
    assert JobFolder(local_tier, "job").read_json("failures.json") is None


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        pytest.param(
            [entry("a", 4)], "files hold 5 events of s3://bucket/a, its entries count 4", id="fewer-events-than-rows"
        ),
        pytest.param([], "files hold 5 events of s3://bucket/a, its entries count none", id="no-entry"),
        pytest.param(
            [entry("a", 5), entry("b", 1)], "files hold 0 events of s3://bucket/b, its entries count 1", id="no-rows"
        ),
    ],
)
def test_files_and_outcomes_that_do_not_agree(local_tier: TierStore, outcomes: list[LedgerEntry], told: str) -> None:
    files = write(local_tier, ["a"])
    before = read_live(local_tier)
    with pytest.raises(
        TierError,
        match=rf"^wave 0 of job job: its {told}; nothing was published \[while running 'PublishWave/Publish'\]$",
    ):
        published(publishing(local_tier), files, outcomes)
    assert read_live(local_tier) == before
    assert recorded(local_tier) == []


def test_a_place_without_a_hot_tier(local_tier: TierStore, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    with pytest.raises(TierError, match=rf"^hot tier {nowhere}: the worker on .* does not find it"):
        published(publishing(local_tier, tier=TierLocation(nowhere)), outcomes=[entry("a", 0)])
    assert not Path(nowhere).exists()
