"""Entries of the table's log, read by themselves: deltalake has no API for what is asked of them here.

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
    """Return where a version's entry lies in the tier."""
    return f"{LOG}{version:020d}.json"


def read_entry(tier: TierStore, version: int) -> list[dict[str, Any]]:
    """Return a version's actions.

    Raises:
        FileNotFoundError: there is no such entry, or none any more.
    """
    return [orjson.loads(line) for line in tier.get(entry_path(version)).splitlines() if line.strip()]


def commit_time(tier: TierStore, version: int) -> datetime | None:
    """Return when a version was committed, by the clock of who did; None where the log no longer says."""
    try:
        actions = read_entry(tier, version)
    except FileNotFoundError:
        return None
    told = next(
        (action["commitInfo"]["timestamp"] for action in actions if "timestamp" in action.get("commitInfo", {})), None
    )
    return None if told is None else _EPOCH + timedelta(milliseconds=told)
