"""What becomes of a batch of events between reading and writing: the pipelines, then the time of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from transforms import event_pipelines
from transforms.core import schema
from transforms.event_pipelines import Failures, Pipeline
from transforms.objects.outcomes import too_old
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.durations import format_duration
from transforms.timestamps import choose_times


def apply_pipelines(
    batch: pa.RecordBatch,
    pipelines: Sequence[Pipeline],
    *,
    timestamp: str = "auto",
    timezone: str = "UTC",
    rules_by_section: Mapping[str, CompiledRules] | None = None,
    counts: Counter[str] | None = None,
) -> pa.RecordBatch:
    """Return the batch as its pipelines leave it, every event with a time.

    Args:
        batch: Events of one object, with its LastModified beside them (`transforms.core.schema`).
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
        rules_by_section: Rules by their section, to count how many events are too old for them.
        counts: Where it is counted how many events got the time of receipt, how many each processor failed on, and how
            many each rule would take at once.
    """
    modified, received = schema.modified_of(batch), batch.column("_observed_at")[0].as_py()
    failures: Failures = Counter()
    if pipelines:
        batch = event_pipelines.apply_pipelines(
            batch, pipelines, received=received, modified=modified, failures=failures
        )
    if counts is not None:
        counts.update({f"pipeline {step.pipeline}, {step.step}": number for step, number in failures.items()})
    batch = choose_times(batch, timestamp=timestamp, timezone=timezone, modified=modified, received=received)
    if counts is not None and timestamp == "auto" and (untimed := _untimed(batch)):
        counts[schema.TIME_RECEIVED] += untimed
    if counts is not None and rules_by_section:
        counts.update(_too_old(batch, rules_by_section))
    return batch


def _too_old(batch: pa.RecordBatch, rules_by_section: Mapping[str, CompiledRules]) -> dict[str, int]:
    """Return how many events each rule would take at once."""
    found = (
        (section, rule, number)
        for section, compiled in rules_by_section.items()
        for rule, number in compiled.count(batch)
    )
    return {too_old(section, rule.name, format_duration(rule.retention)): number for section, rule, number in found}


def _untimed(batch: pa.RecordBatch) -> int:
    """Return how many events have the time of receipt."""
    sources = batch.column("_time_source")
    values = sources.dictionary.to_pylist()
    if schema.TIME_RECEIVED not in values:
        return 0
    return int(pc.sum(pc.equal(sources.indices, values.index(schema.TIME_RECEIVED))).as_py() or 0)
