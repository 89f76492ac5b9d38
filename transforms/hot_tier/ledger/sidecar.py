"""Sidecars: what the ledger keeps of one commit of a wave.

The file has a row for each object that the commit decides about, and first of all one for the commit itself, which has
no `bucket`. That of a run which undoes a job, or restores it, also has one for the job. A folded file
(`ledger.folding`) has the rows of many sidecars, one after the other.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.core import schema
from transforms.objects.outcomes import PUBLISHED
from transforms.storage import object_uri

UNDONE = "undone"
"""The status of a row by which what a job has brought is no longer in the table (`ledger.undone`)."""
OF_JOB = ""
"""In place of a bucket: the row is about a job as a whole; its key is the job's id, its ETag the run that undid it."""
_ROW_GROUP = 16 << 10
"""Rows: what is read to find the entries of one job among those of many."""


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
            `known` and `skipped`; of a run that undoes a job `undone`.
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
        digest: Of the options and pipelines that it was read with (`transforms.objects.reading_digest`); None where an
            older version has published it.
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
    digest: str | None = None

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
        ("digest", pa.string()),
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
        token: The random number by which the table knows it among the attempts to make commit `k`.
        previous: The token of commit `k - 1`.
    """

    job: str
    wave: int
    k: int
    version: int
    files: int
    bytes: int
    token: int = 0
    previous: int = 0


RECORD_SCHEMA = pa.schema(
    [
        ("job", pa.string()),
        ("wave", pa.int32()),
        *((name, pa.int64()) for name in ("k", "version", "files", "bytes", "token", "previous")),
    ]
)
assert RECORD_SCHEMA.names == [record_field.name for record_field in fields(WaveRecord)]
FILE_SCHEMA = pa.schema([*ENTRY_SCHEMA, *(field for field in RECORD_SCHEMA if field.name not in ENTRY_SCHEMA.names)])


def write_sidecar(record: WaveRecord, entries: Iterable[LedgerEntry]) -> bytes:
    """Serialize a sidecar as Parquet."""
    rows = list(entries)
    columns = [pa.array([getattr(entry, field.name) for entry in rows], field.type) for field in ENTRY_SCHEMA]
    return write_rows(record, pa.table(columns, ENTRY_SCHEMA))


def write_rows(record: WaveRecord, rows: pa.Table) -> bytes:
    """Serialize a sidecar as Parquet, of rows with some columns of `ENTRY_SCHEMA`."""
    return write_tables([pa.Table.from_pylist([asdict(record)], FILE_SCHEMA), rows])


def write_tables(tables: Sequence[pa.Table]) -> bytes:
    """Serialize rows of the ledger; columns that only some of the tables have, as a newer version's may, stay."""
    sink = io.BytesIO()
    table = pa.concat_tables(tables, promote_options="default")
    pq.write_table(table, sink, compression="zstd", row_group_size=_ROW_GROUP)
    return sink.getvalue()


def read_rows(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the rows of a file of the ledger, with all columns of `FILE_SCHEMA` or with these."""
    names = FILE_SCHEMA.names if columns is None else columns
    return _complete(pq.ParquetFile(io.BytesIO(data)).read(list(names), use_threads=False), names)


def read_whole(data: bytes) -> pa.Table:
    """Read the rows of a file of the ledger with all that it has."""
    return pq.ParquetFile(io.BytesIO(data)).read(use_threads=False)


def records_in(rows: pa.Table) -> pa.Table:
    """Return the records of the commits among rows, as a table of `RECORD_SCHEMA`."""
    return rows.filter(pc.is_null(rows["bucket"])).select(RECORD_SCHEMA.names)


def entries_of_job(data: bytes, job: str, wave: int | None) -> pa.Table:
    """Return the entries of a job, or of one of its waves, in a file, as a table of `ENTRY_SCHEMA`."""
    parquet = pq.ParquetFile(io.BytesIO(data))
    found = []
    for number in range(parquet.num_row_groups):
        place = parquet.read_row_group(number, ["bucket", "job", "wave"], use_threads=False)
        mask = pc.and_(pc.is_valid(place["bucket"]), pc.equal(place["job"], job))
        if wave is not None:
            mask = pc.and_(mask, pc.equal(place["wave"], wave))
        if pc.any(mask).as_py():
            rows = parquet.read_row_group(number, ENTRY_SCHEMA.names, use_threads=False)
            found.append(_complete(rows, ENTRY_SCHEMA.names).filter(mask))
    return pa.concat_tables(found) if found else ENTRY_SCHEMA.empty_table()


def records_of(table: pa.Table) -> list[WaveRecord]:
    """Return the records of a table of `RECORD_SCHEMA`."""
    return [WaveRecord(**row) for row in table.to_pylist()]


def entries_in(table: pa.Table) -> list[LedgerEntry]:
    """Return the entries of a table of `ENTRY_SCHEMA`."""

    def own(row: dict[str, Any]) -> dict[str, Any]:
        return {"warnings": tuple(row["warnings"] or ()), "counts": tuple(row["counts"] or ())}

    return [LedgerEntry(**row | own(row)) for row in table.to_pylist()]


def _complete(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return a table with all these columns; older versions' files have fewer."""
    schema_ = pa.schema([FILE_SCHEMA.field(name) for name in names])
    for field in schema_:
        if field.name not in table.schema.names:
            nothing = pa.scalar(0 if pa.types.is_integer(field.type) else None, field.type)
            table = table.append_column(field, pa.repeat(nothing, table.num_rows))
    return table.select(list(names)).cast(schema_)
