"""CSV in ranges: where a row is likely to begin, and how many there are between two such places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from transforms.formats.csv.csv_format import column_names, dialect_of
from transforms.formats.csv.dialect import Dialect
from transforms.formats.csv.rows import parse_rows
from transforms.formats.csv.table import Table
from transforms.formats.encoding import is_utf8, utf8, with_line_feeds
from transforms.formats.lines import line_blocks
from transforms.formats.options import FormatOptions

_TRIED = 100  # lines
_MOST_SLOWLY = 8 << 20  # bytes
_ROWS = 20  # that must look right after a place


def likely_row(window: bytes, head: bytes, options: FormatOptions) -> int | None:
    """Return where the first line begins behind which rows have as many cells as the header; None if none does."""
    text = window[: window.rfind(b"\n") + 1]
    places = islice(_line_starts(text), _TRIED)
    if not is_utf8(text):  # a row of such can't be looked at; whether the first line is one, the counting shows
        return next(places, None)
    width, dialect = len(column_names(head, options)), dialect_of(head, options)
    return next((place for place in places if _looks_right(text, place, width, dialect, options)), None)


def _line_starts(text: bytes) -> Iterator[int]:
    place = text.find(b"\n") + 1
    while place:
        yield place
        place = text.find(b"\n", place) + 1


def _looks_right(text: bytes, place: int, width: int, dialect: Dialect, options: FormatOptions) -> bool:
    end = place
    for _ in range(_ROWS):
        end = text.find(b"\n", end) + 1 or len(text)
    rows, _, _ = parse_rows(text[:end], place, dialect=dialect, max_record=options.max_record, final=False)
    right = all(row.cells is not None and len(row.cells) == width + dialect.trailing for row in rows)
    return right and (bool(rows) or place == len(text))


def count_rows(head: bytes, chunks: Iterator[bytes], options: FormatOptions, *, first: bool, last: bool) -> int | None:
    """Count the rows of a range; None if it ends within one.

    Args:
        head: The object's first `HEAD_BYTES`.
        chunks: The range, from a row's beginning on.
        options: How to read.
        first: Whether it begins with the object, and so with the header.
        last: Whether it ends with the object.
    """
    names = None if first else column_names(head, options)
    if names == []:
        return None
    table = Table(options, lambda _: {}, dialect=dialect_of(head, options), names=names)
    rest, count = b"", 0
    for block in line_blocks(
        with_line_feeds(utf8(chunks) if first else chunks, head=head), max_record=options.max_record
    ):
        if table.slowly + len(rest) > _MOST_SLOWLY:  # reading it twice would cost more than it saves
            return None
        rows = table.rows(rest + block if rest else block, final=False)
        while True:
            try:
                count += next(rows).records.num_rows
            except StopIteration as end:
                rest = end.value
                break
    if not rest:
        return count
    return count + sum(block.records.num_rows for block in table.rows(rest, final=True)) if last else None
