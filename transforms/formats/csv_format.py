"""CSV (RFC 4180 and what is written in its name): a row is an event, its cells are attributes by the header (spec §4.3).

pyarrow's block parser reads what it can, Python's `csv` the rest (`csv_rows`); they agree on every reading, also of quotes that stand in the
middle of a cell or are followed by more text. Where a record ends is proved, not guessed: of a block of lines, with a last row of our own,
pyarrow must give one row a line. If it does not, there are newlines in quotes: quotes are paired, each must stand where a quote can open or
close, and it must give one row for each record that makes. If that fails too, `csv` reads the rest of the block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from transforms import schema
from transforms.formats.csv_rows import Row, header_names, parse_row, parse_rows
from transforms.formats.framing import Lines, line_blocks, split_lines, utf8
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MAX_CELLS, RecordBlock
from transforms.formats.record_errors import INVALID_TEXT, error_column
from transforms.formats.times import Clock, RecordTimes
from transforms.formats.views import Indices, take, view_array

_QUOTE, _LF, _CR = 34, 10, 13


def read(chunks: Iterator[bytes], options: FormatOptions, clock: Clock) -> Iterator[RecordBlock]:
    """Yield the rows of a stream."""
    return _Table(options, clock).read(chunks)


@dataclass(frozen=True)
class _Spans:
    """Records of a text: where they begin, how long they are without their line end, and blank lines between them."""

    starts: Indices
    lengths: Indices
    units: Indices  # where each record or blank line begins, in order
    end: int  # where a record that is still open begins, else the end of the text

    def blank(self, low: int, high: int) -> int:
        """Count the blank lines in a range of the text that begins and ends at records."""
        count = np.searchsorted(self.units, [low, high]) - np.searchsorted(self.starts, [low, high])
        return int(count[1] - count[0])


class _Table:
    """One object: its header, and what of it is still to come."""

    def __init__(self, options: FormatOptions, clock: Clock) -> None:
        self._options = options
        self._times = RecordTimes(options, clock, csv=True)
        self._names = None if options.headers is None else header_names(options.headers)
        self._skip = options.skip_rows
        self._header = self._blank = 0

    def read(self, chunks: Iterator[bytes]) -> Iterator[RecordBlock]:
        """Yield its rows; a record that is open when the stream breaks is left out."""
        rest = b""
        for block in line_blocks(utf8(chunks), max_record=self._options.max_record):
            rest = yield from self._block(rest + block if rest else block, final=False)
        if rest:
            yield from self._block(rest, final=True)
        if self._header or self._blank:
            yield self._finish({"_message": pa.array([], schema.TEXT)}, {}, 0, 0)

    def _block(self, block: bytes, *, final: bool):
        """Read a block, and return the bytes of a record that is still open at its end."""
        block = self._without_skipped(block)
        lines = split_lines(block, max_record=self._options.max_record)
        place = 0
        if self._names is None:
            found = self._find_header(lines, final=final)
            if found is None:
                return block
            place = found
        place = yield from self._rows(lines, place, final=final)
        return _from_line(block, lines.text, place)

    def _without_skipped(self, block: bytes) -> bytes:
        start = 0
        while self._skip and start < len(block):
            start = block.find(b"\n", start) + 1 or len(block)
            self._skip -= 1
            self._header += 1
        return block[start:] if start else block

    def _find_header(self, lines: Lines, *, final: bool) -> int | None:
        """Take the header from the first record; return where the rows begin, or None if it needs more of the stream."""
        if not len(lines):
            self._blank += lines.blank
            return len(lines.text)
        start = int(lines.starts[0])
        rows, _, end = parse_rows(
            lines.text, start, delimiter=self._options.delimiter, max_record=self._options.max_record, final=final, limit=1
        )
        if not rows:
            return None
        cells = rows[0].cells
        self._names = header_names([lines.text[rows[0].start : rows[0].end].decode()] if cells is None else cells)
        self._blank += lines.text.count(b"\n", 0, start)
        self._header += lines.text.count(b"\n", start, end) + (end == len(lines.text) and not lines.text.endswith(b"\n"))
        return end

    def _rows(self, lines: Lines, place: int, *, final: bool):
        """Yield the rows from a place on, and return where the record begins that is open at the end."""
        for spans_of in (_line_records, _quoted_records):
            spans = spans_of(lines, place, self._options) if place < len(lines.text) else None
            if spans is not None:
                place = yield from self._fast(lines, spans, place)
                if place >= spans.end and not (final and place < len(lines.text)):
                    return place
        if place < len(lines.text):
            place = yield from self._tolerant(lines, place, final=final)
        return place

    def _fast(self, lines: Lines, spans: _Spans, place: int):
        """Yield rows as long as pyarrow finds the records where `spans` has them; return where it does not, or the end."""
        step = max(1, MAX_CELLS // len(self._names))
        for low in range(0, len(spans.starts), step):
            high = min(low + step, len(spans.starts))
            end = int(spans.starts[high]) if high < len(spans.starts) else spans.end
            cells = self._cells(lines.text, place, end, high - low, spans.starts[low:high], spans.lengths[low:high])
            if cells is None:
                return place
            columns, errors = cells
            message = view_array(lines.text, spans.starts[low:high], spans.lengths[low:high])
            bad = _bad_records(lines, spans.starts[low:high], end)
            yield self._finish({"_message": message, **columns}, _with_bad(errors, bad), spans.blank(place, end), int(sum(bad.values())))
            place = end
        return spans.end

    def _cells(self, text: bytes, low: int, high: int, rows: int, starts: Indices, lengths: Indices):
        """Return columns and errors of the records in a range of a text; None if pyarrow finds other records there."""
        width, delimiter = len(self._names), self._options.delimiter
        sentinel = b"x" + delimiter.encode() * (width - 1) + b"\n"
        body = b"".join([memoryview(text)[low:high], b"" if text[high - 1 : high] == b"\n" else b"\n", sentinel])
        ragged: list[int] = []
        try:
            table = _parse(body, width, delimiter, ragged)
        except pa.ArrowInvalid:
            return None
        if table.num_rows + len(ragged) != rows + 1:
            return None
        columns = [column.combine_chunks().slice(0, table.num_rows - 1).cast(schema.TEXT) for column in table.columns]
        if not ragged:
            return dict(zip(self._columns(), columns, strict=True)), {}
        odd = [number - 1 for number in ragged]
        found = [
            Row(int(starts[i]), int(starts[i] + lengths[i]), parse_row(text[starts[i] : starts[i] + lengths[i]], delimiter)) for i in odd
        ]
        extra, errors = self._python_columns(found)
        order = _interleave(rows, odd)
        merged = {name: take(pa.concat_arrays([column, extra[name]]), order) for name, column in zip(self._columns(), columns, strict=True)}
        return merged, {odd[i]: error for i, error in errors.items()}

    def _tolerant(self, lines: Lines, place: int, *, final: bool):
        """Yield the rows by Python's `csv`, and return where the record begins that is open at the end."""
        options = self._options
        rows, blank, end = parse_rows(lines.text, place, delimiter=options.delimiter, max_record=options.max_record, final=final)
        step = max(1, MAX_CELLS // len(self._names))
        for low in range(0, len(rows), step):
            part = rows[low : low + step]
            starts = np.array([row.start for row in part])
            columns, errors = self._python_columns(part)
            bad = _bad_records(lines, starts, rows[low + step].start if low + step < len(rows) else end)
            message = view_array(lines.text, starts, np.array([row.end for row in part]) - starts)
            yield self._finish({"_message": message, **columns}, _with_bad(errors, bad), blank, sum(bad.values()))
            blank = 0
        self._blank += blank
        return end

    def _python_columns(self, rows: list[Row]) -> tuple[dict[str, pa.Array], dict[int, str]]:
        """Return the columns of records that `csv` has read, and their errors by place."""
        width = len(self._names)
        errors = {place: row.error for place, row in enumerate(rows) if row.error}
        cells = [row.cells or [] for row in rows]
        for place, row in enumerate(cells):
            if len(row) > width:
                errors[place] = f"too_many_columns: {len(row)} cells, but the header has {width}"
        columns = {
            name: pa.array([row[number] if number < len(row) else None for row in cells], schema.TEXT)
            for number, name in enumerate(self._columns())
        }
        return columns, errors

    def _columns(self) -> list[str]:
        return [schema.attribute_column(name) for name in self._names or ()]

    def _finish(self, columns: dict[str, pa.Array], errors: dict[int, str], blank: int, replaced: int) -> RecordBlock:
        rows = len(columns["_message"])
        fields = {schema.attribute_name(name): column for name, column in columns.items() if name != "_message"}
        kept = {name: column for name, column in columns.items() if name == "_message" or column.null_count < rows}
        times = self._times.columns(fields) if rows else {}
        records = pa.record_batch({**kept, **error_column(errors, rows), **times})
        block = RecordBlock(records=records, blank=blank + self._blank, header=self._header, replaced=replaced)
        self._blank = self._header = 0
        return block


def _parse(body: bytes, width: int, delimiter: str, ragged: list[int]) -> pa.Table:
    names = [str(number) for number in range(width)]

    def note(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row.number)
        return "skip"

    return pyarrow.csv.read_csv(
        pa.BufferReader(body),
        read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=len(body) + 1),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )


def _is_plain(lines: Lines, options: FormatOptions) -> bool:
    """Whether pyarrow reads such a text as `csv` does: it takes one-byte delimiters only, and a lone CR for a line's end."""
    text = lines.text
    return lines.long is None and options.delimiter.isascii() and (b"\r" not in text or text.count(b"\r") == text.count(b"\r\n"))


def _line_records(lines: Lines, place: int, options: FormatOptions) -> _Spans | None:
    """Take each line for a record."""
    if not _is_plain(lines, options):
        return None
    first = int(np.searchsorted(lines.starts, place))
    starts, lengths = lines.starts[first:], lines.lengths[first:]
    return _Spans(starts, lengths, _unit_starts(lines.text, place) if lines.blank else starts, len(lines.text))


def _unit_starts(text: bytes, place: int) -> Indices:
    ends = np.flatnonzero(np.frombuffer(text, np.uint8, offset=place) == _LF) + place + 1
    starts = np.concatenate([np.array([place]), ends])
    return starts[starts < len(text)]


def _quoted_records(lines: Lines, place: int, options: FormatOptions) -> _Spans | None:
    """Pair quotes, and take each line's end that is outside of them for a record's; None if a quote stands where it can't open or close."""
    if not _is_plain(lines, options):
        return None
    data = np.frombuffer(lines.text, np.uint8, offset=place)
    quotes = np.flatnonzero(data == _QUOTE)
    if not _are_paired(data, quotes, ord(options.delimiter)):
        return None
    ends = np.flatnonzero(data == _LF)
    ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if len(data) and data[-1] != _LF and len(quotes) % 2 == 0:
        ends = np.append(ends, len(data))
    starts = np.concatenate([np.array([0]), ends + 1])[: len(ends)]
    end = int(ends[-1]) + 1 if len(ends) else 0
    stops = ends - ((ends > starts) & (data[np.maximum(ends - 1, 0)] == _CR))
    lengths = stops - starts
    if (lengths > options.max_record).any() or len(data) - end > options.max_record:
        return None
    kept = lengths > 0
    return _Spans(starts[kept] + place, lengths[kept], starts + place, min(end + place, len(lines.text)))


def _are_paired(data: npt.NDArray[np.uint8], quotes: Indices, delimiter: int) -> bool:
    """Whether each quote stands at a cell's edge, or beside another one."""
    padded = np.concatenate([[np.uint8(_LF)], data, [np.uint8(_LF)]])
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = padded[opening], padded[closing + 2]
    doubled = np.zeros(len(opening), np.bool_)
    doubled[1:] = opening[1:] == closing[: len(opening) - 1] + 1
    opens = (before == delimiter) | (before == _LF) | doubled
    closes = (after == delimiter) | (after == _LF) | (after == _QUOTE)
    crlf = (after == _CR) & (padded[np.minimum(closing + 3, len(padded) - 1)] == _LF)
    return bool(opens.all() and (closes | crlf).all())


def _from_line(block: bytes, text: bytes, place: int) -> bytes:
    """Return the bytes of a block from the line on that begins at a place of its text (which may have other bytes where some were bad)."""
    if place >= len(text):
        return b""
    if text is block:
        return block[place:]
    line = text.count(b"\n", 0, place)
    return block if line == 0 else block[int(np.flatnonzero(np.frombuffer(block, np.uint8) == _LF)[line - 1]) + 1 :]


def _bad_records(lines: Lines, starts: Indices, end: int) -> dict[int, int]:
    """Return how many bad byte sequences were replaced in each of some records that lie one after the other up to `end`."""
    if lines.bad is None or not len(starts):
        return {}
    counts: dict[int, int] = {}
    for line in np.flatnonzero(lines.bad).tolist():
        start = lines.starts[line]
        if starts[0] <= start < end:
            record = int(np.searchsorted(starts, start, side="right")) - 1
            counts[record] = counts.get(record, 0) + int(lines.bad[line])
    return counts


def _with_bad(errors: dict[int, str], bad: dict[int, int]) -> dict[int, str]:
    return {**dict.fromkeys(bad, INVALID_TEXT), **errors}


def _interleave(rows: int, odd: list[int]) -> Indices:
    """Return for each row its place among the others, the odd ones behind all."""
    order = np.empty(rows, np.int64)
    chosen = np.zeros(rows, np.bool_)
    chosen[odd] = True
    order[~chosen] = np.arange(rows - len(odd))
    order[chosen] = np.arange(rows - len(odd), rows)
    return order
