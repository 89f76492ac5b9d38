"""From the records of CSV to columns, by pyarrow's block parser (which proves where they end) or Python's `csv`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from transforms.arrow import Indices
from transforms.arrow.arrays import single_chunk, take
from transforms.formats.csv.dialect import Dialect
from transforms.formats.csv.records import RecordRanges
from transforms.formats.csv.rows import Row, parse_row
from transforms.formats.record_block import cells_as_json

Columns = list[pa.Array]
_ABSENT = "-"


@dataclass
class ParsedRows:
    """Some rows as columns.

    Attributes:
        columns: A column for each name of the header.
        errors: What is wrong with some, by row.
        rescued: The cells that the header has no column for, by row, as a list in JSON.
    """

    columns: Columns
    errors: dict[int, str] = field(default_factory=dict)
    rescued: dict[int, str] = field(default_factory=dict)


class Cells:
    """The columns of one object's rows."""

    def __init__(self, width: int, dialect: Dialect) -> None:
        """Prepare for rows of `width` cells."""
        self.width, self._dialect = width, dialect
        self._cells = width + dialect.trailing  # that a row has in the file
        self._names = [str(number) for number in range(self._cells)]
        self._convert = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False, check_utf8=False
        )
        # One row more than the text has: if the text's last record is open, it swallows this one.
        self._last_row = b"x" + dialect.delimiter.encode() * (self._cells - 1) + b"\n"

    def parse(self, text: bytes, place: int, records: RecordRanges) -> ParsedRows | None:
        """Read records by pyarrow.

        Args:
            text: Valid UTF-8.
            place: Where in it the first record begins, or blank lines before it.
            records: What is read, up to `records.end`.

        Returns:
            The rows; None if pyarrow finds other records there.
        """
        ragged: list[int] = []
        try:
            table = self._read(text, place, records.end, ragged)
        except pa.ArrowInvalid:
            return None
        if table.num_rows + len(ragged) != len(records) + 1 or len(records) in ragged:
            return None
        columns = [
            self._own(single_chunk(column).slice(0, table.num_rows - 1)).cast(pa.string_view())
            for column in table.columns
        ]
        if not ragged:
            return self._without_trailing(ParsedRows(columns))
        ranges = zip(records.starts[ragged].tolist(), records.lengths[ragged].tolist(), strict=True)
        found = [
            Row(start, start + length, parse_row(text[start : start + length], self._dialect))
            for start, length in ranges
        ]
        others = self._all_columns(found)
        order = _interleave(len(records), ragged)
        return self._without_trailing(
            ParsedRows(
                [take(pa.concat_arrays(pair), order) for pair in zip(columns, others.columns, strict=True)],
                {ragged[place]: error for place, error in others.errors.items()},
                {ragged[place]: cells for place, cells in others.rescued.items()},
            )
        )

    def _own(self, column: pa.Array) -> pa.Array:
        """Return the values of cells as pyarrow found them: without blanks before them, absent where they are so."""
        if self._dialect.trims:
            column = pc.utf8_ltrim(column, " ")
        if self._dialect.flow_log:
            column = pc.if_else(pc.equal(column, _ABSENT), pa.scalar(None, column.type), column)
        return column

    def _read(self, text: bytes, low: int, high: int, ragged: list[int]) -> pa.Table:
        body = b"".join([memoryview(text)[low:high], b"" if text.endswith(b"\n", low, high) else b"\n", self._last_row])

        def note(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append(row.number - 1)
            return "skip"

        return pyarrow.csv.read_csv(
            pa.BufferReader(body),
            read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=self._names, block_size=len(body) + 1),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._dialect.delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=self._convert,
        )

    def columns(self, rows: Sequence[Row]) -> ParsedRows:
        """Return the columns of rows whose cells were read by `csv`."""
        return self._without_trailing(self._all_columns(rows))

    def _all_columns(self, rows: Sequence[Row]) -> ParsedRows:
        cells = [row.cells or [] for row in rows]
        missing = (None, _ABSENT) if self._dialect.flow_log else (None,)
        found = ParsedRows(
            [
                pa.array(
                    [row[column] if column < len(row) and row[column] not in missing else None for row in cells],
                    pa.string_view(),
                )
                for column in range(self._cells)
            ],
            {place: row.error for place, row in enumerate(rows) if row.error},
        )
        for place, row in enumerate(cells):
            if len(row) > self._cells:
                self._rescue(found, place, row[self.width :])
        return found

    def _without_trailing(self, found: ParsedRows) -> ParsedRows:
        """Take off the empty cell that each row has at its end; one that is not empty is rescued."""
        if self._dialect.trailing:
            last = found.columns.pop()
            filled = pc.fill_null(pc.greater(pc.binary_length(last.cast(pa.string())), 0), fill_value=False)
            for place in np.flatnonzero(filled.to_numpy(zero_copy_only=False)).tolist():
                if place not in found.errors:
                    self._rescue(found, place, [last[place].as_py()])
        return found

    def _rescue(self, found: ParsedRows, place: int, cells: Sequence[str]) -> None:
        found.errors[place] = f"too_many_columns: {self.width + len(cells)} cells, but the header has {self.width}"
        found.rescued[place] = cells_as_json(cells)


def _interleave(rows: int, ragged: Sequence[int]) -> Indices:
    """Return for each row its place among the others, the ragged ones behind all."""
    order = np.empty(rows, np.int64)
    chosen = np.zeros(rows, np.bool_)
    chosen[ragged] = True
    order[~chosen] = np.arange(rows - len(ragged))
    order[chosen] = np.arange(rows - len(ragged), rows)
    return order
