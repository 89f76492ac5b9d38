"""Found events as tables for CSV and Parquet, whose columns are known before the first event comes.

Without fields to keep, the columns are those of the table `events`: the system's, the promoted attributes, and
`attributes` with all others.
"""

from __future__ import annotations

import enum
import io
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from typing import Any

import orjson
import polars as pl
import pyarrow.parquet as pq

from transforms.core.schema import ATTRIBUTES_COLUMN, SYSTEM_COLUMNS, TIME, attribute_column
from transforms.hot_tier.search.events import Search
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.rows import flat_rows, row_key
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.compiler import field_column, own_column, time_text
from transforms.query.syntax import Field, leads_into_json, member_paths

_MAP = pl.Map(pl.String, pl.String)
_ROWS = 100_000
_JSON_ROWS = 2_000


class ExportForm(enum.Enum):
    """How events are written, and the media type of that."""

    NDJSON = "application/x-ndjson"
    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"


def export_events(
    snapshot: Snapshot,
    request: SearchRequest,
    form: ExportForm,
    *,
    limit: int | None = None,
    stop: StopSignal | None = None,
) -> Generator[bytes, None, None]:
    """Yield the events that match, as they come, in bounded memory: some rows, or a row group, at a time.

    Without fields, NDJSON has flat rows, and CSV and Parquet the columns of `event_tables`.

    Args:
        snapshot: A version of the table.
        request: Which events, in which order, and what to keep of each.
        form: How they are written.
        limit: The most events; None means all.
        stop: What ends it early: an export that ends by an error is not whole.

    Raises:
        TierError: a file can't be read.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    search = Search.begin(snapshot, request)
    frames = search.frames(limit=limit, stop=stop)
    if form is ExportForm.NDJSON:
        for frame in frames:
            for part in frame.iter_slices(_JSON_ROWS):
                yield b"".join(_json_line(row) for row in flat_rows(part, request.fields))
        return
    tables = event_tables(frames, search.promoted, request.fields)
    if form is ExportForm.CSV:
        for number, table in enumerate(tables):
            yield as_csv(table, header=number == 0)
        return
    yield from _as_parquet(tables)


def _json_line(row: dict[str, object]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def _as_parquet(tables: Iterator[pl.DataFrame]) -> Iterator[bytes]:
    """Yield the bytes of a Parquet file, each table as row groups of its own; the first table is empty."""
    schema = next(tables).to_arrow().schema
    written = _Written()
    with pq.ParquetWriter(written, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.to_arrow().cast(schema))
            yield written.take()
    yield written.take()


class _Written(io.RawIOBase):
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def tell(self) -> int:
        return self._position

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def event_tables(
    frames: Iterable[pl.DataFrame], promoted: Sequence[str], fields: Sequence[Field] = ()
) -> Iterator[pl.DataFrame]:
    """Yield found events with the same columns and types in every frame, at least one frame.

    Args:
        frames: What `search_frames` yields.
        promoted: The table's promoted attributes.
        fields: What to keep, in this order; nothing means everything.
    """
    columns = list(fields) or [*(Field(name, system=True) for name in SYSTEM_COLUMNS), *map(Field, promoted)]
    kept = promoted if not fields else None
    yield _table(pl.DataFrame(schema={"_time": pl.Datetime("us", "UTC")}), columns, kept)
    for frame in _together(frames):
        yield _table(frame, columns, kept)


def as_csv(table: pl.DataFrame, *, header: bool) -> bytes:
    """Return a table as CSV (RFC 4180): times as in the query language, the map as a JSON object, nulls empty."""
    columns: list[pl.Series] = []
    for column in table.iter_columns():
        if column.dtype == _MAP:
            texts = [None if row is None else orjson.dumps(row).decode() for row in column]
            column = pl.Series(column.name, texts, pl.String)
        columns.append(time_text(column) if column.dtype.is_temporal() else column)
    return pl.DataFrame(columns).write_csv(include_header=header).encode()


def _table(frame: pl.DataFrame, fields: Sequence[Field], promoted: Collection[str] | None) -> pl.DataFrame:
    """Return the fields as columns, and, given the promoted attributes, all other attributes as a map."""
    columns = {row_key(field): _column(frame, field) for field in fields}
    if promoted is not None:
        columns[ATTRIBUTES_COLUMN] = _others(frame, promoted).alias(ATTRIBUTES_COLUMN)
    return pl.DataFrame([column.alias(name) for name, column in columns.items()])


def _column(frame: pl.DataFrame, field: Field) -> pl.Series:
    """Return a field's values: in frames of several files some may be in its column and some in the map."""
    kind = pl.Datetime("us", "UTC") if field.system and SYSTEM_COLUMNS[field.name] == TIME else pl.String
    if not field.system and leads_into_json(field.name):
        names = [field.name, *(prefix for prefix, _ in member_paths(field.name))]
        frame = pl.DataFrame([_own_values(frame, Field(name)).alias(attribute_column(name)) for name in names])
        return frame.select(value=field_column(field, frame.columns)).to_series()
    return _own_values(frame, field, kind)


def _own_values(frame: pl.DataFrame, field: Field, kind: type[pl.DataType] | pl.DataType = pl.String) -> pl.Series:
    own = [name for name in frame.columns if name != ATTRIBUTES_COLUMN]
    shared = [name for name in frame.columns if name == ATTRIBUTES_COLUMN]
    found = [value for columns in (own, shared) if (value := own_column(field, columns)) is not None]
    if not found:
        return pl.Series([None] * frame.height, dtype=kind)
    return frame.select(pl.coalesce(*found).alias("value")).to_series()


def _others(frame: pl.DataFrame, promoted: Collection[str]) -> pl.Series:
    """Return the map without what has a column."""
    if ATTRIBUTES_COLUMN not in frame.columns or frame[ATTRIBUTES_COLUMN].null_count() == frame.height:
        return pl.Series([None] * frame.height, dtype=_MAP)
    own = frozenset(promoted)
    rows = frame[ATTRIBUTES_COLUMN].to_list()
    rest = [{name: value for name, value in row.items() if name not in own} if row else None for row in rows]
    return pl.Series([row or None for row in rest], dtype=_MAP)


def _together(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Concatenate small frames: each becomes a row group."""
    some: list[pl.DataFrame] = []
    for frame in frames:
        some.append(frame)
        if sum(one.height for one in some) >= _ROWS:
            yield pl.concat(some, how="diagonal")
            some = []
    if some:
        yield pl.concat(some, how="diagonal")
