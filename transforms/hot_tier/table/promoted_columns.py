"""The promoted attributes' columns, and the statistics that go with them.

A column comes in three commits:

1. the column itself;
2. the live files again, with statistics by which it is null in all their rows: without them, deltalake's pyarrow
   dataset finds no row of an older file where the column is null;
3. the property that names it among the columns with statistics: until then readers expect none.

After a kill in between the next command makes the commits that are left.
"""

from __future__ import annotations

from collections.abc import Iterable

from deltalake import Field
from deltalake.schema import PrimitiveType

from transforms.core import schema
from transforms.hot_tier.table import statistics
from transforms.hot_tier.table.commit import Attempts, commit
from transforms.hot_tier.table.delta import COMMIT_ONCE, NO_HOOKS, flush_log
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

APP_ID = "columns"
"""Its version is the number of promoted columns that the statistics of all live files cover."""


def add_columns(tier: TierStore, names: Iterable[str], *, limit: int = schema.PROMOTED_LIMIT) -> list[str]:
    """Add columns for attributes, in this order, until the table has `limit` of them.

    Names that can't be columns, that exist, or that differ from one only in case are left out. Other processes may do
    the same at the same time.

    Returns:
        All attributes that have a column now.
    """
    requested = list(names)
    attempts = Attempts(tier, "its columns can't be added", Snapshot.load)
    for snapshot in attempts:
        missing = missing_columns(requested, snapshot.columns, limit)
        if not missing:
            break
        fields = [Field(name, PrimitiveType("string")) for name in missing]
        with attempts.unless_refused():
            snapshot.events.alter.add_columns(
                fields, commit_properties=COMMIT_ONCE, post_commithook_properties=NO_HOOKS
            )
            flush_log(tier, snapshot.version + 1)
    return sync_statistics(tier)


def sync_statistics(tier: TierStore) -> list[str]:
    """Make the files' statistics and the table's property match the columns.

    Returns:
        The promoted attributes.
    """
    attempts = Attempts(tier, "its columns' statistics can't be set", Snapshot.load)
    for snapshot in attempts:
        if snapshot.events.metadata().configuration.get(statistics.PROPERTY) == statistics.statistics_property(
            snapshot.columns
        ):
            break
        with attempts.unless_refused():
            _sync_once(snapshot)
            flush_log(tier, snapshot.version + 1)
    return snapshot.columns


def _sync_once(snapshot: Snapshot) -> None:
    """Make the next of the two commits that follow the column's."""
    number = len(snapshot.columns)
    if snapshot.files and (snapshot.transaction_version(APP_ID) or 0) < number:
        commit(snapshot, restated=list(snapshot.files), transactions=[(APP_ID, number)])
    else:
        properties = {statistics.PROPERTY: statistics.statistics_property(snapshot.columns)}
        snapshot.events.alter.set_table_properties(
            properties, commit_properties=COMMIT_ONCE, post_commithook_properties=NO_HOOKS
        )


def missing_columns(names: Iterable[str], there: list[str], limit: int = schema.PROMOTED_LIMIT) -> list[str]:
    """Return which attributes would get a column beside the existing ones."""
    taken = {
        name.lower() for name in (*there, *schema.SYSTEM_COLUMNS, *schema.PARTITION_COLUMNS, schema.ATTRIBUTES_COLUMN)
    }
    missing: list[str] = []
    for name in names:
        if len(there) + len(missing) >= limit:
            break
        if schema.can_be_column(name) and name.lower() not in taken:
            taken.add(name.lower())
            missing.append(name)
    return missing
