"""What happens to each object of a wave: the rules of docs/jobs.md, applied to the table at the time of the commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from transforms.core.errors import TierError
from transforms.hot_tier.ledger.ledger import LedgerEntry, Published
from transforms.hot_tier.table.file_description import FileDescription
from transforms.storage import TierStore

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Wave:
    """What to publish, and by which rules: the arguments of `publish.publish_wave`."""

    tier: TierStore
    job: str
    wave: int
    files: tuple[FileDescription, ...]
    entries: tuple[LedgerEntry, ...]
    on_changed: str
    force: bool
    retry_failed: bool
    reprocess: bool


@dataclass(frozen=True)
class Decision:
    """What happens to an object.

    Attributes:
        entry: Its entry in the result.
        is_recorded: Whether the commit adds that to the ledger.
        replaces: The contents whose events it replaces.
    """

    entry: LedgerEntry
    is_recorded: bool
    replaces: tuple[Published, ...] = ()


def decide(entry: LedgerEntry, published: Sequence[Published], own: LedgerEntry | None, wave: Wave) -> Decision:
    """Decide about one object of a wave.

    Args:
        entry: The outcome of reading it.
        published: Its contents whose events are in the table.
        own: This wave's ledger entry of the same content.
        wave: The rules.
    """
    same = [content for content in published if content.is_same(entry)]
    if own is not None and (any(content.job == wave.job for content in same) or not entry.is_published):
        return Decision(own, is_recorded=False)
    if any(content.job == wave.job for content in same):  # by another wave: not planned so, but never publish twice
        return Decision(_unread(entry, "known", known_of=wave.job), is_recorded=False)
    if own is not None and own.is_published and wave.reprocess:  # another job has replaced since what this one brought
        return Decision(own, is_recorded=False)
    retried = bool(same) and (wave.reprocess or (wave.retry_failed and same[-1].status == "salvaged"))
    if same and not wave.force and not retried:
        return Decision(_unread(entry, "known", known_of=same[-1].job), is_recorded=False)
    if not entry.is_published:
        return Decision(entry, is_recorded=True)
    if retried and entry.status == "salvaged" and any(content.status == "ingested" for content in same):
        return Decision(own or _quarantined(entry, same[-1].job), is_recorded=own is None)
    if not same and published and wave.on_changed == "skip":
        return Decision(_unread(entry, "skipped"), is_recorded=False)
    older = () if same or wave.on_changed != "replace" else tuple(published)
    replaces = tuple(same) if retried and not wave.force else older
    return Decision(replace(entry, replaced=bool(replaces)), is_recorded=True, replaces=replaces)


def _unread(entry: LedgerEntry, status: str, *, known_of: str | None = None) -> LedgerEntry:
    """Return the entry of an object of which nothing is published."""
    return LedgerEntry(
        bucket=entry.bucket,
        key=entry.key,
        etag=entry.etag,
        size=entry.size,
        modified=entry.modified,
        job=entry.job,
        wave=entry.wave,
        status=status,
        known_of=known_of,
    )


def _quarantined(entry: LedgerEntry, job: str) -> LedgerEntry:
    """Return the entry of an object that broke half-way, and of which another job has published all events."""
    return replace(
        entry,
        status="quarantined",
        reason=f"{entry.reason}; its events of job {job}, which read all of it, stay",
        events=0,
        events_with_error=0,
        dropped=0,
        rejected=entry.records_in,
        counts=(),
    )


def check_balance(wave: Wave) -> None:
    """Check that a wave's files hold exactly the events of its entries.

    Raises:
        TierError: they don't.
    """
    doubled = [uri for uri, number in Counter(entry.uri for entry in wave.entries).items() if number > 1]
    if doubled:
        raise TierError(f"wave {wave.wave} of job {wave.job} has more than one entry for {doubled[0]}")
    rows: Counter[str] = Counter()
    for file in wave.files:
        for uri, found in file.objects.items():
            rows[uri] += found.rows
    events = {entry.uri: entry.events for entry in wave.entries if entry.is_published}
    unknown = rows.keys() - {entry.uri for entry in wave.entries}
    wrong = [uri for uri in events if events[uri] != rows[uri]] or sorted(unknown)
    if wrong:
        raise TierError(
            f"wave {wave.wave} of job {wave.job}: its files hold {rows[wrong[0]]:,} events of {wrong[0]}, "
            f"its entries count {events.get(wrong[0], 'none')}; nothing was published"
        )


def with_times(entries: Sequence[LedgerEntry], files: Sequence[FileDescription]) -> tuple[LedgerEntry, ...]:
    """Return the entries with the range of their events' times."""
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    for file in files:
        for uri, rows in file.objects.items():
            low[uri] = min(rows.min_time, low.get(uri, rows.min_time))
            high[uri] = max(rows.max_time, high.get(uri, rows.max_time))
    return tuple(
        replace(one, min_time=_datetime(low[one.uri]), max_time=_datetime(high[one.uri])) if one.events else one
        for one in entries
    )


def _datetime(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
