"""How what `rekindle search` and `rekindle sql` find leaves the program where it is not for people: as JSON, CSV or
Parquet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.flags import Option
from pipelines.cli.output import rows as cli_rows
from transforms.core.errors import ConfigurationError, RekindleError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Saving:
    """How results leave the program, where it is not for people or as JSON."""

    as_csv: Annotated[bool, Option("--csv", help="CSV on standard output.")] = False
    parquet: Annotated[Path | None, Option("--parquet", help="Write a Parquet file.")] = None

    def check(self, *, as_json: bool) -> None:
        """Refuse two ways at once, and what a file must not take the place of: a device, a pipe, a folder.

        Raises:
            ConfigurationError: it is one of these.
        """
        if sum((as_json, self.as_csv, self.parquet is not None)) > 1:
            raise ConfigurationError("--json, --csv and --parquet FILE: only one of them at a time")
        with suppress(OSError):  # of what can't be looked at, the writing will say so
            if self.parquet is not None and self.parquet.exists() and not self.parquet.is_file():
                raise ConfigurationError(
                    f"--parquet {self.parquet}: this is no file, and would be replaced by one", field="parquet"
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
        cli_rows.write_csv(as_csv(table, header=number == 0))


def save_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table | pa.RecordBatch], *, quiet: bool) -> None:
    """Write a Parquet file, each table as row groups of its own; it is there, whole, at the end, or not at all.

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
        raise RekindleError(f"{path}: it can't be written: {error.strerror or error}") from error
    if not quiet:
        from pipelines.cli.output.console import print_message

        print_message(f"{rows:,} rows written to {path}")


def show_rows(
    saving: Saving, columns: Sequence[str], rows: Sequence[dict[str, Any]], *, as_json: bool, quiet: bool
) -> bool:
    """Print or save a few rows of the columns `count` (a number), `from` and `to` (times) and others (text).

    Returns:
        False where they are for people.
    """
    if as_json:
        cli_rows.print_rows_json(rows)
    elif saving.parquet is not None:
        _save_rows(saving.parquet, columns, rows, quiet=quiet)
    elif saving.as_csv:
        cli_rows.print_csv(columns, (row.values() for row in rows))
    return as_json or saving.as_csv or saving.parquet is not None


def _save_rows(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]], *, quiet: bool) -> None:
    import pyarrow as pa

    from transforms.core.schema import TIME

    types = {"count": pa.int64(), "from": TIME, "to": TIME}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    save_parquet(path, schema, [pa.Table.from_pylist(list(rows), schema)], quiet=quiet)


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
