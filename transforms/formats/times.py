"""The times of records: taken from their fields by `timestamps`, and put beside them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

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

        Args:
            fields: Their attributes by name, as `string_view`.
            first_rows: Gives those of the object's first records, if these are not they.
        """
        times = self._fields.times(fields, first_rows)
        if times is None:
            return {}
        return {"_time": times, "_time_source": _sources(times)}


def _sources(times: pa.Array) -> pa.DictionaryArray:
    indices = pa.repeat(pa.scalar(0, pa.int32()), len(times))
    if times.null_count:
        indices = pc.if_else(times.is_valid(), indices, pa.scalar(None, pa.int32()))
    return pa.DictionaryArray.from_arrays(indices, pa.array([schema.TIME_FROM_RECORD], pa.string()))
