r"""The top-level fields of many JSON objects at once, by DuckDB's `json_keys` and `json_extract_string`.

They take 1,100 and 550 MB/s on one core. The names need not be known beforehand. Those that are frequent are asked for,
and each object's number of names is compared with the number of values found: only for objects with others (or with
nulls) are their names listed. A value is looked for by a pointer, along the names of its object; so objects with very
many names, or with names that hardly any other has, are left to be read one by one. Most objects' texts show by their
lengths alone that they have no other names (`explained_objects`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Indices
from transforms.arrow.arrays import single_chunk, take
from transforms.arrow.strings import nulls, split_columns
from transforms.formats.json.explained_objects import explained
from transforms.formats.record_block import MAX_CELLS

_SAMPLE = 256
_MAX_NAMES = 1000
_FREQUENT = 50  # a name is asked for if one object in so many has it
_SPARSE = 8  # a column with fewer values than one in so many rows is made of these, not row by row
_BATCH = 1 << 30  # rows: all in one Arrow batch

_MARK = r"\u0001"
_GUARDED_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)|-0"
_GUARDED_VALUE = rf"([:\[,][ \t\r\n]*)({_GUARDED_NUMBER})([,}}\] \t\r\n])"
_QUOTED_NUMBER = r'"\\u0001([-+.0-9eE]+)"'

# DuckDB's message quotes the text, cut off within a character if need be; its client then fails to decode the message.
_NO_JSON = (duckdb.InvalidInputException, UnicodeDecodeError)

Fields = dict[str, pa.Array]


class JsonFields:
    """A DuckDB connection of its own, for one thread."""

    def __init__(self) -> None:
        """Connect."""
        self._db = duckdb.connect(
            config={"threads": 1, "produce_arrow_string_view": True, "arrow_output_version": "1.4"}
        )
        self._names: list[str] = []
        self._explains = True  # whether most objects are explained by their lengths

    def extract(self, objects: pa.Array, *, quote_numbers: bool) -> tuple[Indices, Fields]:
        """Return the fields of JSON objects by name, null where absent.

        Args:
            objects: Texts that begin with a brace, as string views.
            quote_numbers: Read numbers with a point or exponent as strings, so that their text stays as it is.

        Returns:
            The rows that were read, and their fields. The others are no JSON, or they are better read one by one.
        """
        rows = np.arange(len(objects))
        if quote_numbers:
            objects, rows = _quote_numbers(objects)
        try:
            read, fields = self._fields(objects, plain=not quote_numbers)
        except _NO_JSON:
            valid = self.valid(objects)
            rows, objects = rows[valid], take(objects, valid)
            read, fields = self._fields(objects, plain=not quote_numbers)
        return rows[read], {
            name: _unquote_numbers(column) for name, column in fields.items()
        } if quote_numbers else fields

    def valid(self, objects: pa.Array) -> Indices:
        """Return which texts are JSON, or what DuckDB takes for it."""
        result = self._query("SELECT json_valid(m) v FROM source", objects)
        return np.flatnonzero(single_chunk(result.column("v")).to_numpy(zero_copy_only=False))

    def _fields(self, objects: pa.Array, *, plain: bool) -> tuple[Indices, Fields]:
        """Return rows, and their fields; `plain` where no text of them was changed."""
        total = len(objects)
        if not total:
            return np.arange(0), {}
        if not self._names:
            sample = objects.slice(0, _SAMPLE)
            self._names = [name for name, count in self._count_names(sample) if count * _FREQUENT >= len(sample)]
        names = self._names[: min(_MAX_NAMES, MAX_CELLS // total)]
        fields, found, counts = self._counted_values(objects, names, plain=plain)
        rows = np.arange(total)
        incomplete = np.flatnonzero(counts != found)
        if incomplete.size:
            others = self._others(take(objects, incomplete), incomplete, total, set(names))
            if others is None:
                rows = np.flatnonzero(counts == found)
                fields = {name: take(column, rows) for name, column in fields.items()}
            else:
                fields.update(others)
        fields = {name: column for name, column in fields.items() if column.null_count < len(rows)}
        self._names = [
            name for name, column in fields.items() if (len(rows) - column.null_count) * _FREQUENT >= len(rows)
        ]
        return rows, fields

    def _others(self, objects: pa.Array, rows: Indices, total: int, known: set[str]) -> Fields | None:
        """Return the fields that some objects have beside the known ones, over all rows; None if they are too many."""
        names = [name for name, _ in self._count_names(objects) if name not in known]
        if len(names) > min(_MAX_NAMES, MAX_CELLS // total - len(known), 16 + len(objects) // 8):
            return None
        fields, _, _ = self._values(objects, names, counted=False)
        places = np.full(total, -1)
        places[rows] = np.arange(len(rows))
        return {name: take(column, places) for name, column in fields.items()}

    def _values(self, objects: pa.Array, names: list[str], *, counted: bool) -> tuple[Fields, Indices, Indices | None]:
        """Return the values of some names, how many of each object there are, and if asked how many names it has."""
        if not names:
            return {}, np.zeros(len(objects), np.int64), None
        pointers = ", ".join(_pointer(name) for name in names)
        lengths = ", len(json_keys(m)) k" if counted else ""
        result = self._query(f"SELECT json_extract_string(m, [{pointers}]) x{lengths} FROM source", objects)
        counts = single_chunk(result.column("k")).to_numpy(zero_copy_only=False) if counted else None
        columns, found = split_columns(single_chunk(result.column("x")), len(names))
        return dict(zip(names, columns, strict=True)), found, counts

    def _counted_values(self, objects: pa.Array, names: list[str], *, plain: bool) -> tuple[Fields, Indices, Indices]:
        """Return the values of some names, how many of each object there are, and how many names it has."""
        explains = plain and self._explains
        fields, found, counts = self._values(objects, names, counted=not explains)
        if counts is not None:
            return fields, found, counts
        others = np.flatnonzero(~explained(objects, fields))
        if explains and names and len(objects) >= _SAMPLE:  # nearly all objects of a stream are, or none
            self._explains = 2 * len(others) < len(objects)
        counts = np.array(found, np.int64)
        if others.size:
            counts[others] = self._counts(take(objects, others))
        return fields, found, counts

    def _counts(self, objects: pa.Array) -> Indices:
        """Return how many names each object has."""
        result = self._query("SELECT len(json_keys(m)) k FROM source", objects)
        return np.asarray(single_chunk(result.column("k")).to_numpy(zero_copy_only=False))

    def _count_names(self, objects: pa.Array) -> list[tuple[str, int]]:
        result = self._query(
            "SELECT n, count(*) c FROM (SELECT unnest(json_keys(m)) n FROM source) GROUP BY n ORDER BY c DESC, n",
            objects,
        )
        return list(zip(result.column("n").to_pylist(), result.column("c").to_pylist(), strict=True))

    def _query(self, sql: str, objects: pa.Array) -> pa.Table:
        self._db.register("source", pa.table({"m": objects}))
        try:
            return self._db.sql(sql).to_arrow_table(_BATCH)
        finally:
            self._db.unregister("source")


def _pointer(name: str) -> str:
    """Return a JSON pointer (RFC 6901) as a literal of SQL; unlike a path it can name anything."""
    return "'/" + name.replace("~", "~0").replace("/", "~1").replace("'", "''") + "'"


def _quote_numbers(objects: pa.Array) -> tuple[pa.Array, Indices]:
    """Put each number with a point or exponent in quotes and a mark before it.

    Rows that have the mark already are left out. What looks like such a number inside of a string ends that string
    early, and leaves the mark outside of quotes: the row is no JSON then. Neighbours in a list share a comma, so that
    the second one is found only when the first has been done.
    """
    texts = pl.Series(objects)
    rows = np.flatnonzero(~texts.str.contains(_MARK, literal=True).to_numpy())
    for _ in range(2):
        texts = (texts if len(rows) == len(texts) else texts.gather(rows)).str.replace_all(
            _GUARDED_VALUE, f'${{1}}"{_MARK}${{2}}"${{3}}'
        )
    return texts.to_arrow(compat_level=pl.CompatLevel.newest()), rows


def _unquote_numbers(column: pa.Array) -> pa.Array:
    """Undo that in values: a number by itself has the mark before it, one in a list or object has it in quotes."""
    texts = pl.Series(column).str.replace_all(_QUOTED_NUMBER, "${1}").str.strip_prefix("\x01")
    return texts.to_arrow(compat_level=pl.CompatLevel.newest())


def text_columns(objects: Sequence[Mapping[str, str]]) -> Fields:
    """Return the columns of objects that were read one by one."""
    values: dict[str, dict[int, str]] = {}
    for place, fields in enumerate(objects):
        for name, value in fields.items():
            values.setdefault(name, {})[place] = value
    return {name: _column(found, len(objects)) for name, found in values.items()}


def _column(found: Mapping[int, str], rows: int) -> pa.Array:
    if len(found) * _SPARSE > rows:
        return pa.array(map(found.get, range(rows)), pa.string_view(), size=rows)
    places = np.full(rows, -1)
    places[list(found)] = np.arange(len(found))
    return take(pa.array(found.values(), pa.string_view(), size=len(found)), places)


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
    order[np.concatenate([np.arange(0), *(rows for rows, _ in parts)])] = np.arange(total)
    names = dict.fromkeys(name for _, fields in parts for name in fields)
    return {
        name: take(pa.concat_arrays([fields.get(name, nulls(len(rows))) for rows, fields in parts]), order)
        for name in names
    }
