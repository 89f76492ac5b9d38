"""One file of the table as search reads it: row group by row group, the columns of the query first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.core.errors import TierError
from transforms.core.names import ATTRIBUTES_COLUMN, TIME_NAMES, attribute_column, is_system
from transforms.hot_tier.data.row_groups import dictionary_encoded
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import file_uri
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.query.compiler import (
    columns_of,
    compile_query,
    exact_column,
    field_column,
    time_conditions,
    unified_attributes,
)
from transforms.query.syntax import Everything, Field
from transforms.storage import TierStore

_TIME = "_time"
_FOUND = "__found"
_NUMBER = "__number"
_KEYS = f"{ATTRIBUTES_COLUMN}.key_value.key"
_FEW_VALUES = 10_000
"""Of an attribute with more values than this in a file, conditions are decided row by row."""
_SPARSE = 4
"""Where fewer than one in so many rows match, rows are filtered while reading, else picked from a block read whole."""


@dataclass(frozen=True)
class RowGroup:
    """A row group: its number and that of its first row, its rows, and bounds of their times, both inclusive."""

    number: int
    first: int
    rows: int
    oldest: int
    newest: int


class KeptRows(Protocol):
    """Which rows of a file match a query, by row groups, whatever the range of time."""

    def get(self, group: int) -> npt.NDArray[np.uint32] | None:
        """Return the numbers of a row group's rows that match, counted from its first; None where it is not known."""

    def put(self, group: int, rows: npt.NDArray[np.uint32]) -> None:
        """Keep them."""

    def finding(self, group: int) -> AbstractContextManager[object]:
        """Return a lock for finding them out: queries that run at once wait for the first, and look them up."""


class EventFile:
    """A live file, read lazily."""

    def __init__(self, tier: TierStore, file: LiveFile, never_in_map: Collection[str]) -> None:
        """Take a live file, and the attributes that are never in its map."""
        self.path = file.path
        self.oldest, self.newest = file.min_time, file.max_time
        self.tier = tier
        self.live = file
        self._never_in_map = frozenset(never_in_map)
        self._values: dict[str, pl.Series] = {}
        self._kept_rows: KeptRows | None = None

    def learn_values(self, field: Field) -> pl.Series | None:
        """Return all values of an attribute; None where there may be many, or some in the map too.

        Only columns with a dictionary are read, by the footer of the first row group.
        """
        name = attribute_column(field.name)
        if field.system or not self._has_bounds or name not in self._columns or name in self._in_both_places:
            return None
        with self.errors():
            if name not in dictionary_encoded(self._metadata()):
                return None
            values = self._lazy.select(exact_column(name).unique()).collect().to_series().drop_nulls()
        return values if len(values) <= _FEW_VALUES else None

    def set_values(self, field: Field, values: pl.Series) -> None:
        """Let conditions on an attribute be decided once for each of its values (`learn_values`)."""
        self._values[attribute_column(field.name)] = values

    def set_kept_rows(self, kept: KeptRows) -> None:
        """Let `values` look up which rows match the query, and keep them where it has found out."""
        self._kept_rows = kept

    def row_groups(self, request: SearchRequest) -> list[RowGroup]:
        """Return the row groups that the time range needs, by the footer's statistics; the file's last one first."""
        groups: list[RowGroup] = []
        first = 0
        with self.errors():
            metadata = self._metadata()
            position = metadata.schema.names.index(_TIME)
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                oldest, newest = self._times(group.column(position).statistics)
                if request.bounds.overlaps(oldest, newest):
                    groups.append(RowGroup(number, first, group.num_rows, oldest, newest))
                first += group.num_rows
        return groups[::-1]

    def read(self, group: RowGroup, request: SearchRequest, limit: int | None) -> pl.DataFrame:
        """Return the matching events of a row group in the request's order, at most the first `limit` of them."""
        in_order = _oldest_first if request.oldest_first else _newest_first
        with self.errors():
            if limit is None:
                return in_order(self._read_filtered(group, request))
            found = in_order(self._find(group, request))
            rows = found.get_column("row").to_numpy()[:limit]
            if not len(rows):
                return pl.DataFrame()
            first, count = int(rows.min()), int(rows.max() - rows.min()) + 1
            if count > _SPARSE * len(rows):
                return in_order(self._read_filtered(group, request)).head(limit)
            return (
                self._scan(first, count).select(self._outputs(request)).collect().select(pl.all().gather(rows - first))
            )

    def find(self, group: RowGroup, request: SearchRequest) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the times of all rows of a row group, and which of its rows match, counted from its first."""
        with self.errors():
            found = self._scan(group.first, group.rows).select(
                pl.col(_TIME).cast(pl.Datetime("us", "UTC")).to_physical(), self._condition(request).alias(_FOUND)
            )
            columns = found.collect()
            return columns.get_column(_TIME).to_numpy(), columns.get_column(_FOUND).arg_true().cast(pl.Int64).to_numpy()

    def take(
        self,
        group: RowGroup,
        times: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int64],
        request: SearchRequest,
    ) -> pl.DataFrame:
        """Return what a request asks of some rows of a row group, in the order of `rows`.

        Args:
            group: The row group.
            times: The times of all its rows (`find`): of rows far apart, only those of these times are decoded.
            rows: Which rows, counted from its first.
            request: Its fields are returned; without fields, everything.
        """
        if not len(rows):
            return pl.DataFrame()
        with self.errors():
            first, count = int(rows.min()), int(rows.max() - rows.min()) + 1
            kept = np.arange(first, first + count)
            if count > _SPARSE * len(rows):
                near = np.isin(times, times[rows])
                if count > _SPARSE * int(near.sum()):
                    kept = np.flatnonzero(near)
            if len(kept) == count:
                frame = self._scan(group.first + first, count)
            else:
                moments = pl.Series(np.unique(times[rows])).cast(pl.Datetime("us", "UTC"))
                frame = self._scan(group.first, group.rows).filter(
                    pl.col(_TIME).cast(pl.Datetime("us", "UTC")).is_in(moments.implode())
                )
            position = pl.Series(np.searchsorted(kept, rows))
            return frame.select(self._outputs(request)).collect().select(pl.all().gather(position))

    def values(self, group: RowGroup, request: SearchRequest, named: Mapping[str, Field]) -> pl.DataFrame:
        """Return fields of the matching events of a row group, in the file's order.

        Args:
            group: The row group.
            request: Which events match.
            named: The fields by the names of their columns. Times stay times, all else is text.
        """
        columns = {name: field_column(field, self._columns) for name, field in named.items()}
        outputs = [
            (pl.lit(None, pl.String) if column is None else _plain_text(column, named[name])).alias(name)
            for name, column in columns.items()
        ]
        with self.errors():
            return self._select_matching(group, request, outputs).drop(_FOUND)

    def _select_matching(self, group: RowGroup, request: SearchRequest, outputs: Iterable[pl.Expr]) -> pl.DataFrame:
        """Return outputs of the matching events of a row group, and a column of the file, as long as which they are."""
        columns = [*outputs, pl.col(_TIME).alias(_FOUND)]
        kept = self._kept_rows
        if kept is None or not self._has_bounds or not request.bounds.holds(group.oldest, group.newest):
            return self._matching(group, request).select(columns).collect()
        rows = kept.get(group.number)
        if rows is None:
            with kept.finding(group.number):
                rows = kept.get(group.number)
                if rows is None:
                    numbered = self._matching(group, request, numbered=True).select(_NUMBER, *columns).collect()
                    kept.put(group.number, (numbered.get_column(_NUMBER) - group.first).to_numpy())
                    return numbered.drop(_NUMBER)
        frame = self._scan(group.first, group.rows if len(rows) else 0).select(columns).collect()
        return frame[rows]

    def attribute_counts(self, group: RowGroup, request: SearchRequest) -> dict[str, int]:
        """Return how many of the matching events of a row group have each attribute, by its name."""
        own = [name for name in self._columns if not is_system(name)]
        with self.errors():
            if self.takes_all(group, request) and not self._in_both_places:
                return self._counts_by_footer(group, own)
            shared = [name for name in self._columns if name == ATTRIBUTES_COLUMN]
            columns = [exact_column(name) for name in (*own, *shared)]
            events = self._select_matching(group, request, columns)
            found = {name: events.height - events.get_column(name).null_count() for name in own}
            for name in shared:
                names = events.get_column(name).map.keys().explode().drop_nulls().alias("name")
                others = names.value_counts(name="count")
                found |= {name: count for name, count in others.iter_rows() if name not in found}
            return found

    def _counts_by_footer(self, group: RowGroup, own: Collection[str]) -> dict[str, int]:
        """Return the counts of a whole row group: the footer has those of columns, of the map only names are read."""
        with self._open() as source, pq.ParquetFile(source, read_dictionary=[_KEYS]) as file:
            chunks = (file.metadata.row_group(group.number).column(n) for n in range(file.metadata.num_columns))
            known = {chunk.path_in_schema: (chunk, chunk.statistics) for chunk in chunks}
            found = {}
            for name in own:
                chunk, statistics = known[name]
                has_nulls = statistics is not None and statistics.has_null_count
                nulls = statistics.null_count if has_nulls else file.read_row_group(group.number, [name])[0].null_count
                found[name] = chunk.num_values - nulls
            if _KEYS in known:
                maps = file.read_row_group(group.number, columns=[_KEYS], use_threads=False).column(0)
                for chunk in maps.chunks:
                    counts = pc.value_counts(chunk.flatten().field(0).cast(pa.string()))
                    for name, count in zip(*(part.to_pylist() for part in counts.flatten()), strict=True):
                        found[name] = found.get(name, 0) + count
            return found

    def _matching(self, group: RowGroup, request: SearchRequest, *, numbered: bool = False) -> pl.LazyFrame:
        frame = self._scan(group.first, group.rows, self._numbered if numbered else None)
        return frame if self.takes_all(group, request) else frame.filter(self._condition(request))

    def takes_all(self, group: RowGroup, request: SearchRequest) -> bool:
        """Whether every event of a row group matches, by its times alone."""
        is_everything = request.expr is None or isinstance(request.expr, Everything)
        return is_everything and self._has_bounds and request.bounds.holds(group.oldest, group.newest)

    @property
    def _has_bounds(self) -> bool:
        """Whether bounds of times are exact: another writer's may be cut."""
        return layout_of(self.path) > 0

    def _read_filtered(self, group: RowGroup, request: SearchRequest) -> pl.DataFrame:
        """Return matching events in the file's order; of whole row groups Polars decodes only the rows it keeps."""
        return (
            self._scan(group.first, group.rows)
            .filter(self._condition(request))
            .select(self._outputs(request))
            .collect()
        )

    def _find(self, group: RowGroup, request: SearchRequest) -> pl.DataFrame:
        """Return `_time` and the number in the file of the matching rows."""
        found = self._scan(group.first, group.rows).select(_TIME, self._condition(request).alias(_FOUND)).collect()
        return found.with_row_index("row", offset=group.first).filter(_FOUND).drop(_FOUND)

    def _condition(self, request: SearchRequest) -> pl.Expr:
        """Return what is true for the rows that match; for others it is false or null."""
        values = self._values if self._has_bounds else None
        found = compile_query(request.expr or Everything(), self._columns, values, nulls_are_false=True)
        return pl.all_horizontal(found, *time_conditions(request.start, request.end))

    def _outputs(self, request: SearchRequest) -> list[pl.Expr]:
        return [exact_column(name) for name in self._columns_for(request)]

    @cached_property
    def _columns(self) -> list[str]:
        """The columns of the file: what was promoted later is still in its map."""
        return self._lazy.collect_schema().names()

    @cached_property
    def _in_both_places(self) -> list[str]:
        """The attributes that may be in a column or in the map, row by row: those of another writer's file."""
        attributes = [name for name in self._columns if not is_system(name) and name not in self._never_in_map]
        return attributes if ATTRIBUTES_COLUMN in self._columns else []

    def _columns_for(self, request: SearchRequest) -> list[str]:
        if not request.fields:
            return self._columns
        needed = {_TIME}
        for field in request.fields:
            needed.update(columns_of(field, self._columns))
        return [name for name in self._columns if name in needed]

    def _scan(self, first: int, rows: int, frame: pl.LazyFrame | None = None) -> pl.LazyFrame:
        """Return some rows of the file, each attribute either in its column or in the map."""
        rows_of_file = (self._lazy if frame is None else frame).slice(first, rows)
        if self._in_both_places:
            return rows_of_file.with_columns(unified_attributes(self._in_both_places))
        return rows_of_file

    @cached_property
    def _lazy(self) -> pl.LazyFrame:
        """The whole file; Polars keeps its footer with it."""
        return self._open_lazily(None)

    @cached_property
    def _numbered(self) -> pl.LazyFrame:
        """The same with the numbers of its rows, which Polars knows before it filters."""
        return self._open_lazily(_NUMBER)

    def _open_lazily(self, number: str | None) -> pl.LazyFrame:
        options = self.tier.polars_options()
        return pl.scan_parquet(
            file_uri(self.tier, self.path),
            storage_options=options or None,
            credential_provider=None,
            glob=False,
            hive_partitioning=False,
            row_index_name=number,
        )

    def _metadata(self) -> pq.FileMetaData:
        if self.tier.local_path is not None:
            return pq.read_metadata(file_uri(self.tier, self.path))
        with self._open() as source:
            return pq.ParquetFile(source).metadata

    def _times(self, statistics: pq.Statistics | None) -> tuple[int, int]:
        if statistics is None or not statistics.has_min_max:
            return self.live.min_time, self.live.max_time
        return int(statistics.min_raw), int(statistics.max_raw)

    def _open(self) -> BinaryIO:
        return self.tier.open_input(f"{EVENTS}/{self.path}")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what reading the file raises into a TierError."""
        where = f"hot tier {self.tier.uri}: {EVENTS}/{self.path}"
        try:
            yield
        except FileNotFoundError as error:
            raise TierError(f"{where}: this file is gone. If it was removed during the search, search again") from error
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            raise TierError(f"{where} can't be read: {error}") from error


def _plain_text(column: pl.Expr, field: Field) -> pl.Expr:
    """Return a field's values as text, times as times."""
    is_time = field.system and field.name in TIME_NAMES
    return column.cast(pl.Datetime("us", "UTC") if is_time else pl.String)


def _oldest_first(events: pl.DataFrame) -> pl.DataFrame:
    """Return events of a file oldest first; those of one time in the file's order."""
    order = events.select(pl.col(_TIME)).with_row_index("row").sort(_TIME, maintain_order=True)
    return events.select(pl.all().gather(order.get_column("row")))


def _newest_first(events: pl.DataFrame) -> pl.DataFrame:
    """Return events of a file newest first; those of one time in a stable order."""
    order = (
        events.select(pl.col(_TIME)).with_row_index("row").reverse().sort(_TIME, descending=True, maintain_order=True)
    )
    return events.select(pl.all().gather(order.get_column("row")))  # Polars 2.1 can't reverse a map column of nulls
