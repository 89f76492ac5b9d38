"""`ApplyPipelines`: shape events, and settle when each of them happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.event_shaping import apply_pipelines
from transforms.object_outcomes import EventCounts
from transforms.processors import Pipeline

MAIN = "main"
COUNTS = "counts"


@dataclass
class ApplyPipelines(beam.PTransform):
    """Run the pipelines over each batch; what has no time after that gets the one found in its text, or the time of receipt.

    Input: `PCollection[RecordBatch]` of events (`transforms.schema`). Output: `main`, a `PCollection[RecordBatch]`, one event out for one
    in, in the same order; and `counts`, a `PCollection[EventCounts]` of what happened to some of them.

    Guarantees: every event that comes out has `_time` and `_time_source`.

    Attributes:
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
    """

    pipelines: tuple[Pipeline, ...] = ()
    timestamp: str = "auto"
    timezone: str = "UTC"

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.pvalue.DoOutputsTuple:
        """Apply `apply_pipelines` to every batch, with its counts as a tagged output."""
        apply = beam.ParDo(_ApplyPipelinesFn(self.pipelines, self.timestamp, self.timezone))
        return batches | "Apply" >> apply.with_output_types(pa.RecordBatch, **{COUNTS: EventCounts}).with_outputs(COUNTS, main=MAIN)


class _ApplyPipelinesFn(beam.DoFn):
    def __init__(self, pipelines: tuple[Pipeline, ...], timestamp: str, timezone: str) -> None:
        self._pipelines = pipelines
        self._timestamp = timestamp
        self._timezone = timezone

    def process(self, batch: pa.RecordBatch) -> Iterator[Any]:
        counts: Counter[str] = Counter()
        yield apply_pipelines(batch, self._pipelines, timestamp=self._timestamp, timezone=self._timezone, counts=counts)
        if counts:
            yield beam.pvalue.TaggedOutput(COUNTS, EventCounts(str(batch.column("_object")[0]), tuple(counts.items())))
