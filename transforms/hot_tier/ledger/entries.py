"""How the outcome of an object becomes its row of the ledger.

The texts under which a row counts events are stored, so they stay as they are: `received`, `time from SOURCE`,
`time not believed: REASON`, `pipeline NAME, steps[0].regex`, `dropped by NAME`, `dropped with _error by NAME`,
`deleted before by NAME`, `deleted before with _error by NAME`,
`older than rule NAME allows (30d)` and `older than tier NAME allows (30d)`.
"""

from __future__ import annotations

import re
from collections import Counter

from transforms.hot_tier.ledger.sidecar import LedgerEntry
from transforms.objects.event_counts import CountKey, EventCount
from transforms.objects.outcomes import ObjectOutcome

_TEXTS = {
    EventCount.UNTIMED: "received",
    EventCount.TIMED: "time from {name}",
    EventCount.NOT_BELIEVED: "time not believed: {name}",
    EventCount.STEP_FAILED: "pipeline {name}, {detail}",
    EventCount.DROPPED: "dropped by {name}",
    EventCount.DROPPED_WITH_ERROR: "dropped with _error by {name}",
    EventCount.DELETED: "deleted before by {name}",
    EventCount.DELETED_WITH_ERROR: "deleted before with _error by {name}",
    EventCount.OLDER_THAN_RULE: "older than rule {name} allows ({detail})",
    EventCount.OLDER_THAN_TIER: "older than tier {name} allows ({detail})",
}
_PATTERNS = {
    kind: re.compile(
        re.escape(text).replace(r"\{name\}", "(?P<name>.*)").replace(r"\{detail\}", "(?P<detail>.*)"), re.S
    )
    for kind, text in _TEXTS.items()
}


def entry_of(outcome: ObjectOutcome, *, job: str, wave: int, digest: str | None = None) -> LedgerEntry:
    """Return the ledger's row for an object of a job's wave, read with options and pipelines of a digest."""
    info, published = outcome.info, outcome.is_published
    counts: Counter[str] = Counter()
    kinds: Counter[EventCount] = Counter()
    for key, number in outcome.counts:
        counts[text_of_count(key)] += number
        kinds[key.kind] += number
    left_out = kinds[EventCount.DROPPED] + kinds[EventCount.DELETED]
    broken = kinds[EventCount.DROPPED_WITH_ERROR] + kinds[EventCount.DELETED_WITH_ERROR]
    return LedgerEntry(
        bucket=info.bucket,
        key=info.key,
        etag=info.etag,
        size=info.size,
        modified=info.modified,
        job=job,
        wave=wave,
        status=outcome.status,
        reason=outcome.reason,
        codec=outcome.codec,
        format=outcome.format,
        unchecked=outcome.unchecked,
        records_in=outcome.records,
        blank=outcome.blank,
        header=outcome.header,
        events=outcome.records - left_out if published else 0,
        events_with_error=outcome.errors - broken if published else 0,
        dropped=left_out if published else 0,
        rejected=0 if published else outcome.records,
        bytes_read=outcome.bytes_read,
        bytes_decoded=outcome.bytes_decoded,
        warnings=outcome.all_warnings,
        counts=tuple(sorted(counts.items())),
        digest=digest,
    )


def text_of_count(key: CountKey) -> str:
    """Return the text under which the ledger stores a count."""
    return _TEXTS[key.kind].format(name=key.name, detail=key.detail)


def parse_count(text: str) -> CountKey | None:
    """Return what a stored count is about, or None for one that only a newer version knows."""
    for kind, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(text):
            return CountKey(kind, **match.groupdict())
    return None
