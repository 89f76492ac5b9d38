"""The event: its columns, their types, and the rules for names (spec §2, §8).

In flight an event batch is one `pyarrow.RecordBatch` of events of ONE object. Strings are `string_view` (Polars' and DuckDB's own layout:
no copies), columns that are constant over the object are `dictionary<int32, string>`, and a column that would be all null is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pyarrow as pa

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
SYSTEM_COLUMNS: dict[str, pa.DataType] = {
    "_time": TIME,
    "_time_source": pa.string(),
    "_message": pa.string(),
    "_event_id": pa.string(),
    "_receiver": pa.string(),
    "_collector": pa.string(),
    "_processor": pa.string(),
    "_iam_key_id": pa.string(),
    "_correlation_id": pa.string(),
    "_observed_at": TIME,
    "_env": pa.string(),
    "_team": pa.string(),
    "_object": pa.string(),
    "_format": pa.string(),
    "_pipelines": pa.string(),
    "_error": pa.string(),
}
PARTITION_COLUMNS = ("tier", "date")
ATTRIBUTES_COLUMN = "attributes"
BASE_ATTRIBUTES = ("host", "source", "sourcetype", "index", "filename")
PROMOTED_LIMIT = 64

TIME_FROM_RECORD = "record"
TIME_DETECTED = "detected"
TIME_FROM_PIPELINE = "pipeline"
TIME_RECEIVED = "received"

_FORBIDDEN = frozenset(" ,;{}()=")
_MAP_PREFIX = ATTRIBUTES_COLUMN + "."


_MODIFIED_KEY = b"rekindle.modified"


def with_modified(batch: pa.RecordBatch, modified: datetime) -> pa.RecordBatch:
    """Return the batch with its object's LastModified beside it: the year of year-less times is chosen by it (spec §4.5)."""
    return batch.replace_schema_metadata({_MODIFIED_KEY: modified.isoformat().encode()})


def modified_of(batch: pa.RecordBatch) -> datetime:
    """Return the LastModified of the batch's object, with its time zone."""
    return datetime.fromisoformat(batch.schema.metadata[_MODIFIED_KEY].decode())


def is_system(name: str) -> bool:
    """Whether a name belongs to the system: a pipeline or a format never writes it as an attribute."""
    return name in SYSTEM_COLUMNS or name in PARTITION_COLUMNS or name == ATTRIBUTES_COLUMN


def can_be_column(name: str) -> bool:
    """Whether an attribute's name may be a column of the table; if not, it stays in the map (spec §8).

    What begins with `attributes.` stays there too: as a column it could be taken for another attribute's (`attribute_column`).
    """
    return not (
        name == ""
        or name.startswith(("_", _MAP_PREFIX))
        or name in PARTITION_COLUMNS
        or name == ATTRIBUTES_COLUMN
        or any(c in _FORBIDDEN or ord(c) < 0x20 or ord(c) == 0x7F for c in name)
    )


def attribute_column(name: str) -> str:
    """Return the name an attribute's column has in flight: its own, or `attributes.NAME` where a system column has that name.

    Names that begin with `attributes.` are prefixed too, so that `attribute_name` can undo it.
    """
    return _MAP_PREFIX + name if is_system(name) or name.startswith(_MAP_PREFIX) else name


def attribute_name(column: str) -> str | None:
    """Return the attribute that an in-flight column holds, or None for a system column."""
    if column in SYSTEM_COLUMNS:
        return None
    return column.removeprefix(_MAP_PREFIX)


def flat_row(row: Mapping[str, object]) -> dict[str, Any]:
    """Return an event in flight as a flat row (spec §13), JSON-ready: the system's columns first, nulls left out."""
    order = [name for name in SYSTEM_COLUMNS if name in row] + [name for name in row if name not in SYSTEM_COLUMNS]
    return {name: as_json(row[name]) for name in order if row[name] is not None}


def as_json(value: object) -> object:
    """Return a value as JSON takes it: times as ISO 8601 text in UTC."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
