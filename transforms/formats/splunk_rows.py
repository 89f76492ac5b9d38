"""Events as Splunk exports them, in CSV or JSON: `_raw` is the event, `_time` its time, the rest is attributes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from transforms.arrow import Flags
from transforms.arrow.arrays import choose, is_present, null_unless
from transforms.arrow.strings import is_empty, nulls
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import MESSAGE_IS_FIELD, make_records
from transforms.formats.record_errors import invalid_time
from transforms.formats.times import RecordTimes
from transforms.timestamps import FirstRows

Fields = Mapping[str, pa.Array]


class SplunkRows:
    """Makes records of rows, those of Splunk and, in JSON, others."""

    def __init__(self, options: FormatOptions, times: ObjectTimes, first_rows: FirstRows | None = None) -> None:
        """Prepare for an object; `first_rows` gives the fields of its first records."""
        self._first_rows = first_rows
        self._own, self._any = (RecordTimes(options, times) for _ in range(2))
        self._keep_message = options.keep_message

    def records(self, messages: pa.Array, fields: Fields, errors: dict[int, str], *, every: bool) -> pa.RecordBatch:
        """Return records.

        Args:
            messages: The rows as they stand in the file, which are the messages of those that are no events of Splunk.
            fields: All their fields.
            errors: What is wrong with some: they keep their messages.
            every: Whether all rows are Splunk's, also those that lack `_raw` or `_time`.
        """
        total = len(messages)
        raw, time = fields.get("_raw", nulls(total)), fields.get("_time", nulls(total))
        ours = np.ones(total, np.bool_) if every else is_present(raw) & is_present(time)
        if not ours.any():
            return make_records(messages, errors, fields, self._any.columns(fields, self._first_rows) if total else {})
        own = self._own.columns({"_time": null_unless(ours, time)})
        bad = ours & is_present(time) & ~is_empty(time) & ~_present_times(own, total)
        errors = {**dict.fromkeys(np.flatnonzero(bad).tolist(), invalid_time("_time")), **errors}
        good = ours.copy()
        good[list(errors)] = False
        own = _without(own if ours.all() else self._any.columns(fields, self._first_rows), bad)
        rest = {name: column for name, column in fields.items() if name not in ("_raw", "_time")}
        for name, column in (("_raw", raw), ("_time", time)):
            if not good.all():
                rest[name] = null_unless(~good, column)
        made = make_records(choose(good & is_present(raw) & ~is_empty(raw), raw, messages), errors, rest, own)
        if self._keep_message or not good.any():
            return made
        return made.append_column(MESSAGE_IS_FIELD, pa.array(good))


def _present_times(times: Mapping[str, pa.Array], total: int) -> Flags:
    return is_present(times["_time"]) if times else np.zeros(total, np.bool_)


def _without(times: dict[str, pa.Array], rows: Flags) -> dict[str, pa.Array]:
    """Return times without those of some rows."""
    if not times or not rows.any():
        return times
    kept = pa.array(np.arange(len(rows)), mask=rows)
    return {name: column.take(kept) for name, column in times.items()}
