"""Which records take the time of one before them: a line of a stack trace has that of its error."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl

WINDOW = 64 << 10
"""From the start of the record with a time to that of the one without, in the bytes of messages and one for each."""


class TimeBefore(NamedTuple):
    """The last time before some records.

    Attributes:
        time: The record's own time.
        distance: From its start to that of the first of them.
    """

    time: datetime
    distance: int


def record_starts(messages: pl.Series) -> tuple[pl.Series, int]:
    """Return where each record begins, the bytes of the messages before it and one more for each, and where all end."""
    sizes = _sizes(messages)
    return sizes.cum_sum() - sizes, int(sizes.sum())


def last_within(messages: pl.Series) -> int:
    """Return how many of the last records lie within the window before the record that follows them."""
    return int((_sizes(messages.tail(WINDOW)).reverse().cum_sum() <= WINDOW).sum())


def last_time(own: pl.Series, starts: pl.Series, end: int) -> TimeBefore | None:
    """Return the last time of some records, as those that follow them see it.

    Args:
        own: The records' own times, Datetime[us, UTC].
        starts: Where each begins.
        end: Where the last of them ends: those that follow begin there.
    """
    rows = own.is_not_null().arg_true()
    return TimeBefore(own[int(rows[-1])], end - int(starts[int(rows[-1])])) if len(rows) else None


def inherited_times(own: pl.Series, starts: pl.Series, before: TimeBefore | None = None) -> pl.Series:
    """Return for each record without a time that of the nearest one before it within the window, else null.

    Args:
        own: The records' own times, Datetime[us, UTC].
        starts: Where each begins (`record_starts`).
        before: The last time before them.
    """
    times, at = own.forward_fill(), starts.set(own.is_null(), None).forward_fill()
    if before is not None:
        times = times.zip_with(times.is_not_null(), pl.repeat(before.time, len(own), dtype=own.dtype, eager=True))
        at = at.fill_null(-before.distance)
    near = (starts - at <= WINDOW).fill_null(value=False)
    return times.set(own.is_not_null() | ~near, None)


def _sizes(messages: pl.Series) -> pl.Series:
    sizes: pl.Series = messages.str.len_bytes().fill_null(0).cast(pl.Int64) + 1
    return sizes
