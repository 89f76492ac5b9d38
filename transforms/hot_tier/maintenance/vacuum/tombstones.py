"""When each file that is not live was removed from the table, by the table's log.

deltalake lists live files only. `vacuum(dry_run=True)` lists files that were removed more than so many whole hours ago
by the real clock, and none whose tombstone is older than `delta.deletedFileRetentionDuration`. So the log itself is
read: the last checkpoint and the entries after it (https://github.com/delta-io/delta/blob/master/PROTOCOL.md,
"Checkpoints", "Add File and Remove File").
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq

from transforms.core.errors import TierError
from transforms.hot_tier.table.log_entries import LOG, read_entry
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierFile, TierStore

_ENTRY = re.compile(r"(?P<version>\d{20})\.json")
_CHECKPOINT = re.compile(r"(?P<version>\d{20})\.checkpoint(?:\.\d{10}\.(?P<parts>\d{10}))?\.parquet")
_COLUMNS = ["remove.path", "remove.deletionTimestamp"]
_READERS = 8


def removal_times(tier: TierStore, snapshot: Snapshot) -> dict[str, int]:
    """Return when each file that is not live was last removed by a commit.

    Args:
        tier: The tier.
        snapshot: The table's version that decides what is live.

    Returns:
        Milliseconds since 1970 UTC by path; where a foreign writer left out the time, that of its log entry.

    Raises:
        TierError: entries of the log are missing.
    """
    checkpoint, entries = _files_of_log(tier, snapshot.version)
    found: dict[str, int] = {}
    for part in checkpoint:
        found |= _of_checkpoint(tier, part)
    with ThreadPoolExecutor(_READERS) as pool:
        for removed in pool.map(lambda entry: _of_entry(tier, *entry), entries):
            found |= removed
    return {path: time for path, time in found.items() if path not in snapshot.files}


def _files_of_log(tier: TierStore, last: int) -> tuple[list[TierFile], list[tuple[int, TierFile]]]:
    """Return the newest complete checkpoint's parts, and the versions and files of the entries after it."""
    entries: dict[int, TierFile] = {}
    parts: defaultdict[tuple[int, int], list[TierFile]] = defaultdict(list)
    for file in tier.list(LOG):
        name = file.path.removeprefix(LOG)
        if match := _ENTRY.fullmatch(name):
            entries[int(match["version"])] = file
        elif match := _CHECKPOINT.fullmatch(name):
            parts[int(match["version"]), int(match["parts"] or 1)].append(file)
    whole = {version: found for (version, number), found in parts.items() if len(found) == number and version <= last}
    start = max(whole, default=-1)
    missing = [version for version in range(start + 1, last + 1) if version not in entries]
    if missing:
        raise TierError(
            f"hot tier {tier.uri}: entry {missing[0]} of the log is gone from {LOG}, so the files that may be removed "
            "can't be found; restore it from a copy"
        )
    return whole.get(start, []), [(version, entries[version]) for version in range(start + 1, last + 1)]


def _of_checkpoint(tier: TierStore, part: TierFile) -> dict[str, int]:
    with tier.open_input(part.path) as source:
        parquet = pq.ParquetFile(source)
        groups: Iterator[Any] = parquet.iter_batches(columns=_COLUMNS)
        removes = (row for batch in groups if batch.num_columns for row in batch.column(0).drop_null().to_pylist())
        return _times(list(removes), part)


def _of_entry(tier: TierStore, version: int, file: TierFile) -> dict[str, int]:
    return _times([action["remove"] for action in read_entry(tier, version) if "remove" in action], file)


def _times(removes: Sequence[dict[str, Any]], file: TierFile) -> dict[str, int]:
    written = int(file.modified.timestamp() * 1000)
    known = ((remove.get("path"), remove.get("deletionTimestamp")) for remove in removes)
    return {unquote(path): written if time is None else time for path, time in known if path is not None}
