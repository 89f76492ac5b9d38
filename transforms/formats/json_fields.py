"""The top-level fields of many JSON objects at once, by DuckDB: `json_keys` and `json_extract_string`, 1,100 and 550 MB/s on one core.

The names need not be known beforehand. Those that the last block had are asked for, and each object's number of names is compared with the number
of values found: only for objects with others (or with nulls) are their names listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb
import numpy as np
import pyarrow as pa

from transforms.formats.views import Indices, columns_of, nulls, take

_SAMPLE = 256
_MAX_NAMES = 1000  # a pointer is looked for along the object's names: more of them are quicker read one object at a time
_BATCH = 1 << 30  # one Arrow batch, whatever the rows

Fields = dict[str, pa.Array]


class TooManyNamesError(Exception):
    """The objects have more names together than is good for one table."""


class JsonFields:
    """A DuckDB connection of its own, for one thread."""

    def __init__(self) -> None:
        """Connect."""
        config = {"threads": 1, "produce_arrow_string_view": True, "arrow_output_version": "1.4"}
        self._db = duckdb.connect(config=config)
        self._names: list[str] = []

    def valid(self, objects: pa.Array) -> Indices:
        """Return the rows that DuckDB can parse."""
        result = self._query("SELECT json_valid(m) v FROM source", objects)
        return np.flatnonzero(result.column("v").combine_chunks().to_numpy(zero_copy_only=False))

    def extract(self, objects: pa.Array, *, max_cells: int) -> Fields:
        """Return the fields of JSON objects by name, null where absent.

        Args:
            objects: Texts that are JSON objects, as string views.
            max_cells: The limit of rows times names.

        Raises:
            duckdb.InvalidInputException: Some text is no JSON.
            TooManyNamesError: There are too many names for so many rows.
        """
        if not self._names:
            self._names = self._list_names(objects.slice(0, _SAMPLE))
        fields, found, counts = self._values(objects, self._names)
        incomplete = np.flatnonzero(counts != found)
        if incomplete.size:
            fields.update(self._others(take(objects, incomplete), incomplete, len(objects), max_cells))
        if len(fields) * len(objects) > max_cells:
            raise TooManyNamesError
        fields = {name: column for name, column in fields.items() if column.null_count < len(column)}
        self._names = list(fields)[:_MAX_NAMES]
        return fields

    def _others(self, objects: pa.Array, rows: Indices, total: int, max_cells: int) -> Fields:
        """Return the fields that some objects have beside the expected ones, over all rows."""
        known = set(self._names)
        names = [name for name in self._list_names(objects) if name not in known]
        if len(names) > 1 and ((len(known) + len(names)) * total > max_cells or len(names) > _MAX_NAMES):
            raise TooManyNamesError
        fields, _, _ = self._values(objects, names)
        places = np.full(total, -1)
        places[rows] = np.arange(len(rows))
        return {name: take(column, places) for name, column in fields.items()}

    def _values(self, objects: pa.Array, names: list[str]) -> tuple[Fields, Indices, Indices]:
        """Return the values of some names; how many of each object there are; and how many names it has."""
        rows = len(objects)
        pointers = ", ".join(_pointer(name) for name in names)
        values = f"json_extract_string(m, [{pointers}]) x, " if names else ""
        result = self._query(f"SELECT {values}len(json_keys(m)) k FROM source", objects)
        counts = result.column("k").combine_chunks().to_numpy(zero_copy_only=False)
        if not names or not rows:
            return {}, np.zeros(rows, np.int64), counts
        columns, found = columns_of(result.column("x").combine_chunks(), len(names))
        return dict(zip(names, columns, strict=True)), found, counts

    def _list_names(self, objects: pa.Array) -> list[str]:
        result = self._query("SELECT DISTINCT unnest(json_keys(m)) n FROM source", objects)
        names: list[str] = result.column("n").to_pylist()
        return sorted(names)

    def _query(self, sql: str, objects: pa.Array) -> pa.Table:
        self._db.register("source", pa.table({"m": objects}))
        try:
            return self._db.sql(sql).to_arrow_table(_BATCH)
        finally:
            self._db.unregister("source")


def _pointer(name: str) -> str:
    """Return a JSON pointer (RFC 6901) as a literal of SQL; unlike a path it can name anything."""
    return "'/" + name.replace("~", "~0").replace("/", "~1").replace("'", "''") + "'"


def text_columns(rows: Iterable[Mapping[str, str]], count: int) -> Fields:
    """Return the columns of objects that were read one by one."""
    values: dict[str, dict[int, str]] = {}
    for place, row in enumerate(rows):
        for name, value in row.items():
            values.setdefault(name, {})[place] = value
    return {name: pa.array(map(column.get, range(count)), pa.string_view(), size=count) for name, column in values.items()}


def join_rows(parts: list[tuple[Indices, Fields]], total: int) -> Fields:
    """Put the fields of some rows and of others together in the order of the rows.

    Args:
        parts: Row numbers, and fields of as many rows; together all rows.
        total: The number of rows.
    """
    parts = [part for part in parts if len(part[0])]
    if len(parts) == 1:
        return parts[0][1]
    order = np.empty(total, np.int64)
    order[np.concatenate([rows for rows, _ in parts] or [np.empty(0, np.int64)])] = np.arange(total)
    names = dict.fromkeys(name for _, fields in parts for name in fields)
    return {name: take(pa.concat_arrays([fields.get(name, nulls(len(rows))) for rows, fields in parts]), order) for name in names}
