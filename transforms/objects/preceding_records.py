"""The records that lie before a batch of events: lines at its beginning may have the time of one of them."""

from __future__ import annotations

import pyarrow as pa

from transforms.arrow.arrays import as_series, own_memory
from transforms.core.schema import join_events
from transforms.timestamps.inheriting import last_within


def last_records(preceding: pa.RecordBatch | None, events: pa.RecordBatch) -> pa.RecordBatch | None:
    """Return what precedes the batch that follows: the last records that can still give it a time.

    Args:
        preceding: What preceded these events.
        events: Events as they were read.
    """
    last = _last(events)
    if preceding is not None and last.num_rows == events.num_rows:
        last = _last(join_events(preceding, last))
    return last if last.num_rows else None


def _last(events: pa.RecordBatch) -> pa.RecordBatch:
    """Return the last events that lie within the window, in memory of their own."""
    rows = last_within(as_series(events.column("_message")))
    part = events.slice(events.num_rows - rows)
    return pa.RecordBatch.from_arrays([own_memory(column) for column in part.columns], schema=part.schema)
