"""The event: its columns and their types, stored and in flight; `names` has what takes no pyarrow.

In flight, events of one object, or of several small ones, are a `pyarrow.RecordBatch`. Strings are `string_view`
(Polars' and DuckDB's own layout: no copies), columns that are constant over an object are `dictionary<int32, string>`,
and a column that would be all null is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.core.names import (
    ATTRIBUTES_COLUMN,
    BASE_ATTRIBUTES,
    PARTITION_COLUMNS,
    PROMOTED_LIMIT,
    SYSTEM_NAMES,
    TIME_NAMES,
    attribute_column,
    attribute_name,
    can_be_column,
    is_system,
)
from transforms.core.record_years import RecordYears

__all__ = [
    "ATTRIBUTES_COLUMN",
    "BASE_ATTRIBUTES",
    "CONSTANT",
    "EventBatch",
    "JoinedObjects",
    "PARTITION_COLUMNS",
    "PRODUCT",
    "PROMOTED_LIMIT",
    "RECEIVER",
    "SYSTEM_COLUMNS",
    "TEXT",
    "TIME",
    "UPLOAD_RECEIVER",
    "TIME_DETECTED",
    "TIME_FROM_OBJECT",
    "TIME_FROM_PIPELINE",
    "TIME_FROM_RECORD",
    "TIME_INHERITED",
    "TIME_RECEIVED",
    "VERSION",
    "as_json",
    "attribute_column",
    "attribute_name",
    "can_be_column",
    "flat_row",
    "is_system",
    "join_events",
]

try:
    VERSION = version("rekindle")
except PackageNotFoundError:  # a checkout that was never installed
    VERSION = "0+unknown"

PRODUCT = f"rekindle {VERSION}"
RECEIVER = "s3.pull"
UPLOAD_RECEIVER = "upload"

TIME = pa.timestamp("us", "UTC")
TEXT = pa.string_view()
CONSTANT = pa.dictionary(pa.int32(), pa.string())

# Name -> type as stored in the hot tier, in the order of the table's schema.
SYSTEM_COLUMNS: dict[str, pa.DataType] = {name: TIME if name in TIME_NAMES else pa.string() for name in SYSTEM_NAMES}

TIME_FROM_RECORD = "record"
TIME_DETECTED = "detected"
TIME_FROM_PIPELINE = "pipeline"
TIME_INHERITED = "inherited"
TIME_FROM_OBJECT = "object"
TIME_RECEIVED = "received"

_NEAR = 64 << 10
"""Records before a slice that are kept: of more of them none lies within the window of inherited times."""


@dataclass(frozen=True)
class JoinedObjects:
    """The objects that the events of a batch are of, one after the other.

    Attributes:
        rows: How many events each of them has.
        modified: LastModified of each, with its zone.
    """

    rows: tuple[int, ...]
    modified: tuple[datetime, ...]

    @property
    def of_events(self) -> npt.NDArray[np.int64]:
        """Which of the objects each event is of, by their numbers."""
        return np.repeat(np.arange(len(self.rows)), self.rows)


@dataclass(frozen=True)
class EventBatch:
    """Events of one object in flight, or of several small ones: what the PTransforms hand on.

    Attributes:
        events: The events, with the columns that this module describes.
        modified: The object's LastModified, with its zone: it chooses the year of times that name none. Of several
            objects that of the last one.
        day_first: Whether the object's beginning shows that its dates have the day before the month.
        preceding: The records before them, of which the first may have their time; None where they need none.
        source: The number of the job's source that the object belongs to.
        years: Those of stamps without one, where they are known; records are counted from the batch's first event.
        joined: The objects, where there are several; nothing precedes their events then.
    """

    events: pa.RecordBatch
    modified: datetime
    day_first: bool = False
    preceding: pa.RecordBatch | None = None
    source: int = 0
    years: RecordYears | None = None
    joined: JoinedObjects | None = None

    @property
    def num_rows(self) -> int:
        """How many events there are."""
        return int(self.events.num_rows)

    def slice(self, offset: int, length: int | None = None) -> EventBatch:
        """Return some of the events, without copying them; those before them are among what precedes them."""
        preceding = self.preceding
        if offset and "_message" in self.events.schema.names:
            near = min(offset, _NEAR)
            before = self.events.slice(offset - near, near)
            preceding = before if preceding is None else join_events(preceding, before)
        years = None if self.years is None else self.years.counted_from(offset)
        events = self.events.slice(offset, length)
        return EventBatch(events, self.modified, self.day_first, preceding, self.source, years)


def join_events(first: pa.RecordBatch, then: pa.RecordBatch) -> pa.RecordBatch:
    """Return the events of two batches of one object as one; a column that a batch lacks is null there."""
    tables = (pa.Table.from_batches([first]), pa.Table.from_batches([then]))
    joined = pa.concat_tables(tables, promote_options="default").unify_dictionaries().combine_chunks()
    return pa.RecordBatch.from_arrays([column.chunk(0) for column in joined.columns], schema=joined.schema)


def flat_row(row: Mapping[str, object]) -> dict[str, Any]:
    """Return an event in flight as a flat row, JSON-ready: the system's columns first, nulls left out."""
    order = [name for name in SYSTEM_COLUMNS if name in row] + [name for name in row if name not in SYSTEM_COLUMNS]
    return {name: as_json(row[name]) for name in order if row[name] is not None}


def as_json(value: object) -> object:
    """Return a value as JSON takes it: times as ISO 8601 text in UTC."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
