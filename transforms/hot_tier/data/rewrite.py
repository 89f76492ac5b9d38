"""Rewriting files without some of their rows; all other rows stay unchanged and in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.hot_tier.data.data_file import DataFile
from transforms.hot_tier.data.merge import MergeInput, merge_files
from transforms.hot_tier.data.row_groups import open_rows, rows_taken
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import FileDescription, layout_of
from transforms.storage import TierStore

Keep = Callable[[pa.Table], pa.ChunkedArray]
"""From a table of rows (`row_groups.open_rows`) to a mask (bool, no nulls) of the rows to keep."""


def every_row(table: pa.Table) -> pa.ChunkedArray:
    """Return a mask of all rows."""
    return pa.chunked_array([pa.array(np.ones(table.num_rows, np.bool_))])


def without_objects(uris: Collection[str], jobs: Collection[str] | None = None) -> Keep:
    """Return a mask function that drops the rows of objects, or only those that some jobs brought."""
    gone = pa.array(sorted(uris), pa.string())
    if jobs is None:
        return lambda table: pc.invert(pc.is_in(table["_object"], gone))
    brought_by = pa.array(sorted(jobs), pa.string())
    return lambda table: pc.invert(
        pc.and_(pc.is_in(table["_object"], gone), pc.is_in(table["_correlation_id"], brought_by))
    )


def without_contents(gone: Mapping[str, frozenset[str] | None]) -> Keep:
    """Return a mask function that drops, of each object, all rows or those that some jobs brought."""
    by_jobs: defaultdict[frozenset[str] | None, list[str]] = defaultdict(list)
    for uri, jobs in gone.items():
        by_jobs[jobs].append(uri)
    return without_any([without_objects(uris, jobs) for jobs, uris in by_jobs.items()])


def without_any(keeps: Sequence[Keep]) -> Keep:
    """Return a mask function that keeps the rows that all of these keep."""
    return lambda table: reduce(pc.and_, (keep(table) for keep in keeps))


def rewrite_file(
    store: TierStore,
    path: str,
    keep: Keep,
    *,
    tier_name: str,
    date: str,
    promoted: Sequence[str],
    job: str | None = None,
    anew: bool = False,
) -> FileDescription | None:
    """Rewrite a file with the rows to keep, row group by row group.

    Another writer's file, whose rows need not be sorted and whose types differ, becomes one of the product's own.

    Args:
        store: The tier.
        path: The file, relative to the table.
        keep: Which rows to keep.
        tier_name: The partition's tier.
        date: The partition's date.
        promoted: The table's promoted attributes; the new file gets no columns that the old one lacks, unless it is
            laid out anew.
        job: For the new file's footer.
        anew: Whether to lay it out anew: what was promoted since moves from its map to columns.

    Returns:
        The new file, or None where no row is kept.
    """
    if anew or layout_of(path) == 0:
        inputs, whole = [MergeInput(path, keep)], 1 << 62
        merged = merge_files(
            store, inputs, tier_name=tier_name, date=date, promoted=promoted, target_bytes=whole, job=job
        )
        return merged[0] if merged else None
    with open_rows(store, path) as parquet:
        tables = map(parquet.read_row_group, range(parquet.num_row_groups))
        kept = (rows_taken(table, keep) for table in tables)
        file = write_rows(
            store, kept, tier_name=tier_name, date=date, promoted=promoted, layout=layout_of(path), job=job
        )
    return file and lay_out_anew(store, file, promoted=promoted, job=job)


def lay_out_anew(
    store: TierStore, file: FileDescription, *, promoted: Sequence[str], job: str | None = None
) -> FileDescription:
    """Return a file that no commit names yet, or, where its map has what was promoted since, one in its place."""
    if not file.misplaced(promoted):
        return file
    new = rewrite_file(
        store, file.path, every_row, tier_name=file.tier, date=file.date, promoted=promoted, job=job, anew=True
    )
    assert new is not None, file.path
    store.delete(f"{EVENTS}/{file.path}")
    return new


def write_rows(
    store: TierStore,
    tables: Iterable[pa.Table],
    *,
    tier_name: str,
    date: str,
    promoted: Sequence[str],
    layout: int,
    job: str | None,
) -> FileDescription | None:
    """Write tables, sorted by time, to a new file of one partition; return None where they have no rows.

    Args:
        store: The tier.
        tables: As `rows_taken` returns them.
        tier_name: The partition's tier.
        date: The partition's date.
        promoted: The table's promoted attributes.
        layout: How many of them had a column when the rows were laid out.
        job: For the new file's footer.
    """
    new: DataFile | None = None
    try:
        for table in tables:
            if table.num_rows == 0:
                continue
            if new is None:
                new = DataFile(store, table, date=date, promoted=promoted, tier_name=tier_name, layout=layout, job=job)
            new.append(table)
        return None if new is None else new.close()
    except BaseException:
        if new is not None:
            new.abort()
        raise
