"""The rows of one object's CSV: its header, then blocks of lines to blocks of records.

pyarrow's block parser reads what it can, Python's `csv` the rest; they agree on every reading, also of quotes that
stand in the middle of a cell or are followed by more text. Where a record ends is proved, not guessed: of a block of
lines, pyarrow must find one record a line. If it does not, there are newlines in quotes: quotes are paired, each must
stand where one can open or close, and pyarrow must find the records that this makes. If that fails too, `csv` reads the
rest of the block.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from transforms.arrow import Indices
from transforms.arrow.strings import view_array
from transforms.formats.csv.cells import Cells, ParsedRows
from transforms.formats.csv.dialect import Dialect
from transforms.formats.csv.records import RecordRanges, can_be_fast, line_records, quoted_records
from transforms.formats.csv.rows import header_names, header_row, own_cells, parse_rows
from transforms.formats.lines import DroppedBytes, Lines, line_blocks, raw_from, split_lines
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MAX_CELLS, MAX_ROWS, RecordBlock, make_records
from transforms.formats.record_errors import INVALID_TEXT

TimesOf = Callable[[Mapping[str, pa.Array]], dict[str, pa.Array]]


class Table:
    """One object: its header, and how its rows are read."""

    def __init__(
        self,
        options: FormatOptions,
        times_of: TimesOf,
        *,
        dialect: Dialect,
        names: Sequence[str] | None = None,
        fast: bool = True,
    ) -> None:
        """Prepare for an object, or for a part of it.

        Args:
            options: How to read.
            times_of: Makes `_time` and `_time_source` of attributes by name.
            dialect: How the object writes CSV.
            names: The columns, if what is read lies behind the header.
            fast: Whether to try pyarrow's parser, which takes a millisecond to begin.
        """
        self._options = options
        self._times_of = times_of
        self._fast = fast
        self._dialect = dialect
        self._skip = dialect.skipped if names is None else 0
        self._cells: Cells | None = None
        self.names: list[str] = []
        self.header = self.blank = self.cut = 0  # lines, and bytes cut of them, that no block has counted yet
        self.slowly = 0  # bytes that only Python's `csv` could read
        if names is not None:
            self._set_header(names)
        elif options.headers is not None:
            self._set_header(header_names(options.headers))

    def read(self, chunks: Iterator[bytes]) -> Iterator[RecordBlock]:
        """Yield the rows of UTF-8; a record that is open when the stream breaks is left out."""
        rest, dropped = b"", DroppedBytes()
        for block in line_blocks(chunks, max_record=self._options.max_record, dropped=dropped):
            self.cut += dropped.take()
            rest = yield from self.rows(rest + block if rest else block, final=False)
        if rest:
            yield from self.rows(rest, final=True)
        if self.header or self.blank:
            yield self._block(ParsedRows([]), np.arange(0), np.arange(0), {})

    def rows(self, raw: bytes, *, final: bool) -> Generator[RecordBlock, None, bytes]:
        """Yield the rows of whole lines, and return the bytes of a record that is open at their end."""
        raw = self._without_skipped(raw)
        lines = split_lines(raw, max_record=self._options.max_record)
        self.cut += lines.cut  # the record that stays open has none of it: it is not longer than a record may be
        place = 0 if self._cells else self._find_header(lines, final=final)
        if place is None:
            return raw
        if self._cells:
            place = yield from self._records(lines, self._cells, place, final=final)
        return raw_from(raw, lines, place)

    def _block(
        self,
        parsed: ParsedRows,
        starts: Indices,
        lengths: Indices,
        bad: dict[int, int],
        text: bytes = b"",
    ) -> RecordBlock:
        """Make a block of records, with the lines that were passed over since the last one."""
        rows = len(starts)
        named = zip(self.names, parsed.columns, strict=False)
        fields = {name: column for name, column in named if column.null_count < rows}
        times = self._times_of(fields) if rows else {}
        all_errors = {**dict.fromkeys(bad, INVALID_TEXT), **parsed.errors}
        messages = view_array(text, starts, lengths)
        records = make_records(messages, all_errors, fields, times, rescued=parsed.rescued)
        block = RecordBlock(
            records=records, blank=self.blank, header=self.header, replaced=sum(bad.values()), cut=self.cut
        )
        self.blank = self.header = self.cut = 0
        return block

    def _without_skipped(self, raw: bytes) -> bytes:
        start = 0
        while self._skip and start < len(raw):
            start = raw.find(b"\n", start) + 1 or len(raw)
            self._skip -= 1
            self.header += 1
        return raw[start:]

    def _set_header(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._cells = Cells(len(names), self._dialect)

    def _find_header(self, lines: Lines, *, final: bool) -> int | None:
        """Take the header from the first record; return where the rows begin, None if that needs more of the stream."""
        if not len(lines):
            self.blank += lines.blank
            return len(lines.text)
        start = int(lines.starts[0])
        limit = start + self._options.max_record
        cells, end = header_row(lines.text, start, self._dialect)
        if cells is None and not final and len(lines.text) <= limit:
            return None
        if cells is None or end - len(b"\n") > limit:  # a quote that is never closed: take the line as it stands
            end = start + int(lines.lengths[0])
            cells = lines.text[start:end].decode().split(self._dialect.delimiter)
            end = lines.text.find(b"\n", end) + 1 or len(lines.text)
        self._set_header(header_names(own_cells(cells)))
        self.blank += lines.text.count(b"\n", 0, start)
        self.header += lines.text.count(b"\n", start, end) + (not lines.text.endswith(b"\n", start, end))
        return end

    def _records(self, lines: Lines, cells: Cells, place: int, *, final: bool) -> Generator[RecordBlock, None, int]:
        """Yield the rows from a place on, and return where the record begins that is open at the end."""
        end = len(lines.text)
        if place < end and self._fast and can_be_fast(lines, self._dialect):
            place = yield from self._confirmed(lines, cells, place, line_records(lines, place))
            ranges = quoted_records(lines, place, self._dialect.delimiter) if place < end else None
            if ranges is not None and self._are_short(ranges, end):
                place = yield from self._confirmed(lines, cells, place, ranges)
                if place == ranges.end and not final:
                    return place
        if place < end:
            place = yield from self._by_csv(lines, cells, place, final=final)
        return place

    def _are_short(self, ranges: RecordRanges, end: int) -> bool:
        limit = self._options.max_record
        return end - ranges.end <= limit and not (ranges.lengths > limit).any()

    def _confirmed(
        self, lines: Lines, cells: Cells, place: int, ranges: RecordRanges
    ) -> Generator[RecordBlock, None, int]:
        """Yield records as long as pyarrow finds them where they are proposed; return where that ends."""
        step = max(1, min(MAX_ROWS, MAX_CELLS // cells.width))
        for low in range(0, len(ranges), step):
            part = ranges.slice(low, low + step)
            found = cells.parse(lines.text, place, part)
            if found is None:
                return place
            self.blank += part.blank
            yield self._block(found, part.starts, part.lengths, _bad(lines, part.starts, part.end), lines.text)
            place = part.end
        if not len(ranges):
            self.blank += ranges.blank
        return ranges.end

    def _by_csv(self, lines: Lines, cells: Cells, place: int, *, final: bool) -> Generator[RecordBlock, None, int]:
        """Yield the rows by Python's `csv`, and return where the record begins that is open at the end."""
        options = self._options
        rows, blank, end = parse_rows(
            lines.text, place, dialect=self._dialect, max_record=options.max_record, final=final
        )
        self.blank += blank
        self.slowly += end - place
        step = max(1, min(MAX_ROWS, MAX_CELLS // cells.width))
        for low in range(0, len(rows), step):
            part = rows[low : low + step]
            starts = np.array([row.start for row in part])
            lengths = np.array([row.end for row in part]) - starts
            after = rows[low + step].start if low + step < len(rows) else end
            yield self._block(cells.columns(part), starts, lengths, _bad(lines, starts, after), lines.text)
        return end


def _bad(lines: Lines, starts: Indices, end: int) -> dict[int, int]:
    """Return how many bad byte sequences were replaced in each of the adjacent records before `end`."""
    counts: dict[int, int] = {}
    if lines.bad is None:
        return counts
    for line in np.flatnonzero(lines.bad).tolist():
        start = int(lines.starts[line])
        if len(starts) and starts[0] <= start < end:
            record = int(np.searchsorted(starts, start, side="right")) - 1
            counts[record] = counts.get(record, 0) + int(lines.bad[line])
    return counts
