"""The table at one version: which files are live, and which app transactions it has.

The log is read by arro3, which deltalake brings: pyarrow would take 0.1 s more to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import orjson
from arro3.core import DataType, Table
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from transforms.core.errors import TierError
from transforms.hot_tier.table.delta import EVENTS, open_events, promoted_in
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.log_entries import encoded_path
from transforms.hot_tier.table.map_names import MAP_NAMES, MapNames
from transforms.hot_tier.table.statistics import time_text
from transforms.storage import TierStore


@dataclass(frozen=True)
class LiveFile:
    """A file that readers see.

    Attributes:
        path: Relative to the table `events`.
        size: In bytes.
        rows: How many.
        tier: The partition's `hot` or `cold`.
        date: The partition's UTC date, `YYYY-MM-DD`.
        min_time: The least `_time`, in microseconds since 1970 UTC.
        max_time: The greatest.
        min_object: A lower bound of `_object`; None where the log has none.
        max_object: An upper bound, likewise.
        modified: When it was added, in milliseconds since 1970 UTC.
    """

    path: str
    size: int
    rows: int
    tier: str
    date: str
    min_time: int
    max_time: int
    min_object: str | None
    max_object: str | None
    modified: int

    @property
    def partition(self) -> dict[str, str]:
        """The partition's values by column."""
        return {"tier": self.tier, "date": self.date}


class Snapshot:
    """One version of the table, read by a handle that nothing else uses."""

    def __init__(self, tier: TierStore, events: DeltaTable) -> None:
        """Take over a new handle of the tier's table."""
        self.tier = tier
        self.events = events
        self.version: int = events.version()
        self._transactions: dict[str, int | None] = {}

    @classmethod
    def load(cls, tier: TierStore) -> Snapshot:
        """Load the table as it is now."""
        return cls(tier, open_events(tier))

    @classmethod
    def find(cls, tier: TierStore) -> Snapshot | None:
        """Load the table as it is now, None where there is none."""
        try:
            return cls.load(tier)
        except TableNotFoundError:
            return None

    @property
    def table_id(self) -> str:
        """The table's own id, which it has from its creation on."""
        return str(self.events.metadata().id)

    @cached_property
    def columns(self) -> list[str]:
        """The promoted attributes."""
        return promoted_in(self.events)

    @cached_property
    def map_names(self) -> MapNames:
        """The names that files of the product keep in their maps, or have kept there (decision 22)."""
        return MapNames.parse(self.events.metadata().configuration.get(MAP_NAMES) or "")

    def is_in_maps(self, name: str) -> bool:
        """Whether files may keep an attribute in their maps: another program's may keep any."""
        return name in self.map_names or self._has_others_files

    @property
    def all_map_names(self) -> frozenset[str] | None:
        """The names that files may have in their maps and that could be columns, None where not all are known."""
        return None if self.map_names.is_any or self._has_others_files else self.map_names.names

    @cached_property
    def _has_others_files(self) -> bool:
        """Whether another program's files are live."""
        return any(layout_of(path) == 0 for path in self.files)

    @cached_property
    def files(self) -> dict[str, LiveFile]:
        """The live files by path."""
        names = {
            "path": "path",
            "size": "size_bytes",
            "rows": "num_records",
            "tier": "partition.tier",
            "date": "partition.date",
            "min_time": "min._time",
            "max_time": "max._time",
            "min_object": "min._object",
            "max_object": "max._object",
            "modified": "modification_time",
        }
        if self._actions.num_rows == 0:
            return {}
        nothing = [None] * self._actions.num_rows
        there = self._actions.column_names
        columns = [_plain(self._actions[column]) if column in there else nothing for column in names.values()]
        rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        files = [LiveFile(**{**row, "path": unquote(row["path"])}) for row in rows]
        self._check_statistics(files)
        return {file.path: file for file in files}

    def _check_statistics(self, files: list[LiveFile]) -> None:
        """Refuse another writer's files whose row count and time range are not in the log."""
        for file in files:
            if file.rows is None or file.min_time is None or file.max_time is None:
                raise TierError(
                    f"{self.events.table_uri}/{file.path}: another program added this file without statistics "
                    "(numRecords, and bounds of _time). Remove it from the table, or add it with statistics"
                )

    def can_be_named(self, path: str) -> bool:
        """Whether a commit can name a live file as the log does.

        A path is URL-encoded there (Delta protocol, Add File), which leaves writers the choice of `=` or `%3D`.
        deltalake's actions take the plain path and encode it in one way; readers compare the encoded forms: a file of
        another form would stay live beside its replacement.
        """
        return bool(self._forms[self._rows[path]] == encoded_path(path))

    @property
    def rows(self) -> int:
        """How many rows the live files have."""
        return sum(file.rows for file in self.files.values())

    def statistics(self, path: str) -> str:
        """Return a live file's statistics, as its Add action has them."""
        row = self._actions.slice(self._rows[path], 1)
        cells = {name: _plain(row[name])[0] for name in row.column_names}
        by_prefix = {
            prefix: {
                name.removeprefix(prefix): value
                for name, value in cells.items()
                if name.startswith(prefix) and value is not None
            }
            for prefix in ("min.", "max.", "null_count.")
        }
        lows, highs = by_prefix["min."], by_prefix["max."]
        return orjson.dumps(
            {
                "numRecords": cells["num_records"],
                "minValues": lows | {"_time": time_text(lows["_time"])},
                "maxValues": highs | {"_time": time_text(highs["_time"])},
                "nullCount": by_prefix["null_count."],
            }
        ).decode()

    def text_bounds(self, column: str) -> dict[str, tuple[int | None, str | None, str | None]]:
        """Return a text column's nulls, least and greatest value in each live file; None where the log has none."""
        names = (f"null_count.{column}", f"min.{column}", f"max.{column}")
        nothing = [None] * self._actions.num_rows
        cells = [self._actions[name].to_pylist() if name in self._actions.column_names else nothing for name in names]
        return {path: (nulls, low, high) for path, nulls, low, high in zip(self._rows, *cells, strict=True)}

    @cached_property
    def _actions(self) -> Table:
        return Table.from_arrow(self.events.get_add_actions(flatten=True))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {unquote(path): number for number, path in enumerate(self._forms)}

    @cached_property
    def _forms(self) -> list[str]:
        """The live files' paths as the log has them."""
        return list(self._actions["path"].to_pylist())

    def transaction_version(self, app_id: str) -> int | None:
        """Return the last version that commits gave an app id, or None.

        Each is asked for once, by at least three requests on S3. A handle reads the log for it: what has been asked for
        is known also when that part of the log is cleaned.
        """
        if app_id not in self._transactions:
            self._transactions[app_id] = self.events.transaction_version(app_id)
        return self._transactions[app_id]


def unnamed_file(path: str) -> str:
    """Return the message about a live file that `can_be_named` denies."""
    return (
        f"{EVENTS}/{path}: another program wrote this file, and the log encodes its name in a way that can't be "
        "written here: it can't be removed from the table (have that program write it again, as by OPTIMIZE)"
    )


def _plain(column: Any) -> list[Any]:
    """Return the values of a ChunkedArray of arro3: times as microseconds, dates as text."""
    # its stubs get these types wrong
    is_time, is_date = bool(DataType.is_timestamp(column.type)), bool(DataType.is_date(column.type))
    if is_time:
        return list(column.cast(DataType.timestamp("us", tz="UTC")).cast(DataType.int64()).to_pylist())
    return [str(day) for day in column.to_pylist()] if is_date else list(column.to_pylist())
