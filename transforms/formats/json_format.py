"""JSON, one object a line: an object is an event, its top-level fields are attributes (spec §4.3).

Lines go to DuckDB in blocks (`json_fields`), but for those that it would not read as we mean it (`json_odd`). Lines with odd numbers go
there with these in quotes; what is left is read token by token (`json_values`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from transforms import schema
from transforms.formats.encoding import utf8
from transforms.formats.framing import Lines, line_blocks, split_lines
from transforms.formats.json_fields import Fields, JsonFields, join_rows, text_columns
from transforms.formats.json_odd import odd_rows
from transforms.formats.json_values import InvalidJsonError, read_object
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MAX_CELLS, RecordBlock
from transforms.formats.record_errors import error_column, line_errors
from transforms.formats.times import Clock, RecordTimes
from transforms.formats.views import Indices, take

_SMALL = 128 << 10  # so many bytes are read one by one sooner than DuckDB is connected (15 to 20 ms)
_SOME_CELLS, _MOST_CELLS_A_VALUE = 1 << 16, 200
_FEW = 50  # and so many rows sooner than it runs one more query (2 ms)


def read(chunks: Iterator[bytes], options: FormatOptions, clock: Clock) -> Iterator[RecordBlock]:
    """Yield the objects of a stream."""
    reader = _JsonLines(options, clock)
    for block in line_blocks(utf8(chunks), max_record=options.max_record):
        for lines in split_lines(block, max_record=options.max_record).parts():
            yield from reader.blocks(lines)


class _JsonLines:
    """One object of the store: the connection that reads its lines, made when it is needed."""

    def __init__(self, options: FormatOptions, clock: Clock) -> None:
        self._options = options
        self._times = RecordTimes(options, clock, csv=False)
        self._duckdb: JsonFields | None = None

    def blocks(self, lines: Lines) -> Iterator[RecordBlock]:
        """Yield the records of some lines, in more than one block if they have very many different names together."""
        messages = lines.array()
        errors = line_errors(lines, max_record=self._options.max_record, bad_text=True)
        parts, rest = self._quick(lines, messages)
        objects = _one_by_one(messages, rest, lines, errors)
        blank = lines.blank
        for low, high in _cuts(len(lines), {name for _, fields in parts for name in fields}, rest, objects):
            part = lines.slice(low, high)
            fields = join_rows([*_between(parts, low, high), _between_one_by_one(rest, objects, low, high)], high - low)
            own = {row - low: error for row, error in errors.items() if low <= row < high} if errors else {}
            columns = {schema.attribute_column(name): column for name, column in fields.items()}
            times = self._times.columns(fields) if high > low else {}
            records = pa.record_batch({"_message": messages.slice(low, high - low), **columns, **error_column(own, high - low), **times})
            yield RecordBlock(records=records, blank=blank, replaced=part.replaced)
            blank = 0

    def _quick(self, lines: Lines, messages: pa.Array) -> tuple[list[tuple[Indices, Fields]], Indices]:
        """Return lines and their fields by DuckDB, and the lines that are left."""
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
            yield from _steps(low, row, len(seen))
            low, wider, values = row, names | fields.keys(), len(fields)
        seen = wider
    yield from _steps(low, total, len(seen))


def _steps(low: int, high: int, width: int) -> Iterator[tuple[int, int]]:
    step = max(1, MAX_CELLS // max(1, width))
    yield from ((start, min(start + step, high)) for start in range(low, high, step))
    if low == high:
        yield low, high


def _sort_out(lines: Lines, messages: pa.Array) -> tuple[Indices, Indices]:
    """Return the lines that DuckDB can read, and those that it can with their numbers in quotes."""
    numbers, strange = odd_rows(lines, pl.Series(messages))
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


def _one_by_one(messages: pa.Array, rows: Indices, lines: Lines, errors: dict[int, str]) -> list[dict[str, str]]:
    """Return the fields of lines read token by token, and add what is wrong with them to `errors`."""
    found: list[dict[str, str]] = []
    for row, text in zip(rows.tolist(), take(messages, rows).to_pylist(), strict=True):
        fields, error = ({}, None) if lines.long is not None and lines.long[row] else _read(text)
        found.append(fields)
        if error:
            errors[row] = error
    return found


def _read(text: str) -> tuple[dict[str, str], str | None]:
    try:
        found = read_object(text)
    except InvalidJsonError as error:
        return {}, f"invalid_json: {error}"
    if found is None:
        return {}, "not_an_object: the line is JSON, but no object"
    return found.fields, found.error
