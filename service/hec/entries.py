"""Entries of the write-ahead log: a request each, with a checksum, so that what is torn or damaged is known.

An entry is a header, what holds for all of the request's events, and the events as they came:

    magic (4 bytes) · CRC-32 of all that follows · bytes of both parts · number of the first event · events ·
    bytes of the first part · when it was received, in microseconds since 1970 UTC · context (JSON) · payload

Numbers are little-endian. The events of a log are numbered from 1 on, over all of its entries.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import orjson

MAGIC = b"RKL\x01"
_HEADER = struct.Struct("<4sIIQIIq")
_CHECKED = 8
"""The checksum covers what comes after it."""

Kind = Literal["event", "raw"]


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """What holds for all events of a request.

    Attributes:
        kind: `event` for JSON objects, `raw` for lines.
        columns: System columns of the key.
        defaults: Attributes of events that have none of their own.
        time: The time of events that have none, in microseconds since 1970 UTC; None without one.
    """

    kind: Kind
    columns: dict[str, str]
    defaults: dict[str, str]
    time: int | None = None

    def dump(self) -> bytes:
        """Return it as an entry keeps it: the same for the same context."""
        return orjson.dumps(
            {"kind": self.kind, "columns": self.columns, "defaults": self.defaults, "time": self.time},
            option=orjson.OPT_SORT_KEYS,
        )

    @classmethod
    def load(cls, data: bytes) -> RequestContext:
        """Return the context that `dump` wrote."""
        return cls(**orjson.loads(data))


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """A request in the log.

    Attributes:
        first: The number of its first event.
        events: How many it has, at least one.
        received: When it was received, in microseconds since 1970 UTC.
        context: A `RequestContext`, dumped.
        payload: Its events: JSON objects behind each other, or lines; it ends with a newline.
    """

    first: int
    events: int
    received: int
    context: bytes
    payload: bytes

    @property
    def last(self) -> int:
        """The number of its last event."""
        return self.first + self.events - 1

    def dump(self) -> bytes:
        """Return it as it stands in the log."""
        size = len(self.context) + len(self.payload)
        header = _HEADER.pack(MAGIC, 0, size, self.first, self.events, len(self.context), self.received)
        checksum = zlib.crc32(self.payload, zlib.crc32(self.context, zlib.crc32(header[_CHECKED:])))
        return b"".join((MAGIC, checksum.to_bytes(4, "little"), header[_CHECKED:], self.context, self.payload))


@dataclass(frozen=True)
class Damage:
    """Bytes of a segment that are no entries.

    Attributes:
        start: Where they begin.
        stop: Where they end.
        is_tail: Whether no entry follows: what was being written when the machine stopped.
    """

    start: int
    stop: int
    is_tail: bool


def read_entries(data: bytes) -> Iterator[LogEntry | Damage]:
    """Yield the entries of a segment, and what is damaged between them."""
    place, size = 0, len(data)
    while place < size:
        found = _entry_at(data, place)
        if found is not None:
            entry, place = found
            yield entry
            continue
        start = place
        while (place := data.find(MAGIC, place + 1)) >= 0 and _entry_at(data, place) is None:
            pass
        place = size if place < 0 else place
        yield Damage(start, place, is_tail=place == size)


def _entry_at(data: bytes, place: int) -> tuple[LogEntry, int] | None:
    """Return the entry that begins at a place, and where it ends; None where there is none that is whole."""
    if len(data) - place < _HEADER.size:
        return None
    magic, checksum, size, first, events, context_size, received = _HEADER.unpack_from(data, place)
    start = place + _HEADER.size
    stop = start + size
    if magic != MAGIC or context_size > size or stop > len(data):
        return None
    if zlib.crc32(memoryview(data)[place + _CHECKED : stop]) != checksum:
        return None
    middle = start + context_size
    entry = LogEntry(
        first=first, events=events, received=received, context=data[start:middle], payload=data[middle:stop]
    )
    return entry, stop
