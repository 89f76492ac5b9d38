"""What the names of data files say: where a file lies, and which attributes had columns when its rows were laid out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from transforms.core.names import ATTRIBUTES_COLUMN, is_system

_NAME = re.compile(r"/part-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-([0-9]+)\.parquet$")


def new_path(tier_name: str, date: str, layout: int) -> str:
    """Return a new file's path in the table.

    Args:
        tier_name: The partition's tier.
        date: The partition's date.
        layout: How many of the table's promoted attributes had a column when the file's rows were laid out; all others
            are in its map. Columns are only ever added at the end, so the number tells which. Statistics can't: they
            speak of columns that came later, too.
    """
    return f"tier={tier_name}/date={date}/part-{uuid.uuid4()}-{layout}.parquet"


def layout_of(path: str) -> int:
    """Return how many of the table's promoted attributes are never in the file's map; 0 for another writer's, of which
    nothing is known.
    """
    match = _NAME.search(path)
    return int(match[1]) if match else 0


def in_both(path: str, columns: Sequence[str]) -> list[str]:
    """Return the attributes that a file may keep in a column and in its map: those of another writer's file, of which
    nothing is known.
    """
    if layout_of(path) or ATTRIBUTES_COLUMN not in columns:
        return []
    return [name for name in columns if not is_system(name)]
