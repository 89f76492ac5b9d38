"""How many events match a search request, in all and by buckets of time (docs/query.md).

The counts of the log answer where they can; else the columns that the query needs are read. What reading files takes
(pyarrow, DuckDB, Polars) is imported only where files are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.request import SearchRequest, TimeBuckets
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.live_files import file_uri
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.bounds import TimeBounds
from transforms.query.instants import microseconds
from transforms.query.syntax import Field
from transforms.storage import TierStore

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BARS = 10_000
_BARS = 48
"""A histogram whose bucket length is not given has at most so many bars: they fit a terminal."""
_TIME = "_time"
_FOREVER = 1 << 62
_WEEK = timedelta(weeks=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST = microseconds(datetime.min.replace(tzinfo=timezone.utc))
_LAST = microseconds(datetime.max.replace(tzinfo=timezone.utc))
_LONGEST = timedelta(microseconds=_LAST - _FIRST + 1)
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


def count(events: TierStore | Snapshot, request: SearchRequest) -> int:
    """Return how many events match."""
    selection = Selection.of(events, request)
    whole = [
        file for file in selection.files if selection.is_everything and selection.lies_whole_in(file, request.bounds)
    ]
    read = _read_counts(selection.without(whole), TimeBuckets(0, _FOREVER))
    return sum(file.rows for file in whole) + sum(read.values())


def histogram(events: TierStore | Snapshot, request: SearchRequest, span: timedelta | None = None) -> list[Bar]:
    """Return how many matching events lie in each bucket of time, the empty buckets between them too.

    Args:
        events: The hot tier, or a version of its table.
        request: What to count. Its time range is the histogram's; an open end is the tier's first or last event.
        span: A bucket's length; None chooses by the range. Buckets begin at whole multiples since 1970 UTC, those of
            whole weeks on Mondays; the first and the last are cut to the range.

    Raises:
        ConfigurationError: there would be more than 10,000 bars.
    """
    selection = Selection.of(events, request)
    times = selection.times()
    if times is None or times[1] < times[0]:
        return []
    bars = HistogramBars.over(*times, span)
    counts: Counter[int] = Counter()
    whole = []
    for file in selection.files if selection.is_everything else ():
        number = bars.buckets.number(file.min_time)
        if selection.lies_whole_in(file, request.bounds) and bars.buckets.number(file.max_time) == number:
            counts[number] += file.rows
            whole.append(file)
    counts.update(_read_counts(selection.without(whole), bars.buckets))
    return list(bars.drawn(counts, request))


def count_times(selection: Selection, buckets: TimeBuckets) -> Counter[int]:
    """Return how many events of the time range lie in each bucket, whatever the query.

    The files' footers answer; times are read only of row groups that lie in two buckets.

    Raises:
        TierError: a file can't be read.
    """
    import pyarrow as pa

    counts: Counter[int] = Counter()
    for file in selection.files:
        with selection.errors(pa.ArrowException):
            counts.update(_count_in_file(selection.tier, file.path, buckets, selection.request.bounds))
    return counts


def _read_counts(selection: Selection, buckets: TimeBuckets) -> dict[int, int]:
    """Return how many matching events lie in each bucket, by reading files."""
    if not selection.files:
        return {}
    if selection.is_everything:
        return count_times(selection, buckets)
    from transforms.hot_tier.search.grouping import count_buckets

    if (counts := count_buckets(selection, buckets)) is not None:
        return counts
    import polars as pl

    from transforms.hot_tier.search.polars_scan import collect, select

    times = select(selection, time=Field(_TIME, system=True))
    numbers = times.select(number=(pl.col("time").to_physical() - buckets.origin) // buckets.width)
    return dict(collect(selection, numbers.group_by("number").len()).iter_rows())


def _count_in_file(tier: TierStore, path: str, buckets: TimeBuckets, bounds: TimeBounds) -> Counter[int]:
    import pyarrow.parquet as pq

    from transforms.core import schema

    counts: Counter[int] = Counter()
    source = file_uri(tier, path) if tier.local_path is not None else tier.open_input(f"{EVENTS}/{path}")
    with pq.ParquetFile(source) as file:
        unsure = []
        position = file.metadata.schema.names.index(_TIME)
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            known = group.column(position).statistics
            if known is None or not known.has_min_max or file.schema_arrow.field(_TIME).type != schema.TIME:
                unsure.append(number)
                continue
            oldest, newest = int(known.min_raw), int(known.max_raw)
            if bounds.holds(oldest, newest) and buckets.number(oldest) == buckets.number(newest):
                counts[buckets.number(oldest)] += group.num_rows
            elif bounds.overlaps(oldest, newest):
                unsure.append(number)
        for number in unsure:
            counts.update(_count_in_row_group(file.read_row_group(number, columns=[_TIME])[_TIME], buckets, bounds))
    return counts


def _count_in_row_group(column: pa.ChunkedArray, buckets: TimeBuckets, bounds: TimeBounds) -> dict[int, int]:
    import numpy as np
    import pyarrow as pa

    from transforms.core import schema

    column = column if column.type == schema.TIME else column.cast(schema.TIME)
    # pyarrow's own to_numpy() would import pandas, wherever it is installed: 0.3 s
    times = np.concatenate([np.from_dlpack(chunk.view(pa.int64())) for chunk in column.chunks])
    if bounds.low is not None:
        times = times[times >= bounds.low]
    if bounds.high is not None:
        times = times[times < bounds.high]
    numbers, counts = np.unique((times - buckets.origin) // buckets.width, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True)
class HistogramBars:
    """Buckets, and the numbers of the first and the last of them."""

    buckets: TimeBuckets
    first: int
    last: int

    @classmethod
    def over(cls, oldest: int, newest: int, span: timedelta | None, most: int = _BARS) -> HistogramBars:
        """Return the buckets of a range.

        Args:
            oldest: The first time, in microseconds since 1970 UTC.
            newest: The last.
            span: A bucket's length; None chooses one.
            most: At most so many bars, where the length is chosen.

        Raises:
            ConfigurationError: there would be more than 10,000 bars.
        """
        length = min(span, _LONGEST) if span else _nice(timedelta(microseconds=newest - oldest), most)
        origin = (_MONDAY if length % _WEEK == timedelta() else timedelta()) // timedelta(microseconds=1)
        buckets = TimeBuckets(origin, length // timedelta(microseconds=1))
        bars = cls(buckets, buckets.number(oldest), buckets.number(newest))
        if bars.last - bars.first >= MOST_BARS:
            raise ConfigurationError(
                f"a histogram has at most {MOST_BARS:,} bars, this would have {bars.last - bars.first + 1:,}: "
                "give a longer span, or a shorter range",
                field="histogram",
            )
        return bars

    def drawn(self, counts: Counter[int], request: SearchRequest) -> Iterator[Bar]:
        """Yield the bars of the range; where it is open, from the first or to the last that holds events."""
        filled = [number for number in counts if counts[number]]
        if not filled:
            return
        first = min(filled) if request.start is None else self.first
        last = max(filled) if request.end is None else self.last
        for number in range(first, last + 1):
            low = self.buckets.origin + number * self.buckets.width
            high = low + self.buckets.width
            start = low if request.start is None else max(low, microseconds(request.start))
            end = high if request.end is None else min(high, microseconds(request.end))
            yield Bar(_datetime(start), _datetime(end), counts[number])


def _nice(length: timedelta, most: int) -> timedelta:
    return next((span for span in _NICE if length / span < most), _NICE[-1] * -(-length // (_NICE[-1] * (most - 1))))


def _datetime(microseconds: int) -> datetime:
    """Return a time; the first or the last there is for one beyond it."""
    return _EPOCH + timedelta(microseconds=min(max(microseconds, _FIRST), _LAST))
