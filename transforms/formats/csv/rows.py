"""CSV by Python's `csv`, whose reading is the one that pyarrow's parser must agree with.

A record ends at a line's end outside of quotes (LF or CRLF; a lone CR is a character of its cell). Quotes that are
never closed would make one record of all that follows: beyond `max_record`, or at the end of the object, the line in
which they were opened becomes a record with an error, and reading goes on at the next line.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from transforms.formats.csv.dialect import Dialect
from transforms.formats.encoding import whole_characters
from transforms.formats.record_errors import UNCLOSED_QUOTE, record_too_long

csv.field_size_limit(sys.maxsize)  # ours is `max_record`; the library's own is 128 KiB
_PRIVATE_USE = range(0xE000, 0xF8FF)
_ESCAPED = re.compile(r'\\(["\\])')
_END = "end"  # a row of our own after the last; an open record swallows it

_Range = tuple[int, int]  # where a physical line begins, and where the next does


@dataclass(frozen=True)
class Row:
    """One record.

    Attributes:
        start: Its first byte.
        end: The byte after its last, line end left out.
        cells: None for a record that can't be read.
        error: Why not.
    """

    start: int
    end: int
    cells: list[str] | None
    error: str | None = None


def parse_rows(
    text: bytes, start: int, *, dialect: Dialect, max_record: int, final: bool
) -> tuple[list[Row], int, int]:
    """Read the records of a block of lines.

    Args:
        text: Valid UTF-8.
        start: Where in it a record begins.
        dialect: How cells are written.
        max_record: The bytes that a record may have.
        final: Whether nothing follows, so that an open quote stays open.

    Returns:
        The records; the number of blank lines; and where the record begins that is open at the end (else the end).
    """
    ranges = list(_line_ranges(text, start))
    hiding = _Hiding(text, dialect)
    rows: list[Row] = []
    blank, line = 0, 0
    while line < len(ranges):
        for first, after, cells in _records(text, ranges, line, hiding):
            begin, end = ranges[first][0], _content_end(text, ranges[after - 1])
            line = after
            if cells is None and not final and len(text) - begin <= max_record:
                return rows, blank, begin
            if cells is None or end - begin > max_record:
                rows.append(_unreadable(text, begin, _content_end(text, ranges[first]), max_record))
                line = first + 1
                break  # and begin anew at the next line
            if cells:
                rows.append(Row(begin, end, cells))
            else:
                blank += 1
    return rows, blank, len(text)


def _unreadable(text: bytes, begin: int, end: int, max_record: int) -> Row:
    """Make a record of a line that is too long, or that opens a quote which stays open for too long."""
    if end - begin <= max_record:
        return Row(begin, end, None, UNCLOSED_QUOTE)
    kept = whole_characters(text[begin : begin + max_record])
    return Row(begin, begin + kept, None, record_too_long(max_record))


def parse_row(record: bytes, dialect: Dialect) -> list[str]:
    """Return the cells of one record."""
    hiding = _Hiding(record, dialect)
    return next(hiding.read(hiding.line(record, line_range) for line_range in _line_ranges(record, 0)), [])


def header_row(text: bytes, start: int, dialect: Dialect) -> tuple[list[str] | None, int]:
    """Return the cells of the record at a place (None if a quote stays open), and where the next begins."""
    hiding = _Hiding(text, dialect)
    end, is_open = start, False

    def feed() -> Iterator[str]:
        nonlocal end, is_open
        for line_range in _line_ranges(text, start):
            end = line_range[1]
            yield hiding.line(text, line_range)
        is_open = True
        yield _END

    cells = next(hiding.read(feed()))
    return None if is_open else cells, end


def header_names(cells: Sequence[str]) -> list[str]:
    """Make column names of a header's cells: blank ones are called `column_N`, and doubled ones get a number.

    NUL becomes U+FFFD: Arrow's C data interface ends a name there, so that two names could become one.
    """
    cells = [cell.replace("\0", "\ufffd") for cell in cells]
    names: dict[str, None] = {}
    taken = set(cells)
    for number, cell in enumerate(cells, 1):
        name = base = cell if cell.strip() else f"column_{number}"
        count = 1
        while name in names or (name != cell and name in taken):
            count += 1
            name = f"{base}_{count}"
        names[name] = None
    return list(names)


def own_cells(cells: Sequence[str]) -> list[str]:
    """Return the cells of a header without the mark of a comment before the first name: `#time` is called `time`."""
    first = cells[0].lstrip("#").lstrip(" ") if len(cells) > 1 and cells[0].startswith("#") else ""
    return [first or cells[0], *cells[1:]] if cells else []


def _line_ranges(text: bytes, start: int) -> Iterator[_Range]:
    while start < len(text):
        end = text.find(b"\n", start) + 1 or len(text)
        yield start, end
        start = end


def _content_end(text: bytes, line_range: _Range) -> int:
    """Return where a line's end begins: LF, CRLF, or a CR that is the last byte of all."""
    start, end = line_range
    if text.endswith(b"\n", start, end):
        end -= 1
    return end - 1 if text.endswith(b"\r", start, end) else end


def _records(
    text: bytes, ranges: Sequence[_Range], line: int, hiding: _Hiding
) -> Iterator[tuple[int, int, list[str] | None]]:
    """Yield records from a line on: first line, line after the last, and cells (None where it is open at the end)."""
    lines = (hiding.line(text, line_range) for line_range in ranges[line:])
    reader = csv.reader(chain(lines, [_END]), **hiding.dialect)
    first, count = line, len(ranges)
    for cells in reader:
        after = line + reader.line_num
        if after <= count:
            yield first, after, hiding.show(cells)
        elif first < count:
            yield first, count, None
        first = after


class _Hiding:
    """Hides what `csv` would take for a line's end, or refuse: lone CRs, NUL before Python 3.11, and escaped quotes."""

    def __init__(self, text: bytes, dialect: Dialect) -> None:
        """Choose characters that the text lacks."""
        self._dialect = dialect
        self._table: dict[int, str] = {}
        self._escaped: dict[str, str] = {}
        alone = b"\0" in text or (b"\r" in text and text.count(b"\r") != text.count(b"\r\n"))
        escapes = dialect.backslashes and b"\\" in text
        if alone or escapes:
            used = text.decode()
            free = (chr(code) for code in _PRIVATE_USE if chr(code) not in used and chr(code) != dialect.delimiter)
            self._table = {ord("\r"): next(free), 0: next(free)}
            self._escaped = {'"': next(free), "\\": next(free)} if escapes else {}
        self._back = {ord(substitute): chr(code) for code, substitute in self._table.items()}
        self._back |= {ord(substitute): character for character, substitute in self._escaped.items()}

    def line(self, text: bytes, line_range: _Range) -> str:
        """Return a line as `csv` is to see it, with its end."""
        end = _content_end(text, line_range)
        line = text[line_range[0] : end].decode()
        if self._escaped:
            line = _ESCAPED.sub(lambda match: self._escaped[match[1]], line)
        return (line.translate(self._table) if self._table else line) + (
            "\r\n" if text.startswith(b"\r", end) else "\n"
        )

    def show(self, cells: list[str]) -> list[str]:
        """Put back what was hidden."""
        return [cell.translate(self._back) for cell in cells] if self._back else cells

    @property
    def dialect(self) -> dict[str, Any]:
        """How `csv` is to read what it sees."""
        return {"delimiter": self._dialect.delimiter, "skipinitialspace": self._dialect.trims}

    def read(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Yield the cells of records."""
        return map(self.show, csv.reader(lines, **self.dialect))
