"""JSON, one object a line: an object is an event, its top-level fields are attributes (spec §4.3).

Lines go to DuckDB in blocks (`json_fields`), but for those that it would not read as we mean it (`json_odd`). Lines with odd numbers go there
too, the numbers put in quotes and marked; what is left is read token by token (`json_values`).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from transforms import schema
from transforms.formats.framing import Lines, line_blocks, split_lines, utf8
from transforms.formats.json_fields import Fields, JsonFields, TooManyNamesError, join_rows, text_columns
from transforms.formats.json_odd import odd_rows
from transforms.formats.json_values import InvalidJson, read_object
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MAX_CELLS, RecordBlock
from transforms.formats.record_errors import error_column, line_errors
from transforms.formats.times import Clock, time_columns
from transforms.formats.views import Indices, take

_SMALL = 32 << 10  # bytes that are read sooner one by one than DuckDB is connected (13 ms)


def read(chunks: Iterator[bytes], options: FormatOptions, clock: Clock) -> Iterator[RecordBlock]:
    """Yield the objects of a stream."""
    reader = _JsonLines(options, clock)
    for block in line_blocks(utf8(chunks), max_record=options.max_record):
        lines = split_lines(block, max_record=options.max_record)
        yield from reader.blocks(lines, blank=lines.blank)


class _JsonLines:
    """One object of the store: the connection that reads its lines, made when it is needed."""

    def __init__(self, options: FormatOptions, clock: Clock) -> None:
        self._options, self._clock = options, clock
        self._duckdb: JsonFields | None = None

    def blocks(self, lines: Lines, *, blank: int) -> Iterator[RecordBlock]:
        """Yield the records of some lines, in several blocks if they have very many different names."""
        messages = lines.array()
        errors = line_errors(lines, max_record=self._options.max_record, bad_text=True)
        try:
            fields = self._fields(lines, messages, errors)
        except TooManyNamesError:
            half = len(lines) // 2
            yield from self.blocks(lines.slice(0, half), blank=blank)
            yield from self.blocks(lines.slice(half, len(lines)), blank=0)
            return
        columns = {schema.attribute_column(name): column for name, column in fields.items()}
        times = time_columns(fields, self._options, self._clock, csv=False) if len(lines) else {}
        records = pa.record_batch({"_message": messages, **columns, **error_column(errors, len(lines)), **times})
        yield RecordBlock(records=records, blank=blank, replaced=lines.replaced)

    def _fields(self, lines: Lines, messages: pa.Array, errors: dict[int, str]) -> Fields:
        """Return the fields of lines, and add what is wrong with some of them to `errors`."""
        total = len(lines)
        slow = np.arange(total)
        parts: list[tuple[Indices, Fields]] = []
        if self._duckdb is not None or int(lines.lengths.sum()) > _SMALL:
            fast, slow = self._sort_out(lines, messages)
            rows, fields = self._quick(messages, fast)
            slow = np.sort(np.concatenate([slow, np.setdiff1d(fast, rows, assume_unique=True)]))
            parts.append((rows, fields))
        parts.append((slow, self._one_by_one(messages, slow, lines, errors)))
        fields = join_rows(parts, total)
        if len(fields) * total > MAX_CELLS and total > 1:
            raise TooManyNamesError
        return fields

    def _sort_out(self, lines: Lines, messages: pa.Array) -> tuple[Indices, Indices]:
        """Return the lines for DuckDB, and the others."""
        odd = odd_rows(lines, pl.from_arrow(messages))
        odd |= np.frombuffer(lines.text, np.uint8)[lines.starts] != ord("{")
        if lines.long is not None:
            odd |= lines.long
        return np.flatnonzero(~odd), np.flatnonzero(odd)

    def _quick(self, messages: pa.Array, rows: Indices) -> tuple[Indices, Fields]:
        """Return the fields of lines by DuckDB; of those lines that are JSON, if not all are."""
        if self._duckdb is None:
            self._duckdb = JsonFields()
        objects = messages if len(rows) == len(messages) else take(messages, rows)
        try:
            return rows, self._duckdb.extract(objects, max_cells=MAX_CELLS)
        except duckdb.InvalidInputException:
            valid = self._duckdb.valid(objects)
            return rows[valid], self._duckdb.extract(take(objects, valid), max_cells=MAX_CELLS)

    def _one_by_one(self, messages: pa.Array, rows: Indices, lines: Lines, errors: dict[int, str]) -> Fields:
        """Return the fields of lines read token by token."""
        found: list[dict[str, str]] = []
        for row, text in zip(rows.tolist(), take(messages, rows).to_pylist() if len(rows) else (), strict=True):
            fields, error = ({}, None) if lines.long is not None and lines.long[row] else _read(text)
            found.append(fields)
            if error:
                errors[row] = error
        return text_columns(found, len(found))


def _read(text: str) -> tuple[dict[str, str], str | None]:
    try:
        found = read_object(text)
    except InvalidJson as error:
        return {}, f"invalid_json: {error}"
    if found is None:
        return {}, "not_an_object: the line is JSON, but no object"
    return found.fields, found.error
