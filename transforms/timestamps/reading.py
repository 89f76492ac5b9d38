"""From the parts of a time to the instant: the general way, for any form, row by row within column operations.

`layouts.py` does the same faster where all rows are written alike; the two agree (a test compares them).
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pyarrow as pa

from transforms.timestamps.casting import cast_iso
from transforms.timestamps.clock import UTC, TimeContext
from transforms.timestamps.forms import for_rust
from transforms.timestamps.grammar.months import MONTH_NUMBERS
from transforms.timestamps.grammar.zones import GROUPS, MINUS, ZONE_NAMES

MICROSECOND = pa.timestamp("us")
# The label of 1970-01-01 00:00:00, as multilog writes it and tai64nlocal reads it (https://cr.yp.to/libtai/tai64.html).
_TAI_OFFSET = (1 << 62) + 10


def read_pattern(texts: pl.Series, pattern: str, clock: TimeContext) -> pl.Series:
    """Read a column by a pattern with the named groups of the forms' table.

    Args:
        texts: String.
        pattern: For a whole value, as `Form.field` gives it.
        clock: Zone and years.

    Returns:
        Datetime[us, UTC]; null where the pattern does not match or there is no such date.
    """
    parts = texts.str.extract_groups(for_rust(pattern)).struct.unnest()
    if "tai" in parts.columns:
        return _tai(parts["tai"])
    if "epoch" in parts.columns:
        return parts.select(scaled(pl.col("epoch"), pl.col("fraction"), 6).cast(UTC)).to_series()
    parts = _filled(parts, day_first="first" in parts.columns and clock.is_day_first)
    if not {"year", "yy", "year_behind"} & set(parts.columns):
        leap_day = (parts["month"] == "02") & (parts["day"] == "29")
        return clock.choose_year(
            lambda year: _instants(parts.with_columns(year=pl.lit(str(year))), clock), leap_day=leap_day
        )
    return _instants(parts, clock)


def scaled(whole: pl.Expr, fraction: pl.Expr, digits: int) -> pl.Expr:
    """Return whole × 10^digits plus that many digits of the fraction, the rest cut off: no floating point."""
    cut = (fraction.fill_null("") + "0" * digits).str.slice(0, digits) if digits else pl.lit("")
    return (whole + cut).cast(pl.Int64, strict=False)


def _tai(labels: pl.Series) -> pl.Series:
    frame = labels.to_frame("tai")
    seconds = pl.col("tai").str.slice(0, 16).str.to_integer(base=16, strict=False) - _TAI_OFFSET
    nanoseconds = pl.col("tai").str.slice(16, 8).str.to_integer(base=16, strict=False)
    return frame.select((seconds * 1_000_000 + nanoseconds // 1000).cast(UTC)).to_series()


def _filled(parts: pl.DataFrame, *, day_first: bool) -> pl.DataFrame:
    """Return the parts of a form as `year` (if any), `month`, `day`, `hour`, `minute`, `second` and `fraction`."""
    have = set(parts.columns)
    year = [pl.col(name) for name in ("year", "year_behind") if name in have]
    if "yy" in have:
        century = pl.when(pl.col("yy") < "70").then(pl.lit("20")).otherwise(pl.lit("19"))
        year.append(century + pl.col("yy"))
    columns = {"year": pl.coalesce(year)} if year else {}
    columns |= _counted_day(have) if have & {"day_of_year", "week"} else _month_and_day(have, day_first=day_first)
    for name in ("hour", "minute", "second"):
        columns[name] = _two_digits(name).fill_null("00") if name in have else pl.lit("00")
    columns["fraction"] = pl.col("fraction").str.slice(0, 6).fill_null("0") if "fraction" in have else pl.lit("0")
    if "ampm" in have:
        columns["hour"] = _hour_of_half_day()
    columns["offset"] = _offset(have)
    columns["region"] = pl.col("region") if "region" in have else pl.lit(None, pl.String)
    keep = pl.col("minute").is_not_null() if "minute" in have else pl.lit(value=True)
    return parts.select(**columns, matched=keep)


def _counted_day(have: set[str]) -> dict[str, pl.Expr]:
    """The date of a day of the year, or of a week (ISO 8601-1:2019 §5.2.3, §5.2.4); null where the year lacks it."""
    year = pl.col("year").cast(pl.Int32, strict=False)
    if "day_of_year" in have:
        date = pl.date(year, 1, 1) + pl.duration(days=pl.col("day_of_year").cast(pl.Int32) - 1)
        exists = date.dt.year() == year
    else:
        fourth = pl.date(year, 1, 4)  # always in week 1
        days = (pl.col("week").cast(pl.Int32) - 1) * 7 + pl.col("day_of_week").cast(pl.Int32) - fourth.dt.weekday()
        date = fourth + pl.duration(days=days)
        exists = date.dt.iso_year() == year
    date = pl.when(exists).then(date)
    return {name: date.dt.to_string(part) for name, part in (("year", "%Y"), ("month", "%m"), ("day", "%d"))}


def _two_digits(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars_start(" ").str.zfill(2)


def _month_and_day(have: set[str], *, day_first: bool) -> dict[str, pl.Expr]:
    if "first" in have:
        first, second = _two_digits("first"), _two_digits("second_number")
        swapped = (second <= "12") if day_first else first > "12"
        return {
            "month": pl.when(swapped).then(second).otherwise(first),
            "day": pl.when(swapped).then(first).otherwise(second),
        }
    day = _two_digits("day")
    if "mon" not in have:
        return {"month": _two_digits("month"), "day": day}
    mon = pl.col("mon").str.to_lowercase()
    return {"month": mon.replace_strict(MONTH_NUMBERS, default=None, return_dtype=pl.String), "day": day}


def _hour_of_half_day() -> pl.Expr:
    """12 AM is 0, 12 PM is 12; an hour that no half day has makes the time none."""
    hour = pl.col("hour").str.strip_chars_start(" ").cast(pl.Int32, strict=False)
    afternoon = pl.when(pl.col("ampm").str.to_lowercase().str.starts_with("p")).then(12).otherwise(0)
    twelve = pl.when(hour.is_between(1, 12)).then((hour % 12 + afternoon).cast(pl.String).str.zfill(2))
    return pl.when(pl.col("ampm").is_null()).then(_two_digits("hour")).otherwise(twelve)


def _offset(have: set[str]) -> pl.Expr:
    """Minutes east of UTC, null where the time has no zone."""
    zones = [pl.col(name) for name in GROUPS if name in have]
    if not zones:
        return pl.lit(None, pl.Int32)
    zone = pl.coalesce(zones).str.replace(MINUS, "-", literal=True)
    hours = zone.str.extract(r"^[+-]([0-9]{1,2}?)(?::?[0-9]{2}(?::?00)?)?$").cast(pl.Int32, strict=False)
    minutes = zone.str.extract(r"^[+-][0-9]{1,2}?:?([0-9]{2})(?::?00)?$").cast(pl.Int32, strict=False)
    east = hours * 60 + minutes.fill_null(0)
    signed = pl.when(zone.str.starts_with("-")).then(-east).otherwise(east)
    named = zone.replace_strict(list(ZONE_NAMES), list(ZONE_NAMES.values()), default=None, return_dtype=pl.Int32)
    return pl.coalesce(named, signed)


def _instants(parts: pl.DataFrame, clock: TimeContext) -> pl.Series:
    late = (parts["hour"] == "24").fill_null(value=False)
    if late.any():  # the end of the day, and no other minute
        ends = pl.col("minute").eq("00") & pl.col("second").eq("00") & (pl.col("fraction").str.strip_chars("0") == "")
        midnight = pl.when((pl.col("hour") == "24") & ends).then(pl.lit("00")).otherwise("hour")
        return _within_day(parts.with_columns(hour=midnight), clock, days=late.cast(pl.Int64))
    return _within_day(parts, clock)


def _within_day(parts: pl.DataFrame, clock: TimeContext, *, days: pl.Series | None = None) -> pl.Series:
    leap = (parts["second"] == "60").fill_null(value=False)
    if leap.any():
        parts = parts.with_columns(second=pl.when(pl.col("second") == "60").then(pl.lit("59")).otherwise("second"))
    texts = parts.select(
        pl.when("matched").then(pl.concat_str("year", pl.lit("-"), "month", pl.lit("-"), "day", pl.lit("T"), "hour",
        pl.lit(":"),
                                              "minute", pl.lit(":"), "second", pl.lit("."), "fraction"))
    ).to_series()  # fmt: skip
    naive = _naive(texts)
    if days is not None:
        naive = pl.DataFrame({"naive": naive, "days": days}).select(pl.col("naive") + pl.duration(days="days"))["naive"]
    times = _localized(naive, parts["region"], clock)
    if parts["offset"].null_count() < len(parts):
        zoned = naive.dt.replace_time_zone("UTC") - parts.select(pl.duration(minutes="offset")).to_series()
        times = zoned.zip_with(parts["offset"].is_not_null(), times)
    return _with_leap_seconds(times, leap) if leap.any() else times


def _localized(naive: pl.Series, regions: pl.Series, clock: TimeContext) -> pl.Series:
    """Read local times, each in the region that it names, if it does."""
    times = clock.localize(naive)
    for region in regions.drop_nulls().unique().to_list():
        times = clock.in_region(region).localize(naive).zip_with((regions == region).fill_null(value=False), times)
    return times


def _naive(texts: pl.Series) -> pl.Series:
    """Read canonical text: at once where every date exists, else with nulls for those that don't (ten times slower)."""
    times = cast_iso(texts, MICROSECOND)
    return texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False) if times is None else times


def _with_leap_seconds(times: pl.Series, leap: pl.Series) -> pl.Series:
    """Give second 60 the instant that POSIX gives it, the next second's; it exists only at the end of a UTC day."""
    last = (times.dt.hour() == 23) & (times.dt.minute() == 59) & (times.dt.second() == 59)
    after: pl.Series = times + timedelta(seconds=1)
    resolved: pl.Series = times.zip_with(~leap, after.set(~last.fill_null(value=False), None))
    return resolved
