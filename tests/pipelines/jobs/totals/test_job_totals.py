"""Totals: entries added at once or one after the other come to the same, and an object that fails again counts once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pipelines.jobs.totals.job_totals import MOST_FAILURES, FailedObject, JobTotals
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.storage import StorageOptions, open_tier
from transforms.storage.job_folder import JobFolder

TIME = datetime(2025, 1, 1, tzinfo=timezone.utc)
READ = LedgerEntry(
    bucket="b", key="a", etag="1", size=10, modified=TIME, job="j", wave=0, status="ingested", k=1, codec="gzip",
    format="text", records_in=5, events=5, bytes_read=10, bytes_decoded=20, min_time=TIME, max_time=TIME,
    counts=(("time from record", 5),), warnings=("cut",),
)  # fmt: skip
FAILED = LedgerEntry(
    bucket="b", key="bad", etag="1", size=10, modified=TIME, job="j", wave=1, status="failed", k=2, reason="broken"
)


def test_one_by_one_is_all_at_once() -> None:
    entries = [(READ, "web"), (FAILED, "web"), (replace(READ, key="c", k=3, replaced=True), "rest")]
    totals = JobTotals()
    for one in entries:
        totals = totals.plus([one])
    assert totals == JobTotals().plus(entries)
    assert (totals.k, totals.statuses) == (3, {"ingested": 2, "failed": 1, "replaced": 1})
    assert (totals.sums["events"], totals.sums["bytes_decoded"]) == (10, 40)
    assert (totals.formats, totals.codecs, totals.time_sources) == (
        {"text": (2, 10)},
        {"gzip": (2, 20)},
        {"record": 10},
    )
    assert totals.sources == {"web": (2, 5), "rest": (1, 5)}
    assert totals.warnings == ("s3://b/a: cut", "s3://b/c: cut")


@pytest.mark.parametrize("status", ["failed", "quarantined"])
def test_what_fails_again_counts_once(status: str) -> None:
    again = replace(FAILED, wave=2, k=3, status=status, reason="still broken")
    totals = JobTotals().plus([(FAILED, "")]).plus([(again, "")])
    assert totals.statuses == {status: 1}
    assert totals.failures == (FailedObject(object="s3://b/bad", etag="1", status=status, reason="still broken"),)


def test_what_is_read_at_last_has_not_failed() -> None:
    totals = JobTotals().plus([(FAILED, "")]).plus([(replace(READ, key="bad", k=3), "")])
    assert (totals.statuses, totals.failures) == ({"ingested": 1}, ())


def test_they_are_kept_in_the_folder_with_the_newest_failures(tmp_path: Path) -> None:
    folder = JobFolder(open_tier(str(tmp_path), StorageOptions()), "j")
    assert JobTotals.load(folder) is None
    many = [(replace(FAILED, key=str(number)), "") for number in range(MOST_FAILURES + 1)]
    totals = JobTotals().plus(many).newest()
    totals.save(folder)
    assert JobTotals.load(folder) == totals
    assert (totals.statuses["failed"], len(totals.failures)) == (MOST_FAILURES + 1, MOST_FAILURES)
    assert totals.failures[-1].object == f"s3://b/{MOST_FAILURES}"
