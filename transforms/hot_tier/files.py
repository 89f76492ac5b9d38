"""The live files of the table: where they lie, which of them a time range needs, and where these keep their attributes."""

from __future__ import annotations

from collections.abc import Iterable

from deltalake.exceptions import TableNotFoundError

from transforms.errors import TierError
from transforms.hot_tier.data_file import layout_of
from transforms.hot_tier.opening import EVENTS
from transforms.hot_tier.snapshot import LiveFile, Snapshot
from transforms.query.bounds import TimeBounds
from transforms.storage import TierStore

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


def files_between(snapshot: Snapshot, bounds: TimeBounds) -> list[LiveFile]:
    """Return the live files that may hold events of a time range, by the log alone."""
    return [file for file in snapshot.files.values() if bounds.overlaps(file.min_time, file.max_time + _BOUND_PRECISION)]


def never_in_map(snapshot: Snapshot, paths: Iterable[str]) -> list[str]:
    """Return the attributes that none of these files has in its map: those that were promoted when the files were written.

    In one file an attribute is in one place. Of a file of another writer (a foreign compaction) that is not known.
    """
    return snapshot.columns[: min(map(layout_of, paths), default=len(snapshot.columns))]
