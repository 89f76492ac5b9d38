"""The ledger: which objects are in the hot tier, and what became of the others (docs/decisions/0005-ledger.md).

Every commit of a wave has one *sidecar*, `_rekindle/ledger/JOB/WAVE-K-UUID.parquet`, written before the commit and
never again. K counts these commits, so each K has exactly one valid sidecar: the one whose path is an app id of the
commit. Where only one sidecar has a K it is that one, without asking the log (`transaction_version` reads the log anew
each time: 25 requests on S3).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.core import schema
from transforms.core.errors import TierError
from transforms.hot_tier.ledger.sidecar import (
    ENTRY_SCHEMA,
    FOLDER,
    Content,
    LedgerEntry,
    Sidecar,
    WaveRecord,
    parse_path,
    read_sidecar,
)
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.objects.outcomes import PUBLISHED
from transforms.storage import TierStore, object_uri

__all__ = ["APP_ID", "Ledger", "LedgerEntry", "Published", "WaveRecord"]

APP_ID = "ledger"
_IDENTITY = ["bucket", "key", "etag", "size"]
_READERS = 8
_T = TypeVar("_T")


_PUBLISHED_SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("etag", pa.string()),
        ("size", pa.int64()),
        ("status", schema.CONSTANT),
        ("job", schema.CONSTANT),
        ("wave", pa.int32()),
        ("k", pa.int64()),
        ("replaced", pa.bool_()),
        ("min_time", pa.int64()),
        ("max_time", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Published:
    """A content of an object whose events are in the table.

    Attributes:
        etag: The content's ETag.
        size: The object's bytes.
        status: `ingested` or `salvaged`.
        job: The job that published it.
        wave: The wave's number.
        k: The commit's number in the ledger.
        min_time: The least `_time` of its events, microseconds; None where it has none.
        max_time: The greatest.
    """

    etag: str
    size: int
    status: str
    job: str
    wave: int
    k: int
    min_time: int | None
    max_time: int | None

    def is_same(self, other: Published | LedgerEntry) -> bool:
        """Whether it is the same content of an object."""
        return (self.etag, self.size) == (other.etag, other.size)


class Ledger:
    """The ledger as of one snapshot; sidecars are read lazily, each once."""

    def __init__(
        self, tier: TierStore | None = None, sidecars: Sequence[Sidecar] = (), previous: Ledger | None = None
    ) -> None:
        """Take the valid sidecars in the order of their commits, and what `previous` has read of them."""
        self._tier = tier
        self._sidecars = tuple(sidecars)
        self._contents: dict[str, Content] = dict(previous._contents) if previous else {}
        self._published: dict[str, pa.Table] = dict(previous._published) if previous else {}

    @classmethod
    def load(cls, tier: TierStore, snapshot: Snapshot, previous: Ledger | None = None) -> Ledger:
        """Return the ledger of a snapshot.

        Args:
            tier: The tier.
            snapshot: The table's version that decides which sidecars are valid.
            previous: The ledger of an earlier snapshot.

        Raises:
            TierError: a valid sidecar is gone.
        """
        last = snapshot.transaction_version(APP_ID) or 0
        known = {sidecar.k: sidecar for sidecar in previous._sidecars} if previous else {}
        candidates: dict[int, list[Sidecar]] = {}
        if len(known) < last:
            for file in tier.list(FOLDER + "/"):
                sidecar = parse_path(file.path)
                if sidecar is not None and sidecar.k <= last and sidecar.k not in known:
                    candidates.setdefault(sidecar.k, []).append(sidecar)
        chosen = [known.get(k) or _choose_valid(tier, snapshot, k, candidates.get(k, [])) for k in range(1, last + 1)]
        return cls(tier, chosen, previous)

    @property
    def k(self) -> int:
        """How many commits have a sidecar."""
        return len(self._sidecars)

    def published(self, bucket: str, key: str) -> list[Published]:
        """Return the contents of an object whose events are in the table, the latest last.

        A replacement replaced the same content (`--retry-failed`) where there was one, else all contents.
        """
        found: list[Published] = []
        for replaced, content in self._index.find(object_uri(bucket, key)):
            if replaced:
                others = [one for one in found if not one.is_same(content)]
                found = others if len(others) < len(found) else []
            found.append(content)
        return found

    def superseded_since(self, k: int) -> dict[str, frozenset[str]]:
        """Return the objects whose contents were replaced or published again after commit `k`, with these' jobs."""
        self._read(self._published, self._sidecars, _read_published)
        later = [self._published[sidecar.path]["uri"].to_pylist() for sidecar in self._sidecars if sidecar.k > k]
        found = ((uri, _superseded(self._index.find(uri), k)) for uri in {uri for uris in later for uri in uris})
        return {uri: jobs for uri, jobs in found if jobs}

    def of_job(self, job: str, wave: int | None = None) -> list[LedgerEntry]:
        """Return the entries of a job, or of one of its waves: the latest of each content of an object."""
        rows = self.table_of_job(job, wave).to_pylist()
        tuples = ({"warnings": tuple(row["warnings"]), "counts": tuple(row["counts"] or ())} for row in rows)
        return [LedgerEntry(**row | own) for row, own in zip(rows, tuples, strict=True)]

    def table_of_job(self, job: str, wave: int | None = None) -> pa.Table:
        """Return the same as a table of `ENTRY_SCHEMA`: 150 bytes for an object, where `LedgerEntry` takes 900."""
        contents = self._contents_of(job, wave)
        table = pa.concat_tables([content.entries for content in contents]) if contents else ENTRY_SCHEMA.empty_table()
        if len(contents) <= 1:
            return table
        numbered = table.select(_IDENTITY).append_column("row", pa.array(np.arange(table.num_rows)))
        latest = numbered.group_by(_IDENTITY).aggregate([("row", "max")])["row_max"]
        return table.take(latest.sort())

    def waves_of_job(self, job: str, wave: int | None = None) -> list[WaveRecord]:
        """Return the commits of a job's waves, or of one, in order; two launchers may have committed one wave twice."""
        return [content.record for content in self._contents_of(job, wave)]

    def bytes_of_newest(self, commits: int) -> tuple[int, int]:
        """Return how many bytes the objects of the newest commits had, and how many were written for them."""
        sidecars = self._sidecars[-commits:] if commits else ()
        self._read(self._contents, sidecars, read_sidecar)
        contents = [self._contents[sidecar.path] for sidecar in sidecars]
        read = sum(pc.sum(content.entries["bytes_read"]).as_py() or 0 for content in contents)
        return read, sum(content.record.bytes for content in contents)

    @cached_property
    def _index(self) -> _Index:
        self._read(self._published, self._sidecars, _read_published)
        return _Index([self._published[sidecar.path] for sidecar in self._sidecars])

    def _contents_of(self, job: str, wave: int | None) -> list[Content]:
        sidecars = [sidecar for sidecar in self._sidecars if sidecar.job == job and wave in (None, sidecar.wave)]
        self._read(self._contents, sidecars, read_sidecar)
        return [self._contents[sidecar.path] for sidecar in sidecars]

    def _read(self, known: dict[str, _T], sidecars: Sequence[Sidecar], read: Callable[[bytes], _T]) -> None:
        paths = [sidecar.path for sidecar in sidecars if sidecar.path not in known]
        if paths:
            tier = self._tier
            assert tier is not None
            with ThreadPoolExecutor(_READERS) as pool:
                known.update(zip(paths, pool.map(lambda path: read(tier.get(path)), paths), strict=True))


def _superseded(contents: Iterable[tuple[bool, Published]], k: int) -> frozenset[str]:
    """Return the jobs whose contents, of commit `k` or before, a later one replaced or repeated (`--force`)."""
    there: list[Published] = []
    gone: set[str] = set()
    for replaced, content in contents:
        same = [one for one in there if one.is_same(content)]
        hit = (same or there) if replaced else same
        if content.k > k:
            gone |= {one.job for one in hit if one.k <= k}
        there = [one for one in there if not (replaced and one in hit)] + [content]
    return frozenset(gone)


class _Index:
    """Finds the published contents of one object among very many: 5 µs each, without Python objects for the others."""

    def __init__(self, tables: Sequence[pa.Table]) -> None:
        self._starts = np.cumsum([0, *(table.num_rows for table in tables)])
        self._columns = [{name: table[name].combine_chunks() for name in table.schema.names} for table in tables]
        uris = (uri for columns in self._columns for uri in columns["uri"].to_pylist())
        hashes = np.fromiter((hash(uri) for uri in uris), dtype=np.int64, count=int(self._starts[-1]))
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]

    def find(self, uri: str) -> Iterator[tuple[bool, Published]]:
        """Yield an object's published contents in the order of their commits, each with whether it replaced others."""
        target = hash(uri)
        for number in range(int(np.searchsorted(self._hashes, target)), len(self._hashes)):
            if self._hashes[number] != target:
                break
            row = self._row(int(self._order[number]))
            if row.pop("uri") == uri:
                yield row.pop("replaced"), Published(**row)

    def _row(self, position: int) -> dict[str, Any]:
        number = int(np.searchsorted(self._starts, position, side="right")) - 1
        row = position - int(self._starts[number])
        return {name: values[row].as_py() for name, values in self._columns[number].items()}


def _read_published(data: bytes) -> pa.Table:
    """Read what `Published` needs of the entries whose events are in the table."""
    names = ["bucket", "key", *(name for name in _PUBLISHED_SCHEMA.names if name != "uri")]
    table = pq.read_table(io.BytesIO(data), columns=names)
    table = table.filter(pc.is_in(table["status"], pa.array(PUBLISHED)))
    buckets = table["bucket"].combine_chunks().dictionary_encode()
    folders = pa.array([object_uri(bucket, "") for bucket in buckets.dictionary.to_pylist()], pa.string())
    uris = pc.binary_join_element_wise(folders.take(buckets.indices), table["key"], "")
    return table.append_column("uri", uris).select(_PUBLISHED_SCHEMA.names).cast(_PUBLISHED_SCHEMA)


def _choose_valid(tier: TierStore, snapshot: Snapshot, k: int, candidates: Sequence[Sidecar]) -> Sidecar:
    if len(candidates) > 1:
        candidates = [sidecar for sidecar in candidates if snapshot.transaction_version(sidecar.path) is not None]
    if len(candidates) != 1:
        raise TierError(
            f"hot tier {tier.uri}: the ledger's file of commit {k} is gone from {FOLDER}/; restore it from a copy"
        )
    return candidates[0]
