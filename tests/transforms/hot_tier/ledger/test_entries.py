"""How an object's outcome becomes its row of the ledger, and what the stored texts of counts mean."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from transforms.hot_tier.ledger.entries import entry_of, parse_count, text_of_count
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.objects.event_counts import CountKey, EventCount
from transforms.objects.outcomes import ObjectOutcome
from transforms.storage import ObjectInfo

MODIFIED = datetime(2025, 8, 12, tzinfo=timezone.utc)
INFO = ObjectInfo(bucket="b", key="k", etag="e", size=9, modified=MODIFIED, storage_class="STANDARD")
COUNTS = [
    pytest.param(CountKey(EventCount.UNTIMED), "received", id="untimed"),
    pytest.param(CountKey(EventCount.NOT_BELIEVED, "in the future"), "time not believed: in the future", id="future"),
    pytest.param(CountKey(EventCount.TIMED, "object"), "time from object", id="timed"),
    pytest.param(CountKey(EventCount.STEP_FAILED, "p", "steps[0].regex"), "pipeline p, steps[0].regex", id="step"),
    pytest.param(CountKey(EventCount.STEP_FAILED, "a, {b}\n", "s"), "pipeline a, {b}\n, s", id="any-name"),
    pytest.param(CountKey(EventCount.DROPPED, "p, q"), "dropped by p, q", id="dropped"),
    pytest.param(CountKey(EventCount.DROPPED_WITH_ERROR, "p"), "dropped with _error by p", id="dropped-error"),
    pytest.param(CountKey(EventCount.OLDER_THAN_RULE, "r", "30d"), "older than rule r allows (30d)", id="rule"),
    pytest.param(CountKey(EventCount.OLDER_THAN_TIER, "t (x)", "1h"), "older than tier t (x) allows (1h)", id="tier"),
]


@pytest.mark.parametrize(("key", "text"), COUNTS)
def test_the_stored_text_of_a_count(key: CountKey, text: str) -> None:
    assert text_of_count(key) == text
    assert parse_count(text) == key


def test_a_text_of_a_newer_version_is_no_count() -> None:
    assert parse_count("younger than ever") is None


@pytest.mark.parametrize(("status", "published"), [("ingested", True), ("salvaged", True), ("quarantined", False)])
def test_an_outcome_as_a_row(status: str, published: bool) -> None:
    counts = ((CountKey(EventCount.UNTIMED), 2), (CountKey(EventCount.STEP_FAILED, "p", "s"), 1))
    outcome = ObjectOutcome(
        info=INFO, status=status, reason="cut", codec="gzip", format="csv", unchecked=True, records=5, blank=1,
        header=2, errors=3, bytes_read=9, bytes_decoded=20, warnings=("one",), counts=counts,
    )  # fmt: skip
    assert entry_of(outcome, job="j", wave=3) == LedgerEntry(
        bucket="b", key="k", etag="e", size=9, modified=MODIFIED, job="j", wave=3, status=status, reason="cut",
        codec="gzip", format="csv", unchecked=True, records_in=5, blank=1, header=2, events=5 * published,
        events_with_error=3 * published, rejected=5 * (not published), bytes_read=9, bytes_decoded=20,
        warnings=("one",), counts=(("pipeline p, s", 1), ("received", 2)),
    )  # fmt: skip


@pytest.mark.parametrize(("status", "published"), [("ingested", True), ("quarantined", False)])
def test_the_balance_of_an_object_of_which_events_were_dropped(status: str, *, published: bool) -> None:
    counts = (
        (CountKey(EventCount.DROPPED, "p"), 2),
        (CountKey(EventCount.DROPPED, "q"), 1),
        (CountKey(EventCount.DROPPED_WITH_ERROR, "q"), 1),
    )
    entry = entry_of(ObjectOutcome(info=INFO, status=status, records=5, errors=3, counts=counts), job="j", wave=3)
    found = (entry.events, entry.events_with_error, entry.dropped, entry.rejected)
    assert found == ((2, 2, 3, 0) if published else (0, 0, 0, 5))
