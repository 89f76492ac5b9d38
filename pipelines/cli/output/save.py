"""What `rekindle search` and `rekindle sql` find, as JSON, CSV or Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.flags import FILE, output_option, pass_flags
from pipelines.cli.output.rows import print_csv, print_rows_json, write_csv
from transforms.core.errors import ConfigurationError, RekindleError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Whether results are written as CSV, or to a Parquet file."""

    as_csv: bool
    parquet: Path | None

    def check(self, *, as_json: bool) -> None:
        """Refuse two outputs at once, and to replace a device, a pipe or a folder by a file.

        Raises:
            ConfigurationError: it would be one of these.
        """
        if sum((as_json, self.as_csv, self.parquet is not None)) > 1:
            raise ConfigurationError("--json, --csv and --parquet FILE: only one of them at a time")
        with suppress(OSError):  # writing will report it
            if self.parquet is not None and self.parquet.exists() and not self.parquet.is_file():
                raise ConfigurationError(
                    f"--parquet {self.parquet}: not a regular file, and would be replaced by one", field="parquet"
                )


saving_flags = pass_flags(
    "saving",
    Saving,
    output_option("--csv", "as_csv", is_flag=True, help="Write CSV to standard output."),
    output_option("--parquet", type=FILE, metavar="FILE", help="Write the rows to FILE as Parquet."),
)


def save_events(saving: Saving, tables: Iterator[pl.DataFrame], *, quiet: bool) -> None:
    """Write found events as CSV or Parquet, as they come; the first table is an empty one with all columns."""
    if saving.parquet is None:
        _print_tables(tables)
        return
    first = next(tables).to_arrow()
    save_parquet(saving.parquet, first.schema, (table.to_arrow().cast(first.schema) for table in tables), quiet=quiet)


def print_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Print rows of text as CSV, as they come."""
    import polars as pl

    _print_tables(pl.DataFrame(batch) for batch in chain([schema.empty_table()], batches))


def _print_tables(tables: Iterable[pl.DataFrame]) -> None:
    from transforms.hot_tier.search.export import as_csv

    for number, table in enumerate(tables):
        write_csv(as_csv(table, header=number == 0))


def save_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table | pa.RecordBatch], *, quiet: bool) -> None:
    """Write a Parquet file, each table as row groups of its own; on an error there is no file.

    Raises:
        ConfigurationError: Parquet can't have such columns.
        RekindleError: the file can't be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = 0
    try:
        with _new_file(path) as unfinished, pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for table in tables:
                writer.write(table)
                rows += table.num_rows
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise ConfigurationError(
            f"{path}: Parquet can't hold this: {error}; cast it to VARCHAR", field="parquet"
        ) from error
    except OSError as error:
        raise RekindleError(f"{path} can't be written: {error.strerror or error}") from error
    if not quiet:
        from pipelines.cli.output.console import print_message

        print_message(f"{rows:,} rows written to {path}")


def show_rows(
    saving: Saving, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool, quiet: bool
) -> bool:
    """Print or save a few rows of the columns `count` (a number), `from` and `to` (times) and others (text).

    Returns:
        False where they are for people.
    """
    if as_json:
        print_rows_json(rows)
    elif saving.parquet is not None:
        _save_rows(saving.parquet, columns, rows, quiet=quiet)
    elif saving.as_csv:
        print_csv(columns, (row.values() for row in rows))
    return as_json or saving.as_csv or saving.parquet is not None


def _save_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, quiet: bool) -> None:
    import pyarrow as pa

    from transforms.core.schema import TIME

    types = {"count": pa.int64(), "from": TIME, "to": TIME}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    save_parquet(path, schema, [pa.Table.from_pylist(list(rows), schema)], quiet=quiet)


@contextmanager
def _new_file(path: Path) -> Iterator[str]:
    """Yield the name of a file that replaces `path` at the end, and is removed on an error or Ctrl-C."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield str(unfinished)
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
