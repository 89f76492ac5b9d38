"""The table at one version: which files are live, and which app transactions it has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from transforms import schema
from transforms.hot_tier.table import open_events, promoted_in
from transforms.storage import TierStore


@dataclass(frozen=True)
class LiveFile:
    """A file that readers see.

    Attributes:
        path: Relative to the table `events`.
        size: In bytes.
        rows: How many.
        tier: The partition's `hot` or `cold`.
        date: The partition's UTC date, `YYYY-MM-DD`.
        min_time: The least `_time`, in microseconds since 1970 UTC.
        max_time: The greatest.
        min_object: A lower bound of `_object`.
        max_object: An upper bound.
    """

    path: str
    size: int
    rows: int
    tier: str
    date: str
    min_time: int
    max_time: int
    min_object: str
    max_object: str

    @property
    def partition(self) -> dict[str, str]:
        """The partition's values by column."""
        return {"tier": self.tier, "date": self.date}


class Snapshot:
    """One version of the table, read by a handle of its own that nothing else uses."""

    def __init__(self, events: DeltaTable) -> None:
        """Take over a new handle."""
        self.events = events
        self.version: int = events.version()

    @classmethod
    def load(cls, tier: TierStore) -> Snapshot:
        """Return the table as it is now."""
        return cls(open_events(tier))

    @cached_property
    def columns(self) -> list[str]:
        """The promoted attributes."""
        return promoted_in(self.events)

    @cached_property
    def files(self) -> dict[str, LiveFile]:
        """The live files by path."""
        actions = pa.table(self.events.get_add_actions(flatten=True))
        names = {
            "path": "path",
            "size": "size_bytes",
            "rows": "num_records",
            "tier": "partition.tier",
            "date": "partition.date",
            "min_time": "min._time",
            "max_time": "max._time",
            "min_object": "min._object",
            "max_object": "max._object",
        }
        if actions.num_rows == 0:
            return {}
        rows = pa.table({name: _plain(actions[column]) for name, column in names.items()}).to_pylist()
        files = [LiveFile(**{**row, "path": unquote(row["path"])}) for row in rows]
        return {file.path: file for file in files}

    def transaction_version(self, app_id: str) -> int | None:
        """Return the version that commits gave an app id last, or None."""
        return self.events.transaction_version(app_id)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return column.cast(schema.TIME).cast(pa.int64())
    return column.cast(pa.string()) if pa.types.is_date(column.type) else column
