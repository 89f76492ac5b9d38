"""Where a range of a large object can begin and end, and how many records are in it.

It is measured before any of the object is published, so that several workers can read the object.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from transforms.core.errors import ObjectError
from transforms.formats import read_records
from transforms.formats.ranges import can_be_cut, count_records, read_range, record_start
from transforms.objects.parts import read_head
from transforms.objects.reading import Reading, ReadSettings
from transforms.objects.yearless_stamps import stretches_of
from transforms.storage import ObjectInfo, ObjectStore
from transforms.timestamps.years.stretches import Stretch

WINDOW = 1 << 20
"""Bytes behind a proposed offset in which a record must begin."""


@dataclass(frozen=True, kw_only=True)
class MeasuredRange:
    """A range that begins and ends between two records.

    Attributes:
        start, end: Its first byte and the one behind its last; equal where a record reaches over all of the proposed
            range.
        records: The records in it.
        bytes_read: What was read to find that out.
        stretches: Those of its stamps, where the object has stamps without a year.
    """

    start: int
    end: int
    records: int
    bytes_read: int
    stretches: tuple[Stretch, ...] = ()


def measure_range(
    info: ObjectInfo, store: ObjectStore, settings: ReadSettings, *, start: int, end: int
) -> MeasuredRange | None:
    """Move the ends of a range to the next ends of records, and count the records between them.

    Returns:
        None where the object can't be cut there: by what it is, or because what is read up to the end leaves a record
        open.
    """
    try:
        return _Measuring(info, store, settings).measure(start, end)
    except ObjectError:  # reading it in one piece reports what is wrong with it
        return None


class _Measuring:
    def __init__(self, info: ObjectInfo, store: ObjectStore, settings: ReadSettings) -> None:
        self._info, self._store = info, store
        self._raw_head = read_head(info, store)
        self._read = len(self._raw_head)
        self._reading = reading = Reading(info, settings, received=datetime.now(timezone.utc))
        self._head = reading.choose(self._raw_head)
        assert reading.codec is not None and reading.format is not None
        self._options = reading.formats
        self._format = reading.format.format if reading.codec.name == "none" else None

    def measure(self, start: int, end: int) -> MeasuredRange | None:
        if self._format is None or not can_be_cut(self._raw_head, self._format, self._options):
            return None
        first, last = self._record_start(start), self._record_start(end)
        if first is None or last is None:
            return None
        if first >= last:
            return MeasuredRange(start=last, end=last, records=0, bytes_read=self._read)
        chunks = self._reading.as_utf8(self._store.read(self._info, start=first, end=last))
        records = count_records(
            self._head, chunks, self._format, self._options, first=first == 0, last=last == self._info.size
        )
        if records is None:
            return None
        self._read += last - first
        stretches = self._stretches(first, last) if self._reading.yearless else ()
        return MeasuredRange(start=first, end=last, records=records, bytes_read=self._read, stretches=stretches)

    def _stretches(self, first: int, last: int) -> tuple[Stretch, ...]:
        """Read the range once more, for the stamps of its records."""
        self._read += last - first
        chunks = self._reading.as_utf8(self._store.read(self._info, start=first, end=last))
        assert self._format is not None
        times = {"modified": self._info.modified, "received": self._reading.received}
        if first == 0:
            blocks = read_records(chunks, self._format, self._options, **times)
        else:
            blocks = read_range(self._head, chunks, self._format, self._options, **times)
        return tuple(stretches_of((block.records for block in blocks), self._reading))

    def _record_start(self, offset: int) -> int | None:
        if offset in (0, self._info.size):
            return offset
        window = b"".join(self._store.read(self._info, start=offset, end=min(offset + WINDOW, self._info.size)))
        self._read += len(window)
        assert self._format is not None
        text = b"".join(self._reading.as_utf8(iter([window])))
        found = record_start(text, self._head, self._format, self._options)
        if found is None:
            return None
        # It is the beginning of a line, and line ends are the same bytes in each encoding that can be cut.
        lines = text.count(b"\n", 0, found)
        return offset + (found if text is window else _behind_lines(window, lines))


def _behind_lines(text: bytes, lines: int) -> int:
    """Return where so many lines end."""
    place = 0
    for _ in range(lines):
        place = text.index(b"\n", place) + 1
    return place
