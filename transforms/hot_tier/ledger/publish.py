"""Publishing a wave exactly once (docs/architecture.md).

What a wave publishes is decided object by object, on the snapshot that the commit is tried on: what is in the table
already, by whatever job, is removed from the wave's files, and older content of the same object from the table's.
Sidecar and events become visible in one commit, or neither does. Only a new snapshot, never an answer, shows whether it
was committed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from deltalake.exceptions import DeltaError

from transforms.core.errors import TierError
from transforms.hot_tier.ledger.dispositions import Wave, check_balance, decide, with_times
from transforms.hot_tier.ledger.folding import SIDECARS, fold_ledger
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry, WaveRecord
from transforms.hot_tier.ledger.ledger_files import TOKEN_BITS, LastCommit, sidecar_path
from transforms.hot_tier.ledger.sidecar import write_sidecar
from transforms.hot_tier.ledger.wave_files import Replaced, WaveFiles
from transforms.hot_tier.table.commit import commit, finish_commit
from transforms.hot_tier.table.delta import back_off, one_line
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.purges import check_not_purged
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

FOLD_INTERVAL = SIDECARS
"""Who makes a commit whose number is a multiple of this folds the ledger."""
MOST_FAILURES = 8
"""Attempts that may fail although nobody else commits: more are no rivalry."""


@dataclass(frozen=True)
class PublishResult:
    """What became of a wave.

    Attributes:
        version: The table's version that has it.
        entries: An entry for each object, as published; `known` where it was in the table already, `skipped` because
            of `onChanged`.
        files: How many files the wave added.
        bytes: Their size.
        warnings: What failed after the commit.
    """

    version: int
    entries: tuple[LedgerEntry, ...]
    files: int
    bytes: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _WavePlan:
    """What one attempt commits.

    Attributes:
        added: New files.
        removed: Live files to remove.
        recorded: Entries for the ledger.
        others: Entries that are not this commit's: known, skipped, or published by an earlier commit of this job.
        replaces_same: Whether the same content of an object is replaced.
    """

    added: tuple[FileDescription, ...]
    removed: tuple[str, ...]
    recorded: tuple[LedgerEntry, ...]
    others: tuple[LedgerEntry, ...]
    replaces_same: bool


@dataclass(frozen=True)
class _Attempt:
    """A commit that may have succeeded."""

    sidecar: str
    record: WaveRecord
    plan: _WavePlan


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
    reprocess: bool = False,
    is_current: Callable[[Snapshot], bool] | None = None,
) -> PublishResult:
    """Publish a wave of a job exactly once, however often and by however many processes this is called.

    Args:
        tier: The hot tier.
        job: The job's task id.
        wave: The wave's number.
        files: All files that were written for it.
        entries: The outcome of each of its objects.
        on_changed: What to do with an object whose older content is in the table: `replace`, `append` or `skip`.
        force: Publish also what other jobs published.
        retry_failed: Replace what was salvaged.
        reprocess: Replace the same content, whichever job published it.
        is_current: Whether what the wave's events were chosen by still holds on a snapshot; it is asked where the same
            content is to be replaced.

    Returns:
        The result; of a wave that was published before, the same again.

    Raises:
        OvertakenError: it no longer holds; nothing was published.
        TierError: files and entries don't agree, the job was undone, or the store refuses; nothing was published then.
    """
    given = Wave(
        tier=tier,
        job=job,
        wave=wave,
        files=tuple(files),
        entries=tuple(entries),
        on_changed=on_changed,
        force=force,
        retry_failed=retry_failed,
        reprocess=reprocess,
    )
    check_balance(given)
    return _Publication(given, is_current).run()


class _Publication:
    """The attempts to publish one wave.

    Each begins with a new snapshot, which also shows whether the one before it succeeded.
    """

    def __init__(self, wave: Wave, is_current: Callable[[Snapshot], bool] | None) -> None:
        self._wave = wave
        self._is_current = is_current
        self._ledger: Ledger | None = None
        self._files = WaveFiles(wave)
        self._attempt: _Attempt | None = None
        self._version = -1
        self._failures = 0
        self._cause: Exception | None = None

    def run(self) -> PublishResult:
        while True:
            try:
                snapshot = Snapshot.load(self._wave.tier)
                result = self._find_result(snapshot) or self._begin(snapshot)
                if result is not None:
                    return result
            except (_RefusedError, OvertakenError):
                raise
            # refused, or the answer was lost: the next snapshot shows which
            except (DeltaError, OSError, TierError) as error:
                self._cause = error
            self._pause()

    def _find_result(self, snapshot: Snapshot) -> PublishResult | None:
        """Return the result if the last attempt is in the snapshot; else forget the attempt."""
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return None
        if self._is_committed(snapshot, attempt.record):
            warnings = finish_commit(self._wave.tier, attempt.record.version)
            if attempt.record.k % FOLD_INTERVAL == 0:
                warnings += fold_ledger(self._wave.tier, snapshot)
            return _result(attempt.record, (*attempt.plan.recorded, *attempt.plan.others), warnings)
        if snapshot.version >= attempt.record.version:  # a delayed request can't succeed any more either
            with suppress(TierError, OSError):  # an orphan only costs a look at the log
                self._wave.tier.delete(attempt.sidecar)
        return None

    def _begin(self, snapshot: Snapshot) -> PublishResult | None:
        """Plan on the snapshot and commit; return a result only if there is nothing to commit."""
        if snapshot.version > self._version:
            self._version, self._failures = snapshot.version, 0
        if self._failures > MOST_FAILURES:
            raise _RefusedError(
                f"{self._complaint()}. Nothing of it was; run the same job again to continue"
            ) from self._cause
        self._ledger = Ledger.load(self._wave.tier, snapshot, self._ledger)
        if run := self._ledger.undone_by(self._wave.job):
            raise _RefusedError(f"job {self._wave.job} was undone by run {run}: no more of it can be published")
        plan = self._plan(snapshot, self._ledger)
        records = self._ledger.waves_of_job(self._wave.job, self._wave.wave)
        if records and not plan.recorded:
            return _result(_sum_of(records), plan.others, ())
        if plan.replaces_same and self._is_current is not None and not self._is_current(snapshot):
            raise OvertakenError(
                f"wave {self._wave.wave} of job {self._wave.job} was overtaken by a deletion or restore"
            )
        self._check_not_purged(snapshot, plan.added)
        attempt = self._write_sidecar(snapshot, self._ledger, plan)
        self._attempt = attempt
        commit(
            snapshot,
            added=plan.added,
            removed=plan.removed,
            transactions=[LastCommit(attempt.record.k, attempt.record.token).transaction],
        )
        return None

    def _is_committed(self, snapshot: Snapshot, record: WaveRecord) -> bool:
        last = LastCommit.of(snapshot)
        if last.k <= record.k:
            return last == (record.k, record.token)
        self._ledger = Ledger.load(self._wave.tier, snapshot, self._ledger)
        return self._ledger.token_of(record.k) == record.token

    def _check_not_purged(self, snapshot: Snapshot, added: Sequence[FileDescription]) -> None:
        try:
            check_not_purged(self._wave.tier, snapshot, [file.path for file in added])
        except TierError as error:
            raise _RefusedError(str(error)) from error

    def _write_sidecar(self, snapshot: Snapshot, ledger: Ledger, plan: _WavePlan) -> _Attempt:
        record = WaveRecord(
            job=self._wave.job,
            wave=self._wave.wave,
            k=ledger.k + 1,
            version=snapshot.version + 1,
            files=len(plan.added),
            bytes=sum(file.size for file in plan.added),
            token=secrets.randbits(TOKEN_BITS),
            previous=ledger.last.token,
        )
        path = sidecar_path(record.k, record.token)
        recorded = tuple(replace(entry, k=record.k) for entry in plan.recorded)
        self._wave.tier.put_new(path, write_sidecar(record, recorded))
        return _Attempt(path, record, replace(plan, recorded=recorded))

    def _plan(self, snapshot: Snapshot, ledger: Ledger) -> _WavePlan:
        wave = self._wave
        own = {_identity(entry): entry for entry in ledger.of_job(wave.job, wave.wave)}
        recorded: list[LedgerEntry] = []
        others: list[LedgerEntry] = []
        replaced: dict[str, Replaced] = {}
        replaces_same = False
        for entry in wave.entries:
            published = ledger.published(entry.bucket, entry.key)
            decision = decide(entry, published, own.get(_identity(entry)), wave)
            if decision.replaces:
                replaced[entry.uri] = Replaced.of(decision.replaces, published)
                replaces_same |= decision.replaces[0].is_same(entry)
            (recorded if decision.is_recorded else others).append(decision.entry)
        kept = {entry.uri for entry in recorded if entry.is_published}
        added = self._files.without(wave.files, kept, snapshot.columns)
        removed, rewritten = self._files.replacements(snapshot, replaced)
        return _WavePlan((*added, *rewritten), removed, with_times(recorded, wave.files), tuple(others), replaces_same)

    def _pause(self) -> None:
        self._failures += 1
        if self._failures > 2 * MOST_FAILURES:
            raise TierError(f"{self._complaint()}. Run the same job again to find out whether it was") from self._cause
        time.sleep(back_off(min(self._failures, MOST_FAILURES)))

    def _complaint(self) -> str:
        cause = one_line(self._cause) if self._cause else "commits are accepted but do not appear"
        wave = self._wave
        return f"hot tier {wave.tier.uri}: wave {wave.wave} of job {wave.job} can't be published: {cause}"


class OvertakenError(TierError):
    """What the wave's events were chosen by no longer holds: the wave must be read again. Nothing was published."""


class _RefusedError(TierError):
    """The store refuses, and a snapshot after the last attempt shows that nothing was committed."""


def _identity(entry: LedgerEntry) -> tuple[str, str, str, int]:
    return (entry.bucket, entry.key, entry.etag, entry.size)


def _sum_of(records: Sequence[WaveRecord]) -> WaveRecord:
    last = records[-1]
    return replace(last, files=sum(record.files for record in records), bytes=sum(record.bytes for record in records))


def _result(record: WaveRecord, entries: Sequence[LedgerEntry], warnings: Sequence[str]) -> PublishResult:
    return PublishResult(record.version, tuple(entries), record.files, record.bytes, tuple(warnings))
