"""The elements that travel between PTransforms, and how they are encoded.

Events travel as `EventBatch`, encoded as Arrow IPC: without a coder of its own Beam would pickle a batch. Everything
else is small: splits of objects, what became of an object, and files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.core.record_years import RecordYears
from transforms.core.schema import EventBatch, JoinedObjects
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
_NUMBER_BYTES = 8
_SOURCE_BYTES = 4


class EventBatchCoder(beam.coders.Coder):
    """Encode an `EventBatch` as an Arrow IPC stream of one batch, and behind it what else it has.

    That is the records that precede it, as a stream like it or nothing; the years of its records, and of several
    objects the numbers of their events and LastModified, both as pairs of 8 bytes; then, big-endian, where what
    precedes it begins (8 bytes), where the years do (8) and where the objects (8), the number of the source (4), the
    order of dates (1) and LastModified (8, microseconds since 1970 UTC). They come last, so that Arrow's buffers keep
    their alignment.
    """

    def encode(self, value: EventBatch) -> bytes:
        """Return the batch as bytes."""
        sink = pa.BufferOutputStream()
        _write(sink, value.events)
        behind = sink.tell()
        if value.preceding is not None:
            _write(sink, value.preceding)
        behind_all = sink.tell()
        if value.years is not None:
            sink.write(np.array([value.years.starts, value.years.years], dtype=">i8").tobytes())
        behind_years = sink.tell()
        if value.joined is not None:
            modified = [_microseconds(one) for one in value.joined.modified]
            sink.write(np.array([value.joined.rows, modified], dtype=">i8").tobytes())
        sink.write(behind.to_bytes(_NUMBER_BYTES, "big"))
        sink.write(behind_all.to_bytes(_NUMBER_BYTES, "big"))
        sink.write(behind_years.to_bytes(_NUMBER_BYTES, "big"))
        sink.write(value.source.to_bytes(_SOURCE_BYTES, "big"))
        sink.write(bytes([value.day_first]))
        sink.write(_microseconds(value.modified).to_bytes(_NUMBER_BYTES, "big", signed=True))
        encoded: bytes = sink.getvalue().to_pybytes()
        return encoded

    def decode(self, encoded: bytes) -> EventBatch:
        """Return the batch that `encode` was given, its LastModified in UTC."""
        end = len(encoded) - 4 * _NUMBER_BYTES - _SOURCE_BYTES - 1
        behind, behind_all, behind_years = np.frombuffer(encoded, ">i8", count=3, offset=end).tolist()
        whole = pa.py_buffer(encoded)
        preceding = _read(whole.slice(behind)) if behind < behind_all else None
        source = int.from_bytes(encoded[-_NUMBER_BYTES - 1 - _SOURCE_BYTES : -_NUMBER_BYTES - 1], "big")
        microseconds = int.from_bytes(encoded[-_NUMBER_BYTES:], "big", signed=True)
        modified, day_first = _EPOCH + microseconds * _MICROSECOND, bool(encoded[-_NUMBER_BYTES - 1])
        years, joined = _years(encoded[behind_all:behind_years]), _joined(encoded[behind_years:end])
        return EventBatch(_read(whole), modified, day_first, preceding, source, years, joined)

    def estimate_size(self, value: EventBatch) -> int:
        """Return the batch's bytes in memory.

        Beam asks often; its own way, to encode the batch, took a fifth of a job's time.
        """
        size: int = value.events.get_total_buffer_size()
        return size + (value.preceding.get_total_buffer_size() if value.preceding is not None else 0)

    def is_deterministic(self) -> bool:
        """Return False: equal batches may be laid out differently, so they are never a key."""
        return False


def _years(encoded: bytes) -> RecordYears | None:
    if not encoded:
        return None
    starts, years = np.frombuffer(encoded, dtype=">i8").reshape(2, -1).tolist()
    return RecordYears(tuple(starts), tuple(years))


def _joined(encoded: bytes) -> JoinedObjects | None:
    if not encoded:
        return None
    rows, modified = np.frombuffer(encoded, dtype=">i8").reshape(2, -1).tolist()
    return JoinedObjects(tuple(rows), tuple(_EPOCH + one * _MICROSECOND for one in modified))


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _write(sink: pa.NativeFile, batch: pa.RecordBatch) -> None:
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)


def _read(encoded: pa.Buffer) -> pa.RecordBatch:
    with pa.ipc.open_stream(encoded) as stream:
        return stream.read_next_batch()


beam.coders.registry.register_coder(EventBatch, EventBatchCoder)
