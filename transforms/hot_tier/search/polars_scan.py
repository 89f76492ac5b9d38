"""The files of a selection as one lazy Polars query, for counts, histograms and most frequent values (docs/query.md).

Files that keep their attributes alike are read together, and only the columns that the query needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import polars as pl

from transforms.core.names import ATTRIBUTES_COLUMN, SYSTEM_NAMES, TIME_NAMES
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import file_uri
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.query.compiler import compile_query, exact_column, field_column, time_conditions
from transforms.query.syntax import Field

_TYPES = {name: pl.Datetime("us", "UTC") if name in TIME_NAMES else pl.String for name in SYSTEM_NAMES}
_MAP = pl.Map(pl.String, pl.String)


def select(selection: Selection, **outputs: Field) -> pl.LazyFrame:
    """Return fields of the matching events, under the names that are given.

    Args:
        selection: The files, at least one.
        outputs: The fields by the names of their columns.
    """
    by_layout = sorted(selection.files, key=lambda file: layout_of(file.path))
    groups = groupby(by_layout, lambda file: layout_of(file.path))
    return pl.concat([_select(selection, list(files), layout, outputs) for layout, files in groups])


def collect(selection: Selection, frame: pl.LazyFrame) -> pl.DataFrame:
    """Read the files and return the answer.

    Raises:
        TierError: a file can't be read.
    """
    with selection.errors(pl.exceptions.PolarsError):
        return frame.collect(engine="streaming")


def _select(selection: Selection, files: Sequence[LiveFile], layout: int, outputs: dict[str, Field]) -> pl.LazyFrame:
    """Return the fields of files of one layout: the first `layout` promoted attributes are never in their map."""
    request = selection.request
    columns = {**_TYPES, **dict.fromkeys(selection.promoted, pl.String), ATTRIBUTES_COLUMN: _MAP}
    frame = pl.scan_parquet(
        [file_uri(selection.tier, file.path) for file in files],
        schema=columns,
        missing_columns="insert",
        extra_columns="ignore",
        storage_options=selection.tier.polars_options() or None,
        credential_provider=None,
        glob=False,
        hive_partitioning=False,
    )
    entries = pl.col(ATTRIBUTES_COLUMN).map
    later = selection.promoted[layout:]
    frame = frame.with_columns(pl.coalesce(exact_column(name), entries.get(pl.lit(name))).alias(name) for name in later)
    for condition in time_conditions(request.start, request.end):
        frame = frame.filter(condition)
    if request.expr is not None and not selection.is_everything:
        frame = frame.filter(compile_query(request.expr, columns))
    return frame.select(
        value.alias(name) for name, field in outputs.items() if (value := field_column(field, columns)) is not None
    )
