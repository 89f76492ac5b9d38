"""From the records of CSV to columns, by pyarrow's block parser (which proves where they end) or Python's `csv`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv

from transforms.arrow import Indices
from transforms.arrow.arrays import single_chunk, take
from transforms.formats.csv.records import RecordRanges
from transforms.formats.csv.rows import Row, parse_row

Columns = list[pa.Array]


class Cells:
    """The columns of one object's rows."""

    def __init__(self, width: int, delimiter: str) -> None:
        """Prepare for rows of `width` cells."""
        self.width, self._delimiter = width, delimiter
        self._names = [str(number) for number in range(width)]
        self._convert = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False, check_utf8=False
        )
        # One row more than the text has: if the text's last record is open, it swallows this one.
        self._last_row = b"x" + delimiter.encode() * (width - 1) + b"\n"

    def parse(self, text: bytes, place: int, records: RecordRanges) -> tuple[Columns, dict[int, str]] | None:
        """Read records by pyarrow.

        Args:
            text: Valid UTF-8.
            place: Where in it the first record begins, or blank lines before it.
            records: What is read, up to `records.end`.

        Returns:
            Columns and errors by row; None if pyarrow finds other records there.
        """
        ragged: list[int] = []
        try:
            table = self._read(text, place, records.end, ragged)
        except pa.ArrowInvalid:
            return None
        if table.num_rows + len(ragged) != len(records) + 1 or len(records) in ragged:
            return None
        columns = [single_chunk(column).slice(0, table.num_rows - 1).cast(pa.string_view()) for column in table.columns]
        if not ragged:
            return columns, {}
        ranges = zip(records.starts[ragged].tolist(), records.lengths[ragged].tolist(), strict=True)
        found = [
            Row(start, start + length, parse_row(text[start : start + length], self._delimiter))
            for start, length in ranges
        ]
        others, errors = self.columns(found)
        order = _interleave(len(records), ragged)
        joined = [take(pa.concat_arrays(pair), order) for pair in zip(columns, others, strict=True)]
        return joined, {ragged[place]: error for place, error in errors.items()}

    def _read(self, text: bytes, low: int, high: int, ragged: list[int]) -> pa.Table:
        body = b"".join([memoryview(text)[low:high], b"" if text.endswith(b"\n", low, high) else b"\n", self._last_row])

        def note(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append(row.number - 1)
            return "skip"

        return pyarrow.csv.read_csv(
            pa.BufferReader(body),
            read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=self._names, block_size=len(body) + 1),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=self._convert,
        )

    def columns(self, rows: Sequence[Row]) -> tuple[Columns, dict[int, str]]:
        """Return the columns and errors of rows whose cells were read by `csv`."""
        errors = {place: row.error for place, row in enumerate(rows) if row.error}
        cells = [row.cells or [] for row in rows]
        for place, row in enumerate(cells):
            if len(row) > self.width:
                errors[place] = f"too_many_columns: {len(row)} cells, but the header has {self.width}"
        return [
            pa.array([row[column] if column < len(row) else None for row in cells], pa.string_view())
            for column in range(self.width)
        ], errors


def _interleave(rows: int, ragged: Sequence[int]) -> Indices:
    """Return for each row its place among the others, the ragged ones behind all."""
    order = np.empty(rows, np.int64)
    chosen = np.zeros(rows, np.bool_)
    chosen[ragged] = True
    order[~chosen] = np.arange(rows - len(ragged))
    order[chosen] = np.arange(rows - len(ragged), rows)
    return order
