"""The processor `timestamp`: sets `_time` from an attribute or the message (docs/pipelines.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from transforms.arrow import Flags
from transforms.arrow.arrays import as_flags
from transforms.core.errors import ConfigurationError, MixedObjectsError
from transforms.core.schema import TIME_FROM_PIPELINE, TIME_RECEIVED
from transforms.processors.kernels.events import Events
from transforms.processors.kernels.java_patterns import JavaPattern, translate
from transforms.processors.kernels.java_times import read_java_times
from transforms.processors.parameters import Parameters
from transforms.processors.processor import Processor
from transforms.timestamps import (
    FORMS,
    UNITS,
    Form,
    ModifiedTimes,
    check_timezone,
    detect_times,
    parse_epochs,
    parse_times,
)

_AUTO = "AUTO"
_DATED = tuple(form for form in FORMS if re.search("<(?:year|yy|year_behind|epoch|tai)>", form.pattern))
_YEAR, _NEAR = 31_556_952, 2 * 86_400  # seconds of a mean year; of what leap days and zones put between two readings
_CUSTOM = "custom"
_TIMES = pl.Datetime("us", "UTC")
_NAMED = {
    _AUTO: tuple(form.name for form in FORMS),
    "ISO_8601": ("iso_8601", "date", "compact", "compact_date", "digits"),
    "DATE": ("iso_8601", "date"),
    "CLF": ("clf",),
}
"""Format -> the forms it stands for."""


@dataclass(frozen=True, slots=True)
class Timestamp(Processor):
    """Set the time of events: `AUTO` reads a whole value, but of the message the first stamp.

    Attributes:
        source: Column in flight that holds the time.
        format: One of the named formats, or `custom`.
        timezone: IANA name that holds where the value has no zone.
        forms: How the value may be written; empty for an epoch of a set unit, and for `custom`.
        pattern: How it is written, of a custom format.
    """

    name: ClassVar[str] = "timestamp"

    source: str
    format: str
    timezone: str
    forms: tuple[Form, ...]
    pattern: JavaPattern | None = None

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`, `format` and `timezone`; a Java pattern is translated here, once."""
        parameters.allow("source", "format", "timezone")
        source = parameters.source()
        name = parameters.text("format", default=_AUTO)
        timezone = parameters.text("timezone", default="UTC")
        try:
            check_timezone(timezone)
        except ConfigurationError as error:
            parameters.problem("timezone", str(error))
        if name in UNITS:
            return cls(source, name, timezone, ())
        if name in _NAMED:
            return cls(
                source,
                name,
                timezone,
                FORMS if name == _AUTO else tuple(form for form in FORMS if form.name in _NAMED[name]),
            )
        try:
            return cls(source, _CUSTOM, timezone, (), translate(name))
        except ConfigurationError as error:
            parameters.problem("format", f"{error}. Or one of {', '.join([*_NAMED, *UNITS])}")
            return cls(source, name, timezone, ())

    def apply(self, events: Events) -> Flags | None:
        """Set `_time` where the source has a time.

        Where it has none, a custom format gives the time of receipt, the others leave `_time` as it is.
        """
        texts = events.texts(self.source)
        if texts is None:
            return None
        times = self._read(texts, events)
        failed = texts.is_not_null() & times.is_null()
        if self.format == _CUSTOM and failed.any():
            if isinstance(events.modified, ModifiedTimes):
                raise MixedObjectsError("each object has a time of receipt of its own")
            late = pl.repeat(events.received, len(times), dtype=times.dtype, eager=True)
            events.put_times(late.set(~failed, None), source=TIME_RECEIVED)
        events.put_times(times, source=TIME_FROM_PIPELINE)
        return as_flags(failed)

    def _read(self, texts: pl.Series, events: Events) -> pl.Series:
        if not isinstance(events.year, np.ndarray):
            return self._read_in_year(texts, events, events.year)
        times = pl.repeat(None, len(texts), dtype=_TIMES, eager=True)
        for rows, part in events.parts_by_year():
            times = times.scatter(pl.Series(rows), self._read(texts.gather(pl.Series(rows)), part))
        return times

    def _read_in_year(self, texts: pl.Series, events: Events, year: int | None) -> pl.Series:
        modified, received = events.modified, events.received
        if self.pattern is not None:
            return read_java_times(
                texts, self.pattern, timezone=self.timezone, modified=modified, received=received, year=year
            )
        if not self.forms:
            return parse_epochs(texts, received=received, unit=self.format)
        auto = self.format == _AUTO
        if auto and self.source == "_message":
            return detect_times(texts, timezone=self.timezone, modified=modified, received=received, year=year)
        times = parse_times(
            texts,
            timezone=self.timezone,
            modified=modified,
            received=received,
            epochs=auto,
            forms=self.forms,
            year=year,
        )
        return self._fuller(texts, times, events, year) if auto else times

    def _fuller(self, texts: pl.Series, times: pl.Series, events: Events, year: int | None) -> pl.Series:
        """Put the message's own stamp in for one without a year, where both are of one day of the year."""
        messages = events.texts("_message")
        if messages is None:
            return times
        zone, modified, received = self.timezone, events.modified, events.received
        dated = parse_times(texts, timezone=zone, modified=modified, received=received, epochs=True, forms=_DATED)
        rows = np.flatnonzero((times.is_not_null() & dated.is_null()).to_numpy())
        if not rows.size:
            return times
        found = detect_times(messages.gather(rows), timezone=zone, modified=modified, received=received, year=year)
        apart = (found - times.gather(rows)).dt.total_seconds() % _YEAR
        agree = ((apart <= _NEAR) | (apart >= _YEAR - _NEAR)).fill_null(value=False).to_numpy()
        return times.scatter(rows[agree], found.filter(pl.Series(agree))) if agree.any() else times
