"""`ApplyPipelines`: shape events, and choose the time of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam

from transforms.elements import EventBatch
from transforms.objects.event_counts import EventCounts
from transforms.objects.event_shaping import ShapingSettings
from transforms.objects.joined.shaping import shape_and_count
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.past_rules import PastRules

MAIN = "main"
COUNTS = "counts"


@dataclass
class ApplyPipelines(beam.PTransform):
    """Run the pipelines over each batch, then give a time to each event that has none.

    That is the time found in its text, else that of a line before it, of its object, or of its receipt.

    Input: `PCollection[EventBatch]`.
    Output: `main`, a `PCollection[EventBatch]`, one event out for one in, in the same order, but those that a pipeline
        dropped or a rule had deleted before, and without batches that have no event left; and `counts`, a
        `PCollection[EventCounts]` of where their times are from and what happened to some of them.
    Metrics: none.
    Guarantees: every event that comes out has `_time` and `_time_source`.

    Attributes:
        settings: What runs on the events of each of the job's sources, and how their times are found.
        rules_by_section: Rules by their section, to count the events that are too old for them.
        past_rules: What was deleted of objects that are read again, and does not come back.
    """

    settings: tuple[ShapingSettings, ...] = (ShapingSettings(),)
    rules_by_section: Mapping[str, CompiledRules] = field(default_factory=dict)
    past_rules: PastRules = field(default_factory=PastRules)

    def expand(self, batches: beam.PCollection[EventBatch]) -> beam.pvalue.DoOutputsTuple:
        """Apply `shape_and_count` to every batch, with its counts as a tagged output."""
        apply = beam.ParDo(_ApplyPipelinesFn(self)).with_output_types(EventBatch, **{COUNTS: EventCounts})
        return batches | "Apply" >> apply.with_outputs(COUNTS, main=MAIN)


class _ApplyPipelinesFn(beam.DoFn):
    def __init__(self, config: ApplyPipelines) -> None:
        self._config = config

    def process(self, batch: EventBatch) -> Iterator[Any]:
        config = self._config
        settings = config.settings[batch.source]
        for shaped, counts in shape_and_count(batch, settings, config.rules_by_section, config.past_rules):
            if shaped.num_rows:
                yield shaped
            yield from (beam.pvalue.TaggedOutput(COUNTS, one) for one in counts)
