"""`ApplyPipelines`: shape events, and settle when each of them happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.event_pipelines import Pipeline
from transforms.objects.event_shaping import apply_pipelines
from transforms.objects.outcomes import EventCounts
from transforms.retention.compiled_rules import CompiledRules

MAIN = "main"
COUNTS = "counts"


@dataclass
class ApplyPipelines(beam.PTransform):
    """Run the pipelines over each batch; what has no time after that gets the one found in its text, or the time of
    receipt.

    Input: `PCollection[RecordBatch]` of events (`transforms.core.schema`). Output: `main`, a
        `PCollection[RecordBatch]`, one event out for one
    in, in the same order; and `counts`, a `PCollection[EventCounts]` of what happened to some of them.

    Guarantees: every event that comes out has `_time` and `_time_source`.

    Attributes:
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
        rules_by_section: Rules by their section, to count which events are too old for them.
    """

    pipelines: tuple[Pipeline, ...] = ()
    timestamp: str = "auto"
    timezone: str = "UTC"
    rules_by_section: Mapping[str, CompiledRules] = field(default_factory=dict)

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.pvalue.DoOutputsTuple:
        """Apply `apply_pipelines` to every batch, with its counts as a tagged output."""
        apply = beam.ParDo(_ApplyPipelinesFn(self.pipelines, self.timestamp, self.timezone, self.rules_by_section))
        return batches | "Apply" >> apply.with_output_types(pa.RecordBatch, **{COUNTS: EventCounts}).with_outputs(
            COUNTS, main=MAIN
        )


class _ApplyPipelinesFn(beam.DoFn):
    def __init__(
        self,
        pipelines: tuple[Pipeline, ...],
        timestamp: str,
        timezone: str,
        rules_by_section: Mapping[str, CompiledRules],
    ) -> None:
        self._pipelines = pipelines
        self._settings: dict[str, Any] = {
            "timestamp": timestamp,
            "timezone": timezone,
            "rules_by_section": rules_by_section,
        }

    def process(self, batch: pa.RecordBatch) -> Iterator[Any]:
        counts: Counter[str] = Counter()
        yield apply_pipelines(batch, self._pipelines, **self._settings, counts=counts)
        if counts:
            yield beam.pvalue.TaggedOutput(COUNTS, EventCounts(str(batch.column("_object")[0]), tuple(counts.items())))
