"""How many events satisfy a query, in all and by spans of time (spec §11).

By the counts of the log where these tell, else by reading the columns that the query takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.spans import TimeBuckets
from transforms.query.instants import microseconds
from transforms.query.syntax import Field
from transforms.storage import TierStore

MOST_BARS = 10_000
_BARS = 48
"""A histogram whose span is not given has at most so many bars: they fit a terminal."""
_TIME = Field("_time", system=True)
_FOREVER = 1 << 62
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


def count(tier: TierStore, wanted: SearchRequest) -> int:
    """Return how many events are wanted."""
    selection = Selection.of(tier, wanted)
    whole = [
        file for file in selection.files if selection.is_everything and selection.lies_whole_in(file, wanted.bounds)
    ]
    return sum(file.rows for file in whole) + sum(
        _read_counts(selection.without(whole), TimeBuckets(0, _FOREVER)).values()
    )


def histogram(tier: TierStore, wanted: SearchRequest, span: timedelta | None = None) -> list[Bar]:
    """Return how many of the events that are wanted lie in each span of time, the empty spans between them too.

    Args:
        tier: the hot tier.
        wanted: what to count. Its time range is the histogram's; where it is open, the tier's first or last event is.
        span: how long; None chooses by the range. Spans begin at whole multiples since 1970 UTC, those of whole weeks
            on Mondays; the first and the last are cut to the range.

    Raises:
        ConfigurationError: there would be more than 10,000 bars.
    """
    selection = Selection.of(tier, wanted)
    times = selection.times()
    if times is None or times[1] < times[0]:
        return []
    bars = _Bars.over(*times, span)
    counts: Counter[int] = Counter()
    whole = []
    for file in selection.files if selection.is_everything else ():
        number = bars.spans.number(file.min_time)
        if selection.lies_whole_in(file, wanted.bounds) and bars.spans.number(file.max_time) == number:
            counts[number] += file.rows
            whole.append(file)
    counts.update(_read_counts(selection.without(whole), bars.spans))
    return list(bars.drawn(counts, wanted))


def _read_counts(selection: Selection, spans: TimeBuckets) -> dict[int, int]:
    """Return how many of the events that are wanted lie in each span; what it takes is imported where files are read at
    all.
    """
    if not selection.files:
        return {}
    if selection.is_everything:
        from transforms.hot_tier.search.time_counts import count_times

        return count_times(selection, spans)
    from transforms.hot_tier.search.grouping import count_spans

    if (counts := count_spans(selection, spans)) is not None:
        return counts
    import polars as pl

    from transforms.hot_tier.search.polars_scan import collect, select

    numbers = select(selection, time=_TIME).select(number=(pl.col("time").to_physical() - spans.origin) // spans.width)
    return dict(collect(selection, numbers.group_by("number").len()).iter_rows())


@dataclass(frozen=True)
class _Bars:
    """Spans, and the numbers of the first and the last of them."""

    spans: TimeBuckets
    first: int
    last: int

    @classmethod
    def over(cls, oldest: int, newest: int, span: timedelta | None) -> _Bars:
        length = span or _nice(timedelta(microseconds=newest - oldest))
        origin = (_MONDAY if length % _WEEK == timedelta() else timedelta()) // timedelta(microseconds=1)
        spans = TimeBuckets(origin, length // timedelta(microseconds=1))
        bars = cls(spans, spans.number(oldest), spans.number(newest))
        if bars.last - bars.first >= MOST_BARS:
            raise ConfigurationError(
                f"a histogram has at most {MOST_BARS:,} bars, this would have {bars.last - bars.first + 1:,}: give a longer span, or a "
                "shorter range by --from and --to",
                field="histogram",
            )
        return bars

    def drawn(self, counts: Counter[int], wanted: SearchRequest) -> Iterator[Bar]:
        """Yield the bars of the range; where it is open, from the first or to the last that holds events."""
        filled = [number for number in counts if counts[number]]
        if not filled:
            return
        first = min(filled) if wanted.start is None else self.first
        last = max(filled) if wanted.end is None else self.last
        for number in range(first, last + 1):
            low = self.spans.origin + number * self.spans.width
            start = low if wanted.start is None else max(low, microseconds(wanted.start))
            end = (
                low + self.spans.width if wanted.end is None else min(low + self.spans.width, microseconds(wanted.end))
            )
            yield Bar(_moment(start), _moment(end), counts[number])


def _nice(length: timedelta) -> timedelta:
    return next((span for span in _NICE if length / span < _BARS), _NICE[-1] * -(-length // (_NICE[-1] * (_BARS - 1))))


def _moment(time: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time)
