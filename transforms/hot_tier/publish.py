"""Publishing a wave exactly once (docs/design.md §5).

What a wave publishes is decided by objects, from the snapshot that the commit is tried on: what is in the table already, by whatever job,
is taken out of the wave's files, and older content of the same object out of the table's. Sidecar and events become visible in one commit,
or neither does. Whether it landed is never taken from an answer, but from a new snapshot.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from deltalake.exceptions import DeltaError

from transforms.errors import TierError
from transforms.hot_tier.commits import commit, settle
from transforms.hot_tier.data_file import FileDescription
from transforms.hot_tier.ledger import APP_ID, Ledger, LedgerEntry, Published, WaveRecord, sidecar_path, write_sidecar
from transforms.hot_tier.opening import back_off, one_line
from transforms.hot_tier.rewriting import objects_in, rewrite_file, without_objects
from transforms.hot_tier.snapshot import LiveFile, Snapshot
from transforms.storage import TierStore

MOST_FAILURES = 8
"""Attempts that fail although nobody else committed: then it is not rivalry."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class PublishResult:
    """What became of a wave.

    Attributes:
        version: The table's version that has it.
        entries: An entry for each object, as published; `known` where it was in the table already, `skipped` where `onChanged` says so.
        files: How many files the wave brought.
        bytes: Their size.
        warnings: What failed after the commit.
    """

    version: int
    entries: tuple[LedgerEntry, ...]
    files: int
    bytes: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Wave:
    """What is to be published, and by which rules."""

    tier: TierStore
    job: str
    wave: int
    files: tuple[FileDescription, ...]
    entries: tuple[LedgerEntry, ...]
    on_changed: str
    force: bool
    retry_failed: bool


@dataclass(frozen=True)
class _Plan:
    """What one attempt commits.

    Attributes:
        added: New files.
        removed: Live files that go.
        recorded: Entries for the ledger.
        others: Entries that are not this commit's: known, skipped, or published by an earlier commit of this job.
    """

    added: tuple[FileDescription, ...]
    removed: tuple[str, ...]
    recorded: tuple[LedgerEntry, ...]
    others: tuple[LedgerEntry, ...]


@dataclass(frozen=True)
class _Attempt:
    """A commit that may have landed."""

    sidecar: str
    record: WaveRecord
    plan: _Plan


def publish_wave(
    tier: TierStore,
    *,
    job: str,
    wave: int,
    files: Sequence[FileDescription],
    entries: Sequence[LedgerEntry],
    on_changed: str = "replace",
    force: bool = False,
    retry_failed: bool = False,
) -> PublishResult:
    """Publish a wave of a job, once, however often and by however many this is called.

    Args:
        tier: The hot tier.
        job: The job's task id.
        wave: The wave's number.
        files: All files that were written for it.
        entries: What became of each of its objects.
        on_changed: What to do with an object whose older content is in the table: `replace`, `append` or `skip`.
        force: Publish also what other jobs published.
        retry_failed: Replace what was salvaged.

    Returns:
        What became of it; of a wave that was published before, the same again.

    Raises:
        TierError: files and entries don't agree, or the store refuses; nothing is published then.
    """
    given = _Wave(
        tier=tier,
        job=job,
        wave=wave,
        files=tuple(files),
        entries=tuple(entries),
        on_changed=on_changed,
        force=force,
        retry_failed=retry_failed,
    )
    _check_balance(given)
    return _Publication(given).run()


class _Publication:
    """The attempts to publish one wave. Each begins with a new snapshot, which also tells whether the one before it landed."""

    def __init__(self, wave: _Wave) -> None:
        self._wave = wave
        self._ledger: Ledger | None = None
        self._rewriter = _Rewriter(wave)
        self._attempt: _Attempt | None = None
        self._version = -1
        self._failures = 0
        self._cause: Exception | None = None

    def run(self) -> PublishResult:
        while True:
            try:
                snapshot = Snapshot.load(self._wave.tier)
                result = self._landed(snapshot) or self._begin(snapshot)
                if result is not None:
                    return result
            except _RefusedError:
                raise
            except (DeltaError, OSError, TierError) as error:  # refused, or the answer was lost: the next snapshot tells
                self._cause = error
            self._pause()

    def _landed(self, snapshot: Snapshot) -> PublishResult | None:
        """Return the result where the last attempt is in the snapshot; else forget the attempt."""
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return None
        if snapshot.transaction_version(attempt.sidecar) is not None:
            warnings = settle(self._wave.tier, attempt.record.version)
            return _result(attempt.record, (*attempt.plan.recorded, *attempt.plan.others), warnings)
        if snapshot.version >= attempt.record.version:  # its place is taken: also a delayed request can't land any more
            with suppress(TierError, OSError):  # an orphan costs a question to the log, no more
                self._wave.tier.delete(attempt.sidecar)
        return None

    def _begin(self, snapshot: Snapshot) -> PublishResult | None:
        """Plan on the snapshot and commit; return a result where there is nothing to commit."""
        if snapshot.version > self._version:
            self._version, self._failures = snapshot.version, 0
        if self._failures > MOST_FAILURES:
            raise _RefusedError(f"{self._complaint()}. Nothing of it was; the same job again goes on with it") from self._cause
        self._ledger = Ledger.load(self._wave.tier, snapshot, self._ledger)
        plan = self._plan(snapshot, self._ledger)
        records = self._ledger.waves_of_job(self._wave.job, self._wave.wave)
        if records and not plan.recorded:
            return _result(_sum_of(records), plan.others, ())
        attempt = self._write_sidecar(snapshot, self._ledger, plan)
        self._attempt = attempt
        commit(
            snapshot,
            added=plan.added,
            removed=plan.removed,
            transactions=[(self._wave.job, self._wave.wave), (APP_ID, attempt.record.k), (attempt.sidecar, 1)],
        )
        return None

    def _write_sidecar(self, snapshot: Snapshot, ledger: Ledger, plan: _Plan) -> _Attempt:
        record = WaveRecord(
            job=self._wave.job,
            wave=self._wave.wave,
            k=ledger.k + 1,
            version=snapshot.version + 1,
            files=len(plan.added),
            bytes=sum(file.size for file in plan.added),
        )
        path = sidecar_path(record.job, record.wave, record.k, str(uuid.uuid4()))
        recorded = tuple(replace(entry, k=record.k) for entry in plan.recorded)
        self._wave.tier.put_new(path, write_sidecar(record, recorded))
        return _Attempt(path, record, replace(plan, recorded=recorded))

    def _plan(self, snapshot: Snapshot, ledger: Ledger) -> _Plan:
        wave = self._wave
        own = {_identity(entry): entry for entry in ledger.of_job(wave.job, wave.wave)}
        recorded: list[LedgerEntry] = []
        others: list[LedgerEntry] = []
        replaced: dict[str, list[Published]] = {}
        for entry in wave.entries:
            published = ledger.published(entry.bucket, entry.key)
            decision = _decide(entry, published, own.get(_identity(entry)), wave)
            if decision.replaces:
                replaced[entry.uri] = published
            (recorded if decision.is_recorded else others).append(decision.entry)
        wanted = {entry.uri for entry in recorded if entry.is_published}
        added = self._rewriter.without(wave.files, wanted, snapshot.columns)
        removed, rewritten = self._rewriter.replacements(snapshot, replaced)
        return _Plan((*added, *rewritten), removed, _with_times(recorded, wave.files), tuple(others))

    def _pause(self) -> None:
        self._failures += 1
        if self._failures > 2 * MOST_FAILURES:
            raise TierError(f"{self._complaint()}. Whether it was, the same job again finds out") from self._cause
        time.sleep(back_off(min(self._failures, MOST_FAILURES)))

    def _complaint(self) -> str:
        cause = one_line(self._cause) if self._cause else "commits are accepted but do not appear"
        return f"hot tier {self._wave.tier.uri}: wave {self._wave.wave} of job {self._wave.job} can't be published: {cause}"


class _RefusedError(TierError):
    """The store refuses, and a snapshot after the last attempt shows that nothing landed."""


@dataclass(frozen=True)
class _Decision:
    """What is done with an object: its entry, whether the commit records it, and whether older rows go."""

    entry: LedgerEntry
    is_recorded: bool
    replaces: bool = False


def _decide(entry: LedgerEntry, published: Sequence[Published], own: LedgerEntry | None, wave: _Wave) -> _Decision:
    """Decide about one object of a wave.

    Args:
        entry: What became of it.
        published: Its contents whose events are in the table.
        own: What this wave has in the ledger of the same content.
        wave: The rules.
    """
    same = [content for content in published if (content.etag, content.size) == (entry.etag, entry.size)]
    if own is not None and (any(content.job == wave.job for content in same) or not entry.is_published):
        return _Decision(own, is_recorded=False)
    if any(content.job == wave.job for content in same):  # by another wave: no plan of the product's, but never twice
        return _Decision(_unread(entry, "known", known_of=wave.job), is_recorded=False)
    retried = bool(same) and wave.retry_failed and same[-1].status == "salvaged"
    if same and not wave.force and not retried:
        return _Decision(_unread(entry, "known", known_of=same[-1].job), is_recorded=False)
    if not entry.is_published:
        return _Decision(entry, is_recorded=True)
    if not same and published and wave.on_changed == "skip":
        return _Decision(_unread(entry, "skipped"), is_recorded=False)
    replaces = (retried and not wave.force) or (not same and bool(published) and wave.on_changed == "replace")
    return _Decision(replace(entry, replaced=replaces), is_recorded=True, replaces=replaces)


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


class _Rewriter:
    """Writes files again without the rows that must not be published; over several attempts each only once."""

    def __init__(self, wave: _Wave) -> None:
        self._wave = wave
        self._written: dict[tuple[str, frozenset[str], tuple[str, ...]], FileDescription | None] = {}
        self._objects: dict[str, set[str]] = {}

    def without(self, files: Sequence[FileDescription], wanted: set[str], promoted: Sequence[str]) -> list[FileDescription]:
        """Return new files that hold rows of the wanted objects and of no others."""
        kept: list[FileDescription] = []
        for file in files:
            gone = file.objects.keys() - wanted
            if not gone:
                kept.append(file)
            elif len(gone) < len(file.objects):
                kept += self._rewritten(file, frozenset(gone), promoted)
        return kept

    def replacements(self, snapshot: Snapshot, replaced: dict[str, list[Published]]) -> tuple[tuple[str, ...], list[FileDescription]]:
        """Return the live files that hold rows of replaced content, and the files that take their place."""
        removed: list[str] = []
        rewritten: list[FileDescription] = []
        if not replaced:
            return (), rewritten
        for file in snapshot.files.values():
            suspects = [uri for uri, contents in replaced.items() if _may_hold(file, uri, contents)]
            gone = frozenset(suspects and self._objects_in(file)).intersection(suspects)
            if gone:
                removed.append(file.path)
                rewritten += self._rewritten(file, gone, snapshot.columns)
        return tuple(removed), rewritten

    def _objects_in(self, file: LiveFile) -> set[str]:
        if file.path not in self._objects:
            self._objects[file.path] = objects_in(self._wave.tier, file.path)
        return self._objects[file.path]

    def _rewritten(self, file: FileDescription | LiveFile, gone: frozenset[str], promoted: Sequence[str]) -> list[FileDescription]:
        key = (file.path, gone, tuple(promoted))
        if key not in self._written:
            self._written[key] = rewrite_file(
                self._wave.tier,
                file.path,
                without_objects(gone),
                tier_name=file.tier,
                date=file.date,
                promoted=promoted,
                job=self._wave.job,
            )
        written = self._written[key]
        return [] if written is None else [written]


def _may_hold(file: LiveFile, uri: str, contents: Sequence[Published]) -> bool:
    if not file.min_object <= uri <= file.max_object:
        return False
    ranges = [(content.min_time, content.max_time) for content in contents]
    return any(low is not None and high is not None and low <= file.max_time and file.min_time <= high for low, high in ranges)


def _check_balance(wave: _Wave) -> None:
    """Refuse a wave whose files don't hold exactly the events that its entries tell of."""
    doubled = [identity for identity, number in Counter(entry.uri for entry in wave.entries).items() if number > 1]
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
            f"wave {wave.wave} of job {wave.job}: its files hold {rows[wrong[0]]:,} events of {wrong[0]}, its entries tell of "
            f"{events.get(wrong[0], 'none')}; nothing was published"
        )


def _with_times(entries: Sequence[LedgerEntry], files: Sequence[FileDescription]) -> tuple[LedgerEntry, ...]:
    """Return the entries with the range of their events' times."""
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    for file in files:
        for uri, rows in file.objects.items():
            low[uri] = min(rows.min_time, low.get(uri, rows.min_time))
            high[uri] = max(rows.max_time, high.get(uri, rows.max_time))
    return tuple(
        replace(entry, min_time=_datetime(low[entry.uri]), max_time=_datetime(high[entry.uri])) if entry.events else entry
        for entry in entries
    )


def _datetime(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _identity(entry: LedgerEntry) -> tuple[str, str, str, int]:
    return (entry.bucket, entry.key, entry.etag, entry.size)


def _sum_of(records: Sequence[WaveRecord]) -> WaveRecord:
    last = records[-1]
    return replace(last, files=sum(record.files for record in records), bytes=sum(record.bytes for record in records))


def _result(record: WaveRecord, entries: Sequence[LedgerEntry], warnings: Sequence[str]) -> PublishResult:
    return PublishResult(record.version, tuple(entries), record.files, record.bytes, tuple(warnings))
