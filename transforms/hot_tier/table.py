"""The table `events`: making it, checking the place it lies in, and its columns (spec §8, docs/design.md §5)."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import orjson
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, PostCommitHookProperties
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType

from transforms import schema
from transforms.errors import TierError
from transforms.hot_tier import statistics
from transforms.storage import TierStore

EVENTS = "events"
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
_ATTEMPTS = 20
COMMIT_ONCE = CommitProperties(max_commit_retries=0)
NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


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
    _settle_statistics(tier)


def open_events(tier: TierStore) -> DeltaTable:
    """Return a new handle of the table, as it is now.

    Raises:
        TableNotFoundError: there is none.
        TierError: it is not the product's, or this version can't read it.
    """
    try:
        events = DeltaTable(tier.table_uri(EVENTS), storage_options=tier.delta_options())
    except TableNotFoundError:
        raise
    except DeltaError as error:
        raise TierError(f"hot tier {tier.uri}: its table can't be read: {error}") from error
    _check_table(tier, events)
    return events


def promoted_columns(tier: TierStore) -> list[str]:
    """Return the attributes that have a column of their own, in the table's order."""
    return promoted_in(open_events(tier))


def promoted_in(events: DeltaTable) -> list[str]:
    """Return the promoted attributes of a handle."""
    return [field.name for field in events.schema().fields if not schema.is_system(field.name)]


def add_columns(tier: TierStore, names: Iterable[str], *, limit: int = schema.PROMOTED_LIMIT) -> list[str]:
    """Give attributes columns of their own, in the order of their names here, until the table has `limit` of them.

    Names that can't be columns, that are there, or that differ from one only in case are left out. Others may do the same at the same time.

    Returns:
        All attributes that have a column now.
    """
    wanted = list(names)
    for _ in _attempts(f"hot tier {tier.uri}: its columns can't be added"):
        events = open_events(tier)
        missing = _missing(wanted, promoted_in(events), limit)
        if not missing:
            break
        with suppress(DeltaError, OSError):  # refused or not, the next handle tells
            fields = [Field(name, PrimitiveType("string")) for name in missing]
            events.alter.add_columns(fields, commit_properties=COMMIT_ONCE, post_commithook_properties=NO_HOOKS)
            flush_log(tier, events.version())
    return _settle_statistics(tier)


def arrow_schema(promoted: Iterable[str]) -> pa.Schema:
    """Return the table's schema."""
    return pa.schema(
        [
            *schema.SYSTEM_COLUMNS.items(),
            *((name, pa.string()) for name in promoted),
            (schema.ATTRIBUTES_COLUMN, pa.map_(pa.string(), pa.string())),
            ("tier", pa.string()),
            ("date", pa.date32()),
        ]
    )


def flush_log(tier: TierStore, version: int) -> None:
    """Bring a version's log entry, and the folders that lead to it, to the disk: deltalake leaves that to the operating system."""
    if tier.local_path is None:
        return
    log = tier.local_path / EVENTS / "_delta_log"
    for path in (log / f"{version:020d}.json", log, log.parent, log.parent.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def back_off(failures: int) -> float:
    """Return how many seconds to wait after so many refused commits in a row: random, so that rivals come apart."""
    return random.uniform(0, min(2.0, 0.02 * 2**failures))  # noqa: S311 - not for secrets


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
            raise TierError(f"hot tier {tier.uri}: the table can't be made: {error}") from error


def _check_table(tier: TierStore, events: DeltaTable) -> None:
    where = f"hot tier {tier.uri}"
    partitioning = tuple(events.metadata().partition_columns)
    if partitioning != schema.PARTITION_COLUMNS:
        raise TierError(f"{where}: its table is partitioned by {partitioning}, not {schema.PARTITION_COLUMNS}: it is not Rekindle's")
    found = {field.name for field in events.schema().fields}
    missing = [name for name in arrow_schema(schema.BASE_ATTRIBUTES).names if name not in found]
    if missing:
        raise TierError(f"{where}: its table lacks the columns {', '.join(missing)}: it is not Rekindle's")


def _missing(wanted: Iterable[str], there: list[str], limit: int) -> list[str]:
    taken = {name.lower() for name in (*there, *schema.SYSTEM_COLUMNS, *schema.PARTITION_COLUMNS, schema.ATTRIBUTES_COLUMN)}
    missing: list[str] = []
    for name in wanted:
        if len(there) + len(missing) >= limit:
            break
        if schema.can_be_column(name) and name.lower() not in taken:
            taken.add(name.lower())
            missing.append(name)
    return missing


def _settle_statistics(tier: TierStore) -> list[str]:
    """Bring the list of columns with statistics in step with the columns, and return the promoted ones.

    Adding columns and this are two commits; who was killed in between leaves it to the next.
    """
    for _ in _attempts(f"hot tier {tier.uri}: its properties can't be set"):
        events = open_events(tier)
        promoted = promoted_in(events)
        wanted = statistics.statistics_property(promoted)
        if events.metadata().configuration.get(statistics.PROPERTY) == wanted:
            break
        with suppress(DeltaError, OSError):  # refused or not, the next handle tells
            properties = {statistics.PROPERTY: wanted}
            events.alter.set_table_properties(properties, commit_properties=COMMIT_ONCE, post_commithook_properties=NO_HOOKS)
            flush_log(tier, events.version())
    return promoted


def _attempts(complaint: str) -> Iterator[int]:
    """Yield attempts, with pauses between them, until the caller breaks off."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(back_off(attempt))
        yield attempt
    raise TierError(f"{complaint}: other processes change the table all the time, or the store refuses; try again")
