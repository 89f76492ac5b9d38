"""The ledger: which objects are in the hot tier, and what became of the others (docs/decisions/0005-ledger.md)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.errors import TierError
from transforms.hot_tier.ledger.contents import ContentHistory, superseded_jobs
from transforms.hot_tier.ledger.ledger_files import (
    APP_ID,
    FOLDER,
    NO_COMMIT,
    LastCommit,
    LedgerFile,
    MissingCommitError,
    choose_files,
)
from transforms.hot_tier.ledger.published_index import PUBLISHED_COLUMNS, Published, PublishedIndex
from transforms.hot_tier.ledger.sidecar import (
    ENTRY_SCHEMA,
    OF_JOB,
    RECORD_SCHEMA,
    UNDONE,
    LedgerEntry,
    WaveRecord,
    entries_in,
    entries_of_job,
    read_rows,
    records_in,
    records_of,
)
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore, object_uri

__all__ = ["APP_ID", "Ledger", "LedgerEntry", "Published", "WaveRecord"]

_IDENTITY = ["bucket", "key", "etag", "size"]
_INDEXED = tuple(dict.fromkeys((*PUBLISHED_COLUMNS, "bytes_read", *RECORD_SCHEMA.names)))
_BYTES_READ = pa.schema([("k", pa.int64()), ("bytes_read", pa.int64())])
"""What is kept of each commit beside its record."""
_READERS = 8
_KEPT_ENTRIES = 8
"""Of so many waves or jobs the entries that were asked for last are kept: a watch asks for one wave after another."""
_MOST_CHUNKS = 64
"""Tables of more parts are made whole: each commit adds one."""
_ATTEMPTS = 5
"""How often files may vanish while they are read: others fold them, each at most once."""


class Ledger:
    """The ledger as of one snapshot."""

    def __init__(
        self,
        tier: TierStore | None = None,
        last: LastCommit = NO_COMMIT,
        records: pa.Table | None = None,
        bytes_read: pa.Table | None = None,
        index: PublishedIndex | None = None,
        previous: Ledger | None = None,
    ) -> None:
        """Take what `load` has read; without arguments it is empty."""
        self._tier = tier
        self._last = last
        self._records = RECORD_SCHEMA.empty_table() if records is None else records
        self._bytes_read = _BYTES_READ.empty_table() if bytes_read is None else bytes_read
        self._index = index or PublishedIndex()
        kept = list(previous._entries.items())[-_KEPT_ENTRIES:] if previous else ()
        self._entries: dict[tuple[str, int | None], tuple[tuple[int, ...], pa.Table]] = dict(kept)

    @classmethod
    def load(cls, tier: TierStore, snapshot: Snapshot, previous: Ledger | None = None) -> Ledger:
        """Return the ledger of a snapshot.

        Args:
            tier: The tier.
            snapshot: The table's version that decides which files count.
            previous: The ledger of an earlier snapshot; what it has read is not read again.

        Raises:
            TierError: a file of the ledger is gone.
        """
        last = LastCommit.of(snapshot)
        before = previous or cls()
        if before._last == last:
            return before
        if before.k >= last.k:
            before = cls()
        rows = pa.concat_tables(
            _read(tier, last, range(before.k + 1, last.k + 1), lambda data: read_rows(data, _INDEXED))
        )
        records = _joined([before._records, records_in(rows)])
        bytes_read = _joined([before._bytes_read, _bytes_by_commit(rows)])
        ledger = cls(tier, last, records, bytes_read, before._index.extended(rows), before)
        if ledger.token_of(last.k) != last.token or records.num_rows != last.k:
            raise TierError(
                f"hot tier {tier.uri}: the files in {FOLDER}/ are not those of this table (commit {last.k}); "
                "restore both from the same copy"
            )
        return ledger

    @property
    def k(self) -> int:
        """How many commits it has."""
        return self._last.k

    @property
    def last(self) -> LastCommit:
        """Its last commit."""
        return self._last

    def token_of(self, k: int) -> int | None:
        """Return the token of a commit, None where there is none of that number."""
        found = self._records["token"].filter(pc.equal(self._records["k"], k))
        return found[0].as_py() if len(found) else None

    def published(self, bucket: str, key: str) -> list[Published]:
        """Return the contents of an object whose events are in the table, the latest last."""
        return self.history(bucket, key).contents

    def history(self, bucket: str, key: str) -> ContentHistory:
        """Return which contents of an object are in the table, and which were undone."""
        return ContentHistory.of(self._index.find(object_uri(bucket, key)))

    def lineage(self, content: Published, bucket: str, key: str) -> list[Published]:
        """Return a present content of an object, after those of the same bytes that it has replaced, the oldest first.

        What was ingested by itself, or by `--force` once more, begins a lineage.
        """
        present = self.history(bucket, key).present
        return next(([*one.before, content] for one in present if one.content == content), [])

    def superseded_since(self, k: int, *, restoring: Collection[int] = ()) -> dict[str, frozenset[str]]:
        """Return the objects whose contents were replaced, undone or published again after commit `k`.

        Args:
            k: The number of a commit.
            restoring: Undoings that are being restored: what these have taken away counts as there.

        Returns:
            By each object's URI the jobs that had brought these contents.
        """
        found = ((uri, superseded_jobs(self._index.find(uri), k, restoring)) for uri in self._index.uris_after(k))
        return {uri: jobs for uri, jobs in found if jobs}

    def undone_by(self, job: str) -> str | None:
        """Return the last run that has undone a job and was not restored, None where there is none."""
        runs: dict[str, None] = {}
        for _, row in self._index.find(object_uri(OF_JOB, job)):
            if row.status == UNDONE:
                runs[row.etag] = None
            else:
                runs.pop(row.etag, None)
        return next(reversed(runs), None)

    def of_job(self, job: str, wave: int | None = None) -> list[LedgerEntry]:
        """Return the entries of a job, or of one of its waves: the latest of each content of an object."""
        return entries_in(self.table_of_job(job, wave))

    def of_job_after(self, job: str, k: int) -> list[LedgerEntry]:
        """Return the entries of a job in commits after `k`, in their order; nothing of them is kept in memory."""
        commits = self._records_of(job, None)["k"]
        later = commits.filter(pc.greater(commits, k)).to_pylist()
        if not later:
            return []
        assert self._tier is not None
        found = _read(self._tier, self._last, later, lambda data: entries_of_job(data, job, None))
        return entries_in(pa.concat_tables(found))

    def table_of_job(self, job: str, wave: int | None = None) -> pa.Table:
        """Return the same as a table of `ENTRY_SCHEMA`: 150 bytes for an object, where `LedgerEntry` takes 900."""
        commits = self._records_of(job, wave)
        table = self._entries_of(job, wave, commits["k"].to_pylist())
        if commits.num_rows <= 1:
            return table
        numbered = table.select(_IDENTITY).append_column("row", pa.array(np.arange(table.num_rows)))
        latest = numbered.group_by(_IDENTITY).aggregate([("row", "max")])["row_max"]
        return table.take(latest.sort())

    def waves_of_job(self, job: str, wave: int | None = None) -> list[WaveRecord]:
        """Return the commits of a job's waves, or of one, in order; two launchers may have committed one wave twice."""
        return records_of(self._records_of(job, wave))

    def next_wave_of_job(self, job: str) -> int:
        """Return the number after that of a job's last wave, 0 where it has none."""
        last = pc.max(self._records_of(job, None)["wave"]).as_py()
        return 0 if last is None else last + 1

    def bytes_of_newest(self, commits: int) -> tuple[int, int]:
        """Return how many bytes the objects of the newest commits had, and how many were written for them."""
        read, written = (
            table.filter(pc.greater(table["k"], self.k - commits)) for table in (self._bytes_read, self._records)
        )
        return pc.sum(read["bytes_read"]).as_py() or 0, pc.sum(written["bytes"]).as_py() or 0

    def _records_of(self, job: str, wave: int | None) -> pa.Table:
        mask = pc.equal(self._records["job"], job)
        return self._records.filter(mask if wave is None else pc.and_(mask, pc.equal(self._records["wave"], wave)))

    def _entries_of(self, job: str, wave: int | None, commits: Sequence[int]) -> pa.Table:
        """Return the entries of these commits; those that were read before are not read again."""
        known, table = self._entries.get((job, wave), ((), ENTRY_SCHEMA.empty_table()))
        missing = sorted(set(commits).difference(known))
        if missing:
            assert self._tier is not None
            found = _read(self._tier, self._last, missing, lambda data: entries_of_job(data, job, wave))
            table = pa.concat_tables([table, *found])
            self._entries[job, wave] = tuple(commits), table
        return table


def _read(
    tier: TierStore, last: LastCommit, commits: Sequence[int], read: Callable[[bytes], pa.Table]
) -> list[pa.Table]:
    """Read the rows of some commits, in ascending order, from the files that have them.

    Raises:
        TierError: a file is gone.
    """
    cause: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            files = choose_files(tier, last, after=commits[0] - 1).files
            paths = [file.path for file in files if _has_any(file, commits)]
            with ThreadPoolExecutor(_READERS) as pool:
                tables = list(pool.map(lambda path: read(tier.get(path)), paths))
        except (FileNotFoundError, MissingCommitError) as error:  # folded meanwhile: another file has it now
            cause = error
        else:
            numbers = pa.array(commits, pa.int64())
            return [table.filter(pc.is_in(table["k"], numbers)) for table in tables]
    raise TierError(str(cause)) from cause


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    table = pa.concat_tables(tables)
    return table if table["k"].num_chunks <= _MOST_CHUNKS else table.combine_chunks()


def _bytes_by_commit(rows: pa.Table) -> pa.Table:
    sums = rows.select(_BYTES_READ.names).group_by("k", use_threads=False).aggregate([("bytes_read", "sum")])
    return sums.rename_columns({"bytes_read_sum": "bytes_read"}).select(_BYTES_READ.names).cast(_BYTES_READ)


def _has_any(file: LedgerFile, commits: Sequence[int]) -> bool:
    place = bisect_left(commits, file.first)
    return place < len(commits) and commits[place] <= file.last
