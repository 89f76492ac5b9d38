"""CSV by Python's `csv`: whatever stands in a file has a reading here, and it is the one that pyarrow's parser must agree with.

A record ends at a line's end outside of quotes (LF or CRLF; a lone CR is a character of its cell). Quotes that are never closed would
make one record of all that follows: beyond `max_record`, or at the end of the object, the line in which they were opened becomes a
record with an error, and reading goes on at the next line.
"""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from transforms.formats.record_errors import record_too_long

UNCLOSED_QUOTE = "unclosed_quote: a cell opens with a quote that no other closes"

csv.field_size_limit(sys.maxsize)  # ours is `max_record`; the library's own is 128 KiB
_PRIVATE_USE = range(0xE000, 0xF8FF)


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
    text: bytes, start: int, *, delimiter: str, max_record: int, final: bool, limit: int = sys.maxsize
) -> tuple[list[Row], int, int]:
    """Read the records of a block of lines.

    Args:
        text: Valid UTF-8.
        start: Where in it a record begins.
        delimiter: What is between two cells.
        max_record: The bytes that a record with newlines may have.
        final: Whether nothing follows, so that an open quote stays open.
        limit: Records to read at most.

    Returns:
        The records; the number of blank lines; and where reading ended: at a record that is still open, else at the end of the text or limit.
    """
    spans = _line_spans(text, start)
    hiding = _Hiding(text.decode(), delimiter)
    rows: list[Row] = []
    blank, line = 0, 0
    while line < len(spans) and len(rows) < limit:
        for first, after, cells in _records(text, spans, line, hiding):
            begin, end = spans[first][0], _content_end(text, *spans[after - 1])
            line = after
            if cells is None and not final and len(text) - begin <= max_record:
                return rows, blank, begin
            if cells is None or end - begin > max_record:
                rows.append(_unreadable(text, begin, _content_end(text, *spans[first]), max_record))
                line = first + 1
                break  # and read on there
            if cells:
                rows.append(Row(begin, end, cells))
            else:
                blank += 1
            if len(rows) == limit:
                break
    return rows, blank, spans[line][0] if line < len(spans) else len(text)


def _unreadable(text: bytes, begin: int, end: int, max_record: int) -> Row:
    """Make a record of a line that is too long, or that opens a quote which stays open for too long."""
    if end - begin <= max_record:
        return Row(begin, end, None, UNCLOSED_QUOTE)
    kept = codecs.utf_8_decode(text[begin : begin + max_record], "replace", False)[1]
    return Row(begin, begin + kept, None, record_too_long(max_record))


def parse_row(record: bytes, delimiter: str) -> list[str]:
    """Return the cells of one record."""
    hiding = _Hiding(record.decode(), delimiter)
    return [hiding.show(cell) for cell in next(csv.reader(hiding.lines(record, _line_spans(record, 0)), delimiter=delimiter), [])]


def header_names(cells: Sequence[str]) -> list[str]:
    """Make column names of a header's cells: blank ones are called `column_N`, and doubled ones get a number."""
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


def _line_spans(text: bytes, start: int) -> list[tuple[int, int]]:
    """Return where each physical line begins, and where the next does."""
    spans = []
    while start < len(text):
        end = text.find(b"\n", start) + 1 or len(text)
        spans.append((start, end))
        start = end
    return spans


def _content_end(text: bytes, start: int, end: int) -> int:
    if end > start and text[end - 1 : end] == b"\n":
        end -= 1
    return end - 1 if end > start and text[end - 1 : end] == b"\r" else end


def _records(text: bytes, spans: Sequence[tuple[int, int]], line: int, hiding: _Hiding) -> Iterator[tuple[int, int, list[str] | None]]:
    """Yield records as (first line, line after the last, cells), from a line on; cells is None for one that is still open at the end."""
    reader = csv.reader(chain(hiding.lines(text, spans[line:]), ["end"]), delimiter=hiding.delimiter)
    first, count = line, len(spans)
    for cells in reader:
        after = line + reader.line_num
        if after <= count:
            yield first, after, [hiding.show(cell) for cell in cells]
        elif first < count:
            yield first, count, None
        first = after


class _Hiding:
    """Hides from `csv` what it would take for a line's end, or refuse: lone CRs, and NUL before Python 3.11."""

    def __init__(self, text: str, delimiter: str) -> None:
        """Choose characters that the text lacks."""
        self.delimiter = delimiter
        self._table: dict[int, str] = {}
        if "\r" in text or "\0" in text:
            free = (chr(code) for code in _PRIVATE_USE if chr(code) not in text and chr(code) != delimiter)
            self._table = {ord("\r"): next(free), 0: next(free)}
        self._back = {ord(substitute): chr(code) for code, substitute in self._table.items()}

    def hide(self, text: str) -> str:
        """Replace them in a line without its end."""
        return text.translate(self._table) if self._table else text

    def show(self, cell: str) -> str:
        """Put them back."""
        return cell.translate(self._back) if self._back else cell

    def lines(self, text: bytes, spans: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Yield lines for `csv`, each with its end."""
        for start, end in spans:
            content = _content_end(text, start, end)
            yield self.hide(text[start:content].decode()) + ("\r\n" if text[content : content + 1] == b"\r" else "\n")
