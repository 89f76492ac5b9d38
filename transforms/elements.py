"""The elements that travel between PTransforms, and how they are encoded.

Events travel as `EventBatch`, encoded as Arrow IPC: without a coder of its own Beam would pickle a batch. Everything
else is small: splits of objects, what became of an object, and files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import apache_beam as beam
import pyarrow as pa

from transforms.core.schema import EventBatch
from transforms.objects.parts import ObjectPart

__all__ = ["EventBatch", "EventBatchCoder", "Split"]


@dataclass(frozen=True)
class Split:
    """Objects of one wave that one worker reads, one after the other; worth about one file of the hot tier or more.

    Attributes:
        wave: The wave it belongs to, from 0.
        number: Its number in the wave, from 0.
        parts: What to read, in order: objects, or ranges of large ones.
    """

    wave: int
    number: int
    parts: tuple[ObjectPart, ...]


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_TIME_BYTES = 8
_SOURCE_BYTES = 4


class EventBatchCoder(beam.coders.Coder):
    """Encode an `EventBatch` as an Arrow IPC stream of one batch, and behind it source, order of dates, LastModified.

    The source takes 4 bytes, the order one, LastModified 8: microseconds since 1970 UTC, big-endian. They come last, so
    that Arrow's buffers keep their alignment.
    """

    def encode(self, value: EventBatch) -> bytes:
        """Return the batch as bytes."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.events.schema) as stream:
            stream.write_batch(value.events)
        sink.write(value.source.to_bytes(_SOURCE_BYTES, "big"))
        sink.write(bytes([value.day_first]))
        sink.write(((value.modified - _EPOCH) // _MICROSECOND).to_bytes(_TIME_BYTES, "big", signed=True))
        encoded: bytes = sink.getvalue().to_pybytes()
        return encoded

    def decode(self, encoded: bytes) -> EventBatch:
        """Return the batch that `encode` was given, its LastModified in UTC."""
        with pa.ipc.open_stream(encoded) as stream:
            events = stream.read_next_batch()
        microseconds = int.from_bytes(encoded[-_TIME_BYTES:], "big", signed=True)
        source = int.from_bytes(encoded[-_TIME_BYTES - 1 - _SOURCE_BYTES : -_TIME_BYTES - 1], "big")
        modified, day_first = _EPOCH + microseconds * _MICROSECOND, bool(encoded[-_TIME_BYTES - 1])
        return EventBatch(events, modified, day_first, source=source)

    def estimate_size(self, value: EventBatch) -> int:
        """Return the batch's bytes in memory.

        Beam asks often; its own way, to encode the batch, took a fifth of a job's time.
        """
        size: int = value.events.get_total_buffer_size()
        return size

    def is_deterministic(self) -> bool:
        """Return False: equal batches may be laid out differently, so they are never a key."""
        return False


beam.coders.registry.register_coder(EventBatch, EventBatchCoder)
