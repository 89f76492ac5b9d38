"""Reading an object in ranges, each by another worker: where one can begin, what is in it, and its records.

Only what is line by line can be cut. That a cut stands between two records is proved: the range before it must end with
a whole record when it is read from its own beginning, and the first begins where the object does.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from datetime import datetime

from transforms.formats import text_format
from transforms.formats.csv import csv_format as csv_format
from transforms.formats.csv.ranges import count_rows, likely_row
from transforms.formats.json import json_format as json_format
from transforms.formats.line_counts import count_json, count_text
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock
from transforms.formats.times import Clock

HEAD_BYTES = csv_format.HEAD_BYTES
"""How much of an object's beginning tells how the rest is read."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_READERS: dict[str, Callable[[bytes, Iterator[bytes], FormatOptions, Clock], Iterator[RecordBlock]]] = {
    "csv": csv_format.read_range,
    "json": lambda head, chunks, options, clock: json_format.read(chunks, options, clock),  # noqa: ARG005  a line stands for itself
    "text": text_format.read_range,
}


def can_be_cut(head: bytes, format_name: str, options: FormatOptions) -> bool:
    """Whether an object may be read in ranges, as far as its head tells.

    Args:
        head: Its first `HEAD_BYTES`, or all there are.
        format_name: A name of `FORMATS`.
        options: How it is read.
    """
    return (
        format_name in _READERS
        and not head.startswith(_UTF16)
        and b"\n" in head
        and options.multiline_start is None
        and options.records_path is None
    )


def record_start(window: bytes, head: bytes, format_name: str, options: FormatOptions) -> int | None:
    """Return where in some bytes of an object, but for its first ones, a record can begin; None if nowhere.

    For CSV it is a guess by the rows that follow (`count_records` proves it); else it is the first line that begins
    there.
    """
    first = window.find(b"\n") + 1
    if not first:
        return None
    return likely_row(window, head, options) if format_name == "csv" else first


def count_records(
    head: bytes, chunks: Iterator[bytes], format_name: str, options: FormatOptions, *, first: bool, last: bool
) -> int | None:
    """Count the records of a range.

    Args:
        head: The object's first `HEAD_BYTES`.
        chunks: The range.
        format_name: A name of `FORMATS` that `can_be_cut` was asked about.
        options: How it is read.
        first: Whether the range begins with the object.
        last: Whether it ends with it.

    Returns:
        None where it does not end with a whole record, or is not line by line after all.
    """
    if format_name == "csv":
        return count_rows(head, chunks, options, first=first, last=last)
    return (count_json if format_name == "json" else count_text)(chunks, options, first=first)


def read_range(
    head: bytes,
    chunks: Iterator[bytes],
    format_name: str,
    options: FormatOptions,
    *,
    modified: datetime,
    received: datetime,
) -> Iterator[RecordBlock]:
    """Yield the records of a range that is not the object's first, as `read_records` gives them for the whole."""
    return _READERS[format_name](head, chunks, options, Clock(modified=modified, received=received))
