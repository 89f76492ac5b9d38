"""Entries of the table's log, read and written directly: for these deltalake has no API.

An entry is a file of JSON lines, one action each (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Delta Log
Entries").
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from deltalake import DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction

from transforms.core.errors import TierError
from transforms.hot_tier.table.delta import EVENTS
from transforms.storage import TierFile, TierStore

LOG = f"{EVENTS}/_delta_log/"
PLAIN = "/!$&'()+,:;=@"
"""What deltalake does not encode in a path for the log, besides letters, digits and `-._~`."""
_FEATURES = frozenset({"appendOnly", "invariants", "checkConstraints", "generatedColumns", "timestampNtz"})
"""Of writers; others ask an entry for more than this module writes."""
_TABLE_FEATURES = 7
"""The version of writers from which a table names its features."""
_ENGINE = "rekindle"
CLEANUP_INTERVAL = 50
"""Versions from one cleanup to the next; at each there is a checkpoint."""
KEPT_VERSIONS = 100
"""So many versions stay readable; more would make every opening of a table in a local folder dearer, which lists it."""
KEPT_FOR = timedelta(hours=1)
"""Nothing younger is removed: readers that opened the table before may read it."""
_DELETERS = 8
_FILE = re.compile(r"(?P<version>\d{20})\.(?P<kind>json|checkpoint\.parquet|crc)")
_CHECKPOINT = "checkpoint.parquet"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def entry_path(version: int) -> str:
    """Return the path of a version's entry in the tier."""
    return f"{LOG}{version:020d}.json"


def read_entry(tier: TierStore, version: int) -> list[dict[str, Any]]:
    """Read a version's actions.

    Raises:
        FileNotFoundError: there is no such entry, or no longer.
    """
    return [orjson.loads(line) for line in tier.get(entry_path(version)).splitlines() if line.strip()]


def commit_time(tier: TierStore, version: int) -> datetime | None:
    """Return when a version was committed, by the committer's clock; None where the log no longer has it."""
    try:
        actions = read_entry(tier, version)
    except FileNotFoundError:
        return None
    infos = (action["commitInfo"] for action in actions if "commitInfo" in action)
    written = next((info["timestamp"] for info in infos if "timestamp" in info), None)
    return None if written is None else _EPOCH + timedelta(milliseconds=written)


def write_entry(
    tier: TierStore,
    events: DeltaTable,
    actions: Sequence[AddAction | RemoveAction],
    *,
    columns: Schema,
    configuration: Mapping[str, str],
    transactions: Sequence[tuple[str, int]],
) -> None:
    """Try once to commit the version after the handle's, with new metadata: deltalake has none beside removed files.

    Args:
        tier: The tier.
        events: The handle of the table `events`, whose metadata is kept but for what follows.
        actions: Added and removed files.
        columns: The table's columns from now on.
        configuration: Its properties.
        transactions: App ids and their versions.

    Raises:
        FileExistsError: somebody else has committed that version.
        TierError: the store refuses, or the answer was lost; or another program has enabled a feature of the table that
            such an entry would have to heed.
    """
    _check_features(tier, events)
    known = events.metadata()
    metadata = {
        "id": str(known.id),
        "name": known.name,
        "description": known.description,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": columns.to_json(),
        "partitionColumns": known.partition_columns,
        "createdTime": known.created_time,
        "configuration": configuration,
    }
    now = time.time_ns() // 1_000_000
    lines = [
        {"commitInfo": {"timestamp": now, "operation": "WRITE", "operationParameters": {}, "engineInfo": _ENGINE}},
        {"metaData": metadata},
        *map(_as_line, actions),
        *({"txn": {"appId": app_id, "version": number}} for app_id, number in transactions),
    ]
    tier.put_new(entry_path(events.version() + 1), b"".join(orjson.dumps(line) + b"\n" for line in lines))


def encoded_path(path: str) -> str:
    """Return a path as deltalake's actions and `write_entry` have it in the log."""
    return quote(path, safe=PLAIN)


def _as_line(action: AddAction | RemoveAction) -> dict[str, Any]:
    common = {
        "path": encoded_path(action.path),
        "partitionValues": dict(action.partition_values or {}),
        "size": action.size,
        "dataChange": action.data_change,
    }
    if isinstance(action, AddAction):
        return {"add": {**common, "modificationTime": action.modification_time, "stats": action.stats}}
    return {"remove": {**common, "deletionTimestamp": action.deletion_timestamp, "extendedFileMetadata": True}}


def _check_features(tier: TierStore, events: DeltaTable) -> None:
    protocol = events.protocol()
    found = set(protocol.writer_features or ()) - _FEATURES if protocol.min_writer_version >= _TABLE_FEATURES else set()
    if found:
        raise TierError(
            f"hot tier {tier.uri}: another program has enabled features of its table that a change of columns would "
            f"have to heed ({', '.join(sorted(found))}); nothing was changed"
        )


class LogFile(NamedTuple):
    """An entry, a checkpoint or a checksum of the log."""

    version: int
    kind: str
    file: TierFile


def clean_log(tier: TierStore, table: str = EVENTS) -> int:
    """Remove old entries and checkpoints; several processes may do so at once (decision 23).

    A new handle lists the log's folder and reads from the last checkpoint on. What is before it is for handles that
    were opened earlier, and for readers of earlier versions. deltalake's `cleanup_metadata` knows only an age, so
    checkpoints, each a copy of all that is live, would be kept by the thousand.

    Returns:
        How many files were removed.

    Raises:
        TierError: the store refuses.
    """
    paths = [file.path for file in removable(list(_files(tier, table)))]
    with ThreadPoolExecutor(_DELETERS) as pool:  # in any order: what is left is whole by itself
        list(pool.map(tier.delete, paths))
    return len(paths)


def removable(files: list[LogFile]) -> list[TierFile]:
    """Return what can be removed of a log: what is left is the newest versions, and what reading them takes."""
    checkpoints = sorted(one.version for one in files if one.kind == _CHECKPOINT)
    newest = max((one.version for one in files), default=0)
    start = max((version for version in checkpoints if version <= newest - KEPT_VERSIONS), default=0)
    last_two = checkpoints[-2:]
    youngest = max((one.file.modified for one in files), default=None)
    return [
        one.file
        for one in sorted(files)
        if youngest is not None
        and youngest - one.file.modified >= KEPT_FOR
        and one.version not in last_two
        and (
            one.version < start or (one.kind == _CHECKPOINT and one.version % CLEANUP_INTERVAL and one.version != start)
        )
    ]


def _files(tier: TierStore, table: str) -> Iterator[LogFile]:
    folder = f"{table}/_delta_log/"
    for file in tier.list(folder):
        if match := _FILE.fullmatch(file.path.removeprefix(folder)):
            yield LogFile(int(match["version"]), match["kind"], file)
