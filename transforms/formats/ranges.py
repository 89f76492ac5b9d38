"""Reading an object in ranges, each by another worker: where one can begin, what is in it, and its records.

Only what is line by line can be cut. That a cut stands between two records is proved: the range before it must end with
a whole record when it is read from its own beginning, and the first begins where the object does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from transforms.formats import FORMATS
from transforms.formats.format import RangeReader
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import RecordBlock
from transforms.formats.transcoding import choose_encoding, ends_lines_like_ascii


def can_be_cut(head: bytes, format_name: str, options: FormatOptions) -> bool:
    """Whether an object may be read in ranges, as far as its first `HEAD_BYTES` (or all there are) show."""
    ranges = FORMATS[format_name].reader.ranges
    if ranges is None or options.join_partial or not ranges.allows(options):
        return False
    if head.startswith(b"\0") or b"\n" not in head:
        return False
    return ends_lines_like_ascii(choose_encoding(head, options.encoding).name)


def record_start(window: bytes, head: bytes, format_name: str, options: FormatOptions) -> int | None:
    """Return where in some bytes of an object, but for its first ones, a record can begin; None if nowhere.

    For CSV it is a guess by the rows that follow (`count_records` proves it); else it is the first line that begins
    there.
    """
    first = window.find(b"\n") + 1
    start = _ranges(format_name).start
    return start(window, head, options) if first and start else first or None


def count_records(
    head: bytes, chunks: Iterator[bytes], format_name: str, options: FormatOptions, *, first: bool, last: bool
) -> int | None:
    """Count the records of a range.

    Args:
        head: The object's first `HEAD_BYTES`.
        chunks: The range.
        format_name: A format that `can_be_cut` allowed.
        options: How it is read.
        first: Whether the range begins with the object.
        last: Whether it ends with it.

    Returns:
        None where it does not end with a whole record, or is not line by line after all.
    """
    return _ranges(format_name).count(head, chunks, options, first=first, last=last)


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
    times = ObjectTimes(modified=modified, received=received)
    return _ranges(format_name).read(head, chunks, options, times)


def _ranges(format_name: str) -> RangeReader:
    ranges = FORMATS[format_name].reader.ranges
    if ranges is None:
        raise ValueError(f"objects of the format {format_name} are read in one piece")
    return ranges
