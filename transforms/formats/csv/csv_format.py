"""The records of CSV, of a whole object or of a range of its rows.

What an object's first bytes show holds for all of it: its encoding, the names of its columns, and which of them has the
time if none is named for it. They are looked at by themselves, so that neither the size of blocks nor the part that is
read changes what is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pyarrow as pa

from transforms.core import schema
from transforms.core.peeking import peek
from transforms.formats.csv.dialect import Dialect
from transforms.formats.csv.first_records import SAMPLE_BYTES, first_records, sample_text
from transforms.formats.csv.flow_logs import flow_log_times
from transforms.formats.csv.table import Table, TimesOf
from transforms.formats.encoding import utf8, utf8_within, with_line_feeds
from transforms.formats.format import HEAD_BYTES
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import RecordBlock
from transforms.formats.times import RecordTimes

# bytes, mostly enough for the rows that are sampled; Python's csv has read so many before pyarrow is ready
_FIRST_TRY = 16 << 10
_SAMPLED = 100  # rows


def read(chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
    """Yield the rows of an object."""
    head, stream = peek(chunks, HEAD_BYTES)
    dialect = dialect_of(head, options)
    table = Table(options, _times(head, options, times, dialect), dialect=dialect)
    yield from table.read(with_line_feeds(utf8(stream)))


def read_range(
    head: bytes, chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes
) -> Iterator[RecordBlock]:
    """Yield the rows of a part of an object that lies behind its header, as `read` gives them for the whole.

    Args:
        head: The object's first `HEAD_BYTES` decoded bytes, or all there are.
        chunks: The part's bytes; it begins where a record does. (The first part is for `read`, and has the whole head.)
        options: How to read.
        times: What times are read against.

    Raises:
        ValueError: The header does not end within the head, so that the object can't be read in parts.
    """
    names = column_names(head, options)
    if not names:
        raise ValueError(f"no header of CSV in the first {len(head)} bytes: the object can't be read in parts")
    dialect = dialect_of(head, options)
    table = Table(options, _times(head, options, times, dialect), dialect=dialect, names=names)
    text = b"".join(utf8([head]))
    yield from table.read(with_line_feeds(utf8_within(head, chunks), head=text))


def column_names(head: bytes, options: FormatOptions) -> list[str]:
    """Return the names of an object's columns by its first `HEAD_BYTES`; none if its header does not end there."""
    return _sample(head, options)[0]


def dialect_of(head: bytes, options: FormatOptions) -> Dialect:
    """Return how an object writes CSV, by its first `HEAD_BYTES`."""
    return first_records(sample_text(head), options, whole=len(head) < min(SAMPLE_BYTES, HEAD_BYTES)).dialect


def _times(head: bytes, options: FormatOptions, times: ObjectTimes, dialect: Dialect) -> TimesOf:
    """Return what finds the times of an object's rows, by their fields or the column that its first rows show."""
    found = RecordTimes(options, times, csv=True)
    if dialect.flow_log:
        return lambda fields: found.columns(flow_log_times(fields))
    return partial(found.columns, first_rows=lambda: _sample(head, options)[1])


def _sample(head: bytes, options: FormatOptions) -> tuple[list[str], dict[str, pa.Array]]:
    """Return the names of an object's columns, and those of its first rows that have a value."""
    text = b"".join(with_line_feeds(utf8([head])))
    names: list[str] = []
    dialect = dialect_of(head, options)
    rows = pa.table({})
    for size in (_FIRST_TRY, len(text)):
        final = len(head) < HEAD_BYTES and size >= len(text)
        table = Table(options, lambda _: {}, dialect=dialect, fast=size > _FIRST_TRY)
        found = [
            block.records
            for block in table.rows(text if final else text[: text.rfind(b"\n", 0, size) + 1], final=final)
        ]
        names, rows = table.names, pa.concat_tables(map(pa.table, found), promote_options="default") if found else rows
        if rows.num_rows >= _SAMPLED or size >= len(text):
            break
    have = dict(zip(rows.column_names, rows.columns, strict=True))
    columns = {name: have.get(schema.attribute_column(name)) for name in names}
    return names, {name: column[:_SAMPLED].combine_chunks() for name, column in columns.items() if column is not None}
