"""Creating or checking a hot tier, with its table `events` (decision 6)."""

from __future__ import annotations

import orjson

from transforms.core import schema
from transforms.hot_tier.table import statistics
from transforms.hot_tier.table.delta import EVENTS, arrow_schema, create_table, open_events, promoted_columns
from transforms.hot_tier.table.location import FORMAT, MARKER, PRODUCT, check_is_tier_or_empty, check_marker, exists
from transforms.hot_tier.table.promoted_columns import promote_new
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

__all__ = [
    "EVENTS",
    "arrow_schema",
    "check_is_tier_or_empty",
    "exists",
    "open_events",
    "prepare",
    "promote_new",
    "promoted_columns",
]

_PROPERTIES = {
    "delta.deletedFileRetentionDuration": "interval 3650 days",
    "delta.logRetentionDuration": "interval 3650 days",
}
"""Well above the longest grace: only the product's own rules remove files."""


def prepare(tier: TierStore) -> Snapshot:
    """Create the hot tier, or check the one that is there; two processes may do so at once.

    Returns:
        The table as it is then.

    Raises:
        TierError: the location can't hold a hot tier, or holds one that this version can't write.
    """
    check_is_tier_or_empty(tier)
    tier.probe_conditional_put()
    _create_marker(tier)
    snapshot = Snapshot.find(tier)
    if snapshot is None:
        _create_events(tier)
        snapshot = Snapshot.load(tier)
    return snapshot


def _create_marker(tier: TierStore) -> None:
    marker = {"format": FORMAT, "product": PRODUCT, "version": schema.VERSION}
    try:
        tier.put_new(MARKER, orjson.dumps(marker))
    except FileExistsError:
        check_marker(tier, tier.get(MARKER))


def _create_events(tier: TierStore) -> None:
    create_table(
        tier,
        EVENTS,
        arrow_schema(schema.BASE_ATTRIBUTES),
        partition_by=list(schema.PARTITION_COLUMNS),
        description="Log events of the Rekindle hot tier",
        configuration=_PROPERTIES | {statistics.PROPERTY: statistics.statistics_property(schema.BASE_ATTRIBUTES)},
    )
