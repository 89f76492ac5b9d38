"""The time of a record: which of its fields holds it (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series
from transforms.core.schema import TIME
from transforms.timestamps.columns import parse_times

NAMES = (
    "_time", "@timestamp", "timestamp", "time", "ts", "eventtime", "event_time", "datetime", "date_time", "date",
    "created_at", "logged_at",
)  # fmt: skip
"""The fields that are asked, in this order, in lower case."""

FirstRows = Callable[[], Mapping[str, pa.Array]]
"""Gives the first records of an object: attribute name -> values."""


@dataclass(slots=True, kw_only=True)
class TimeFields:
    """The time fields of one object's records. Kept for the object, because CSV's other time column is chosen once.

    Attributes:
        timezone: IANA name that holds where a value has no zone.
        modified: When the object was last modified.
        received: When Rekindle read it.
        csv: Whether a column that is not named for a time may be it: the leftmost whose sampled values all are times,
            and not bare numbers.
    """

    timezone: str
    modified: datetime
    received: datetime
    csv: bool = False
    _chosen: str | None = field(default=None, init=False)
    _sampled: bool = field(default=False, init=False)

    def times(self, columns: Mapping[str, pa.Array], first_rows: FirstRows | None = None) -> pa.Array | None:
        """Read the times of a block of records.

        Args:
            columns: Attribute name -> its values, in the order of the record; all of one length.
            first_rows: The sample by which CSV's other time column is chosen; by `columns` if None. Asked only if it is
                needed.

        Returns:
            timestamp[us, UTC], null where no field has a time; None if that is everywhere.
        """
        times: pl.Series | None = None
        for texts, epochs in self._candidates(columns, first_rows):
            times = self._fill(times, texts, epochs=epochs)
            if times.null_count() == 0:
                break
        if times is None or times.null_count() == len(times):
            return None
        return times.to_arrow(compat_level=pl.CompatLevel.newest()).cast(TIME)

    def _candidates(
        self, columns: Mapping[str, pa.Array], first_rows: FirstRows | None
    ) -> Iterator[tuple[pl.Series, bool]]:
        """Give the columns that may hold the time, best first, each with whether bare numbers in it are times."""
        by_name: dict[str, list[str]] = {}
        for name in columns:
            if (lower := name.lower()) in NAMES:
                by_name.setdefault(lower, []).append(name)
        for lower in NAMES:
            if lower == "time" and {"date", "time"} <= by_name.keys():
                days, clocks = (
                    pl.DataFrame({name: as_series(columns[name]) for name in by_name[part]})
                    for part in ("date", "time")
                )
                yield _beside(days, clocks), False
            for name in by_name.get(lower, ()):
                yield as_series(columns[name]), True
        if self.csv and not self._sampled:
            self._choose(columns if first_rows is None else first_rows())
        if self._chosen is not None and self._chosen in columns:
            yield as_series(columns[self._chosen]), False

    def _fill(self, times: pl.Series | None, texts: pl.Series, *, epochs: bool) -> pl.Series:
        if times is None:
            return self._parse(texts, epochs=epochs)
        rows = times.is_null().arg_true()
        return times.scatter(rows, self._parse(texts.gather(rows), epochs=epochs))

    def _parse(self, texts: pl.Series, *, epochs: bool) -> pl.Series:
        return parse_times(texts, timezone=self.timezone, modified=self.modified, received=self.received, epochs=epochs)

    def _choose(self, columns: Mapping[str, pa.Array]) -> None:
        """Find the leftmost column whose values all are times, and not bare numbers."""
        self._sampled = True
        for name, values in columns.items():
            sample = as_series(values).drop_nulls()
            sample = sample.filter(sample != "")
            if name.lower() not in NAMES and len(sample) and self._parse(sample, epochs=False).null_count() == 0:
                self._chosen = name
                return


def record_times(
    columns: Mapping[str, pa.Array], *, timezone: str, modified: datetime, received: datetime, csv: bool
) -> pa.Array | None:
    """Read the times of one block of records, as `TimeFields.times` does for the blocks of an object."""
    return TimeFields(timezone=timezone, modified=modified, received=received, csv=csv).times(columns)


_MIDNIGHT = r"[T ]00:00(?::00(?:\.0+)?)?Z?$"
_COMPACT_CLOCK = r"^(\d\d)(\d\d)(\d\d)((?:\.\d+)?)$"


def _beside(dates: pl.DataFrame, times: pl.DataFrame) -> pl.Series:
    """Read `date` and `time` together, however a row spells them: `Date`, a midnight behind it, `T05:06`."""
    days = dates.select(pl.coalesce(pl.all()).str.strip_chars().str.replace(_MIDNIGHT, "")).to_series()
    clock = pl.coalesce(pl.all()).str.strip_chars().str.replace("^T", "")
    clocks = times.select(clock.str.replace(_COMPACT_CLOCK, "${1}:${2}:${3}${4}")).to_series()
    return pl.DataFrame({"day": days, "clock": clocks}).select(pl.col("day") + " " + pl.col("clock")).to_series()
