"""The promoted attributes' columns, and the statistics that go with them.

A column comes in three commits: the column itself; the live files once more, with statistics that say that it is null
in all their rows; the property that names it among the columns with statistics. Until the third, readers take it for
one without statistics. Without the second, what deltalake gives to pyarrow finds no row of an older file where the
column is null. Who is killed in between leaves the rest to the next.
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
"""Its version is the number of promoted columns that the statistics of all live files speak of."""


def add_columns(tier: TierStore, names: Iterable[str], *, limit: int = schema.PROMOTED_LIMIT) -> list[str]:
    """Give attributes columns of their own, in the order of their names here, until the table has `limit` of them.

    Names that can't be columns, that are there, or that differ from one only in case are left out. Others may do the
    same at the same time.

    Returns:
        All attributes that have a column now.
    """
    wanted = list(names)
    attempts = Attempts(tier, "its columns can't be added", Snapshot.load)
    for snapshot in attempts:
        missing = missing_columns(wanted, snapshot.columns, limit)
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
    """Bring statistics and their property in step with the columns.

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
            _settle_once(snapshot)
            flush_log(tier, snapshot.version + 1)
    return snapshot.columns


def _settle_once(snapshot: Snapshot) -> None:
    """Make the next of the two commits that are left."""
    number = len(snapshot.columns)
    if snapshot.files and (snapshot.transaction_version(APP_ID) or 0) < number:
        commit(snapshot, restated=list(snapshot.files), transactions=[(APP_ID, number)])
    else:
        properties = {statistics.PROPERTY: statistics.statistics_property(snapshot.columns)}
        snapshot.events.alter.set_table_properties(
            properties, commit_properties=COMMIT_ONCE, post_commithook_properties=NO_HOOKS
        )


def missing_columns(wanted: Iterable[str], there: list[str], limit: int = schema.PROMOTED_LIMIT) -> list[str]:
    """Return which attributes would get a column beside those that are there."""
    taken = {
        name.lower() for name in (*there, *schema.SYSTEM_COLUMNS, *schema.PARTITION_COLUMNS, schema.ATTRIBUTES_COLUMN)
    }
    missing: list[str] = []
    for name in wanted:
        if len(there) + len(missing) >= limit:
            break
        if schema.can_be_column(name) and name.lower() not in taken:
            taken.add(name.lower())
            missing.append(name)
    return missing
