"""The elements that travel between PTransforms, and how they are encoded.

Events travel as `pyarrow.RecordBatch` (see `transforms.core.schema`), encoded as Arrow IPC: without a coder of its own
Beam pickles a batch, and a slice of 10 rows of 10,000 then took 1,040,258 bytes; IPC takes 1,360. Everything else is
small: splits of objects, what became of an object, and files.
"""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from transforms.objects.parts import ObjectPart


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


class EventBatchCoder(beam.coders.Coder):
    """Encode a `pyarrow.RecordBatch` as an Arrow IPC stream of one batch; slices are written without what they leave
    out.
    """

    def encode(self, value: pa.RecordBatch) -> bytes:
        """Return the batch as bytes."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as stream:
            stream.write_batch(value)
        encoded: bytes = sink.getvalue().to_pybytes()
        return encoded

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """Return the batch that `encode` was given."""
        with pa.ipc.open_stream(encoded) as stream:
            batch: pa.RecordBatch = stream.read_next_batch()
        return batch

    def estimate_size(self, value: pa.RecordBatch) -> int:
        """Return the batch's bytes in memory: Beam asks often, and its own way, to encode the batch, took a fifth of a
        job's time.
        """
        size: int = value.get_total_buffer_size()
        return size

    def is_deterministic(self) -> bool:
        """Equal batches may be laid out differently: never a key."""
        return False


beam.coders.registry.register_coder(pa.RecordBatch, EventBatchCoder)
