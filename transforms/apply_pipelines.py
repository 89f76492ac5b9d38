"""`ApplyPipelines`: shape events, and settle when each of them happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from transforms.event_shaping import apply_pipelines
from transforms.processors import Pipeline


@dataclass
class ApplyPipelines(beam.PTransform):
    """Run the pipelines over each batch; what has no time after that gets the one found in its text, or the time of receipt.

    Input and output: `PCollection[RecordBatch]` of events (`transforms.schema`); one event in, one event out, in the same order.

    Guarantees: every event that comes out has `_time` and `_time_source`.

    Attributes:
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
    """

    pipelines: tuple[Pipeline, ...] = ()
    timestamp: str = "auto"
    timezone: str = "UTC"

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Apply `apply_pipelines` to every batch."""
        return batches | "Apply" >> beam.ParDo(_ApplyPipelinesFn(self.pipelines, self.timestamp, self.timezone)).with_output_types(
            pa.RecordBatch
        )


class _ApplyPipelinesFn(beam.DoFn):
    def __init__(self, pipelines: tuple[Pipeline, ...], timestamp: str, timezone: str) -> None:
        self._pipelines = pipelines
        self._timestamp = timestamp
        self._timezone = timezone

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield apply_pipelines(batch, self._pipelines, timestamp=self._timestamp, timezone=self._timezone)
