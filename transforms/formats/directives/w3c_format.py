"""W3C's extended log format, as IIS, CloudFront, Exchange and others write it.

The names of the cells are those of the last `#Fields:`. Values are kept as they are written (`+` and `%20` too).
Sources: https://www.w3.org/TR/WD-logfile.html,
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series, as_view
from transforms.formats.csv.rows import header_names
from transforms.formats.directives.cells import RowLayout
from transforms.formats.directives.detection import leading_directives
from transforms.formats.directives.sections import DirectiveLog, Header
from transforms.formats.encoding import utf8
from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.times import RecordTimes

_FIELDS = re.compile(r"#fields:\s*(\S.*)", re.IGNORECASE)
_DATE = re.compile(r"#(?:start-)?date:\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}:\d{2}(?::\d{2})?))?", re.IGNORECASE)
_CLOCK = r"^(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?$"
_HOUR, _DAY = 3600, 86_400  # seconds


@dataclass(frozen=True)
class FileDate:
    """What `#Date:` says, for rows that have a time of day alone.

    Attributes:
        day: The date.
        clock: The time of day, in seconds; None if there is none.
        number: How many there were up to it, so that each is another one.
    """

    day: datetime.date
    clock: int | None
    number: int


@dataclass(frozen=True)
class W3cHeader:
    """What the directives of W3C's format say up to some line.

    Attributes:
        layout: By the last `#Fields:`.
        day: The last `#Date:` where rows have no date of their own; else None.
        last_date: The last `#Date:`.
    """

    layout: RowLayout = RowLayout(separator=" ", quotes=True)
    day: FileDate | None = None
    last_date: FileDate | None = field(default=None, compare=False)

    @property
    def needs_rows_before(self) -> bool:
        """Whether past which midnight a row is follows from those before it."""
        return self._has_clock_alone(self.layout)

    def after(self, directive: str) -> W3cHeader:
        """Return the header behind one more directive."""
        layout, last_date = self.layout, self.last_date
        if match := _FIELDS.match(directive):
            names, separator = _names(match[1])
            layout = replace(layout, names=tuple(header_names(names)), separator=separator)
        elif (match := _DATE.match(directive)) and (day := _day(match[1])):
            number = last_date.number + 1 if last_date else 1
            last_date = FileDate(day, _seconds(match[2]) if match[2] else None, number)
        return W3cHeader(layout, last_date if self._has_clock_alone(layout) else None, last_date)

    @staticmethod
    def _has_clock_alone(layout: RowLayout) -> bool:
        lower = {name.lower() for name in layout.names}
        return "time" in lower and "date" not in lower


class W3cTimes:
    """Finds the times of one object's rows: `date` and `time` are UTC, whatever zone other stamps have."""

    def __init__(self, options: FormatOptions, times: ObjectTimes) -> None:
        """Prepare for an object."""
        self._other = RecordTimes(options, times)
        self._utc = RecordTimes(replace(options, timezone="UTC"), times)
        self._date: FileDate | None = None
        self._days = 0
        self._clock: int | None = None

    def columns(self, header: Header, fields: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Return `_time` and `_time_source` of the next rows, or nothing where none has a time."""
        assert isinstance(header, W3cHeader)
        names = {name.lower(): name for name in reversed(header.layout.names)}
        if "time" in names and ("date" in names or header.day):
            clocks, days = fields.get(names["time"]), fields.get(names.get("date", ""))
            if clocks is None or (days is None and header.day is None):
                return {}
            joined = _joined(self._days_of(header.day, as_series(clocks)) if header.day else as_series(days), clocks)
            return self._utc.columns({"time": joined})
        if "date-time" in names:
            stamps = fields.get(names["date-time"])
            return {} if stamps is None else self._utc.columns({"time": stamps})
        return self._other.columns(fields)

    def _days_of(self, date: FileDate, clocks: pl.Series) -> pl.Series:
        """Return the day of each row: the next one where its time of day is before that of the row before it.

        A row may be up to an hour earlier than the one before it: requests are written when they end.
        """
        if date != self._date:
            self._date, self._days, self._clock = date, 0, date.clock
        known = _clock_seconds(clocks).forward_fill()
        if self._clock is not None:
            known = known.fill_null(self._clock)
        steps = known - known.shift(1, fill_value=self._clock)
        passed = (steps < -_HOUR).cast(pl.Int32) - (steps >= _DAY - _HOUR).cast(pl.Int32)
        days = passed.fill_null(0).cum_sum() + self._days
        self._days, self._clock = int(days[-1]), known[-1]
        texts = (pl.lit(date.day) + pl.duration(days=pl.col("days"))).dt.strftime("%Y-%m-%d")
        return pl.DataFrame({"days": days}).select(texts).to_series()


def _joined(days: pl.Series, clocks: pa.Array) -> pa.Array:
    """Return dates with their times of day, null where either is."""
    texts = (
        pl.DataFrame({"day": days, "clock": as_series(clocks)})
        .select(pl.col("day") + " " + pl.col("clock"))
        .to_series()
    )
    return as_view(texts.to_arrow(compat_level=pl.CompatLevel.newest()))


def _names(text: str) -> tuple[list[str], str]:
    """Return the names of `#Fields:`, and what is between the cells of a row."""
    text = text.strip()
    if "\t" in text:
        return text.split("\t"), "\t"
    by_commas = [name.strip() for name in text.rstrip(", ").split(",")]
    if len(by_commas) > 1 and not any(" " in name for name in by_commas):
        return by_commas, ","
    return text.split(), " "


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _seconds(clock: str) -> int | None:
    seconds: int | None = _clock_seconds(pl.Series([clock]))[0]
    return seconds


def _clock_seconds(clocks: pl.Series) -> pl.Series:
    """Return times of day in seconds, null where a text is none."""
    parts = clocks.str.strip_chars().str.extract_groups(_CLOCK).struct.unnest().cast(pl.Int32, strict=False)
    hours, minutes, seconds = parts.columns
    total = pl.col(hours) * _HOUR + pl.col(minutes) * 60 + pl.col(seconds).fill_null(0)
    return parts.select(total).to_series()


def _recognise(sample: FormatSample) -> FormatChoice | str:
    if any(_FIELDS.match(line) for line in leading_directives(sample.text)):
        return FormatChoice(format="w3c", rule="begins with directives, #Fields: among them")
    return ""


def _mismatch(head: bytes, options: FormatOptions) -> str | None:
    del options
    lines = leading_directives(b"".join(utf8([head])).decode("utf-8", "replace"))
    return None if any(map(_FIELDS.match, lines)) else "it does not begin with directives and #Fields: among them"


_LOG = DirectiveLog(start=W3cHeader(), times=lambda options, times: W3cTimes(options, times).columns)
READER = _LOG.reader(recognise=_recognise, mismatch=_mismatch)
