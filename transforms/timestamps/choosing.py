"""Choose every event's `_time`, and record in `_time_source` where it came from (docs/hot-tier.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Indices
from transforms.arrow.arrays import as_series, constant
from transforms.core.schema import (
    CONSTANT,
    TIME,
    TIME_DETECTED,
    TIME_FROM_OBJECT,
    TIME_FROM_RECORD,
    TIME_INHERITED,
    TIME_RECEIVED,
)
from transforms.timestamps.casting import nothing
from transforms.timestamps.clock import DAY, EPOCH, UTC, Modified, ModifiedTimes, count_reasons
from transforms.timestamps.detection import detect_times


def choose_times(
    batch: pa.RecordBatch,
    *,
    timestamp: str,
    timezone: str,
    modified: Modified,
    received: datetime,
    lines: str = "all",
    year: int | Indices | None = None,
    day_first: bool = False,
    inherit: Callable[[pl.Series], pl.Series] | None = None,
    unbelieved: Counter[str] | None = None,
) -> pa.RecordBatch:
    """Give every event a time: the one it has, else the stamp in its line, one before it, or the object's.

    Args:
        batch: Events of one object, or of several; these have `_observed_at`.
        timestamp: `auto`; `object` or `received` for lines that shall not be searched and get that time.
        timezone: IANA name that holds where a stamp has no zone.
        modified: When the object was last modified.
        received: When Rekindle read it.
        lines: Which of their messages are looked through, as `Format.lines` says.
        year: That of stamps without one, or that of each event's; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
        inherit: Returns the times that events have from those before them, by the events' own times.
        unbelieved: Where times are counted that are not believed, by why not; None to count nothing.

    Returns:
        The batch with `_time` (timestamp[us, UTC]) and `_time_source` (dictionary), both without nulls.
    """
    times = times_of(batch)
    if times.null_count() == 0 and _has_all_sources(batch):
        return batch
    if unbelieved is not None and times.null_count():
        unbelieved.update(count_reasons(_sources(batch).filter(times.is_null())))
    if times.null_count() and timestamp == "auto" and (lines != "errors" or _has_errors(batch)):
        detect = partial(
            detect_times,
            timezone=timezone,
            modified=modified,
            received=received,
            day_first=day_first,
            unbelieved=unbelieved,
        )
        found = detect_missing(batch, lines, detect, year=year)
        batch = put_times(batch, found, source=TIME_DETECTED)
        times = times_of(batch)
    own = times.is_not_null() & ~_has_source(batch)
    if inherit is not None and timestamp == "auto" and times.null_count():
        batch = put_times(batch, inherit(own_times(batch)).set(times.is_not_null(), None), source=TIME_INHERITED)
    batch = _put_objects_time(batch, timestamp=timestamp, modified=modified, received=received)
    return put_times(batch, times.set(~own, None), source=TIME_FROM_RECORD)


def own_times(batch: pa.RecordBatch) -> pl.Series:
    """Return the times that events have of their own: from a field, a line or a pipeline."""
    times = times_of(batch)
    return times.set(_sources(batch).is_in([TIME_INHERITED, TIME_FROM_OBJECT, TIME_RECEIVED]).fill_null(False), None)


def is_believed(modified: datetime, received: datetime) -> bool:
    """Whether an object's LastModified can be the time of its events: 0 is what tools write that know none."""
    return EPOCH < modified <= received + DAY


def _put_objects_time(
    batch: pa.RecordBatch, *, timestamp: str, modified: Modified, received: datetime
) -> pa.RecordBatch:
    """Give the time of the object, or else that of receipt, to the events that have none."""
    times = times_of(batch)
    if isinstance(modified, ModifiedTimes):
        return _put_times_of_objects(batch, times, timestamp, modified.of_events)
    objects = timestamp != "received" and is_believed(modified, received)
    time, source = (modified, TIME_FROM_OBJECT) if objects else (received, TIME_RECEIVED)
    late = pl.repeat(time, len(times), dtype=UTC, eager=True)
    return put_times(batch, late.set(times.is_not_null(), None), source=source)


def _put_times_of_objects(
    batch: pa.RecordBatch, times: pl.Series, timestamp: str, modified: pl.Series
) -> pa.RecordBatch:
    """Do the same for events of several objects, each of which has a time of its own."""
    if not times.null_count():
        return batch
    received = pl.Series(pl.from_arrow(batch.column("_observed_at")), dtype=UTC)
    believed = (modified > EPOCH) & (modified <= received + DAY) if timestamp != "received" else times.is_null() & False
    of_objects = believed & times.is_null()
    batch = put_times(batch, modified.set(~of_objects, None), source=TIME_FROM_OBJECT)
    return put_times(batch, received.set(of_objects | times.is_not_null(), None), source=TIME_RECEIVED)


def times_of(batch: pa.RecordBatch) -> pl.Series:
    """Return the batch's `_time` as Datetime[us, UTC], all null if it has none."""
    at = batch.schema.get_field_index("_time")
    if at < 0 or pa.types.is_null(batch.schema.types[at]):
        return nothing(batch.num_rows)
    return pl.Series(pl.from_arrow(batch.column(at)), dtype=UTC)


def put_times(batch: pa.RecordBatch, times: pl.Series, *, source: str) -> pa.RecordBatch:
    """Set `_time` and `_time_source` of the rows for which there is a time; the others stay as they are.

    Args:
        batch: Events.
        times: Datetime[us, UTC], null where nothing is to be set.
        source: What `_time_source` becomes.
    """
    given = times.is_not_null()
    if batch.num_rows and not given.any():
        return batch
    merged = times if given.all() else times.fill_null(times_of(batch))
    batch = _with_column(batch, "_time", merged.to_arrow(compat_level=pl.CompatLevel.newest()).cast(TIME))
    return _with_column(batch, "_time_source", _merged_source(batch, given, source))


def _merged_source(batch: pa.RecordBatch, given: pl.Series, source: str) -> pa.Array:
    if given.all():
        return constant(source, batch.num_rows)
    before = _sources(batch).zip_with(~given, pl.repeat(source, len(given), eager=True))
    return before.to_arrow(compat_level=pl.CompatLevel.newest()).cast(pa.string()).dictionary_encode().cast(CONSTANT)


def _sources(batch: pa.RecordBatch) -> pl.Series:
    at = batch.schema.get_field_index("_time_source")
    if at < 0:
        return pl.repeat(None, batch.num_rows, dtype=pl.String, eager=True)
    return as_series(batch.column(at))


def _has_source(batch: pa.RecordBatch) -> pl.Series:
    return _sources(batch).is_not_null()


def _has_all_sources(batch: pa.RecordBatch) -> bool:
    at = batch.schema.get_field_index("_time_source")
    return at >= 0 and int(batch.column(at).null_count) == 0


def _has_errors(batch: pa.RecordBatch) -> bool:
    return "_error" in batch.schema.names


def _has_no_error(batch: pa.RecordBatch) -> pl.Series:
    """Return which records could be read: what could not is looked through like a line of text."""
    at = batch.schema.get_field_index("_error")
    return as_series(batch.column(at)).is_null() if at >= 0 else pl.repeat(True, batch.num_rows, eager=True)


def detect_missing(
    batch: pa.RecordBatch, lines: str, detect: Callable[..., pl.Series], *, year: int | Indices | None
) -> pl.Series:
    """Look for stamps in the rows without a time, but not in JSON (an event of HEC), which has other dates.

    Args:
        batch: Events.
        lines: Which of their messages are looked through, as `Format.lines` says.
        detect: Finds the times of some messages, given the `year` of stamps without one.
        year: That year, or that of each event; None chooses it.

    Returns:
        Datetime[us, UTC], null where there is no stamp.
    """
    messages = as_series(batch.column("_message"))
    if lines == "plain":
        messages = messages.set(messages.str.starts_with("{") | messages.str.starts_with("["), None)
    elif lines == "errors":
        messages = messages.set(_has_no_error(batch), None)
    missing = times_of(batch).is_null()
    if missing.all():
        return by_year(detect, messages, year)
    rows = missing.arg_true()
    own = year[rows.to_numpy()] if isinstance(year, np.ndarray) else year
    return nothing(len(missing)).scatter(rows, by_year(detect, messages.gather(rows), own))


def by_year(read: Callable[..., pl.Series], texts: pl.Series, year: int | Indices | None) -> pl.Series:
    """Read texts, each in its year.

    Args:
        read: Reads some of them, given the `year` of those that name none.
        texts: Strings.
        year: That year, or that of each text; None chooses it.
    """
    if not isinstance(year, np.ndarray):
        return read(texts, year=year)
    different = np.unique(year).tolist()
    if len(different) == 1:
        return read(texts, year=different[0])
    times = nothing(len(texts))
    for one in different:
        rows = pl.Series(np.flatnonzero(year == one))
        times = times.scatter(rows, read(texts.gather(rows), year=one))
    return times


def _with_column(batch: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    at = batch.schema.get_field_index(name)
    if at < 0:
        return batch.append_column(name, column)
    return batch.set_column(at, name, column)
