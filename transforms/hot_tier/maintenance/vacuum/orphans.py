"""Orphans: files of the table's folders that no commit ever named, of dead writers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.core.errors import TierError
from transforms.hot_tier.table.file_description import JOB_METADATA
from transforms.storage import TierFile, TierStore

UNKNOWN_AGE = timedelta(days=1)
"""The least age of a removable file whose writer is unknown: a foreign writer may still be about to commit it."""
_READERS = 8


def dead_orphans(
    tier: TierStore, files: Iterable[TierFile], *, now: datetime, grace: timedelta, is_live: Callable[[str], bool]
) -> list[TierFile]:
    """Return the files that nobody will commit any more.

    Args:
        tier: The tier.
        files: Parquet files that no commit ever named.
        now: The time by the clock.
        grace: How old they must be.
        is_live: Whether a job or run, by its id, may still commit what it has written; called once for each.
    """
    old = [file for file in files if now - file.modified >= grace]
    with ThreadPoolExecutor(_READERS) as pool:
        writers = list(pool.map(lambda file: writer_of(tier, file.path), old))
    live = {writer: is_live(writer) for writer in dict.fromkeys(writers) if writer is not None}
    return [
        file
        for file, writer in zip(old, writers, strict=True)
        if (now - file.modified >= UNKNOWN_AGE if writer is None else not live[writer])
    ]


def writer_of(tier: TierStore, path: str) -> str | None:
    """Return the job or run that wrote a file, by its footer; None where that can't be read, or has none."""
    try:
        with tier.open_input(path) as source:
            metadata = pq.ParquetFile(source).metadata.metadata or {}
    except (pa.ArrowException, OSError, TierError):  # no whole Parquet file, or gone meanwhile
        return None
    writer = metadata.get(JOB_METADATA.encode())
    return None if writer is None else writer.decode(errors="replace")
