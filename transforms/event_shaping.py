"""What becomes of a batch of events between reading and writing: the pipelines, then the time of each event."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from transforms import processors, schema
from transforms.processors import Pipeline
from transforms.timestamps import settle_times


def apply_pipelines(
    batch: pa.RecordBatch, pipelines: Sequence[Pipeline], *, timestamp: str = "auto", timezone: str = "UTC"
) -> pa.RecordBatch:
    """Return the batch as its pipelines leave it, every event with a time.

    Args:
        batch: Events of one object, with its LastModified beside them (`transforms.schema`).
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
    """
    modified, received = schema.modified_of(batch), batch.column("_observed_at")[0].as_py()
    if pipelines:
        batch = processors.apply_pipelines(batch, pipelines, received=received, modified=modified)
    return settle_times(batch, timestamp=timestamp, timezone=timezone, modified=modified, received=received)
