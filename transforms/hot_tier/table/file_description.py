"""A data file of the table: its name, and what a commit needs to know of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from transforms.core.names import ATTRIBUTES_COLUMN, is_system
from transforms.hot_tier.table.map_names import MapNames

JOB_METADATA = "rekindle.job"
"""The key of the footer's metadata that names the job."""


@dataclass(frozen=True)
class ObjectRows:
    """The rows of one object in one file, and the range of their `_time` in microseconds since 1970 UTC."""

    rows: int
    min_time: int
    max_time: int


@dataclass(frozen=True)
class FileDescription:
    """A written data file; readers see it once a commit names it.

    Attributes:
        path: Relative to the table `events`.
        size: In bytes.
        rows: How many, at least one.
        tier: The partition's `hot` or `cold`.
        date: The partition's UTC date, `YYYY-MM-DD`.
        stats: The Add action's statistics, JSON.
        objects: The rows of each object, by its URI.
        min_time: The least `_time`, in microseconds since 1970 UTC.
        max_time: The greatest.
        map_names: The names of the attributes in its map, as text (`MapNames`).
    """

    path: str
    size: int
    rows: int
    tier: str
    date: str
    stats: str
    objects: dict[str, ObjectRows]
    min_time: int
    max_time: int
    map_names: str = ""

    def misplaced(self, columns: Sequence[str]) -> list[str]:
        """Return the table's promoted attributes that the file may have in its map: it must be laid out anew."""
        names = MapNames.parse(self.map_names)
        return [name for name in columns[layout_of(self.path) :] if name in names]


_NAME = re.compile(r"/part-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-([0-9]+)\.parquet$")


def new_path(tier_name: str, date: str, layout: int) -> str:
    """Return a new file's path in the table.

    Args:
        tier_name: The partition's tier.
        date: The partition's date.
        layout: How many of the table's promoted attributes had a column when the file's rows were laid out; all others
            are in its map. Columns are only ever added at the end, so the number is enough. Statistics can't show it:
            they include columns that were added later.
    """
    return f"tier={tier_name}/date={date}/part-{uuid.uuid4()}-{layout}.parquet"


def layout_of(path: str) -> int:
    """Return how many of the table's promoted attributes are never in the file's map; 0 for another writer's file."""
    match = _NAME.search(path)
    return int(match[1]) if match else 0


def in_both(path: str, columns: Sequence[str]) -> list[str]:
    """Return the attributes that a file may keep both in a column and in its map: those of another writer's file."""
    if layout_of(path) or ATTRIBUTES_COLUMN not in columns:
        return []
    return [name for name in columns if not is_system(name)]
