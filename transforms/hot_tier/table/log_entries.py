"""Entries of the table's log, read directly: deltalake has no API for it.

An entry is a file of JSON lines, one action each (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Delta Log
Entries").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import orjson

from transforms.hot_tier.table.delta import EVENTS
from transforms.storage import TierFile, TierStore

LOG = f"{EVENTS}/_delta_log/"
CLEANUP_INTERVAL = 100
"""Versions from one cleanup to the next; at each there is a checkpoint."""
KEPT_VERSIONS = 1000
"""So many versions stay readable, with a checkpoint at every hundredth."""
KEPT_FOR = timedelta(days=1)
"""Nothing younger is removed: handles that were opened before may read it."""
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
    for path in paths:  # the oldest first: what is left is whole
        tier.delete(path)
    return len(paths)


def removable(files: list[LogFile]) -> list[TierFile]:
    """Return what can be removed of a log, the oldest first."""
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
