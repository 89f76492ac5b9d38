"""Published contents of objects by their URIs: found among very many, without Python objects for the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.core import schema
from transforms.hot_tier.ledger.sidecar import UNDONE, LedgerEntry
from transforms.objects.outcomes import PUBLISHED
from transforms.storage import object_uri

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
        ("digest", schema.CONSTANT),
    ]
)


@dataclass(frozen=True)
class Published:
    """A content of an object whose events are in the table.

    Attributes:
        etag: The content's ETag.
        size: The object's bytes.
        status: `ingested` or `salvaged`; `undone` of a row by which it is no longer there.
        job: The job that published it.
        wave: The wave's number.
        k: The commit's number in the ledger.
        min_time: The least `_time` of its events, microseconds; None where it has none.
        max_time: The greatest.
        digest: Of the options and pipelines that it was read with; None where an older version has published it.
    """

    etag: str
    size: int
    status: str
    job: str
    wave: int
    k: int
    min_time: int | None
    max_time: int | None
    digest: str | None = None

    def is_same(self, other: Published | LedgerEntry) -> bool:
        """Whether it is the same content of an object."""
        return (self.etag, self.size) == (other.etag, other.size)


PUBLISHED_COLUMNS = ("bucket", "key", *(name for name in _PUBLISHED_SCHEMA.names if name != "uri"))
"""The columns of the ledger's files that the index is made from."""


class PublishedIndex:
    """Finds the published contents of an object in 5 µs.

    It consists of segments, each at least twice as large as the next, so that commits add to it at little cost.
    """

    def __init__(self, segments: Sequence[_Segment] = ()) -> None:
        """Take the segments in the order of their commits."""
        self._segments = tuple(segments)

    def extended(self, rows: pa.Table) -> PublishedIndex:
        """Return an index that has also the rows of later commits, of `PUBLISHED_COLUMNS`."""
        segments = [*self._segments, _Segment.of(_published(rows))]
        while len(segments) > 1 and 2 * len(segments[-1].hashes) > len(segments[-2].hashes):
            segments[-2:] = [segments[-2].followed_by(segments[-1])]
        return PublishedIndex(segments)

    def find(self, uri: str) -> Iterator[tuple[bool, Published]]:
        """Yield an object's published contents in the order of their commits, each with whether it replaced others."""
        target = hash(uri)
        for segment in self._segments:
            yield from segment.find(uri, target)

    def uris_after(self, k: int) -> set[str]:
        """Return the objects that have contents of commits after `k`."""
        tables = (segment.rows.filter(pc.greater(segment.rows["k"], k)) for segment in self._segments)
        return {uri for table in tables for uri in table["uri"].to_pylist()}


@dataclass(frozen=True)
class _Segment:
    """Rows of `_PUBLISHED_SCHEMA`, and their positions by the hashes of their URIs."""

    rows: pa.Table
    hashes: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: pa.Table) -> _Segment:
        hashes = np.fromiter(map(hash, rows["uri"].to_pylist()), dtype=np.int64, count=rows.num_rows)
        return cls._sorted(rows, hashes)

    @classmethod
    def _sorted(cls, rows: pa.Table, hashes: npt.NDArray[np.int64]) -> _Segment:
        order = np.argsort(hashes, kind="stable")
        return cls(rows.unify_dictionaries().combine_chunks(), hashes[order], order)

    def followed_by(self, other: _Segment) -> _Segment:
        """Return a segment of both."""
        hashes = np.empty(len(self.hashes) + len(other.hashes), np.int64)
        hashes[self.order] = self.hashes
        hashes[other.order + len(self.hashes)] = other.hashes
        return self._sorted(pa.concat_tables([self.rows, other.rows]), hashes)

    def find(self, uri: str, target: int) -> Iterator[tuple[bool, Published]]:
        for number in range(int(np.searchsorted(self.hashes, target)), len(self.hashes)):
            if self.hashes[number] != target:
                break
            row: dict[str, Any] = {name: values[int(self.order[number])] for name, values in self._columns.items()}
            found = {name: value.as_py() for name, value in row.items()}
            if found.pop("uri") == uri:
                yield found.pop("replaced"), Published(**found)

    @cached_property
    def _columns(self) -> dict[str, pa.Array]:
        return {name: self.rows[name].combine_chunks() for name in self.rows.schema.names}


def _published(rows: pa.Table) -> pa.Table:
    """Return what `Published` needs of the entries whose events are in the table, or no longer are."""
    table = rows.filter(pc.is_in(rows["status"], pa.array([*PUBLISHED, UNDONE])))
    buckets = table["bucket"].combine_chunks().dictionary_encode()
    folders = pa.array([object_uri(bucket, "") for bucket in buckets.dictionary.to_pylist()], pa.string())
    uris = pc.binary_join_element_wise(folders.take(buckets.indices), table["key"].combine_chunks(), "")
    return table.append_column("uri", uris).select(_PUBLISHED_SCHEMA.names).cast(_PUBLISHED_SCHEMA)
