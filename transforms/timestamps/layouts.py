"""Read times that are written alike by copying their parts, column-wise, into ISO 8601.

The places are learned from one value; Arrow's own cast then reads the ISO text (16 ns a time where `to_datetime` takes
230), and checks it.
"""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from transforms.timestamps.casting import cast_iso
from transforms.timestamps.clock import TimeContext
from transforms.timestamps.forms import PARTS
from transforms.timestamps.grammar.months import MONTHS, WEEKDAYS
from transforms.timestamps.grammar.zones import ZONE_NAMES
from transforms.timestamps.templates import Template

Bytes = npt.NDArray[np.uint8]
Ranges = dict[str, tuple[int, int]]

_ARROW_UTC = pa.timestamp("us", "UTC")
_ARROW_NAIVE = pa.timestamp("us")
_PLAIN = ("year", "month", "day", "hour", "minute", "second", "fraction", "zone", "short_zone", "zone_name",
          "region")  # fmt: skip
_KNOWN = frozenset((*_PLAIN, "yy", "mon", "weekday", "year_behind", "first", "second_number"))
_MICROSECONDS = 6


class _UnlikeError(Exception):
    """A row is written unlike the sample, or is no date."""


def read_layout(texts: pl.Series, sample: re.Match[str], clock: TimeContext) -> pl.Series | None:
    """Read a column by the places that its parts have in a sample.

    Args:
        texts: String without nulls, all as many bytes long as the sample.
        sample: The match of a form with one of them.
        clock: Zone and years.

    Returns:
        Datetime[us, UTC], null for rows with other text between the parts; None if this way is not for them (the
        general way is).
    """
    ranges = {name: sample.span(name) for name, part in sample.groupdict().items() if part is not None}
    if not sample.string.isascii() or not ranges.keys() <= _KNOWN:
        return None
    if "mon" in ranges and sample["mon"].lower() not in MONTHS:
        return None
    cells = _bytes_of(texts, len(sample.string))
    alike = _alike(cells, sample.string, ranges)
    try:
        if alike.all():
            return _read(cells, ranges, sample, clock)
        return _spread(_read(cells[alike], ranges, sample, clock), alike)
    except _UnlikeError:
        return None


def _spread(times: pl.Series, rows: npt.NDArray[np.bool_]) -> pl.Series:
    indices = np.cumsum(rows) - 1
    return times.gather(indices.clip(0)).set(pl.Series(~rows), None)


def _bytes_of(texts: pl.Series, width: int) -> Bytes:
    """The text as a table of rows × bytes."""
    cells = texts.to_arrow(compat_level=pl.CompatLevel.oldest())  # large_string: all texts in one buffer
    _, offsets, data = cells.buffers()
    first = np.frombuffer(offsets, dtype=np.int64, count=1, offset=cells.offset * 8)[0]
    return np.frombuffer(data, dtype=np.uint8, count=width * len(cells), offset=int(first)).reshape(len(cells), width)


def _alike(cells: Bytes, sample: str, ranges: Ranges) -> npt.NDArray[np.bool_]:
    """Which rows have the sample's text wherever no part stands; named zones count as such text."""
    inside = {at for name, span in ranges.items() if name not in ("region", "zone_name") for at in range(*span)}
    alike = np.ones(len(cells), dtype=np.bool_)
    for at in range(len(sample)):
        if at not in inside:
            alike &= cells[:, at] == ord(sample[at])
    start, end = ranges.get("fraction", (0, 0))
    for at in range(start + _MICROSECONDS, end):  # cut off, so that nobody else looks at them
        alike &= cells[:, at] - np.uint8(ord("0")) <= 9
    return alike


def _read(cells: Bytes, ranges: Ranges, sample: re.Match[str], clock: TimeContext) -> pl.Series:
    zone_span = ranges.get("zone") or ranges.get("short_zone") or ranges.get("zone_name")
    zone = sample.string[slice(*zone_span)] if zone_span else ""
    if "region" in ranges:
        clock = clock.in_region(sample["region"])
    template = Template()
    _write_year(template, ranges)
    _write_date_and_clock(template, ranges, day_first="first" in ranges and clock.is_day_first)
    if zone_span and zone not in ZONE_NAMES:
        template.copy(*zone_span)
    iso = _fill(template, cells, ranges, padded_day=PARTS["padded_day"] in sample.re.pattern)
    if ranges.keys() & {"year", "year_behind", "yy"}:
        return _cast(iso, clock, zone=zone)
    return clock.choose_year(lambda year: _cast_in_year(iso, year, clock, zone=zone))


def _write_year(template: Template, ranges: Ranges) -> None:
    year = ranges.get("year") or ranges.get("year_behind")
    if year:
        template.copy(*year)
    elif "yy" in ranges:
        template.write("20")
        template.copy(*ranges["yy"])
    else:
        template.write("0000")
    template.write("-")


def _write_date_and_clock(template: Template, ranges: Ranges, *, day_first: bool) -> None:
    first, second = ("second_number", "first") if day_first else ("first", "second_number")
    if "mon" in ranges:
        template.write("00")
    else:
        template.two_digits(ranges.get("month") or ranges[first])
    template.write("-")
    template.two_digits(ranges.get("day") or ranges[second])
    for name, before in (("hour", "T"), ("minute", ":"), ("second", ":")):
        template.write(before)
        if name in ranges:
            template.two_digits(ranges[name])
        else:
            template.write("00")
    if "fraction" in ranges:
        start, end = ranges["fraction"]
        template.write(".")
        template.copy(start, min(end, start + _MICROSECONDS))


def _fill(template: Template, cells: Bytes, ranges: Ranges, *, padded_day: bool) -> Bytes:
    iso: Bytes = np.take(cells, template.sources, axis=1)
    for at, byte in template.constants.items():
        iso[:, at] = byte
    if padded_day:
        day = iso[:, 8]
        day[day == ord(" ")] = ord("0")
    if "yy" in ranges and (iso[:, 2] >= ord("7")).any():
        raise _UnlikeError  # the century differs by row
    if "weekday" in ranges:
        _numbers_of(cells, ranges["weekday"][0], WEEKDAYS)
    if "mon" in ranges:
        months = _numbers_of(cells, ranges["mon"][0], MONTHS)
        iso[:, 5] = ord("0") + months // 10
        iso[:, 6] = ord("0") + months % 10
    return iso


def _numbers_of(cells: Bytes, start: int, names: tuple[str, ...]) -> Bytes:
    """The number, from 1, of the three-letter name that begins at a place of each row."""
    if len(cells) > 1 and (cells[:, start : start + 3] == cells[0, start : start + 3]).all():
        # The usual case: a log's rows are of one month.
        return np.full(len(cells), _numbers_of(cells[:1], start, names)[0], dtype=np.uint8)
    letters = cells[:, start : start + 3].astype(np.uint32) | 0x20
    codes = (letters[:, 0] << 16) | (letters[:, 1] << 8) | letters[:, 2]
    known = np.array([int.from_bytes(name.encode(), "big") for name in names], dtype=np.uint32)
    order = np.argsort(known).astype(np.uint8)
    indices = np.searchsorted(known[order], codes).clip(max=len(names) - 1)
    if (known[order][indices] != codes).any():
        raise _UnlikeError
    numbers: Bytes = order[indices] + np.uint8(1)
    return numbers


def _cast_in_year(iso: Bytes, year: int, clock: TimeContext, *, zone: str) -> pl.Series:
    iso[:, :4] = np.frombuffer(f"{year:04}".encode(), dtype=np.uint8)
    return _cast(iso, clock, zone=zone)


def _cast(iso: Bytes, clock: TimeContext, *, zone: str) -> pl.Series:
    rows, width = iso.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int64)
    texts = pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(iso))
    written = zone != "" and zone not in ZONE_NAMES
    times = cast_iso(texts, _ARROW_UTC if written else _ARROW_NAIVE)
    if times is None:
        raise _UnlikeError
    if written:
        return times
    if not zone:
        return clock.localize(times)
    utc: pl.Series = times.dt.replace_time_zone("UTC") - timedelta(minutes=ZONE_NAMES[zone])
    return utc
