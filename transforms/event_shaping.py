"""What becomes of a batch of events between reading and writing: the pipelines, then the time of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from transforms import processors, schema
from transforms.processors import Failures, Pipeline
from transforms.timestamps import settle_times


def apply_pipelines(
    batch: pa.RecordBatch,
    pipelines: Sequence[Pipeline],
    *,
    timestamp: str = "auto",
    timezone: str = "UTC",
    counts: Counter[str] | None = None,
) -> pa.RecordBatch:
    """Return the batch as its pipelines leave it, every event with a time.

    Args:
        batch: Events of one object, with its LastModified beside them (`transforms.schema`).
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
        counts: Where it is counted how many events got the time of receipt, and how many each processor failed on.
    """
    modified, received = schema.modified_of(batch), batch.column("_observed_at")[0].as_py()
    failures: Failures = Counter()
    if pipelines:
        batch = processors.apply_pipelines(batch, pipelines, received=received, modified=modified, failures=failures)
    if counts is not None:
        counts.update({f"pipeline {step.pipeline}, {step.step}": number for step, number in failures.items()})
    batch = settle_times(batch, timestamp=timestamp, timezone=timezone, modified=modified, received=received)
    if counts is not None and timestamp == "auto" and (untimed := _untimed(batch)):
        counts[schema.TIME_RECEIVED] += untimed
    return batch


def _untimed(batch: pa.RecordBatch) -> int:
    """Return how many events have the time of receipt."""
    sources = batch.column("_time_source")
    values = sources.dictionary.to_pylist()
    if schema.TIME_RECEIVED not in values:
        return 0
    return int(pc.sum(pc.equal(sources.indices, values.index(schema.TIME_RECEIVED))).as_py() or 0)
