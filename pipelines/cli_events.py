"""What `rekindle search` and `rekindle sql` show and save: events, tables and histograms, on a terminal, as JSON, CSV or Parquet."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import pyarrow as pa
import typer
from rich.bar import Bar as DrawnBar
from rich.table import Table
from rich.text import Text

from pipelines import cli_output as output
from transforms.errors import ConfigurationError, RekindleError

if TYPE_CHECKING:
    import polars as pl

    from transforms.hot_tier.counting import Bar

_ROWS_A_TABLE = 1000
_BAR_WIDTH = 60
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Saving:
    """How results leave the program, where it is not for people or as JSON."""

    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on standard output.", rich_help_panel="Output")] = False
    parquet: Annotated[Path | None, typer.Option("--parquet", help="Write a Parquet file.", rich_help_panel="Output")] = None

    def check(self, *, as_json: bool) -> None:
        """Refuse two ways at once.

        Raises:
            ConfigurationError: there are two.
        """
        if sum((as_json, self.as_csv, self.parquet is not None)) > 1:
            raise ConfigurationError("--json, --csv and --parquet FILE: only one of them at a time")


def save_events(saving: Saving, tables: Iterator[pl.DataFrame], *, quiet: bool) -> None:
    """Write found events as CSV or Parquet, as they come; the first table is an empty one with all columns."""
    if saving.parquet is None:
        from transforms.hot_tier.export import as_csv

        for number, table in enumerate(tables):
            sys.stdout.buffer.write(as_csv(table, header=number == 0))
            sys.stdout.buffer.flush()
        return
    first = next(tables).to_arrow()
    save_parquet(saving.parquet, first.schema, (table.to_arrow().cast(first.schema) for table in tables), quiet=quiet)


def save_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table | pa.RecordBatch], *, quiet: bool) -> None:
    """Write a Parquet file, each table as row groups of its own; it is there, whole, at the end, or not at all.

    Raises:
        ConfigurationError: Parquet can't have such columns.
        RekindleError: the file can't be written.
    """
    import pyarrow.parquet as pq

    if doubled := [name for name in schema.names if schema.names.count(name) > 1]:
        raise ConfigurationError(f'two columns are called "{doubled[0]}": give one of them another name with AS', field="parquet")
    rows = 0
    try:
        with _new_file(path) as unfinished, pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for table in tables:
                writer.write(table)
                rows += table.num_rows
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise ConfigurationError(f"{path}: Parquet can't hold this: {error}; cast it to VARCHAR", field="parquet") from error
    except OSError as error:
        raise RekindleError(f"{path}: it can't be written: {error.strerror or error}") from error
    if not quiet:
        output.MESSAGES.print(Text(f"{rows:,} rows written to {path}"), soft_wrap=True)


def show_rows(saving: Saving, columns: pa.Schema, rows: Sequence[dict[str, Any]], *, as_json: bool, quiet: bool) -> bool:
    """Print or save a few rows; return False where it is for people."""
    if as_json:
        output.print_rows_json(rows)
    elif saving.parquet is not None:
        save_parquet(saving.parquet, columns, [pa.Table.from_pylist(list(rows), columns)], quiet=quiet)
    elif saving.as_csv:
        print_csv(columns.names, (row.values() for row in rows))
    return as_json or saving.as_csv or saving.parquet is not None


def print_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Print rows as CSV (RFC 4180, but with LF) on standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)


def print_top(rows: Sequence[tuple[str, int]]) -> None:
    """Print values and how many events have them."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", no_wrap=True, style="cyan", min_width=max(len(f"{count:,}") for _, count in rows))
    table.add_column(overflow="ellipsis" if output.RESULTS.is_terminal else "fold", no_wrap=output.RESULTS.is_terminal)
    for value, count in rows:
        table.add_row(f"{count:,}", Text(output.printable(value)))
    output.RESULTS.print(table)


def print_histogram(bars: Sequence[Bar]) -> None:
    """Draw how many events lie in each span of time, a line each."""
    most = max(bar.count for bar in bars)
    span = max(bar.end - bar.start for bar in bars)
    shape = "%Y-%m-%d" if span >= _DAY and span % _DAY == timedelta() else "%Y-%m-%d %H:%M" if span >= _MINUTE else "%Y-%m-%d %H:%M:%S"
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1, max_width=_BAR_WIDTH)
    for bar in bars:
        table.add_row(f"{bar.start:{shape}}", f"{bar.count:,}", DrawnBar(most, 0, bar.count, width=_BAR_WIDTH, color="cyan"))
    output.RESULTS.print(table)


def print_fields(rows: Iterator[dict[str, Any]], names: Sequence[str], keys: Sequence[str]) -> int:
    """Print some fields of events as tables, each of at most a thousand; return how many events there were."""
    shown = 0
    while some := list(islice(rows, _ROWS_A_TABLE)):
        output.print_table(names, ([row.get(key) for key in keys] for row in some))
        shown += len(some)
    return shown


@contextmanager
def _new_file(path: Path) -> Iterator[str]:
    """Give the name of a file that takes the place of `path` at the end, and is removed on an error or Ctrl-C."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield str(unfinished)
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _csv_cell(cell: object) -> object:
    """Return a value as CSV has it: times as in JSON, lists and maps as JSON."""
    if isinstance(cell, datetime):
        return cell.isoformat().removesuffix("+00:00") + ("Z" if cell.tzinfo is not None else "")
    if isinstance(cell, dict | list):
        return orjson.dumps(cell, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS).decode()
    return cell
