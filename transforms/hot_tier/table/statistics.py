"""The statistics of a file's Add action, by which readers skip files.

They are JSON as the Delta protocol has it (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Per-file
Statistics"): `numRecords`, and `nullCount`, `minValues`, `maxValues` for exactly the columns that the table names in
`delta.dataSkippingStatsColumns`: pyarrow's dataset takes a column whose bounds are missing for all nulls, and returns
no rows of the file (measured with deltalake 1.6.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from transforms.core.names import STATISTICS_LIMIT

if TYPE_CHECKING:  # search needs only the log's statistics, and starts sooner without Parquet
    import pyarrow.parquet as pq

PROPERTY = "delta.dataSkippingStatsColumns"
SYSTEM_STATISTICS = ("_time", "_object")
BOUND_CHARACTERS = 64
"""A longer bound of a text column is shortened: the lower by cutting, the upper by rounding up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class ColumnStatistics:
    """A text column's statistics in one file; `low` and `high` are None where all values are null."""

    nulls: int
    low: str | None
    high: str | None


def statistics_columns(promoted: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of a table that have statistics in the log."""
    return (*SYSTEM_STATISTICS, *islice(promoted, STATISTICS_LIMIT))


def statistics_property(promoted: Iterable[str]) -> str:
    """Return the value of the table's property for these promoted columns.

    Names that are no plain identifiers stand in back-quotes: one that delta-rs can't parse makes it fall back to the
    first 32 columns.
    """
    return ",".join(
        name if _PLAIN_NAME.fullmatch(name) else "`" + name.replace("`", "``") + "`"
        for name in statistics_columns(promoted)
    )


def statistics_json(rows: int, *, min_time: int, max_time: int, columns: Mapping[str, ColumnStatistics]) -> str:
    """Return an Add action's statistics.

    Args:
        rows: The file's rows, at least one.
        min_time: The least `_time`, in microseconds since 1970 UTC.
        max_time: The greatest.
        columns: The other columns that have statistics.
    """
    known = {name: column for name, column in columns.items() if column.low is not None and column.high is not None}
    return orjson.dumps(
        {
            "numRecords": rows,
            "minValues": {"_time": time_text(min_time)}
            | {name: lower_bound(column.low or "") for name, column in known.items()},
            "maxValues": {"_time": time_text(max_time)}
            | {name: upper_bound(column.high or "") for name, column in known.items()},
            "nullCount": {"_time": 0} | {name: column.nulls for name, column in columns.items()},
        }
    ).decode()


def complete_statistics(stats: str, rows: int, promoted: Iterable[str]) -> str:
    """Return an Add action's statistics with all these columns: those they lack are null in all rows."""
    made = orjson.loads(stats)
    missing = dict.fromkeys(set(statistics_columns(promoted)) - made["nullCount"].keys(), rows)
    made["nullCount"] |= missing
    return orjson.dumps(made).decode() if missing else stats


def time_text(microseconds: int) -> str:
    """Format a time as the statistics do: `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def lower_bound(value: str) -> str:
    """Return a text that is no greater than the value, of at most 64 characters."""
    return value[:BOUND_CHARACTERS]


def upper_bound(value: str) -> str:
    """Return a text that is no less than the value, of at most 64 characters where there is one.

    A shortened bound is greater than the value: where both bounds of a file are equal, all its values are.
    """
    if len(value) <= BOUND_CHARACTERS:
        return value
    for end in range(BOUND_CHARACTERS, 0, -1):
        successor = _successor(value[end - 1])
        if successor is not None:
            return value[: end - 1] + successor
    return value


def _successor(character: str) -> str | None:
    """Return the next code point that UTF-8 can encode, or None after the last."""
    if character == "\U0010ffff":
        return None
    return "\ue000" if character == "\ud7ff" else chr(ord(character) + 1)


def from_footer(metadata: pq.FileMetaData, names: Sequence[str]) -> tuple[dict[str, ColumnStatistics], list[str]]:
    """Read the statistics of text columns from Parquet's footer.

    Returns:
        The statistics by name, and the columns without: the footer has no bounds of more than 4 KiB.
    """
    positions = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
    found: dict[str, ColumnStatistics] = {}
    missing: list[str] = []
    for name in names:
        column = _column_statistics(metadata, positions[name])
        if column is None:
            missing.append(name)
        else:
            found[name] = column
    return found, missing


def _column_statistics(metadata: pq.FileMetaData, position: int) -> ColumnStatistics | None:
    nulls = 0
    lows: list[str] = []
    highs: list[str] = []
    for number in range(metadata.num_row_groups):
        chunk = metadata.row_group(number).column(position)
        statistics = chunk.statistics
        if statistics is None or not statistics.has_null_count:
            return None
        nulls += statistics.null_count
        if statistics.null_count == chunk.num_values:
            continue
        if not statistics.has_min_max:
            return None
        lows.append(statistics.min)
        highs.append(statistics.max)
    return ColumnStatistics(nulls, min(lows, default=None), max(highs, default=None))
