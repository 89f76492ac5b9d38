"""Sidecars: the ledger's files, one for each commit of a wave.

`_rekindle/ledger/JOB/WAVE-K-UUID.parquet` has an entry for each object that the commit decides about, and the commit's
record in its footer.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.core import schema
from transforms.objects.outcomes import PUBLISHED
from transforms.storage import object_uri

FOLDER = "_rekindle/ledger"
_METADATA = b"rekindle"
_NAME = re.compile(rf"{FOLDER}/(?P<job>[^/]+)/(?P<wave>\d+)-(?P<k>\d+)-[^/]+\.parquet")


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    """The outcome of one object in one wave.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        etag: Its content's ETag.
        size: Its bytes.
        modified: Its LastModified.
        job: The job's task id.
        wave: The wave's number.
        status: `ingested`, `salvaged`, `quarantined`, `failed`, `vanished` or `archived`; in results of a wave also
            `known` and `skipped`.
        k: The number of the commit that added the entry, 0 before.
        reason: Why it is not `ingested`.
        replaced: Whether its events replaced older ones.
        codec: Its compression.
        format: The format it was read as.
        unchecked: Whether its codec can hide damage.
        records_in: Records that were read.
        blank: Blank lines.
        header: Header lines and skipped rows.
        events: Events that were published.
        events_with_error: Those among them with `_error`.
        dropped: Records that pipelines dropped.
        rejected: Records that were read and not published.
        bytes_read: Bytes that were read of it.
        bytes_decoded: Bytes after decompression.
        min_time: The least `_time` of its events.
        max_time: The greatest.
        known_of: Of a `known` one: the job that has it.
        warnings: Warnings about it.
        counts: Events by what happened to them: those with the time of receipt, those that a processor failed on, those
            that a pipeline dropped.
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
    dropped: int = 0
    rejected: int = 0
    bytes_read: int = 0
    bytes_decoded: int = 0
    min_time: datetime | None = None
    max_time: datetime | None = None
    known_of: str | None = None
    warnings: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()

    @property
    def uri(self) -> str:
        """The object's name, as `_object` has it."""
        return object_uri(self.bucket, self.key)

    @property
    def is_published(self) -> bool:
        """Whether its events are for readers."""
        return self.status in PUBLISHED

    def as_failure(self) -> dict[str, str | None]:
        """Return its row of the report's `failures` (docs/jobs.md)."""
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
            for name in (
                "records_in",
                "blank",
                "header",
                "events",
                "events_with_error",
                "dropped",
                "rejected",
                "bytes_read",
                "bytes_decoded",
            )
        ),
        ("min_time", schema.TIME),
        ("max_time", schema.TIME),
        ("known_of", pa.string()),
        ("warnings", pa.list_(pa.string())),
        ("counts", pa.map_(pa.string(), pa.int64())),
    ]
)
assert ENTRY_SCHEMA.names == [entry_field.name for entry_field in fields(LedgerEntry)]


@dataclass(frozen=True, kw_only=True)
class WaveRecord:
    """One commit of a wave.

    Attributes:
        job: The job's task id.
        wave: The wave's number.
        k: The commit's number in the ledger.
        version: The table's version that it made.
        files: How many files it added.
        bytes: Their size.
    """

    job: str
    wave: int
    k: int
    version: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Sidecar:
    """A ledger file's path, and the parts of its name."""

    path: str
    job: str
    wave: int
    k: int


@dataclass(frozen=True)
class Content:
    """A sidecar's content: its footer's record, and its entries as a table of `ENTRY_SCHEMA`."""

    record: WaveRecord
    entries: pa.Table


def sidecar_path(job: str, wave: int, k: int, unique: str) -> str:
    """Return the path of a new sidecar."""
    return f"{FOLDER}/{job}/{wave}-{k}-{unique}.parquet"


def write_sidecar(record: WaveRecord, entries: Iterable[LedgerEntry]) -> bytes:
    """Serialize a sidecar: the entries as Parquet, the record in the footer."""
    rows = list(entries)
    columns = [pa.array([getattr(entry, field.name) for entry in rows], field.type) for field in ENTRY_SCHEMA]
    table = pa.table(columns, ENTRY_SCHEMA)
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_METADATA: orjson.dumps(asdict(record))}), sink, compression="zstd")
    return sink.getvalue()


def read_sidecar(data: bytes) -> Content:
    """Parse a sidecar's bytes."""
    table = pq.read_table(io.BytesIO(data))
    record = WaveRecord(**orjson.loads(table.schema.metadata[_METADATA]))
    for field in ENTRY_SCHEMA:  # older versions' sidecars have fewer
        if field.name not in table.schema.names:
            nothing = pa.scalar(0 if pa.types.is_integer(field.type) else None, field.type)
            table = table.append_column(field, pa.repeat(nothing, table.num_rows))
    return Content(record, table.select(ENTRY_SCHEMA.names).replace_schema_metadata(None).cast(ENTRY_SCHEMA))


def parse_path(path: str) -> Sidecar | None:
    """Parse the path of a sidecar; return None for another file's."""
    match = _NAME.fullmatch(path)
    return Sidecar(path, match["job"], int(match["wave"]), int(match["k"])) if match else None
