"""The live files of the table: their URIs, which of them a query needs, and where they keep their attributes."""

from __future__ import annotations

from collections.abc import Iterable

from deltalake.exceptions import TableNotFoundError

from transforms.core.errors import ConfigurationError, TierError
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.bounds import TimeBounds
from transforms.query.pruning import NONE, UNKNOWN, Values, may_hold
from transforms.query.syntax import Expr, Field
from transforms.storage import TierStore

TIERS = ("hot", "cold")
OBJECT = "_object"
BOUND_PRECISION = 999
"""Microseconds by which an event may be newer than its file's bound: other writers cut bounds to milliseconds."""


def live_files(tier: TierStore) -> list[str]:
    """Return the live files' URIs, oldest events first, for tools that don't read Delta Lake."""
    snapshot = load_events(tier)
    files = sorted(snapshot.files.values(), key=lambda file: (file.date, file.tier, file.min_time, file.path))
    return [file_uri(tier, file.path) for file in files]


def load_events(tier: TierStore) -> Snapshot:
    """Load the table as it is now.

    Raises:
        TierError: there is none, or it can't be read.
    """
    try:
        return Snapshot.load(tier)
    except TableNotFoundError as error:
        raise TierError(f"hot tier {tier.uri}: it has no events yet; run `rekindle backfill` first") from error


def as_snapshot(events: TierStore | Snapshot) -> Snapshot:
    """Return the version of the table that is given, or the newest of a tier.

    Raises:
        TierError: there is no table, or it can't be read.
    """
    return events if isinstance(events, Snapshot) else load_events(events)


def file_uri(tier: TierStore, path: str) -> str:
    """Return the absolute path, or `s3://…`, of a file of the table."""
    return f"{tier.table_uri(EVENTS)}/{path}"


def files_for(
    snapshot: Snapshot, expr: Expr | None, bounds: TimeBounds, tier_name: str | None = None
) -> list[LiveFile]:
    """Return the live files that may hold events of a query, by the log alone.

    Args:
        snapshot: The table.
        expr: The query; None means every event.
        bounds: The time range.
        tier_name: The partition `hot` or `cold`; None means both.

    Raises:
        ConfigurationError: there is no such partition.
    """
    if tier_name is not None and tier_name not in TIERS:
        raise ConfigurationError(f"must be {' or '.join(TIERS)}, not {tier_name}", field="tier")
    known = LogStatistics(snapshot)
    return [
        file
        for file in snapshot.files.values()
        if tier_name in (None, file.tier)
        and bounds.overlaps(file.min_time, file.max_time + BOUND_PRECISION)
        and may_hold(expr, lambda field, file=file: known.of(file, field))  # type: ignore[misc]
    ]


class LogStatistics:
    """The log's statistics of fields: of those that files keep in columns, and of `_object`.

    Nothing is known of another writer's file: an attribute may be in a column and in the map, and bounds may be cut.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._positions = {name: number for number, name in enumerate(snapshot.columns)}
        self._bounds: dict[str, dict[str, tuple[int | None, str | None, str | None]]] = {}

    def of(self, file: LiveFile, field: Field) -> Values:
        """Return what is known of a field in a file."""
        layout = layout_of(file.path)
        if not self._is_known(field, layout):
            return UNKNOWN
        if field.name not in self._bounds:
            self._bounds[field.name] = self._snapshot.text_bounds(field.name)
        nulls, low, high = self._bounds[field.name][file.path]
        return NONE if nulls == file.rows else Values(low, high, complete=nulls == 0)

    def _is_known(self, field: Field, layout: int) -> bool:
        if field.system or not layout:
            return field.system and field.name == OBJECT and layout > 0
        position = self._positions.get(field.name)
        return position is not None and (position < layout or field.name not in self._snapshot.map_names)


def never_in_map(snapshot: Snapshot, paths: Iterable[str]) -> list[str]:
    """Return the promoted attributes that none of these files has in its map.

    Nothing is known of another writer's file (a foreign compaction). Of the product's own files none has one, but where
    another program has given a column to an attribute of theirs.
    """
    layout = min(map(layout_of, paths), default=len(snapshot.columns))
    if not layout:
        return []
    return [
        name for position, name in enumerate(snapshot.columns) if position < layout or name not in snapshot.map_names
    ]
