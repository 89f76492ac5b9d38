"""The fields of many JSON objects: by DuckDB, or one by one.

Objects go to DuckDB in blocks (`fields`), but for those that it would not read as we mean it (`duckdb_guards`). Objects
whose numbers it would rewrite go there with these in quotes; what is left is read token by token (`values`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Indices
from transforms.arrow.arrays import take
from transforms.formats.json.duckdb_guards import guarded_rows
from transforms.formats.json.fields import Fields, JsonFields, join_rows, text_columns
from transforms.formats.json.values import InvalidJsonError, read_object
from transforms.formats.lines import Lines
from transforms.formats.record_block import MAX_CELLS
from transforms.formats.record_errors import line_errors

_SMALL = 128 << 10  # so many bytes are read one by one sooner than DuckDB is connected (15 to 20 ms)
_SOME_CELLS, _MOST_CELLS_A_VALUE = 1 << 16, 200
_FEW = 50  # and so many rows sooner than it runs one more query (2 ms)


@dataclass(frozen=True)
class ObjectBatch:
    """Some objects that lie one after the other.

    Attributes:
        low: The first one's row.
        high: The row after the last one's.
        messages: Their texts.
        fields: Their fields by name, null where absent.
        errors: What is wrong with some of them, by place.
        blank: Blank lines before and among them.
        replaced: Bad bytes in them that were replaced.
        path: The names that lead to them in the objects around them.
        cut: Bytes of them that are not kept.
        warnings: What the user should know of the stream.
    """

    low: int
    high: int
    messages: pa.Array
    fields: Fields
    errors: dict[int, str]
    blank: int = 0
    replaced: int = 0
    path: tuple[str, ...] = ()
    cut: int = 0
    warnings: tuple[str, ...] = ()

    def slice(self, low: int, high: int) -> ObjectBatch:
        """Return some of them; those from the first on have the counts of all."""
        if (low, high) == (0, len(self.messages)):
            return self
        fields = {name: column.slice(low, high - low) for name, column in self.fields.items()}
        errors = {row - low: error for row, error in self.errors.items() if low <= row < high}
        messages = self.messages.slice(low, high - low)
        part = ObjectBatch(self.low + low, self.low + high, messages, fields, errors, path=self.path)
        if low:
            return part
        return replace(part, blank=self.blank, replaced=self.replaced, cut=self.cut, warnings=self.warnings)


@dataclass(frozen=True)
class Objects:
    """Objects that were read.

    Attributes:
        lines: Their texts.
        messages: The same as an array.
        parts: The rows that DuckDB read, and their fields.
        rest: The other rows,
        others: and their fields.
        errors: What is wrong with some, by row.
        invalid: The rows that are no JSON, or no object.
    """

    lines: Lines
    messages: pa.Array
    parts: list[tuple[Indices, Fields]]
    rest: Indices
    others: list[dict[str, str]]
    errors: dict[int, str]
    invalid: list[int]

    def batches(self) -> Iterator[ObjectBatch]:
        """Yield them, in more than one batch if they have very many different names together."""
        for low, high in _cuts(
            len(self.lines), {name for _, fields in self.parts for name in fields}, self.rest, self.others
        ):
            fields = join_rows(
                [*_between(self.parts, low, high), _between_one_by_one(self.rest, self.others, low, high)], high - low
            )
            errors = (
                {row - low: error for row, error in self.errors.items() if low <= row < high} if self.errors else {}
            )
            yield ObjectBatch(low, high, self.messages.slice(low, high - low), fields, errors)


class ObjectReader:
    """Reads the objects of one stream: the connection that does so, made when it is needed."""

    def __init__(self, *, max_record: int) -> None:
        """Prepare for objects that were cut at so many bytes."""
        self._max_record = max_record
        self._duckdb: JsonFields | None = None

    def read(self, lines: Lines, errors: Mapping[int, str] | None = None) -> Objects:
        """Read objects, with what is known to be wrong with them."""
        found = {**line_errors(lines, max_record=self._max_record, bad_text=True), **(errors or {})}
        messages = lines.array()
        parts, rest = self._quick(lines, messages)
        others, invalid = _one_by_one(messages, rest, lines, found)
        return Objects(lines, messages, parts, rest, others, found, invalid)

    def _quick(self, lines: Lines, messages: pa.Array) -> tuple[list[tuple[Indices, Fields]], Indices]:
        """Return objects and their fields by DuckDB, and the rows that are left."""
        if self._duckdb is None:
            if int(lines.lengths.sum()) < _SMALL:
                return [], np.arange(len(lines))
            self._duckdb = JsonFields()
        rest = np.ones(len(lines), np.bool_)
        parts: list[tuple[Indices, Fields]] = []
        plain, numbers = _sort_out(lines, messages)
        for chosen, quoted in ((plain, False), (numbers, True)):
            if len(chosen) > _FEW:
                objects = messages if len(chosen) == len(messages) else take(messages, chosen)
                read, fields = self._duckdb.extract(objects, quote_numbers=quoted)
                parts.append((chosen[read], fields))
                rest[chosen[read]] = False
        return parts, np.flatnonzero(rest)


def _cuts(total: int, names: set[str], rest: Indices, objects: list[dict[str, str]]) -> Iterator[tuple[int, int]]:
    """Cut rows into ranges of at most `MAX_CELLS` cells, and not much more cells than values.

    Args:
        total: The number of rows.
        names: Columns that all of them have.
        rest: Rows that have further ones,
        objects: and which.
    """
    low, seen, values = 0, set(names), 0
    for row, fields in zip(rest.tolist(), objects, strict=True):
        values += len(fields)
        wider = seen if seen.issuperset(fields) else seen | fields.keys()
        limit = min(MAX_CELLS, max(_SOME_CELLS, _MOST_CELLS_A_VALUE * values)) if len(wider) > len(names) else MAX_CELLS
        if len(wider) * (row + 1 - low) > limit and row > low:
            yield from _even_cuts(low, row, len(seen))
            low, wider, values = row, names | fields.keys(), len(fields)
        seen = wider
    yield from _even_cuts(low, total, len(seen))


def _even_cuts(low: int, high: int, width: int) -> Iterator[tuple[int, int]]:
    step = max(1, MAX_CELLS // max(1, width))
    yield from ((start, min(start + step, high)) for start in range(low, high, step))
    if low == high:
        yield low, high


def _sort_out(lines: Lines, messages: pa.Array) -> tuple[Indices, Indices]:
    """Return the lines that DuckDB can read, and those that it can with their numbers in quotes."""
    if not len(lines):
        return np.arange(0), np.arange(0)
    numbers, strange = guarded_rows(lines, pl.Series(messages))
    usable = ~strange & (np.frombuffer(lines.text, np.uint8)[lines.starts] == ord("{"))
    if lines.long is not None:
        usable &= ~lines.long
    return np.flatnonzero(usable & ~numbers), np.flatnonzero(usable & numbers)


def _between(parts: list[tuple[Indices, Fields]], low: int, high: int) -> Iterator[tuple[Indices, Fields]]:
    """Take a range of rows out of parts."""
    for rows, fields in parts:
        first, last = np.searchsorted(rows, [low, high]).tolist()
        if (first, last) == (0, len(rows)):
            yield rows - low, fields
        else:
            yield rows[first:last] - low, {name: column.slice(first, last - first) for name, column in fields.items()}


def _between_one_by_one(rest: Indices, objects: list[dict[str, str]], low: int, high: int) -> tuple[Indices, Fields]:
    first, last = np.searchsorted(rest, [low, high]).tolist()
    return rest[first:last] - low, text_columns(objects[first:last])


def _one_by_one(
    messages: pa.Array, rows: Indices, lines: Lines, errors: dict[int, str]
) -> tuple[list[dict[str, str]], list[int]]:
    """Return the fields of objects read token by token, and the rows that are none; add what is wrong to `errors`."""
    found: list[dict[str, str]] = []
    invalid: list[int] = []
    for row, text in zip(rows.tolist(), take(messages, rows).to_pylist(), strict=True):
        fields, error = ({}, None) if lines.long is not None and lines.long[row] else _read(text)
        found.append(fields or {})
        if fields is None:
            invalid.append(row)
        if error and not (fields is None and errors.get(row, "").startswith(("invalid_json", "record_too_long"))):
            errors[row] = error
    return found, invalid


def _read(text: str) -> tuple[dict[str, str] | None, str | None]:
    try:
        found = read_object(text)
    except InvalidJsonError as error:
        return None, f"invalid_json: {error}"
    if found is None:
        return None, "not_an_object: the text is JSON, but no object"
    return found.fields, found.error
