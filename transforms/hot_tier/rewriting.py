"""Files written again without some of their rows: every other row unchanged, in its order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.hot_tier.data_file import DataFile, FileDescription
from transforms.hot_tier.file_names import layout_of
from transforms.hot_tier.opening import EVENTS
from transforms.hot_tier.row_groups import open_rows, rows_taken
from transforms.storage import TierStore

Keep = Callable[[pa.Table], pa.ChunkedArray]
"""From a table of rows (`row_groups.open_rows`) to a mask (bool, no nulls): which rows stay."""


def without_objects(uris: Collection[str], jobs: Collection[str] | None = None) -> Keep:
    """Return what keeps the rows of all other objects; with jobs, only what these brought of the objects goes."""
    gone = pa.array(sorted(uris), pa.string())
    if jobs is None:
        return lambda table: pc.invert(pc.is_in(table["_object"], gone))
    brought_by = pa.array(sorted(jobs), pa.string())
    return lambda table: pc.invert(pc.and_(pc.is_in(table["_object"], gone), pc.is_in(table["_correlation_id"], brought_by)))


def without_any(keeps: Sequence[Keep]) -> Keep:
    """Return what keeps the rows that all of these keep."""
    return lambda table: reduce(pc.and_, (keep(table) for keep in keeps))


def objects_in(store: TierStore, path: str) -> set[str]:
    """Return the objects whose rows are in a file, from that column alone.

    Args:
        store: The tier.
        path: The file, relative to the table.
    """
    with store.open_input(f"{EVENTS}/{path}") as source:
        column = pq.read_table(source, columns=["_object"], read_dictionary=["_object"])["_object"]
    return set(pc.unique(column.cast(pa.string())).to_pylist())


def rewrite_file(
    store: TierStore, path: str, keep: Keep, *, tier_name: str, date: str, promoted: Sequence[str], job: str | None = None
) -> FileDescription | None:
    """Write a file again with the rows that stay, one row group after the other.

    Args:
        store: The tier.
        path: The file, relative to the table.
        keep: Which rows stay.
        tier_name: The partition's tier.
        date: The partition's date.
        promoted: The table's promoted attributes; of those that the file has no column for it keeps none.
        job: For the new file's footer.

    Returns:
        The new file, or None where no row stays.
    """
    new: DataFile | None = None
    try:
        with open_rows(store, path) as parquet:
            for number in range(parquet.num_row_groups):
                table = rows_taken(parquet.read_row_group(number), keep)
                if table.num_rows == 0:
                    continue
                if new is None:
                    new = DataFile(store, table, date=date, promoted=promoted, tier_name=tier_name, layout=layout_of(path), job=job)
                new.append(table)
        return None if new is None else new.close()
    except BaseException:
        if new is not None:
            new.abort()
        raise
