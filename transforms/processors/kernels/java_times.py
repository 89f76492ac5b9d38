"""Columns of times by a Java pattern: as `java.time` reads them, with the exceptions that `read_java_times` lists."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

import polars as pl

from transforms.core.errors import ConfigurationError
from transforms.processors.kernels.java_patterns import JavaPattern
from transforms.timestamps import Form, Modified, check_timezone, parse_times
from transforms.timestamps.grammar.months import MONTHS, WEEKDAYS

_CANONICAL = (
    r"-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})\.(?P<fraction>[0-9]+)"
    r"(?:(?P<zone>[+-][0-9]{2}:[0-9]{2})| (?P<region>\S+))?"
)
_WITH_YEAR = Form("java", f"(?P<year>[0-9]{{4}}){_CANONICAL}", exact=True)
_WITHOUT_YEAR = Form("java", _CANONICAL, exact=True)
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])([0-9]{1,2}):?([0-9]{2})?(?::?00)?")
# What the JDK's tables make of the abbreviations; each stands for its region, whichever half of the year it is of.
# Those of several regions (IST) are none; of BST and ACST, which the JDK takes for Bougainville's and Acre's, it is
# London's and Adelaide's.
_REGIONS = {
    **dict.fromkeys(("CET", "CEST", "MET", "MEST"), "Europe/Paris"), **dict.fromkeys(("WET", "WEST"),
    "Atlantic/Canary"),
    **dict.fromkeys(("EET", "EEST"), "Europe/Bucharest"), "BST": "Europe/London", "MSK": "Europe/Moscow",
    **dict.fromkeys(("PST", "PDT", "PT"), "America/Los_Angeles"), **dict.fromkeys(("MST", "MDT"), "America/Denver"),
    **dict.fromkeys(("CST", "CDT", "CT"), "America/Chicago"), **dict.fromkeys(("EST", "EDT", "ET"), "America/New_York"),
    **dict.fromkeys(("AST", "ADT"), "America/Halifax"), **dict.fromkeys(("NST", "NDT"), "America/St_Johns"),
    **dict.fromkeys(("AKST", "AKDT"), "America/Juneau"), **dict.fromkeys(("HST", "HDT"), "Pacific/Honolulu"),
    "BRT": "America/Sao_Paulo",
    "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "SGT": "Asia/Singapore", "HKT": "Asia/Hong_Kong", "PKT": "Asia/Karachi",
    "SAST": "Africa/Johannesburg", "EAT": "Africa/Nairobi", "CAT": "Africa/Maputo", "WAT": "Africa/Lagos",
    "WIB": "Asia/Jakarta",
    "ICT": "Asia/Bangkok", "NPT": "Asia/Kathmandu", "ART": "America/Argentina/Buenos_Aires",
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"), "AWST": "Australia/Perth",
    **dict.fromkeys(("ACST", "ACDT"), "Australia/Adelaide"), **dict.fromkeys(("NZST", "NZDT"), "Pacific/Auckland"),
}  # fmt: skip


def read_java_times(
    texts: pl.Series,
    pattern: JavaPattern,
    *,
    timezone: str,
    modified: Modified,
    received: datetime,
    year: int | None = None,
) -> pl.Series:
    """Read a column of times.

    Unlike Java, second 60 is a leap second, a day that the month does not have (30 February) is no time, words are read
    in any case and in their long and short forms, and a year that the pattern does not have is chosen.

    Args:
        texts: Strings.
        pattern: How they are written.
        timezone: IANA name that holds where a value has no zone.
        modified: When the object was last modified.
        received: When Rekindle read it.
        year: That of times without one; None chooses it.

    Returns:
        Datetime[us, UTC] of the same length; null where there is no time, or none to believe.
    """

    def parse(values: pl.Series, form: Form) -> pl.Series:
        return parse_times(
            values, timezone=timezone, modified=modified, received=received, epochs=False, forms=(form,), year=year
        )

    if pattern.plain is None:
        return parse(*_canonical(texts, pattern.pattern))
    times = parse(texts, Form("java", pattern.plain, exact=True))
    late = (times.is_null() & texts.str.contains("24", literal=True)).fill_null(value=False).arg_true()
    return times.scatter(late, parse(*_canonical(texts.gather(late), pattern.pattern))) if len(late) else times


def _canonical(texts: pl.Series, pattern: str) -> tuple[pl.Series, Form]:
    """Write times in one way, which a form reads; null where they are none."""
    frame = texts.str.strip_chars().str.extract_groups(f"^(?:{pattern})$").struct.unnest()
    groups = list(dict.fromkeys(name.split("__")[0] for name in frame.columns))
    frame = frame.select(
        pl.coalesce(column for column in frame.columns if column.split("__")[0] == name).alias(name) for name in groups
    )
    frame = frame.with_columns(**_times_of_day(groups), **_days(groups))
    has_year = bool({"year", "yy"} & set(groups))
    midnight = (pl.col("minute") == "00") & (pl.col("second") == "00") & (pl.col("fraction").str.strip_chars("0") == "")
    date = (
        _date(groups)
        if has_year
        else pl.when(pl.col("hour") < 24).then(pl.concat_str(pl.lit("-"), "month", pl.lit("-"), "day"))
    )
    hour = (pl.col("hour") % 24).cast(pl.String).str.zfill(2)
    written = pl.concat_str(
        date, pl.lit("T"), hour, pl.lit(":"), "minute", pl.lit(":"), "second", pl.lit("."), "fraction", _zone(frame)
    )
    return frame.select(
        pl.when((pl.col("hour") < 24) | midnight).then(written)
    ).to_series(), _WITH_YEAR if has_year else _WITHOUT_YEAR


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


def _times_of_day(groups: list[str]) -> dict[str, pl.Expr]:
    """Return `hour` as a number, null where it contradicts AM or PM, and `minute`, `second`, `fraction` as text."""
    pm = pl.col("ampm").str.to_lowercase() == "pm" if "ampm" in groups else pl.lit(None, pl.Boolean)
    hours = {"hour": _number("hour"), "clock": _number("clock") % 24}
    hours |= dict.fromkeys(
        ("half", "half_from_0"), pl.coalesce(_number(name) for name in groups if name.startswith("half")) % 12 + 12 * pm
    )
    hour = pl.coalesce(*(hours[name] for name in groups if name in hours), pl.lit(0))
    parts = {
        name: pl.col(name).str.zfill(2).fill_null("00") if name in groups else pl.lit("00")
        for name in ("minute", "second")
    }
    fractions = [pl.col("nano").str.zfill(9)] if "nano" in groups else []
    fractions += [pl.col("fraction")] if "fraction" in groups else []
    parts |= {
        "hour": pl.when((hour % 24 >= 12) != pm).then(None).otherwise(hour),
        "fraction": pl.coalesce(*fractions, pl.lit("0")),
    }
    for name, per_second in (("milli_of_day", 1000), ("nano_of_day", 1_000_000_000)):
        if name in groups:
            units, seconds = _number(name), _number(name) // per_second
            digits = len(str(per_second)) - 1
            of_day = {
                "hour": pl.when(seconds < 86_400).then(seconds // 3600),
                "minute": (seconds // 60 % 60).cast(pl.String).str.zfill(2),
                "second": (seconds % 60).cast(pl.String).str.zfill(2),
                "fraction": (units % per_second).cast(pl.String).str.zfill(digits),
            }
            parts = {part: pl.when(units.is_null()).then(parts[part]).otherwise(of_day[part]) for part in parts}
    return parts


def _days(groups: list[str]) -> dict[str, pl.Expr]:
    numbers = [f"{number:02}" for number in range(1, 13)]
    months = [pl.col("month").str.zfill(2)] if "month" in groups else []
    if "mon" in groups:
        months.append(
            pl.col("mon").str.to_lowercase().replace_strict(list(MONTHS), numbers, default=None, return_dtype=pl.String)
        )
    days = {"month": pl.coalesce(months)} if months else {}
    return days | ({"day": pl.col("day").str.strip_chars(" ").str.zfill(2)} if "day" in groups else {})


def _date(groups: list[str]) -> pl.Expr:
    """Return the date as text, the next one of hour 24; null where there is none, or it has another weekday."""
    years = [pl.col("year")] if "year" in groups else []
    year = pl.coalesce(*years, pl.lit("20") + pl.col("yy")) if "yy" in groups else pl.coalesce(years)
    dates: list[pl.Expr] = []
    if "day" in groups:
        dates.append(
            pl.concat_str(year, pl.lit("-"), "month", pl.lit("-"), "day").str.to_date("%Y-%m-%d", strict=False)
        )
    if "day_of_year" in groups:
        first = (year + "-01-01").str.to_date("%Y-%m-%d", strict=False)
        counted = first + pl.duration(days=_number("day_of_year") - 1)
        dates.append(pl.when(counted.dt.year() == first.dt.year()).then(counted))
    date = pl.coalesce(dates)
    if "weekday" in groups:
        number = (
            pl.col("weekday")
            .str.to_lowercase()
            .replace_strict(list(WEEKDAYS), list(range(1, 8)), default=None, return_dtype=pl.Int8)
        )
        date = pl.when((date.dt.weekday() == number).fill_null(value=True)).then(date)
    return (date + pl.duration(days=pl.col("hour") // 24)).dt.to_string("%Y-%m-%d")


def _zone(frame: pl.DataFrame) -> pl.Expr:
    """Return the zone as the canonical form has it, empty where there is none, null where nobody knows it."""
    names = [name for name in ("zone", "zone_name") if name in frame.columns]
    if not names:
        return pl.lit("")
    written = frame.select(pl.coalesce(names)).to_series()
    known = written.drop_nulls().unique()
    resolved = pl.Series([_resolve(zone) for zone in known], dtype=pl.String)
    column = pl.coalesce(names)
    return (
        pl.when(column.is_null())
        .then(pl.lit(""))
        .otherwise(column.replace_strict(known, resolved, default=None, return_dtype=pl.String))
    )


@lru_cache(maxsize=4096)
def _resolve(zone: str) -> str | None:
    if zone in ("Z", "UTC", "GMT", "UT"):
        return "+00:00"
    if offset := _OFFSET.fullmatch(zone):
        return f"{offset[1]}{offset[2]:>02}:{offset[3] or '00'}"
    region = _REGIONS.get(zone, zone)
    try:
        check_timezone(region)
    except ConfigurationError:
        return None
    return f" {region}"
