"""Whether an object writes the day before the month: one reading for all of its times."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

_DATE = r"^[\[(<\"' ]*([0-9]{1,2})[/-]([0-9]{1,2})[/-](?:19|20)[0-9]{2}(?:[^0-9]|$)"


def is_day_first(columns: Iterable[pl.Series]) -> bool:
    """Return whether some value can only be read day first, and none only month first.

    Args:
        columns: Texts that begin with the date, if they have one: columns of a sample, or its stamps.
    """
    day_first = False
    for texts in columns:
        numbers = texts.drop_nulls().str.extract_groups(_DATE).struct.unnest()
        numbers.columns = ["first", "second"]
        numbers = numbers.drop_nulls().cast(pl.Int32)
        first, second = numbers["first"] > 12, numbers["second"] > 12
        if (second & ~first).any():
            return False
        day_first |= (first & ~second).any()
    return day_first
