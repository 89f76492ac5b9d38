"""Small events, files and waves for the tests of the hot tier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import constant
from transforms.core import schema
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.hot_tier.ledger.publish import PublishResult, publish_wave
from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.prepare import promoted_columns
from transforms.storage import TierStore

DAY = 86_400_000_000
NOON = 20_000 * DAY + DAY // 2
"""2024-10-04T12:00:00Z in microseconds."""
MODIFIED = datetime(2025, 1, 1, tzinfo=timezone.utc)
BUCKET = "bucket"


def events(
    uri: str, times: Sequence[int], content: str = "1", job: str = "job", **attributes: Sequence[str | None] | str
) -> pa.RecordBatch:
    """Return a batch of events in flight, the message and id of each telling object, content and ordinal."""
    rows = len(times)
    columns: dict[str, pa.Array] = {
        "_message": pa.array([f"{uri} {content} {i} " + "x" * 20 for i in range(rows)], schema.TEXT),
        "_event_id": pa.array([f"e_{uri}-{content}-{i}" for i in range(rows)], schema.TEXT),
        "_time": pa.array(np.asarray(times, np.int64)).cast(schema.TIME),
        "_observed_at": pa.array(np.full(rows, NOON)).cast(schema.TIME),
        "_object": constant(uri, rows),
        "_correlation_id": constant(job, rows),
        "_format": constant("text", rows),
        "_time_source": constant("record", rows),
        "filename": constant(uri.partition("bucket/")[2], rows),
    }
    for name, values in attributes.items():
        column = schema.attribute_column(name)
        columns[column] = constant(values, rows) if isinstance(values, str) else pa.array(values, schema.TEXT)
    return pa.RecordBatch.from_pydict(columns)


def uri_of(key: str) -> str:
    return f"s3://{BUCKET}/{key}"


def entry(
    key: str, rows: int, *, job: str = "job", wave: int = 0, status: str = "ingested", content: str = "1"
) -> LedgerEntry:
    published = status in ("ingested", "salvaged")
    return LedgerEntry(
        bucket=BUCKET,
        key=key,
        etag=content,
        size=100,
        modified=MODIFIED,
        job=job,
        wave=wave,
        status=status,
        records_in=rows,
        events=rows if published else 0,
        rejected=0 if published else rows,
    )


def times_of(key: str, rows: int) -> list[int]:
    """Return times over three days, by the key."""
    start = NOON + (hash_of(key) % 3) * DAY
    return [start + 1000 * i for i in range(rows)]


def hash_of(key: str) -> int:
    return sum(key.encode()) * 7


def write(
    tier: TierStore, keys: Iterable[str], *, rows: int = 5, content: str = "1", job: str = "job", together: bool = True
) -> list[FileDescription]:
    """Write files with the objects' events: in shared files, or each object in its own."""
    columns = promoted_columns(tier)
    writer = HotTierWriter(tier, columns=columns, job="job")
    files: list[FileDescription] = []
    for key in keys:
        writer.write(events(uri_of(key), times_of(key, rows), content, job))
        if not together:
            files += writer.close()
            writer = HotTierWriter(tier, columns=columns, job="job")
    return files + writer.close()


def publish(
    tier: TierStore,
    keys: Sequence[str],
    *,
    rows: int = 5,
    job: str = "job",
    wave: int = 0,
    content: str = "1",
    **rules: Any,
) -> PublishResult:
    """Write and publish a wave of objects that were all ingested."""
    files = write(tier, keys, rows=rows, content=content, job=job)
    entries = [entry(key, rows, job=job, wave=wave, content=content) for key in keys]
    return publish_wave(tier, job=job, wave=wave, files=files, entries=entries, **rules)


def read(tier: TierStore) -> pl.DataFrame:
    """Return the whole table, by an independent reader."""
    return pl.scan_delta(tier.table_uri("events"), storage_options=tier.polars_options() or None).collect()


def ids(tier: TierStore) -> list[str]:
    """Return the ids of all events, sorted."""
    return sorted(read(tier)["_event_id"].to_list())


def expected_ids(keys: Iterable[str], *, rows: int = 5, content: str = "1") -> list[str]:
    return sorted(f"e_{uri_of(key)}-{content}-{i}" for key in keys for i in range(rows))
