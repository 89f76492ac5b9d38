"""How many events satisfy a query, in all and by spans of time (spec §11).

By the counts of the log where these tell, else by reading the columns that the query takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import polars as pl

from transforms.errors import ConfigurationError
from transforms.hot_tier.scanning import Scan
from transforms.hot_tier.wanted import Wanted
from transforms.query.instants import microseconds
from transforms.query.syntax import Field
from transforms.storage import TierStore

MOST_BARS = 10_000
_BARS = 48
"""A histogram whose span is not given has at most so many bars: they fit a terminal."""
_TIME = Field("_time", system=True)
_WEEK = timedelta(weeks=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MONDAY = timedelta(days=4)
_NICE = (
    *(timedelta(seconds=count) for count in (1, 5, 10, 30)),
    *(timedelta(minutes=count) for count in (1, 5, 10, 30)),
    *(timedelta(hours=count) for count in (1, 3, 6, 12)),
    *(timedelta(days=count) for count in (1, 7, 28, 364)),
)


@dataclass(frozen=True)
class Bar:
    """How many events lie from a time on and before another."""

    start: datetime
    end: datetime
    count: int


def count(tier: TierStore, wanted: Wanted) -> int:
    """Return how many events are wanted."""
    scan = Scan.begin(tier, wanted)
    whole = [file for file in scan.files if scan.is_everything and scan.lies_whole_in(file, wanted.bounds)]
    rest = scan.without(whole)
    read = rest.collect(rest.select(time=_TIME).select(pl.len())).item() if rest.files else 0
    return sum(file.rows for file in whole) + int(read)


def histogram(tier: TierStore, wanted: Wanted, span: timedelta | None = None) -> list[Bar]:
    """Return how many of the events that are wanted lie in each span of time, the empty spans between them too.

    Args:
        tier: the hot tier.
        wanted: what to count. Its time range is the histogram's; where it is open, the tier's first or last event is.
        span: how long; None chooses by the range. Spans begin at whole multiples since 1970 UTC, those of whole weeks on Mondays; the
            first and the last are cut to the range.

    Raises:
        ConfigurationError: there would be more than 10,000 bars.
    """
    scan = Scan.begin(tier, wanted)
    times = scan.times()
    if times is None or times[1] < times[0]:
        return []
    bars = _Bars.over(*times, span)
    counts: Counter[int] = Counter()
    whole = []
    for file in scan.files if scan.is_everything else ():
        number = bars.number(file.min_time)
        if scan.lies_whole_in(file, wanted.bounds) and bars.number(file.max_time) == number:
            counts[number] += file.rows
            whole.append(file)
    rest = scan.without(whole)
    if rest.files:
        found = rest.select(time=_TIME).select(number=(pl.col("time").to_physical() - bars.origin) // bars.width)
        counts.update(dict(rest.collect(found.group_by("number").len()).iter_rows()))
    return list(bars.drawn(counts, wanted))


@dataclass(frozen=True)
class _Bars:
    """Spans side by side, in microseconds since 1970 UTC."""

    origin: int
    width: int
    first: int
    last: int

    @classmethod
    def over(cls, oldest: int, newest: int, span: timedelta | None) -> _Bars:
        length = span or _nice(timedelta(microseconds=newest - oldest))
        origin = (_MONDAY if length % _WEEK == timedelta() else timedelta()) // timedelta(microseconds=1)
        bars = cls(origin, length // timedelta(microseconds=1), 0, 0)
        bars = cls(origin, bars.width, bars.number(oldest), bars.number(newest))
        if bars.last - bars.first >= MOST_BARS:
            raise ConfigurationError(
                f"a histogram has at most {MOST_BARS:,} bars, this would have {bars.last - bars.first + 1:,}: give a longer span, or a "
                "shorter range by --from and --to",
                field="histogram",
            )
        return bars

    def number(self, time: int) -> int:
        return (time - self.origin) // self.width

    def drawn(self, counts: Counter[int], wanted: Wanted) -> Iterator[Bar]:
        """Yield the bars of the range; where it is open, from the first or to the last that holds events."""
        filled = [number for number in counts if counts[number]]
        if not filled:
            return
        first = min(filled) if wanted.start is None else self.first
        last = max(filled) if wanted.end is None else self.last
        for number in range(first, last + 1):
            low = self.origin + number * self.width
            start = low if wanted.start is None else max(low, microseconds(wanted.start))
            end = low + self.width if wanted.end is None else min(low + self.width, microseconds(wanted.end))
            yield Bar(_moment(start), _moment(end), counts[number])


def _nice(length: timedelta) -> timedelta:
    return next((span for span in _NICE if length / span < _BARS), _NICE[-1] * -(-length // (_NICE[-1] * (_BARS - 1))))


def _moment(time: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time)
