"""The records that lie before a batch of events: lines at its beginning may have the time of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pyarrow as pa

from transforms.arrow.arrays import as_series, own_memory
from transforms.core.schema import join_events
from transforms.formats import format_of, read_records
from transforms.formats.options import FormatOptions
from transforms.formats.ranges import read_range, record_start
from transforms.formats.record_block import RecordBlock
from transforms.objects.inherited_times.window import last_within

ReadBetween = Callable[[int, int], Iterator[bytes]]
"""Yields the bytes of an object from one place to another."""

LOOKED_AT = 128 << 10
"""Bytes before a range that are read at first: more where these hold no 64 KiB of messages."""
RECORD_WINDOW = 1 << 20
"""Bytes in which a record must begin; else more are read."""


def inheriting(events: pa.RecordBatch) -> str:
    """Return which of an object's events may have the time of one before them, by their format's row."""
    row = format_of(events)
    which = row.inherits if row else ""
    return which if which != "errors" or events.schema.get_field_index("_error") >= 0 else ""


def last_records(preceding: pa.RecordBatch | None, events: pa.RecordBatch) -> pa.RecordBatch | None:
    """Return what precedes the batch that follows: the last records that can still give it a time.

    Args:
        preceding: What preceded these events.
        events: Events as they were read.
    """
    last = _last(events)
    if preceding is not None and last.num_rows == events.num_rows:
        last = _last(join_events(preceding, last))
    return last if last.num_rows else None


def records_before(
    start: int,
    read: ReadBetween,
    head: bytes,
    format_name: str,
    options: FormatOptions,
    *,
    modified: datetime,
    received: datetime,
) -> pa.RecordBatch | None:
    """Return the last records before a range of an object that can give a time to its first ones; None if none can.

    Args:
        start: Where the range begins.
        read: Gives bytes of the object.
        head: Its first `HEAD_BYTES`.
        format_name: Its format.
        options: How it is read.
        modified: When it was last modified.
        received: When it is read.
    """
    size = LOOKED_AT
    while size < start:
        place = start - size
        window = b"".join(read(place, min(place + RECORD_WINDOW, start)))
        found = record_start(window, head, format_name, options)
        if found is not None:
            chunks = read(place + found, start)
            blocks = read_range(head, chunks, format_name, options, modified=modified, received=received)
            last, whole = _last_of(blocks)
            if whole:
                return last
        size *= 2
    blocks = read_records(read(0, start), format_name, options, modified=modified, received=received)
    return _last_of(blocks)[0]


def _last_of(blocks: Iterator[RecordBlock]) -> tuple[pa.RecordBatch | None, bool]:
    """Return the last records within the window, and whether there were others before them."""
    last: pa.RecordBatch | None = None
    rows = 0
    for block in blocks:
        if block.records.num_rows:
            rows += block.records.num_rows
            last = last_records(last, block.records)
    return last, rows > (last.num_rows if last is not None else 0)


def _last(events: pa.RecordBatch) -> pa.RecordBatch:
    """Return the last events that lie within the window, in memory of their own."""
    rows = last_within(as_series(events.column("_message")))
    part = events.slice(events.num_rows - rows)
    return pa.RecordBatch.from_arrays([own_memory(column) for column in part.columns], schema=part.schema)
