"""Where the year changes in an object whose stamps name none, and which years they are (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from transforms.core.record_years import NO_ORDER, RecordYears
from transforms.timestamps.clock import DAY as ONE_DAY
from transforms.timestamps.clock import EPOCH
from transforms.timestamps.years.stretches import DAY, MOST, YEAR, Stretch, wall_clock

_ENOUGH = 100
"""Stamps of an object from which on it is looked for clocks that are wrong: few stamps may be far apart."""
_LEAP_YEARS_APART = 8  # 1896 to 1904, and 2096 to 2104


def years_by_order(
    stretches: Sequence[Stretch], *, year: int | None, latest: datetime, timezone: str
) -> RecordYears | None:
    """Return the years of an object's records by the order of its stamps.

    Args:
        stretches: Those of the whole object.
        year: That of the first stamp; None counts back from the last ones.
        latest: When the object was modified: the last stamps are in the latest year that does not put one of them more
            than a day after it, nor 29 February into a year without.
        timezone: IANA name that holds for stamps without a zone.

    Returns:
        None where there are no stamps; `NO_ORDER` where they are in no order of years since 1970.
    """
    if not stretches:
        return None
    if len(stretches) > MOST:
        return NO_ORDER
    offsets, main = _offsets(stretches)
    first = year
    if first is None:
        first = _first_year(stretches, offsets, main, (latest + ONE_DAY).astimezone(ZoneInfo(timezone)))
    if first + min(offsets) < EPOCH.year:
        return NO_ORDER
    starts, years = [stretches[0].record], [first]
    for stretch, offset in zip(stretches, offsets, strict=True):
        if first + offset != years[-1]:
            starts.append(stretch.record)
            years.append(first + offset)
    return RecordYears(tuple(starts), tuple(years))


def _offsets(stretches: Sequence[Stretch]) -> tuple[list[int], list[int]]:
    """Return in which year from the first one's on each stretch is, and which of them are no strays."""
    stray_possible = sum(stretch.count for stretch in stretches) >= _ENOUGH
    offsets, main = [0], [0]
    for number in range(1, len(stretches)):
        before, stretch = stretches[main[-1]], stretches[number]
        offset = offsets[main[-1]]
        if stray_possible and _is_stray(before, stretch, stretches[number + 1 : number + 2]):
            offsets.append(offset if stretch.first <= before.last + DAY else offset - 1)
            continue
        offsets.append(offset + _rollover(before.last, stretch.first))
        main.append(number)
    return offsets, main


def _rollover(last: int, first: int) -> int:
    """Return by how many years a stamp is behind the one before it, when both are places in the year."""
    if first - last > YEAR - DAY:  # 31 December behind 1 January: they are out of order by less than a day
        return -1
    return int(last - first > DAY and _month(first) < _month(last))


def _is_stray(before: Stretch, stretch: Stretch, after: Sequence[Stretch]) -> bool:
    """Whether stamps of a day lie elsewhere between stamps that lie together: those of a clock that is wrong."""
    return (
        stretch.high - stretch.low <= DAY
        and _distance(before.last, stretch.first) > DAY
        and any(_distance(before.last, following.first) <= DAY for following in after)
    )


def _distance(one: int, other: int) -> int:
    apart = abs(one - other)
    return min(apart, YEAR - apart)


def _month(place: int) -> int:
    return wall_clock(place, 1973).month


def _first_year(stretches: Sequence[Stretch], offsets: Sequence[int], main: Sequence[int], limit: datetime) -> int:
    """Return the latest year of the first stamp that puts none after the limit, nor 29 February where there is none."""
    offset, _, last = max((offsets[number], stretches[number].high, number) for number in main)
    year = limit.year - offset
    if _latest(stretches[last], limit.year) > limit.replace(tzinfo=None):
        year -= 1
    leap = [offsets[number] for number in main if stretches[number].leap]
    possible = range(year, year - 1 - _LEAP_YEARS_APART, -1)
    return next((one for one in possible if all(_is_leap(one + other) for other in leap)), year)


def _latest(stretch: Stretch, year: int) -> datetime:
    latest = wall_clock(stretch.high, year)
    if stretch.leap and (latest.month, latest.day) == (3, 1) and _is_leap(year):
        return latest - ONE_DAY  # 29 February, which has the place of 1 March
    return latest


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
