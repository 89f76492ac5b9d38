"""The first records of CSV, and the dialect that they show: what is looked at before an object is read."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from transforms.formats.csv.dialect import Dialect
from transforms.formats.csv.flow_logs import is_flow_log_header
from transforms.formats.csv.rows import Row, parse_rows
from transforms.formats.encoding import utf8, with_line_feeds
from transforms.formats.options import FormatOptions

SAMPLE_BYTES = 64 << 10
_FIRST_TRY = 8 << 10  # bytes, mostly enough for the records that are looked at
_RECORDS = 100
# Excel's: https://support.microsoft.com/office/import-or-export-text-txt-or-csv-files
SEPARATOR_LINE = re.compile(rb'"?sep=([^"\r\n])"?[ \t]*\r?(?:\n|$)', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class FirstRecords:
    """The beginning of an object.

    Attributes:
        dialect: How it writes CSV.
        text: Valid UTF-8.
        rows: Its first records, each with its place in the text; those left out that can't be read.
    """

    dialect: Dialect
    text: bytes
    rows: Sequence[Row]

    @property
    def cells(self) -> list[list[str]]:
        """The cells of each record."""
        return [row.cells for row in self.rows if row.cells]

    def lines_before(self, record: int) -> int:
        """Return how many physical lines stand before a record."""
        return self.text.count(b"\n", 0, self.rows[record].start)


def sample_text(head: bytes) -> bytes:
    """Return the sample that an object's first bytes hold, as valid UTF-8."""
    text = b"".join(with_line_feeds(utf8([head[:SAMPLE_BYTES]])))
    return text.decode("utf-8", "replace").encode()


def first_records(text: bytes, options: FormatOptions, *, whole: bool) -> FirstRecords:
    """Look at the first records of an object.

    Args:
        text: Its first 64 KiB as valid UTF-8.
        options: How it is to be read.
        whole: Whether that is all of it, so that its last record is complete.
    """
    start = _after_lines(text, options.skip_rows)
    dialect = Dialect(delimiter=options.delimiter, skipped=options.skip_rows)
    if separator := SEPARATOR_LINE.match(text, start):
        own = separator[1].decode("latin-1") if options.delimiter == "," and separator[1].isascii() else None
        dialect = replace(dialect, skipped=dialect.skipped + 1, delimiter=own or dialect.delimiter)
        start = separator.end()
    if b'\\"' in text:
        dialect = replace(dialect, backslashes=_has_backslashes(text[start:].decode(), dialect.delimiter))
    rows = _records(text, start, dialect, whole=whole)
    if dialect.delimiter != " " and _begin_with_blanks(
        [row.cells or [] for row in rows], has_header=not options.headers
    ):
        dialect = replace(dialect, trims=True)
        rows = _records(text, start, dialect, whole=whole)
    cells = [row.cells or [] for row in rows]
    width, below = (len(options.headers), cells) if options.headers else (len(cells[0]) if cells else 0, cells[1:])
    dialect = replace(
        dialect,
        trailing=_end_with_delimiters(below, width),
        flow_log=bool(cells) and not options.headers and is_flow_log_header(cells[0]),
    )
    return FirstRecords(dialect=dialect, text=text, rows=rows)


def _end_with_delimiters(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether nearly all rows have one empty cell more than the header."""
    return bool(rows) and sum(len(row) == width + 1 and row[-1] == "" for row in rows) > len(rows) * 0.9


def _after_lines(text: bytes, count: int) -> int:
    start = 0
    for _ in range(count):
        start = text.find(b"\n", start) + 1 or len(text)
    return start


def _records(text: bytes, start: int, dialect: Dialect, *, whole: bool) -> list[Row]:
    rows: list[Row] = []
    for size in (start + _FIRST_TRY, len(text)):
        complete = whole and size >= len(text)
        part = text if complete else text[: text.rfind(b"\n", 0, size) + 1]
        if len(part) > start:
            found, _, _ = parse_rows(part, start, dialect=dialect, max_record=SAMPLE_BYTES, final=complete)
            rows = [row for row in found if row.cells]
        if len(rows) >= _RECORDS or size >= len(text):
            break
    return rows[:_RECORDS]


def _begin_with_blanks(rows: Sequence[Sequence[str]], *, has_header: bool) -> bool:
    """Whether each cell but the first begins with a blank: in the header, or in all rows below it, two at least."""
    led = [all(cell.startswith(" ") for cell in row[1:] if cell) and any(row[1:]) for row in rows]
    below = led[has_header:]
    return (has_header and any(led[:1])) or (len(below) > 1 and all(below))


def _has_backslashes(text: str, delimiter: str) -> bool:
    r"""Whether `\"` is a quote: only so are the records well-formed, and all of one width."""
    return not _is_regular(text, delimiter, None) and _is_regular(text, delimiter, "\\")


def _is_regular(text: str, delimiter: str, escape: str | None) -> bool:
    lines = (f"{line}\n" for line in text.split("\n"))  # not what else `splitlines` takes for a line's end
    reader = csv.reader(lines, delimiter=delimiter, escapechar=escape, strict=True, skipinitialspace=True)
    widths: set[int] = set()
    try:
        for row in reader:
            widths.add(len(row))
            if reader.line_num > _RECORDS:
                break
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return False
    return len(widths - {0}) <= 1
