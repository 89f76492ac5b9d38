"""Stretches of stamps without a year: what is kept of an object's stamps, to find its years.

Where a stamp lies in the year is counted in seconds of a year of 365 days, by the clock that wrote it; 29 February is
where 1 March is. A stretch goes on as long as no stamp is more than a day from the one before it, so that it has no
New Year in it. Stretches follow from neighbouring stamps alone: ranges of an object give those of the whole, joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from transforms.arrow import Indices

MARKER_YEAR = 1972
"""Stamps without a year are read in it, to know them: a leap year, and no log has another stamp of it."""
DAY = 86_400
"""Seconds."""
YEAR = 365 * DAY
MOST = 1 << 16
"""Stretches of an object: with more of them its stamps are in no order."""
_TO_LEAP_DAY = 59  # days before 1 March of a year without 29 February


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Stamps that follow each other, each at most a day from the one before it; places are seconds of the year.

    Attributes:
        record: The first one's record.
        first: Where the first one lies.
        last: Where the last one lies.
        low: Where the earliest lies.
        high: Where the latest lies.
        count: How many they are.
        leap: Whether 29 February is among them.
    """

    record: int
    first: int
    last: int
    low: int
    high: int
    count: int
    leap: bool


class Stretches:
    """Collects the stretches of an object's stamps, batch after batch.

    Attributes:
        found: The stretches so far.
    """

    def __init__(self) -> None:
        """Begin before the object's first record."""
        self.found: list[Stretch] = []

    @property
    def too_many(self) -> bool:
        """Whether the stamps are in no order."""
        return len(self.found) > MOST

    def add(self, times: pl.Series, *, first: int, timezone: str) -> None:
        """Go on with the records of a batch.

        Args:
            times: Datetime[us, UTC]: stamps without a year in `MARKER_YEAR`; null, or another year, for other records.
            first: The number of the first record.
            timezone: IANA name of the zone in which stamps without a zone were read.
        """
        local = times.dt.convert_time_zone(timezone)
        yearless = local.dt.year().is_between(MARKER_YEAR - 1, MARKER_YEAR + 1).fill_null(value=False)
        rows = yearless.arg_true()
        if not len(rows):
            return
        local = local.gather(rows)
        places, records = _places(local), rows.to_numpy().astype(np.int64) + first
        leap = ((local.dt.month() == 2) & (local.dt.day() == 29)).to_numpy()
        cuts = [0, *(np.flatnonzero(np.abs(np.diff(places)) > DAY) + 1).tolist(), len(places)]
        for start, end in zip(cuts, cuts[1:], strict=False):
            part = places[start:end]
            stretch = Stretch(
                record=int(records[start]),
                first=int(part[0]),
                last=int(part[-1]),
                low=int(part.min()),
                high=int(part.max()),
                count=end - start,
                leap=bool(leap[start:end].any()),
            )
            append(self.found, stretch)
            if self.too_many:
                return


def append(stretches: list[Stretch], stretch: Stretch) -> None:
    """Put a stretch behind others: its stamps go on the last one where they are at most a day from it."""
    before = stretches[-1] if stretches else None
    if before is None or abs(stretch.first - before.last) > DAY:
        stretches.append(stretch)
        return
    stretches[-1] = replace(
        before,
        last=stretch.last,
        low=min(before.low, stretch.low),
        high=max(before.high, stretch.high),
        count=before.count + stretch.count,
        leap=before.leap or stretch.leap,
    )


def join_ranges(ranges: Sequence[tuple[int, Sequence[Stretch]]]) -> list[Stretch]:
    """Return the stretches of an object by those of its ranges.

    Args:
        ranges: In their order; each with the number of its first record, from which its own are counted.
    """
    joined: list[Stretch] = []
    for first, stretches in ranges:
        for stretch in stretches:
            append(joined, replace(stretch, record=stretch.record + first))
    return joined


def wall_clock(place: int, year: int) -> datetime:
    """Return the date of a place in some year; 29 February is 1 March."""
    days, seconds = divmod(place, DAY)
    day = datetime(1973, 1, 1).toordinal() + days  # any year of 365 days
    return datetime.fromordinal(day).replace(
        year=year, hour=seconds // 3600, minute=seconds // 60 % 60, second=seconds % 60
    )


def _places(local: pl.Series) -> Indices:
    days = local.dt.ordinal_day().to_numpy().astype(np.int64) - 1
    days -= ((local.dt.year() == MARKER_YEAR).to_numpy()) & (days > _TO_LEAP_DAY)
    seconds = local.dt.hour().cast(pl.Int64) * 3600 + local.dt.minute().cast(pl.Int64) * 60 + local.dt.second()
    places: Indices = days * DAY + seconds.to_numpy()
    return places
