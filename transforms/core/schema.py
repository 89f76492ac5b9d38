"""The event: its columns and their types (spec §2); `names` has what takes no pyarrow.

In flight an event batch is one `pyarrow.RecordBatch` of events of ONE object. Strings are `string_view` (Polars' and
DuckDB's own layout: no copies), columns that are constant over the object are `dictionary<int32, string>`, and a column
that would be all null is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

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

__all__ = [
    "ATTRIBUTES_COLUMN",
    "BASE_ATTRIBUTES",
    "CONSTANT",
    "PARTITION_COLUMNS",
    "PRODUCT",
    "PROMOTED_LIMIT",
    "RECEIVER",
    "SYSTEM_COLUMNS",
    "TEXT",
    "TIME",
    "TIME_DETECTED",
    "TIME_FROM_PIPELINE",
    "TIME_FROM_RECORD",
    "TIME_RECEIVED",
    "VERSION",
    "as_json",
    "attribute_column",
    "attribute_name",
    "can_be_column",
    "flat_row",
    "is_system",
    "modified_of",
    "with_modified",
]

try:
    VERSION = version("rekindle")
except PackageNotFoundError:  # a checkout that was never installed
    VERSION = "0+unknown"

PRODUCT = f"rekindle {VERSION}"
RECEIVER = "s3.pull"

TIME = pa.timestamp("us", "UTC")
TEXT = pa.string_view()
CONSTANT = pa.dictionary(pa.int32(), pa.string())

# Name -> type as stored in the hot tier, in the order of the table's schema.
SYSTEM_COLUMNS: dict[str, pa.DataType] = {name: TIME if name in TIME_NAMES else pa.string() for name in SYSTEM_NAMES}

TIME_FROM_RECORD = "record"
TIME_DETECTED = "detected"
TIME_FROM_PIPELINE = "pipeline"
TIME_RECEIVED = "received"

_MODIFIED_KEY = b"rekindle.modified"


def with_modified(batch: pa.RecordBatch, modified: datetime) -> pa.RecordBatch:
    """Return the batch with its object's LastModified beside it: the year of year-less times is chosen by it (spec
    §4.5).
    """
    return batch.replace_schema_metadata({_MODIFIED_KEY: modified.isoformat().encode()})


def modified_of(batch: pa.RecordBatch) -> datetime:
    """Return the LastModified of the batch's object, with its time zone."""
    return datetime.fromisoformat(batch.schema.metadata[_MODIFIED_KEY].decode())


def flat_row(row: Mapping[str, object]) -> dict[str, Any]:
    """Return an event in flight as a flat row (spec §13), JSON-ready: the system's columns first, nulls left out."""
    order = [name for name in SYSTEM_COLUMNS if name in row] + [name for name in row if name not in SYSTEM_COLUMNS]
    return {name: as_json(row[name]) for name in order if row[name] is not None}


def as_json(value: object) -> object:
    """Return a value as JSON takes it: times as ISO 8601 text in UTC."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
