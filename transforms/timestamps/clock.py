"""The zone and year that a written time leaves open, and whether the time can be believed (docs/formats.md)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import polars as pl

from transforms.core.errors import ConfigurationError, MixedObjectsError

UTC = pl.Datetime("us", "UTC")
NAIVE = pl.Datetime("us")

DayFirst = bool | Callable[[], bool]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""No time before it is believed."""
DAY = timedelta(days=1)
"""No time that is so much later than receipt is believed."""
IN_FUTURE, BEFORE_EPOCH = "in the future", "before 1970"
"""Why a time is not believed."""
_WIDEST_OFFSET = timedelta(hours=15)
_LEAP_YEARS_APART = 8  # 1896 to 1904, and 2096 to 2104


@dataclass(frozen=True)
class ModifiedTimes:
    """When the objects were last modified that some events are of.

    Attributes:
        first: The earliest; all are after `EPOCH`, or none is.
        last: The latest.
        of_events: That of each event's object, Datetime[us, UTC].
    """

    first: datetime
    last: datetime
    of_events: pl.Series = field(compare=False)


Modified = datetime | ModifiedTimes
"""When the object was last modified that some events are of, or the objects, where these are several."""


def latest_events(modified: datetime, received: datetime) -> datetime:
    """Return when an object was modified; but received where that is earlier, or it was written without a time."""
    return min(modified, received) if modified > EPOCH else received


def why_unbelieved(times: pl.Series, received: datetime) -> pl.Series:
    """Return why times are not believed (`IN_FUTURE`, `BEFORE_EPOCH`), null where they are or where there is none."""
    reason = pl.when(pl.col("time") < EPOCH).then(pl.lit(BEFORE_EPOCH)).when(pl.col("time") > received + DAY)
    return pl.DataFrame({"time": times}).select(reason.then(pl.lit(IN_FUTURE)).alias("")).to_series()


def count_reasons(reasons: pl.Series) -> dict[str, int]:
    """Return how many of some texts are reasons not to believe a time, by reason."""
    numbers = {reason: int((reasons == reason).sum()) for reason in (IN_FUTURE, BEFORE_EPOCH)}
    return {reason: number for reason, number in numbers.items() if number}


def check_timezone(name: str, *, field: str | None = None) -> None:
    """Refuse a time zone that is no IANA name.

    Raises:
        ConfigurationError: The name is unknown; `field` is the option that has it.
    """
    try:
        pl.Series([datetime(2000, 1, 1)], dtype=NAIVE).dt.replace_time_zone(name)
    except pl.exceptions.PolarsError:
        message = f"{name!r} is not an IANA time zone; write one like 'UTC' or 'Europe/Paris'"
        raise ConfigurationError(message, field=field) from None


@functools.cache
def _is_region(name: str) -> bool:
    try:
        check_timezone(name)
    except ConfigurationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class TimeContext:
    """The surroundings of an object's times.

    Attributes:
        timezone: IANA name that holds for local times.
        modified: When the object was last modified; a missing year is chosen by it, or by `received` where that is
            earlier.
        received: When Rekindle read it; None to believe any time.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August, or what finds that out where it matters.
    """

    timezone: str
    modified: Modified
    received: datetime | None
    year: int | None = None
    day_first: DayFirst = False

    @property
    def is_day_first(self) -> bool:
        """Whether the day comes before the month where both readings are possible."""
        return self.day_first if isinstance(self.day_first, bool) else self.day_first()

    @property
    def latest(self) -> datetime:
        """When the latest events of the object may have happened.

        Raises:
            MixedObjectsError: there are several objects, and it is another time for each.
        """
        if isinstance(self.modified, ModifiedTimes):
            raise MixedObjectsError("the objects were modified at different times")
        return latest_events(self.modified, self.received or self.modified)

    def in_region(self, name: str) -> TimeContext:
        """Return the clock for times that name a region as their zone; itself if there is no such region."""
        return replace(self, timezone=name) if _is_region(name) else self

    def localize(self, naive: pl.Series) -> pl.Series:
        """Read local times in the zone; those that a change of clocks skipped or doubled take the earlier offset.

        Args:
            naive: Datetime[us] without zone.

        Returns:
            Datetime[us, UTC], null where the input is.
        """
        if self.timezone in ("UTC", "Etc/UTC"):
            return naive.dt.replace_time_zone("UTC")
        times = self._in_zone(naive)
        if times.null_count() > naive.null_count():
            # A skipped time: the offset in force before is that of the day before. (No gap is longer: Samoa's was 24
            # hours.)
            times = times.zip_with(times.is_not_null(), self._in_zone(naive - DAY) + DAY)
        return times

    def _in_zone(self, naive: pl.Series) -> pl.Series:
        zoned = naive.dt.replace_time_zone(self.timezone, ambiguous="earliest", non_existent="null")
        return zoned.dt.convert_time_zone("UTC")

    def believe(self, times: pl.Series) -> pl.Series:
        """Make null what is before 1970 or more than a day after receipt."""
        if self.received is None:
            return times
        low, high = times.min(), times.max()
        if low is None or (low >= EPOCH and high <= self.received + DAY):  # type: ignore[operator]
            return times
        return times.set(~times.is_between(EPOCH, self.received + DAY).fill_null(value=False), None)

    def choose_year(self, in_year: Callable[[int], pl.Series], *, leap_day: pl.Series | None = None) -> pl.Series:
        """Choose for each time the latest year that does not put it more than a day after the object was modified.

        Args:
            in_year: Gives the times as Datetime[us, UTC] in a year, null where there is no such time.
            leap_day: Which of them are 29 February, so that their being null in a year means to look at the years
                before.

        Returns:
            The chosen times, null where no year has the date.

        Raises:
            MixedObjectsError: there are several objects, and what is chosen depends on which it is.
        """
        if self.year is not None:
            return in_year(self.year)
        if isinstance(self.modified, ModifiedTimes):
            return self._choose_same_year(self.modified, in_year, leap_day)
        limit = self.latest + DAY
        year = (limit + _WIDEST_OFFSET).year
        chosen = in_year(year)
        for before in range(year - 1, year - 2 - _LEAP_YEARS_APART, -1):
            resolved = (chosen <= limit).fill_null(value=True)
            if leap_day is not None:
                resolved &= chosen.is_not_null() | ~leap_day.fill_null(value=False)
            if resolved.all():
                break
            chosen = chosen.zip_with(resolved, in_year(before))
        return chosen

    def _choose_same_year(
        self, modified: ModifiedTimes, in_year: Callable[[int], pl.Series], leap_day: pl.Series | None
    ) -> pl.Series:
        """Choose the years by the first and by the last time of modification: any between chooses as both do."""
        first, last = (
            replace(self, modified=one).choose_year(in_year, leap_day=leap_day)
            for one in (modified.first, modified.last)
        )
        if not first.equals(last, null_equal=True):
            raise MixedObjectsError("the years of stamps depend on when their objects were modified")
        return last
