"""The ledger: which objects are in the hot tier, and what became of the others (docs/design.md §5).

Every commit of a wave brings one *sidecar*, `_rekindle/ledger/JOB/WAVE-K-UUID.parquet`, written before the commit and never again. K counts
the commits that brought one, so each K has exactly one sidecar that counts: the one whose path is an app id of the commit. Where only one
sidecar bears a K it is that one, and no question is asked of the log (`transaction_version` reads the log anew each time: 25 requests on
S3).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import schema
from transforms.errors import TierError
from transforms.hot_tier.snapshot import Snapshot
from transforms.storage import TierStore, object_uri

FOLDER = "_rekindle/ledger"
APP_ID = "ledger"
PUBLISHED = ("ingested", "salvaged")
_METADATA = b"rekindle"
_NAME = re.compile(rf"{FOLDER}/(?P<job>[^/]+)/(?P<wave>\d+)-(?P<k>\d+)-[^/]+\.parquet")
_IDENTITY = ["bucket", "key", "etag", "size"]
_READERS = 8
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    """What became of one object in one wave.

    Attributes:
        bucket: Where it lies.
        key: Its key.
        etag: Its content's mark.
        size: Its bytes.
        modified: LastModified.
        job: The job's task id.
        wave: The wave's number.
        status: `ingested`, `salvaged`, `quarantined`, `failed`, `vanished` or `archived`; in results of a wave also `known` and `skipped`.
        k: The number of the commit that brought the entry, 0 before.
        reason: Why it is not `ingested`.
        replaced: Whether its events took the place of older ones.
        codec: Its compression.
        format: What it was read as.
        unchecked: Whether its codec can hide damage.
        records_in: Records that were read.
        blank: Blank lines.
        header: Header lines and skipped rows.
        events: Events that were published.
        events_with_error: Those among them with `_error`.
        rejected: Records that were read and not published.
        bytes_read: Bytes that were read of it.
        bytes_decoded: Bytes after decompression.
        min_time: The least `_time` of its events.
        max_time: The greatest.
        known_of: Of a `known` one: the job that has it.
        warnings: What else is to be said.
    """

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime
    job: str
    wave: int
    status: str
    k: int = 0
    reason: str | None = None
    replaced: bool = False
    codec: str | None = None
    format: str | None = None
    unchecked: bool = False
    records_in: int = 0
    blank: int = 0
    header: int = 0
    events: int = 0
    events_with_error: int = 0
    rejected: int = 0
    bytes_read: int = 0
    bytes_decoded: int = 0
    min_time: datetime | None = None
    max_time: datetime | None = None
    known_of: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The object's name, as `_object` has it."""
        return object_uri(self.bucket, self.key)

    @property
    def is_published(self) -> bool:
        """Whether its events are for readers."""
        return self.status in PUBLISHED

    def as_failure(self) -> dict[str, str | None]:
        """Return what the report's `failures` say of it (spec §13)."""
        return {"object": self.uri, "status": self.status, "reason": self.reason}


ENTRY_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("bucket", "key", "etag")),
        ("size", pa.int64()),
        ("modified", schema.TIME),
        ("job", pa.string()),
        ("wave", pa.int32()),
        ("status", pa.string()),
        ("k", pa.int64()),
        ("reason", pa.string()),
        ("replaced", pa.bool_()),
        ("codec", pa.string()),
        ("format", pa.string()),
        ("unchecked", pa.bool_()),
        *(
            (name, pa.int64())
            for name in ("records_in", "blank", "header", "events", "events_with_error", "rejected", "bytes_read", "bytes_decoded")
        ),
        ("min_time", schema.TIME),
        ("max_time", schema.TIME),
        ("known_of", pa.string()),
        ("warnings", pa.list_(pa.string())),
    ]
)
assert ENTRY_SCHEMA.names == [entry_field.name for entry_field in fields(LedgerEntry)]


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


@dataclass(frozen=True, kw_only=True)
class WaveRecord:
    """One commit of a wave.

    Attributes:
        job: The job's task id.
        wave: The wave's number.
        k: The commit's number in the ledger.
        version: The table's version that it made.
        files: How many files it brought.
        bytes: Their size.
    """

    job: str
    wave: int
    k: int
    version: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Published:
    """Content of an object whose events are in the table.

    Attributes:
        etag: The content's mark.
        size: The object's bytes.
        status: `ingested` or `salvaged`.
        job: The job that published it.
        wave: In which wave.
        k: In which commit.
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


@dataclass(frozen=True)
class Sidecar:
    """A ledger file by its path, and what its name says."""

    path: str
    job: str
    wave: int
    k: int


@dataclass(frozen=True)
class _Content:
    """What was read of a sidecar for its job: its footer's record, and its entries as `ENTRY_SCHEMA` has them."""

    record: WaveRecord
    entries: pa.Table


class Ledger:
    """The ledger as of one snapshot. Files are read when something is asked that needs them, each once."""

    def __init__(self, tier: TierStore | None = None, sidecars: Sequence[Sidecar] = (), previous: Ledger | None = None) -> None:
        """Take the sidecars that count, in the order of their commits; what `previous` has read of them is not read again."""
        self._tier = tier
        self._sidecars = tuple(sidecars)
        self._contents: dict[str, _Content] = dict(previous._contents) if previous else {}
        self._published: dict[str, pa.Table] = dict(previous._published) if previous else {}

    @classmethod
    def load(cls, tier: TierStore, snapshot: Snapshot, previous: Ledger | None = None) -> Ledger:
        """Return the ledger of a snapshot.

        Args:
            tier: The tier.
            snapshot: The table's version that decides what counts.
            previous: The ledger of an earlier snapshot.

        Raises:
            TierError: a sidecar that counts is gone.
        """
        last = snapshot.transaction_version(APP_ID) or 0
        settled = {sidecar.k: sidecar for sidecar in previous._sidecars} if previous else {}
        candidates: dict[int, list[Sidecar]] = {}
        if len(settled) < last:
            for file in tier.list(FOLDER + "/"):
                sidecar = _sidecar(file.path)
                if sidecar is not None and sidecar.k <= last and sidecar.k not in settled:
                    candidates.setdefault(sidecar.k, []).append(sidecar)
        chosen = [settled.get(k) or _that_counts(tier, snapshot, k, candidates.get(k, [])) for k in range(1, last + 1)]
        return cls(tier, chosen, previous)

    @property
    def k(self) -> int:
        """How many commits brought a sidecar."""
        return len(self._sidecars)

    def published(self, bucket: str, key: str) -> list[Published]:
        """Return the contents of an object whose events are in the table, the latest last."""
        found: list[Published] = []
        for replaced, content in self._index.find(object_uri(bucket, key)):
            if replaced:
                found.clear()
            found.append(content)
        return found

    def of_job(self, job: str, wave: int | None = None) -> list[LedgerEntry]:
        """Return the entries of a job, or of one of its waves, of each content of an object the latest."""
        return [LedgerEntry(**{**row, "warnings": tuple(row["warnings"])}) for row in self.table_of_job(job, wave).to_pylist()]

    def table_of_job(self, job: str, wave: int | None = None) -> pa.Table:
        """Return the same as a table with the columns of `ENTRY_SCHEMA`: 150 bytes for an object, where `LedgerEntry` takes 900."""
        contents = self._contents_of(job, wave)
        table = pa.concat_tables([content.entries for content in contents]) if contents else ENTRY_SCHEMA.empty_table()
        if len(contents) <= 1:
            return table
        places = table.select(_IDENTITY).append_column("place", pa.array(np.arange(table.num_rows)))
        latest = places.group_by(_IDENTITY).aggregate([("place", "max")])["place_max"]
        return table.take(latest.sort())

    def waves_of_job(self, job: str, wave: int | None = None) -> list[WaveRecord]:
        """Return the commits of a job's waves, or of one, in their order; two launchers may have made two of one wave."""
        return [content.record for content in self._contents_of(job, wave)]

    @cached_property
    def _index(self) -> _Index:
        self._read(self._published, self._sidecars, _read_published)
        return _Index([self._published[sidecar.path] for sidecar in self._sidecars])

    def _contents_of(self, job: str, wave: int | None) -> list[_Content]:
        sidecars = [sidecar for sidecar in self._sidecars if sidecar.job == job and wave in (None, sidecar.wave)]
        self._read(self._contents, sidecars, _read_content)
        return [self._contents[sidecar.path] for sidecar in sidecars]

    def _read(self, known: dict[str, _T], sidecars: Sequence[Sidecar], read: Callable[[bytes], _T]) -> None:
        paths = [sidecar.path for sidecar in sidecars if sidecar.path not in known]
        if paths:
            tier = self._tier
            assert tier is not None
            with ThreadPoolExecutor(_READERS) as pool:
                known.update(zip(paths, pool.map(lambda path: read(tier.get(path)), paths), strict=True))


class _Index:
    """Finds the published contents of an object among very many: 5 µs each, and no Python object for those not asked for."""

    def __init__(self, tables: Sequence[pa.Table]) -> None:
        self._starts = np.cumsum([0, *(table.num_rows for table in tables)])
        self._columns = [{name: table[name].combine_chunks() for name in table.schema.names} for table in tables]
        uris = (uri for columns in self._columns for uri in columns["uri"].to_pylist())
        hashes = np.fromiter((hash(uri) for uri in uris), dtype=np.int64, count=int(self._starts[-1]))
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]

    def find(self, uri: str) -> Iterator[tuple[bool, Published]]:
        """Yield an object's published contents in the order of their commits, each with whether it took the place of those before it."""
        wanted = hash(uri)
        for number in range(int(np.searchsorted(self._hashes, wanted)), len(self._hashes)):
            if self._hashes[number] != wanted:
                break
            row = self._row(int(self._order[number]))
            if row.pop("uri") == uri:
                yield row.pop("replaced"), Published(**row)

    def _row(self, place: int) -> dict[str, Any]:
        number = int(np.searchsorted(self._starts, place, side="right")) - 1
        row = place - int(self._starts[number])
        return {name: values[row].as_py() for name, values in self._columns[number].items()}


def sidecar_path(job: str, wave: int, k: int, unique: str) -> str:
    """Return the path of a new sidecar."""
    return f"{FOLDER}/{job}/{wave}-{k}-{unique}.parquet"


def write_sidecar(record: WaveRecord, entries: Iterable[LedgerEntry]) -> bytes:
    """Return a sidecar's bytes: the entries as Parquet, the record in the footer."""
    rows = list(entries)
    table = pa.table(
        [pa.array([getattr(entry, name) for entry in rows], ENTRY_SCHEMA.field(name).type) for name in ENTRY_SCHEMA.names], ENTRY_SCHEMA
    )
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_METADATA: orjson.dumps(asdict(record))}), sink, compression="zstd")
    return sink.getvalue()


def _read_content(data: bytes) -> _Content:
    table = pq.read_table(io.BytesIO(data))
    record = WaveRecord(**orjson.loads(table.schema.metadata[_METADATA]))
    return _Content(record, table.replace_schema_metadata(None).cast(ENTRY_SCHEMA))


def _read_published(data: bytes) -> pa.Table:
    """Return what `Published` needs of the entries whose events are in the table."""
    names = ["bucket", "key", *(name for name in _PUBLISHED_SCHEMA.names if name != "uri")]
    table = pq.read_table(io.BytesIO(data), columns=names)
    table = table.filter(pc.is_in(table["status"], pa.array(PUBLISHED)))
    buckets = table["bucket"].combine_chunks().dictionary_encode()
    folders = pa.array([object_uri(bucket, "") for bucket in buckets.dictionary.to_pylist()], pa.string())
    uris = pc.binary_join_element_wise(folders.take(buckets.indices), table["key"], "")
    return table.append_column("uri", uris).select(_PUBLISHED_SCHEMA.names).cast(_PUBLISHED_SCHEMA)


def _sidecar(path: str) -> Sidecar | None:
    match = _NAME.fullmatch(path)
    return Sidecar(path, match["job"], int(match["wave"]), int(match["k"])) if match else None


def _that_counts(tier: TierStore, snapshot: Snapshot, k: int, candidates: Sequence[Sidecar]) -> Sidecar:
    if len(candidates) > 1:
        candidates = [sidecar for sidecar in candidates if snapshot.transaction_version(sidecar.path) is not None]
    if len(candidates) != 1:
        raise TierError(f"hot tier {tier.uri}: the ledger's file of commit {k} is gone from {FOLDER}/; put it back from a copy")
    return candidates[0]
