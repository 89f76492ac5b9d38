"""The times of records: taken from their fields by `timestamps`, and put beside them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.arrays import as_constant
from transforms.core import schema
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.timestamps import FirstRows, TimeFields


class RecordTimes:
    """Finds the times of one object's records."""

    def __init__(self, options: FormatOptions, times: ObjectTimes, *, csv: bool = False) -> None:
        """Prepare for an object; in CSV any column may hold the time, not only those with a name for it."""
        self._fields = TimeFields(
            timezone=options.timezone,
            modified=times.modified,
            received=times.received,
            csv=csv,
            time_field=options.time_field or (),
            year=options.year,
            day_first=options.day_first,
        )

    def columns(self, fields: Mapping[str, pa.Array], first_rows: FirstRows | None = None) -> dict[str, pa.Array]:
        """Return `_time` and `_time_source` of some records, or nothing where none has a time.

        Where a time is not believed, `_time` is null, and `_time_source` says why until the event has another time.

        Args:
            fields: Their attributes by name, as `string_view`.
            first_rows: Gives those of the object's first records, if these are not they.
        """
        times = self._fields.times(fields, first_rows)
        reasons = self._fields.unbelieved(fields, times) if times is None or times.null_count else None
        if reasons is not None:
            times = pa.nulls(len(reasons), schema.TIME) if times is None else times
            sources = reasons.set(pl.Series(times.is_valid()), schema.TIME_FROM_RECORD)
            return {"_time": times, "_time_source": as_constant(sources.to_arrow())}
        return {} if times is None else {"_time": times, "_time_source": _sources(times)}


def _sources(times: pa.Array) -> pa.DictionaryArray:
    indices = pa.repeat(pa.scalar(0, pa.int32()), len(times))
    if times.null_count:
        indices = pc.if_else(times.is_valid(), indices, pa.scalar(None, pa.int32()))
    return pa.DictionaryArray.from_arrays(indices, pa.array([schema.TIME_FROM_RECORD], pa.string()))
