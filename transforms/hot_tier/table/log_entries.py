"""Entries of the table's log, read directly: deltalake has no API for it.

An entry is a file of JSON lines, one action each (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Delta Log
Entries").
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from transforms.hot_tier.table.delta import EVENTS
from transforms.storage import TierStore

LOG = f"{EVENTS}/_delta_log/"
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
