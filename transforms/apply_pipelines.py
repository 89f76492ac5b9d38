"""`ApplyPipelines`: shape events, and choose the time of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam

from transforms.elements import EventBatch
from transforms.event_pipelines import Pipeline
from transforms.objects.event_counts import CountKey, EventCounts
from transforms.objects.event_shaping import shape_events
from transforms.retention.compiled_rules import CompiledRules

MAIN = "main"
COUNTS = "counts"


@dataclass
class ApplyPipelines(beam.PTransform):
    """Run the pipelines over each batch, then give a time to each event that has none.

    That is the time found in its text, else that of a line before it, of its object, or of its receipt.

    Input: `PCollection[EventBatch]`.
    Output: `main`, a `PCollection[EventBatch]`, one event out for one in, in the same order, but those that a pipeline
        dropped, and without batches that have no event left; and `counts`, a `PCollection[EventCounts]` of where their
        times are from and what happened to some of them.
    Metrics: none.
    Guarantees: every event that comes out has `_time` and `_time_source`.

    Attributes:
        pipelines: What to run, in order.
        timestamp: `auto`; `object` or `received` for plain text whose lines get that time.
        timezone: IANA name for times that name no zone.
        rules_by_section: Rules by their section, to count the events that are too old for them.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
    """

    pipelines: tuple[Pipeline, ...] = ()
    timestamp: str = "auto"
    timezone: str = "UTC"
    rules_by_section: Mapping[str, CompiledRules] = field(default_factory=dict)
    year: int | None = None
    day_first: bool = False

    def expand(self, batches: beam.PCollection[EventBatch]) -> beam.pvalue.DoOutputsTuple:
        """Apply `shape_events` to every batch, with its counts as a tagged output."""
        apply = beam.ParDo(_ApplyPipelinesFn(self)).with_output_types(EventBatch, **{COUNTS: EventCounts})
        return batches | "Apply" >> apply.with_outputs(COUNTS, main=MAIN)


class _ApplyPipelinesFn(beam.DoFn):
    def __init__(self, config: ApplyPipelines) -> None:
        self._config = config

    def process(self, batch: EventBatch) -> Iterator[Any]:
        config = self._config
        counts: Counter[CountKey] = Counter()
        shaped = shape_events(
            batch,
            config.pipelines,
            timestamp=config.timestamp,
            timezone=config.timezone,
            year=config.year,
            day_first=config.day_first,
            rules_by_section=config.rules_by_section,
            counts=counts,
        )
        if shaped.num_rows:
            yield shaped
        if counts:
            uri = str(batch.events.column("_object")[0])
            yield beam.pvalue.TaggedOutput(COUNTS, EventCounts(uri, tuple(counts.items())))
