"""Handles of the tier's Delta tables, each new, and checked to be Rekindle's (decision 4)."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake.exceptions import DeltaError, TableNotFoundError

from transforms.core.errors import TierError
from transforms.core.names import ATTRIBUTES_COLUMN, BASE_ATTRIBUTES, PARTITION_COLUMNS, SYSTEM_NAMES, is_system
from transforms.storage import TierStore

if TYPE_CHECKING:
    import pyarrow as pa

EVENTS = "events"
_MOST_FAILURES = 5
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
COMMIT_ONCE = CommitProperties(max_commit_retries=0)
NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


def open_events(tier: TierStore) -> DeltaTable:
    """Open a new handle of the table `events`, as it is now.

    Raises:
        TableNotFoundError: there is none.
        TierError: it is not Rekindle's, or this version can't read it.
    """
    events = open_table(tier, EVENTS)
    _check_table(tier, events)
    return events


def open_table(tier: TierStore, name: str) -> DeltaTable:
    """Open a new handle of one of the tier's tables, as it is now.

    Raises:
        TableNotFoundError: there is none.
        TierError: this version can't read it.
    """
    try:
        return DeltaTable(tier.table_uri(name), storage_options=tier.delta_options())
    except TableNotFoundError:
        raise
    except DeltaError as error:
        raise TierError(f"hot tier {tier.uri}: its table can't be read ({name}): {one_line(error)}") from error


def create_table(tier: TierStore, name: str, columns: pa.Schema, **options: Any) -> None:
    """Create one of the tier's tables; another process may do so at the same time.

    Args:
        tier: The tier.
        name: The table's.
        columns: Its schema.
        options: What else `DeltaTable.create` takes: `partition_by`, `description`, `configuration`.

    Raises:
        TierError: it can't be created.
    """
    for failures in range(1, _MOST_FAILURES + 1):
        try:
            _create_once(tier, name, columns, options)
        except (DeltaError, OSError) as error:
            cause = error
        try:
            open_table(tier, name)  # also where somebody else made it, or the answer was lost
        except TableNotFoundError:
            time.sleep(back_off(failures))
        else:
            return
    raise TierError(f"hot tier {tier.uri}: the table {name} can't be created: {one_line(cause)}") from cause


def promoted_columns(tier: TierStore) -> list[str]:
    """Return the attributes that have a column of their own, in the table's order."""
    return promoted_in(open_events(tier))


def promoted_in(events: DeltaTable) -> list[str]:
    """Return the promoted attributes of a handle."""
    return [field.name for field in events.schema().fields if not is_system(field.name)]


def arrow_schema(promoted: Iterable[str]) -> pa.Schema:
    """Return the table's schema."""
    import pyarrow as pa

    from transforms.core.schema import SYSTEM_COLUMNS

    others = {ATTRIBUTES_COLUMN: pa.map_(pa.string(), pa.string()), "date": pa.date32()}
    return pa.schema(
        [(name, SYSTEM_COLUMNS.get(name) or others.get(name) or pa.string()) for name in column_names(promoted)]
    )


def column_names(promoted: Iterable[str]) -> list[str]:
    """Return the names of the table's columns."""
    return [*SYSTEM_NAMES, *promoted, ATTRIBUTES_COLUMN, *PARTITION_COLUMNS]


def _create_once(tier: TierStore, name: str, columns: pa.Schema, options: dict[str, Any]) -> None:
    DeltaTable.create(
        tier.table_uri(name),
        columns,
        mode="error",
        name=name,
        storage_options=tier.delta_options(),
        post_commithook_properties=NO_HOOKS,
        **options,
    )
    flush_log(tier, 0, name)


def flush_log(tier: TierStore, version: int, table: str = EVENTS) -> None:
    """Flush a version's log entry and its folders to the disk, which deltalake leaves to the operating system."""
    if tier.local_path is None:
        return
    log = tier.local_path / table / "_delta_log"
    for path in (log / f"{version:020d}.json", log, log.parent, log.parent.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def back_off(failures: int) -> float:
    """Return the seconds to wait after so many refused commits in a row, random so that rivals separate."""
    return random.uniform(0, min(2.0, 0.02 * 2**failures))  # noqa: S311 - not for secrets


def one_line(error: BaseException) -> str:
    """Return an error's message on one line; deltalake's have several, and colour."""
    return " ".join(_COLOURS.sub("", str(error)).replace("↳", ":").split()).replace(" :", ":")


def _check_table(tier: TierStore, events: DeltaTable) -> None:
    where = f"hot tier {tier.uri}"
    partitioning = tuple(events.metadata().partition_columns)
    if partitioning != PARTITION_COLUMNS:
        raise TierError(
            f"{where}: its table is not Rekindle's: its partitions are {partitioning}, not {PARTITION_COLUMNS}"
        )
    found = {field.name for field in events.schema().fields}
    missing = [name for name in column_names(BASE_ATTRIBUTES) if name not in found]
    if missing:
        raise TierError(f"{where}: its table is not Rekindle's: it lacks the columns {', '.join(missing)}")
