"""Bare numbers as times: seconds, milliseconds, microseconds or nanoseconds since 1970, exact to the microsecond.

The size shows the unit. Milliseconds and finer units begin at 2001-09-09, when they got a digit more: the numbers
below are dates by digits (`240630100000`), .NET's ticks and Windows' FILETIME, and no time here. Seconds begin in 1973:
the numbers below are Excel's days, durations and zeros.
"""

from __future__ import annotations

import polars as pl

from transforms.timestamps.clock import UTC
from transforms.timestamps.reading import scaled

UNITS = {"EPOCH_SECONDS": 6, "EPOCH_MILLISECONDS": 3, "EPOCH_MICROSECONDS": 0, "EPOCH_NANOSECONDS": -3}
"""Unit -> power of ten that makes microseconds of it."""

_RANGES = ((10**8, 10**11, 6), (10**12, 10**14, 3), (10**15, 10**17, 0), (10**18, 1 << 63, -3))
_DAYS = (19_000_101, 20_991_231)  # 20240102 is a day, not the 23rd of August 1970
_NUMBER = r"^\+?([0-9]{1,40})(?:\.([0-9]*))?(?:[eE]\+?(-?[0-9]{1,2}))?$"


def read_epochs(texts: pl.Series, *, scale: int | None = None) -> pl.Series:
    """Read a column of numbers.

    Args:
        texts: String.
        scale: Power of ten that makes microseconds of the unit (`UNITS`); None determines it by each number's size.

    Returns:
        Datetime[us, UTC]; null where there is no number, or a negative one.
    """
    whole = texts.cast(pl.Int64, strict=False)
    frame: pl.DataFrame
    if whole.null_count() == texts.null_count():
        frame = whole.set(whole < 0, None).to_frame("whole").with_columns(fraction=pl.lit(None, pl.String))
    else:
        frame = _numbers(texts)
    by_scale = {power: _microseconds(power) for power in UNITS.values()}
    if scale is not None:
        return frame.select(by_scale[scale].cast(UTC).alias("")).to_series()
    micros = pl.lit(None, pl.Int64)
    for low, high, power in _RANGES:
        micros = pl.when(pl.col("whole").is_between(low, high - 1)).then(by_scale[power]).otherwise(micros)
    is_day = pl.col("whole").is_between(*_DAYS) & pl.col("fraction").is_null()
    return frame.select(pl.when(~is_day).then(micros).cast(UTC).alias("")).to_series()


def _microseconds(power: int) -> pl.Expr:
    whole = pl.col("whole")
    if power < 0:
        return whole // int(10**-power)
    safe: pl.Expr = pl.when(whole < 10 ** (18 - power)).then(whole)
    if power == 0:
        return safe
    return safe * int(10**power) + scaled(pl.lit("0"), pl.col("fraction"), power)


def _numbers(texts: pl.Series) -> pl.DataFrame:
    """Take numbers apart into `whole` (Int64) and `fraction` (its digits), an exponent carried out on the text."""
    parts = texts.str.extract_groups(_NUMBER).struct.unnest()
    parts.columns = ["whole", "fraction", "exponent"]
    if parts["exponent"].null_count() < len(parts):
        digits = pl.col("whole") + pl.col("fraction").fill_null("") + "0" * 40
        point = pl.col("whole").str.len_bytes().cast(pl.Int32) + pl.col("exponent").cast(pl.Int32)
        written = pl.col("exponent").is_not_null()
        parts = parts.with_columns(
            whole=pl.when(~written).then("whole").when(point.is_between(1, 40)).then(digits.str.slice(0, point)),
            fraction=pl.when(~written).then("fraction").when(point.is_between(1, 40)).then(digits.str.slice(point, 12)),
        )
    return parts.select(pl.col("whole").cast(pl.Int64, strict=False), "fraction")
