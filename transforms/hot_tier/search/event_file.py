"""One file of the table as search reads it: row group by row group, the columns of the query first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.core.errors import TierError
from transforms.core.names import ATTRIBUTES_COLUMN, is_system
from transforms.hot_tier.search.request import Wanted
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.live_files import file_uri
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.query.compiler import compile_query, exact_column, time_conditions, unified_attributes
from transforms.storage import TierStore

_TIME = "_time"
_FOUND = "__found"
_SPARSE = 4
"""Where fewer than one in so many rows are wanted, they are filtered while they are read, else picked from a block that
is read whole.
"""


@dataclass(frozen=True)
class RowGroup:
    """A row group: the number of its first row in the file, its rows, and a time than which none of them is newer."""

    first: int
    rows: int
    newest: int


class EventFile:
    """A live file; nothing is read before it is asked for."""

    def __init__(self, tier: TierStore, file: LiveFile, never_in_map: Collection[str]) -> None:
        """Take a live file, and the attributes that are never in its map."""
        self.path = file.path
        self.newest = file.max_time
        self._tier = tier
        self._file = file
        self._never_in_map = frozenset(never_in_map)

    def row_groups(self, wanted: Wanted) -> list[RowGroup]:
        """Return the row groups that the time range needs, by the statistics of the footer; the last in the file
        first.
        """
        groups: list[RowGroup] = []
        first = 0
        with self._errors():
            metadata = self._metadata()
            position = metadata.schema.names.index(_TIME)
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                oldest, newest = self._times(group.column(position).statistics)
                if wanted.bounds.overlaps(oldest, newest):
                    groups.append(RowGroup(first, group.num_rows, newest))
                first += group.num_rows
        return groups[::-1]

    def read(self, group: RowGroup, wanted: Wanted, limit: int | None) -> pl.DataFrame:
        """Return the events of a row group that are wanted, newest first, at most the newest `limit` of them."""
        with self._errors():
            if limit is None:
                return _newest_first(self._read_filtered(group, wanted))
            found = _newest_first(self._find(group, wanted))
            rows = found.get_column("row").to_numpy()[:limit]
            if not len(rows):
                return pl.DataFrame()
            first, count = int(rows.min()), int(rows.max() - rows.min()) + 1
            if count > _SPARSE * len(rows):
                return _newest_first(self._read_filtered(group, wanted)).head(limit)
            return (
                self._scan(first, count).select(self._outputs(wanted)).collect().select(pl.all().gather(rows - first))
            )

    def _read_filtered(self, group: RowGroup, wanted: Wanted) -> pl.DataFrame:
        """Return what is wanted of a row group in the order of the file; of whole row groups Polars decodes only the
        rows it keeps.
        """
        return (
            self._scan(group.first, group.rows).filter(self._condition(wanted)).select(self._outputs(wanted)).collect()
        )

    def _find(self, group: RowGroup, wanted: Wanted) -> pl.DataFrame:
        """Return `_time` and the number in the file of the rows that are wanted."""
        found = self._scan(group.first, group.rows).select(_TIME, self._condition(wanted).alias(_FOUND)).collect()
        return found.with_row_index("row", offset=group.first).filter(_FOUND).drop(_FOUND)

    def _condition(self, wanted: Wanted) -> pl.Expr:
        conditions = [] if wanted.expr is None else [compile_query(wanted.expr, self._columns)]
        return pl.all_horizontal(pl.lit(value=True), *conditions, *time_conditions(wanted.start, wanted.end))

    def _outputs(self, wanted: Wanted) -> list[pl.Expr]:
        return [exact_column(name) for name in self._columns_for(wanted)]

    @cached_property
    def _columns(self) -> list[str]:
        """The columns that are in the file: what is promoted later is still in its map."""
        return self._lazy.collect_schema().names()

    @cached_property
    def _in_both_places(self) -> list[str]:
        """The attributes that may be in a column or in the map, row by row; in the product's own files there are
        none.
        """
        attributes = [name for name in self._columns if not is_system(name) and name not in self._never_in_map]
        return attributes if ATTRIBUTES_COLUMN in self._columns else []

    def _columns_for(self, wanted: Wanted) -> list[str]:
        if not wanted.fields:
            return self._columns
        needed = {_TIME}
        for field in wanted.fields:
            needed.add(field.name if field.system or field.name in self._columns else ATTRIBUTES_COLUMN)
        return [name for name in self._columns if name in needed]

    def _scan(self, first: int, rows: int) -> pl.LazyFrame:
        """Return some rows of the file, with each attribute in one place."""
        rows_of_file = self._lazy.slice(first, rows)
        if self._in_both_places:
            return rows_of_file.with_columns(unified_attributes(self._in_both_places))
        return rows_of_file

    @cached_property
    def _lazy(self) -> pl.LazyFrame:
        """The whole file; Polars keeps its footer with it."""
        options = self._tier.polars_options()
        return pl.scan_parquet(
            file_uri(self._tier, self.path),
            storage_options=options or None,
            credential_provider=None,
            glob=False,
            hive_partitioning=False,
        )

    def _metadata(self) -> pq.FileMetaData:
        if self._tier.local_path is not None:
            return pq.read_metadata(file_uri(self._tier, self.path))
        with self._tier.open_input(f"{EVENTS}/{self.path}") as source:
            return pq.ParquetFile(source).metadata

    def _times(self, statistics: pq.Statistics | None) -> tuple[int, int]:
        if statistics is None or not statistics.has_min_max:
            return self._file.min_time, self._file.max_time
        return int(statistics.min_raw), int(statistics.max_raw)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        where = f"hot tier {self._tier.uri}: {EVENTS}/{self.path}"
        try:
            yield
        except FileNotFoundError as error:
            raise TierError(
                f"{where}: this file is gone; if it was removed while the search ran, search again"
            ) from error
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            raise TierError(f"{where}: it can't be read: {error}") from error


def _newest_first(events: pl.DataFrame) -> pl.DataFrame:
    """Return events of a file newest first; those of one time in an order that stays."""
    order = (
        events.select(pl.col(_TIME)).with_row_index("row").reverse().sort(_TIME, descending=True, maintain_order=True)
    )
    return events.select(pl.all().gather(order.get_column("row")))  # Polars 2.1 can't reverse a map column of nulls
