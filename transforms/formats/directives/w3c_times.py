"""The times of rows of W3C's extended log format: `date` and `time` are UTC, whatever zone other stamps have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Indices
from transforms.arrow.arrays import as_series, as_view, take
from transforms.formats.directives.mixed_rows import Fragment, HeadedRows, closed_up, joined, spread, spread_times
from transforms.formats.directives.sections import Header
from transforms.formats.directives.w3c_header import FileDate, W3cHeader
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.times import RecordTimes

_CLOCK = r"^(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?$"
_HOUR, _DAY = 3600, 86_400  # seconds


class _Clocks(NamedTuple):
    """Rows with a time of day.

    Attributes:
        part: The rows.
        clocks: Their times of day.
        days: Their dates; None where the file's `#Date:` has them.
    """

    part: HeadedRows[Header]
    clocks: pa.Array
    days: pa.Array | None


class W3cTimes:
    """Finds the times of one object's rows."""

    def __init__(self, options: FormatOptions, times: ObjectTimes) -> None:
        """Prepare for an object."""
        self._other = RecordTimes(options, times)
        self._utc = RecordTimes(replace(options, timezone="UTC"), times)
        self._date: FileDate | None = None
        self._days = 0
        self._clock: int | None = None

    def columns(self, parts: Sequence[HeadedRows[Header]], total: int) -> dict[str, pa.Array]:
        """Return `_time` and `_time_source` of the next rows, or nothing where none has a time."""
        timed: list[_Clocks] = []
        stamps: list[Fragment] = []
        others: list[HeadedRows[Header]] = []
        for part in parts:
            header = part.headers[0][0]
            assert isinstance(header, W3cHeader)
            names = {name.lower(): name for name in reversed(header.layout.names)}
            if "time" in names and ("date" in names or header.day):
                clocks, days = part.fields.get(names["time"]), part.fields.get(names.get("date", ""))
                if clocks is not None and (days is not None or header.day):
                    timed.append(_Clocks(part, clocks, days))
            elif "date-time" in names:
                texts = part.fields.get(names["date-time"])
                stamps += [(part.rows, texts)] if texts is not None else []
            elif part.fields:
                others.append(part)
        if timed:
            stamps.append(self._stamps(timed, total))
        found = [(rows, self._utc.columns({"time": texts})) for rows, texts in ([joined(stamps)] if stamps else [])]
        found += [(rows, self._other.columns(fields)) for rows, fields in ([closed_up(others)] if others else [])]
        return spread_times(found, total)

    def _stamps(self, timed: Sequence[_Clocks], total: int) -> Fragment:
        """Return dates with their times of day, null where either is."""
        rows, clocks = joined([(one.part.rows, one.clocks) for one in timed])
        days = [(one.part.rows, one.days) for one in timed if one.days is not None]
        without = [one for one in timed if one.days is None]
        if without:
            days.append(self._days_of(without))
        texts = (
            pl.DataFrame({"day": as_series(take(spread(days, total), rows)), "clock": as_series(clocks)})
            .select(pl.col("day") + " " + pl.col("clock"))
            .to_series()
        )
        return rows, as_view(texts.to_arrow(compat_level=pl.CompatLevel.newest()))

    def _days_of(self, timed: Sequence[_Clocks]) -> Fragment:
        """Return the day of each row: the next one where its time of day is before that of the row before it.

        A row may be up to an hour earlier than the one before it: requests are written when they end.
        """
        rows, clocks = joined([(one.part.rows, one.clocks) for one in timed])
        dates, index = _dates_of(timed)
        starts = [(date.clock, 0) if date != self._date else (self._clock, self._days) for date in dates]
        of_date = pl.DataFrame(
            {
                "number": [date.number for date in dates],
                "day": [date.day for date in dates],
                "start": pl.Series([clock for clock, _ in starts], dtype=pl.Int32),
                "passed": pl.Series([days for _, days in starts], dtype=pl.Int32),
            }
        )
        frame = of_date[index].with_columns(clock=_clock_seconds(as_series(clocks)))
        known = pl.col("clock").forward_fill().over("number").fill_null(pl.col("start"))
        frame = frame.with_columns(known=known)
        steps = pl.col("known") - pl.col("known").shift(1).over("number").fill_null(pl.col("start"))
        passed = (steps < -_HOUR).cast(pl.Int32) - (steps >= _DAY - _HOUR).cast(pl.Int32)
        frame = frame.with_columns(days=passed.fill_null(0).cum_sum().over("number") + pl.col("passed"))
        self._date, self._days, self._clock = dates[index[-1]], int(frame["days"][-1]), frame["known"][-1]
        texts = frame.select((pl.col("day") + pl.duration(days=pl.col("days"))).dt.strftime("%Y-%m-%d")).to_series()
        return rows, as_view(texts.to_arrow(compat_level=pl.CompatLevel.newest()))


def _dates_of(timed: Sequence[_Clocks]) -> tuple[list[FileDate], Indices]:
    """Return what `#Date:` says before some rows, and for each row, ascending, which of these holds."""
    dates: list[FileDate] = []
    numbers: list[int] = []
    for one in timed:
        for header, count in one.part.headers:
            assert isinstance(header, W3cHeader) and header.day is not None
            dates.append(header.day)
            numbers.append(count)
    rows = np.concatenate([one.part.rows for one in timed])
    return dates, np.repeat(np.arange(len(dates)), numbers)[np.argsort(rows)]


def _clock_seconds(clocks: pl.Series) -> pl.Series:
    """Return times of day in seconds, null where a text is none."""
    parts = clocks.str.strip_chars().str.extract_groups(_CLOCK).struct.unnest().cast(pl.Int32, strict=False)
    hours, minutes, seconds = parts.columns
    total = pl.col(hours) * _HOUR + pl.col(minutes) * 60 + pl.col(seconds).fill_null(0)
    return parts.select(total).to_series()
