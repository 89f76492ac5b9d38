"""The times of records: taken from their fields by `timestamps`, and put beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from transforms import schema
from transforms.formats.options import FormatOptions


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What an object's times are read against.

    Attributes:
        modified: The object's LastModified.
        received: When it is read.
    """

    modified: datetime
    received: datetime


def time_columns(fields: Mapping[str, pa.Array], options: FormatOptions, clock: Clock, *, csv: bool) -> dict[str, pa.Array]:
    """Return `_time` and `_time_source` of records, or nothing where none has a time.

    Args:
        fields: Attributes by name, as `string_view`.
        options: The zone of times that name none.
        clock: The object's surroundings.
        csv: Whether any column may hold the time, not only those with a name for it.
    """
    try:
        from transforms.timestamps import record_times
    except ImportError:
        return {}
    times = record_times(fields, timezone=options.timezone, modified=clock.modified, received=clock.received, csv=csv)
    if times is None or times.null_count == len(times):
        return {}
    return {"_time": times, "_time_source": _sources(times)}


def _sources(times: pa.Array) -> pa.DictionaryArray:
    indices = pa.repeat(pa.scalar(0, pa.int32()), len(times))
    if times.null_count:
        valid = times.is_valid()
        indices = pc.if_else(valid, indices, pa.scalar(None, pa.int32()))
    return pa.DictionaryArray.from_arrays(indices, pa.array([schema.TIME_FROM_RECORD], pa.string()))
