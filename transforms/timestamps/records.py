"""The time of a record: which of its fields holds it (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series
from transforms.core.schema import TIME
from transforms.timestamps.clock import why_unbelieved
from transforms.timestamps.columns import parse_times
from transforms.timestamps.fields.day_order import is_day_first
from transforms.timestamps.fields.known_fields import COMMON, KNOWN, NAMES, ZONES, KnownField, plain_name
from transforms.timestamps.line_parts import IS_ZONE, add_zones

__all__ = ["NAMES", "FirstRows", "TimeFields", "record_times"]

FirstRows = Callable[[], Mapping[str, pa.Array]]
"""Gives the first records of an object: attribute name -> values."""
_NAMED_FOR_TIMES = ("time", "timestamp", "date")


class _Candidate(NamedTuple):
    texts: pl.Series
    epochs: bool = False
    """Whether bare numbers in it are times."""


@dataclass(slots=True, kw_only=True)
class TimeFields:
    """The time fields of one object's records. Kept for the object, because what its sample decides is decided once.

    Attributes:
        timezone: IANA name that holds where a value has no zone.
        modified: When the object was last modified.
        received: When Rekindle read it.
        csv: Whether a column that is not named for a time may be it: the leftmost whose sampled values all are times,
            and not bare numbers.
        time_field: Fields that are asked before all others; dots lead into nested objects.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August; where not, it is if another value of the sample can only be so.
    """

    timezone: str
    modified: datetime
    received: datetime
    csv: bool = False
    time_field: Sequence[str] = ()
    year: int | None = None
    day_first: bool = False
    _chosen: str | None = field(default=None, init=False)
    _clocks: dict[str, str] = field(default_factory=dict, init=False)
    """A column of days -> the one right of it that has the time of day."""
    _sampled: bool = field(default=False, init=False)
    _sample_day_first: bool | None = field(default=None, init=False)

    def times(self, columns: Mapping[str, pa.Array], first_rows: FirstRows | None = None) -> pa.Array | None:
        """Read the times of a block of records.

        Args:
            columns: Attribute name -> its values, in the order of the record; all of one length.
            first_rows: The sample by which a field that is not known is chosen, and the order of day and month; it is
                `columns` if None. Asked only if it is needed.

        Returns:
            timestamp[us, UTC], null where no field has a time; None if that is everywhere.
        """

        def sample() -> Mapping[str, pa.Array]:
            return columns if first_rows is None else first_rows()

        times: pl.Series | None = None
        for candidate in self._candidates(columns, sample):
            times = self._fill(times, candidate, sample)
            if times.null_count() == 0:
                break
        if times is None or times.null_count() == len(times):
            return None
        return times.to_arrow(compat_level=pl.CompatLevel.newest()).cast(TIME)

    def unbelieved(self, columns: Mapping[str, pa.Array], times: pa.Array | None) -> pl.Series | None:
        """Return why records without a time have none to believe in the fields that are known or named for it.

        Args:
            columns: As `times` was given them.
            times: What it returned.

        Returns:
            `why_unbelieved` of each record's first such field, null where it has none; None if that is everywhere.
        """
        rows = as_series(times).is_null().arg_true() if times is not None else None
        reasons: pl.Series | None = None
        for found in self._named(columns):
            texts = found.texts if rows is None else found.texts.gather(rows)
            read = parse_times(
                texts,
                timezone=self.timezone,
                modified=self.modified,
                received=None,
                epochs=found.epochs,
                year=self.year,
                day_first=self.day_first,
            )
            reason = why_unbelieved(read, self.received)
            reasons = reason if reasons is None else reasons.fill_null(reason)
        if reasons is None or reasons.null_count() == len(reasons):
            return None
        if rows is None or times is None:
            return reasons
        return pl.repeat(None, len(times), dtype=pl.String, eager=True).scatter(rows, reasons)

    def _candidates(self, columns: Mapping[str, pa.Array], sample: FirstRows) -> Iterator[_Candidate]:
        """Give the columns that may hold the time, best first."""
        zones = _zones(columns)
        for found in self._named(columns, sample):
            yield found if zones is None else _Candidate(add_zones(found.texts, zones), found.epochs)
        if not self._sampled:
            self._choose(sample)
        if self._chosen is not None and self._chosen in columns:
            texts = as_series(columns[self._chosen])
            if (clock := self._clock_of(self._chosen, sample)) in columns:
                both = _day_and_clock(texts, as_series(columns[clock]))
                yield _Candidate(both if zones is None else add_zones(both, zones))
            yield _Candidate(texts if zones is None else add_zones(texts, zones))

    def _named(self, columns: Mapping[str, pa.Array], sample: FirstRows | None = None) -> Iterator[_Candidate]:
        asked = [texts for path in self.time_field if (texts := _at_path(columns, path)) is not None]
        for at, texts in enumerate(asked):
            if at + 1 < len(asked) and asked[at + 1].str.contains(_CLOCK).any():
                yield _Candidate(_day_and_clock(texts, asked[at + 1]))
            yield _Candidate(texts, epochs=True)
        by_name: dict[str, list[str]] = {}
        for name in columns:
            by_name.setdefault(plain_name(name), []).append(name)
        for plain in COMMON:
            if plain == "time" and {"date", "time"} <= by_name.keys():
                days, clocks = (
                    pl.DataFrame({name: as_series(columns[name]) for name in by_name[part]})
                    for part in ("date", "time")
                )
                yield _Candidate(_beside(days, clocks))
            for name in by_name.get(plain, ()):
                if sample is not None and (clock := self._clock_of(name, sample)) in columns:
                    yield _Candidate(_day_and_clock(as_series(columns[name]), as_series(columns[clock])))
                yield _Candidate(as_series(columns[name]), epochs=True)
        for known in KNOWN:
            for name in by_name.get(known.name, ()):
                yield _Candidate(_value_of(as_series(columns[name]), known), epochs=True)

    def _fill(self, times: pl.Series | None, found: _Candidate, sample: FirstRows) -> pl.Series:
        if times is None:
            return self._parse(found.texts, sample, epochs=found.epochs)
        rows = times.is_null().arg_true()
        return times.scatter(rows, self._parse(found.texts.gather(rows), sample, epochs=found.epochs))

    def _parse(self, texts: pl.Series, sample: FirstRows, *, epochs: bool) -> pl.Series:
        return parse_times(
            texts,
            timezone=self.timezone,
            modified=self.modified,
            received=self.received,
            epochs=epochs,
            year=self.year,
            day_first=self.day_first or (lambda: self._is_day_first(sample)),
        )

    def _is_day_first(self, sample: FirstRows) -> bool:
        if self._sample_day_first is None:
            self._sample_day_first = is_day_first(as_series(values) for values in sample().values())
        return self._sample_day_first

    def _choose(self, sample: FirstRows) -> None:
        """Find the only field named for a time whose values all are times; in CSV else the leftmost of any name."""
        self._sampled = True
        named: list[str] = []
        others: list[str] = []
        asked = {*COMMON, *(known.name for known in KNOWN if known.path is None), *ZONES}
        columns = sample()
        for name in columns:
            plain = plain_name(name)
            if plain not in asked:
                (named if plain.endswith(_NAMED_FOR_TIMES) else others).append(name)
        fitting = [name for name in named if self._all_times(columns[name], sample)]
        if len(fitting) == 1:
            self._chosen = fitting[0]
        elif self.csv:
            leftmost = (
                name
                for name in columns
                if name in fitting or (name in others and self._all_times(columns[name], sample))
            )
            self._chosen = next(leftmost, None)

    def _clock_of(self, name: str, sample: FirstRows) -> str:
        """Return the column of CSV that has the time of day of a column of days and stands right of it, else ""."""
        if name not in self._clocks:
            self._clocks[name] = _clock_beside(name, sample()) if self.csv else ""
        return self._clocks[name]

    def _all_times(self, values: pa.Array, sample: FirstRows) -> bool:
        texts = as_series(values).drop_nulls()
        texts = texts.filter(texts != "")
        return len(texts) > 0 and self._parse(texts, sample, epochs=False).null_count() == 0


def record_times(
    columns: Mapping[str, pa.Array], *, timezone: str, modified: datetime, received: datetime, csv: bool
) -> pa.Array | None:
    """Read the times of one block of records, as `TimeFields.times` does for the blocks of an object."""
    return TimeFields(timezone=timezone, modified=modified, received=received, csv=csv).times(columns)


def _zones(columns: Mapping[str, pa.Array]) -> pl.Series | None:
    """Return the zones that the records name beside their times, null where they don't."""
    named = [name for name in columns if plain_name(name) in ZONES]
    if not named:
        return None
    texts = pl.DataFrame({name: as_series(columns[name]) for name in named})
    return texts.select(pl.coalesce(pl.col(name).str.extract(IS_ZONE, 0) for name in named)).to_series()


def _at_path(columns: Mapping[str, pa.Array], path: str) -> pl.Series | None:
    """Return the values of an attribute, or of what its JSON text holds where the names of the path lead."""
    if path in columns:
        return as_series(columns[path])
    names = path.split(".")
    for count in range(len(names) - 1, 0, -1):
        if (name := ".".join(names[:count])) in columns:
            quoted = "".join(f"['{part}']" for part in names[count:])
            return _inside(as_series(columns[name]), f"${quoted}")
    return None


def _inside(texts: pl.Series, path: str) -> pl.Series:
    nested = texts.str.contains(r"^[{\[]")
    return texts.set(~nested, None).str.json_path_match(path)


def _value_of(texts: pl.Series, known: KnownField) -> pl.Series:
    if known.path is None:
        return texts
    values = _inside(texts, known.path)
    if known.nanoseconds is None:
        return values
    parts = pl.DataFrame({"whole": values, "fraction": _inside(texts, known.nanoseconds)})
    fraction = pl.col("fraction").fill_null("0").str.zfill(9)
    return parts.select(pl.col("whole") + "." + fraction).to_series()


_CLOCK = r"^ *T?[0-2]?[0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)? *$"


_SPAN = ("duration", "dauer", "elapsed", "runtime", "uptime", "length", "latency")
"""What the names of columns have whose clocks are no time of day."""


def _clock_beside(name: str, columns: Mapping[str, pa.Array]) -> str:
    names = list(columns)
    right = dict(pairwise(names)).get(name, "")
    if not right or any(word in plain_name(right) for word in _SPAN):
        return ""
    days = as_series(columns[name]).drop_nulls().str.replace(_MIDNIGHT, "")
    alone = days.str.contains(_DAY) & ~days.str.contains(":", literal=True)
    return right if alone.any() and _are_clocks(as_series(columns[right])) else ""


def _are_clocks(texts: pl.Series) -> bool:
    texts = texts.filter(texts != "")
    return len(texts) > 0 and bool(texts.str.contains(_CLOCK).all())


def _day_and_clock(days: pl.Series, clocks: pl.Series) -> pl.Series:
    """Read a day and the time of day that stands in another field together; null where that holds no time of day."""
    return _beside(pl.DataFrame({"day": days}), pl.DataFrame({"clock": clocks.set(~clocks.str.contains(_CLOCK), None)}))


_DAY = r"[0-9A-Za-z][-/. ][0-9A-Za-z]"
_MIDNIGHT = r"[T ]00:00(?::00(?:\.0+)?)?Z?$"
_COMPACT_CLOCK = r"^(\d\d)(\d\d)(\d\d)((?:\.\d+)?)$"


def _beside(dates: pl.DataFrame, times: pl.DataFrame) -> pl.Series:
    """Read `date` and `time` together, however a row spells them: `Date`, a midnight behind it, `T05:06`."""
    days = dates.select(pl.coalesce(pl.all()).str.strip_chars().str.replace(_MIDNIGHT, "")).to_series()
    clock = pl.coalesce(pl.all()).str.strip_chars().str.replace("^T", "")
    clocks = times.select(clock.str.replace(_COMPACT_CLOCK, "${1}:${2}:${3}${4}")).to_series()
    return pl.DataFrame({"day": days, "clock": clocks}).select(pl.col("day") + " " + pl.col("clock")).to_series()
