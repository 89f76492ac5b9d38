"""What stands beside a stamp in a line: a zone of its own key, a full stamp; and how a stamp looks that is not read."""

from __future__ import annotations

import polars as pl

from transforms.timestamps.forms import COUNTS, FORMS, for_rust
from transforms.timestamps.grammar.zones import MINUS, REGION

_LOOKED_AT = 256  # characters
_YEARLESS = frozenset({"syslog", "day_month", "klog", "android", "bracketed_month"})
_FULL = for_rust("|".join(form.text for form in (*FORMS, *COUNTS) if form.in_text or form in COUNTS
                          if form.name not in _YEARLESS))  # fmt: skip
HAS_YEAR = (
    r"^(?:[0-9]{2}/[0-9]{2}/[0-9]{2} |[0-9]{6} |[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}\b|@4|audit"
    r"|[a-zA-Z]*=?[\[(\"']*1[0-9]{9})"
    r"|[0-9]{1,2}-[A-Za-z]+-[0-9]{2} |[A-Za-z]+-[0-9]+-[0-9]+ |(?:^|[^0-9.:])(?:19|20)[0-9]{2}(?:[^0-9:]|$|[0-9]{4})"
    r"|(?:^|[^0-9])(?:19|20)[0-9]{2}:[0-9]{2}:[0-9]{2}:|[A-Za-z](?:19|20)[0-9]{2}"
)
"""What a stamp with a year has."""

_SEPARATOR = r"[-/. ]{1,2}"
_CLOCK_BEGINS = r"[Tt _:,;|-]{1,3}[0-9]{1,2}[:.][0-9]{2}"
BEGINS_PLAINLY = (
    r"^((?:<[0-9]{1,3}>(?:1 )?)?[\[(\"'*]{0,2})(?:"
    rf"[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}{_CLOCK_BEGINS}"
    rf"|[0-9]{{4}}-(?:[0-9]{{3}}|W[0-9]{{2}}-[0-9]){_CLOCK_BEGINS}"
    rf"|[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.](?:[0-9]{{4}}|[0-9]{{2}}){_CLOCK_BEGINS}"
    rf"|[0-9]{{1,2}}{_SEPARATOR}[\p{{L}}\p{{M}}]{{3,12}}\.?{_SEPARATOR}[0-9]{{4}}{_CLOCK_BEGINS}"
    r"|[\p{L}\p{M}]{3,12}\.? {1,2}[0-9]{1,2} [0-9]{1,2}:[0-9]{2}:[0-9]{2}"
    r"|[0-9]{8}T[0-9]{6})"
)
"""The beginning of a line that is plainly a stamp, whether it is read or not; the group is what stands before it."""

_PAIRS = r"^(?:<[0-9]{1,3}>)?[A-Za-z_][A-Za-z0-9_.-]*="
_ZONE = rf"(?:UTC|GMT)?[+{MINUS}-][0-9]{{1,2}}(?::?[0-9]{{2}})?|[A-Z]{{1,5}}|{REGION}|Etc/UTC"
_NAMED_ZONE = rf"(?i:\b(?:tz|timezone))=[\"']?({_ZONE})(?:[\"' \t,;|]|$)"
IS_ZONE = f"^(?:{_ZONE})$"
"""How a value looks that is the zone of the time beside it."""
_HALF_DAY = r"[AaPp]\.? ?[Mm]\.?$"
_ENDS_WITH_ZONE = rf"[A-Za-z\])]$|[+{MINUS}-][0-9]{{1,2}}(?::?[0-9]{{2}})?$"


_EVENT = "<Event"
_SYSTEM_TIME = r"""^<Event[ >].*?<TimeCreated [^>]*?SystemTime=(?:'([^']{10,40})'|"([^"]{10,40})")"""


def with_system_times(stamps: pl.Series, lines: pl.Series) -> pl.Series:
    """Put the `SystemTime` of Windows' events as XML in place of other stamps: it may stand far right in the line.

    Source: the event schema's `SystemPropertiesType`, `TimeCreated` (learn.microsoft.com/windows/win32/wes).
    """
    rows = lines.str.starts_with(_EVENT).fill_null(value=False).arg_true()
    if not len(rows):
        return stamps
    groups = lines.gather(rows).str.extract_groups(_SYSTEM_TIME).struct
    found = groups[0].fill_null(groups[1])
    return stamps.scatter(rows.filter(found.is_not_null()), found.drop_nulls())


def with_zones(stamps: pl.Series, lines: pl.Series) -> pl.Series:
    """Put behind stamps without a zone the one that their line of `key=value` names."""
    rows = (stamps.is_not_null() & lines.str.contains(for_rust(_PAIRS))).fill_null(value=False).arg_true()
    if not len(rows):
        return stamps
    zones = lines.gather(rows).str.extract(for_rust(_NAMED_ZONE), 1)
    own = stamps.gather(rows)
    return stamps.scatter(rows, add_zones(own, zones))


def add_zones(times: pl.Series, zones: pl.Series) -> pl.Series:
    """Put a zone behind each time that has none and is no number."""
    frame = pl.DataFrame({"time": times, "zone": zones})
    time = pl.col("time").str.strip_chars_end()
    whole = time.str.contains(_ENDS_WITH_ZONE) & ~time.str.contains(_HALF_DAY)
    put = pl.col("zone").is_not_null() & ~whole & time.str.contains(":", literal=True)
    return frame.select(pl.when(put).then(time + " " + pl.col("zone")).otherwise("time")).to_series()


def full_stamps(lines: pl.Series) -> pl.Series:
    """Cut out the first stamp with a year of each line's first 256 characters; null where there is none."""
    heads = lines.str.head(_LOOKED_AT)
    stamps = heads.str.extract(_FULL, 0)
    return stamps.str.strip_chars_end(" ],;")


def same_days(full: pl.Series, yearless: pl.Series) -> pl.Series:
    """Return which times are within a day of each other, whatever year the second is given."""
    frame = pl.DataFrame({"full": full, "other": yearless})
    day = pl.col("other").dt.day()  # counted from the first, as 29 February is not in every year
    agrees: pl.Expr = pl.lit(value=False)
    for years in (-1, 0, 1):
        year = pl.col("full").dt.year() + years
        first = pl.datetime(year, pl.col("other").dt.month(), 1, time_zone="UTC")
        other = first + pl.duration(days=day - 1) + (pl.col("other") - pl.col("other").dt.truncate("1d"))
        agrees |= (pl.col("full") - other).abs() <= pl.duration(days=1)
    return frame.select(agrees.fill_null(value=False)).to_series()
