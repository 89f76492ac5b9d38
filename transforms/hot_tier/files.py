"""The live files of the table: where they lie, which of them a time range needs, and what each is known to hold."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError

from transforms.errors import TierError
from transforms.hot_tier.snapshot import LiveFile, Snapshot
from transforms.hot_tier.table import EVENTS
from transforms.storage import TierStore

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NULL_COUNT = "null_count."
# Statistics of other writers (a foreign compaction) are cut to milliseconds.
_BOUND_PRECISION = 999


def live_files(tier: TierStore) -> list[str]:
    """Return the live files, oldest events first: whole paths, or `s3://…`, for tools that know no Delta Lake."""
    snapshot = load_events(tier)
    files = sorted(snapshot.files.values(), key=lambda file: (file.date, file.tier, file.min_time, file.path))
    return [file_uri(tier, file.path) for file in files]


def load_events(tier: TierStore) -> Snapshot:
    """Return the table as it is now.

    Raises:
        TierError: there is none, or it can't be read.
    """
    try:
        return Snapshot.load(tier)
    except TableNotFoundError as error:
        raise TierError(f"hot tier {tier.uri}: it has no events yet; `rekindle backfill` brings some") from error


def file_uri(tier: TierStore, path: str) -> str:
    """Return the whole path, or `s3://…`, of a file of the table."""
    return f"{tier.table_uri(EVENTS)}/{path}"


def files_between(snapshot: Snapshot, start: datetime | None, end: datetime | None) -> list[LiveFile]:
    """Return the live files that may hold events from `start` on and before `end`, by the log alone."""
    low = None if start is None else microseconds(start)
    high = None if end is None else microseconds(end)
    return [
        file
        for file in snapshot.files.values()
        if (low is None or file.max_time + _BOUND_PRECISION >= low) and (high is None or file.min_time < high)
    ]


def promoted_when_written(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """Return for each live file, by its path, the attributes that were promoted when it was written.

    In that file none of these is in the map: they are in their columns, or in no row. Of all others the file has no statistics.
    """
    actions = pa.table(snapshot.events.get_add_actions(flatten=True))
    known = {name: pc.is_valid(actions[_NULL_COUNT + name]) for name in snapshot.columns if _NULL_COUNT + name in actions.column_names}
    rows = zip(actions["path"].to_pylist(), *(valid.to_pylist() for valid in known.values()), strict=True)
    return {unquote(path): frozenset(name for name, there in zip(known, valid, strict=True) if there) for path, *valid in rows}


def microseconds(moment: datetime) -> int:
    """Return a time in microseconds since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
