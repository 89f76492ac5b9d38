"""The table `events`: making it, checking the place it lies in, and its columns (spec §8, docs/design.md §5)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import orjson
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from transforms import schema
from transforms.errors import TierError
from transforms.hot_tier import statistics
from transforms.hot_tier.columns import add_columns, settle_statistics
from transforms.hot_tier.opening import EVENTS, NO_HOOKS, arrow_schema, flush_log, one_line, open_events, promoted_columns
from transforms.storage import TierStore

__all__ = ["EVENTS", "add_columns", "arrow_schema", "check_place", "exists", "open_events", "prepare", "promoted_columns"]

MARKER = "_rekindle/tier.json"
PRODUCT = "rekindle"
FORMAT = 1
"""Raised when an older version could no longer read or write the tier rightly."""

_LEFT_ALONE = ("_rekindle", "lost+found")
_PROPERTIES = {
    "delta.deletedFileRetentionDuration": "interval 3650 days",
    "delta.logRetentionDuration": "interval 3650 days",
}
"""Well above the longest grace and restore: what goes, goes by the product's own rules."""


def exists(tier: TierStore) -> bool:
    """Whether a hot tier is here, complete: its marker and its table."""
    return tier.exists(MARKER) and bool(DeltaTable.is_deltatable(tier.table_uri(EVENTS), storage_options=tier.delta_options()))


def check_place(tier: TierStore) -> None:
    """Check that a hot tier is here, or may be made here.

    Raises:
        TierError: the place is a file, holds other things, or a tier of another product or of a newer version.
    """
    if tier.local_path is not None and tier.local_path.exists() and not tier.local_path.is_dir():
        raise TierError(f"hot tier {tier.uri}: this is a file; name a folder that is empty or does not exist yet")
    try:
        _check_marker(tier, tier.get(MARKER))
    except FileNotFoundError:
        _check_vacant(tier)


def prepare(tier: TierStore) -> None:
    """Make the hot tier where there is none yet, or check the one that is there; two may do so at once.

    Raises:
        TierError: the place can't hold a hot tier, or holds one that this version can't write.
    """
    check_place(tier)
    tier.probe_conditional_put()
    _create_marker(tier)
    try:
        open_events(tier)
    except TableNotFoundError:
        _create_events(tier)
    settle_statistics(tier)


def _check_marker(tier: TierStore, text: bytes) -> None:
    try:
        marker = orjson.loads(text)
        product, number = marker["product"], int(marker["format"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise TierError(f"hot tier {tier.uri}: {MARKER} is not what Rekindle writes ({error}); name another folder") from error
    if product != PRODUCT:
        raise TierError(f"hot tier {tier.uri}: this is a table of another product ({product}); name another folder")
    if number > FORMAT:
        raise TierError(
            f"hot tier {tier.uri}: it was made by a newer version ({marker.get('version', 'unknown')}, format {number}); this one, "
            f"{schema.VERSION}, knows format {FORMAT}: install the newer version, or name another folder"
        )


def _check_vacant(tier: TierStore) -> None:
    """Refuse a place that holds anything: a tier's marker is written before all else."""
    for name in _top_names(tier):
        if name in _LEFT_ALONE or name.startswith("."):
            continue
        found = "there is a table of another product" if name in ("_delta_log", EVENTS, "audit") else "it holds other things"
        raise TierError(f"hot tier {tier.uri}: {found} ({name}); name a folder that is empty or does not exist yet")


def _top_names(tier: TierStore) -> Iterator[str]:
    if tier.local_path is not None:
        yield from sorted(path.name for path in tier.local_path.iterdir()) if tier.local_path.is_dir() else ()
    else:
        yield from (file.path.partition("/")[0] for file in itertools.islice(tier.list(""), 1000))


def _create_marker(tier: TierStore) -> None:
    marker = {"format": FORMAT, "product": PRODUCT, "version": schema.VERSION}
    try:
        tier.put_new(MARKER, orjson.dumps(marker))
    except FileExistsError:
        _check_marker(tier, tier.get(MARKER))


def _create_events(tier: TierStore) -> None:
    properties = _PROPERTIES | {statistics.PROPERTY: statistics.statistics_property(schema.BASE_ATTRIBUTES)}
    try:
        DeltaTable.create(
            tier.table_uri(EVENTS),
            arrow_schema(schema.BASE_ATTRIBUTES),
            mode="error",
            partition_by=list(schema.PARTITION_COLUMNS),
            name=EVENTS,
            description="Log events of the Rekindle hot tier",
            configuration=properties,
            storage_options=tier.delta_options(),
            post_commithook_properties=NO_HOOKS,
        )
        flush_log(tier, 0)
    except (DeltaError, OSError) as error:
        try:
            open_events(tier)  # somebody else made it, or the answer was lost
        except TableNotFoundError:
            raise TierError(f"hot tier {tier.uri}: the table can't be made: {one_line(error)}") from error
