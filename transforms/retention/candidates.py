"""Events that are old enough for a rule, as Polars columns, and which of them match a condition."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Flags, Indices
from transforms.core.schema import ATTRIBUTES_COLUMN
from transforms.query import Expr, columns_read, compile_query
from transforms.query.compiler import exact_column, unified_attributes


@dataclass(frozen=True)
class Candidates:
    """Some events, in the columns that conditions read."""

    frame: pl.DataFrame

    @classmethod
    def of(cls, table: pa.Table | pa.RecordBatch, rows: Indices, in_both: Collection[str]) -> Candidates:
        """Take some rows of a table.

        Args:
            table: The columns that conditions read.
            rows: Which, ascending, at least one.
            in_both: Attributes that are in their column in some rows and in the map in others.
        """
        names = table.schema.names
        first, last = int(rows[0]), int(rows[-1]) + 1
        columns = (table.column(name).slice(first, last - first) for name in names)
        frame = pl.DataFrame(
            [cast(pl.Series, pl.from_arrow(column)).alias(name) for name, column in zip(names, columns, strict=True)]
        )
        if last - first > len(rows):  # files are sorted by time: of these a slice has them all
            frame = frame.select(pl.all().gather(rows - first))
        if ATTRIBUTES_COLUMN in names:
            frame = frame.with_columns(unified_attributes(name for name in names if name in in_both))
        return cls(frame)

    def matching(self, condition: Expr | None, rows: Indices) -> Flags:
        """Return which of some of them, ascending, meet a condition; None is no condition."""
        names = self.frame.columns
        if condition is None:
            return np.ones(len(rows), np.bool_)
        frame = self.frame.select(exact_column(name) for name in columns_read(condition, names))
        if len(rows) < frame.height:
            frame = frame.select(pl.all().gather(rows))
        met = frame.select(compile_query(condition, names)).to_series()
        return np.full(len(rows), met[0]) if len(met) < len(rows) else met.to_numpy().astype(np.bool_)
