"""A histogram and facets of a search by one scan: what is here, since when, and of what.

Of a search for everything, each file that lies in the range is counted once and its counts are kept (`FileCache`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.aggregates.file_counts import (
    BAR_SCHEMA,
    COLOUR,
    NUMBER,
    OTHERS,
    FileQuestion,
    Part,
    count_parts,
    merge_bars,
)
from transforms.hot_tier.search.aggregates.value_counts import COUNT, VALUE, ValueCounter, ValueCounts, ranked
from transforms.hot_tier.search.counts import Bar, HistogramBars
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.search.top import split_lists
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import microseconds
from transforms.query.syntax import Field

MOST_FACETS = 50
MOST_COLOURS = 20
MOST_KEPT = 10_000


@dataclass(frozen=True, kw_only=True)
class OverviewRequest:
    """What an overview shows.

    Attributes:
        search: Which events.
        facets: The fields whose values are counted, 50 at most.
        span: A bar's length; None chooses by the range.
        most_bars: At most so many bars, where the length is chosen.
        colour: The field by whose values the bars are divided; None leaves them whole.
        most_values: The most values of each facet.
        most_colours: The most values by which bars are divided, 20 at most; the rest is what a bar has beyond these.
    """

    search: SearchRequest
    facets: tuple[Field, ...] = ()
    span: timedelta | None = None
    most_bars: int = 120
    colour: Field | None = None
    most_values: int = 10
    most_colours: int = 8


@dataclass(frozen=True, kw_only=True)
class Facet:
    """The most frequent values of a field.

    Attributes:
        field: The field; as text it is its name in the query language.
        events: How many events have it.
        values: The values and how many events have each, the most frequent first; an event with several values (a JSON
            list) counts for each.
        distinct: How many values there are; at least so many where it is not exact.
        is_exact: Whether all values were counted. If not, there were too many: counts are lower bounds.
    """

    field: Field
    events: int
    values: tuple[tuple[str, int], ...]
    distinct: int
    is_exact: bool


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A histogram and facets.

    Attributes:
        version: The version of the table.
        count: How many events match.
        span: A bar's length; None without bars.
        bars: The bars, the empty ones between them too.
        colours: The values by which bars are divided, the most frequent first.
        coloured: For each bar, how many of its events have each of these values.
        facets: In the order of the request.
    """

    version: int
    count: int
    span: timedelta | None
    bars: tuple[Bar, ...]
    colours: tuple[str, ...]
    coloured: tuple[tuple[int, ...], ...]
    facets: tuple[Facet, ...]


def overview(
    snapshot: Snapshot,
    request: OverviewRequest,
    *,
    cache: FileCache | None = None,
    stop: StopSignal | None = None,
) -> Overview:
    """Count the events that match over time and by the values of fields.

    Args:
        snapshot: A version of the table.
        request: What to count.
        cache: Where counts of whole files are kept; None keeps none.
        stop: What ends it early.

    Raises:
        ConfigurationError: there would be too many bars, facets or colours.
        TierError: a file can't be read.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    _check(request)
    selection = Selection.of(snapshot, request.search)
    times = selection.times()
    if times is None or times[1] < times[0]:
        facets = tuple(Facet(field=field, events=0, values=(), distinct=0, is_exact=True) for field in request.facets)
        return Overview(version=snapshot.version, count=0, span=None, bars=(), colours=(), coloured=(), facets=facets)
    bars = HistogramBars.over(*times, request.span, request.most_bars)
    tally = _Tally(request, bars)
    question = FileQuestion.of(request.search, request.facets, bars.buckets, request.colour)
    for part in count_parts(selection, question, cache or FileCache(0), stop or StopSignal()):
        tally.add(part)
    return tally.answer(snapshot.version)


def value_counts_of(
    snapshot: Snapshot, request: OverviewRequest, *, cache: FileCache | None = None, stop: StopSignal | None = None
) -> list[ValueCounts]:
    """Return the counts of all values of an overview's facets, lists as they are."""
    selection = Selection.of(snapshot, request.search)
    counters = [ValueCounter() for _ in request.facets]
    question = FileQuestion.of(request.search, request.facets, None, None)
    for part in count_parts(selection, question, cache or FileCache(0), stop or StopSignal()):
        for number, counts in part.facets.items():
            counters[number].add(counts)
    return [counter.counts() for counter in counters]


def _check(request: OverviewRequest) -> None:
    limits = (
        ("facets", len(request.facets), 0, MOST_FACETS),
        ("values", request.most_values, 0, MOST_KEPT),
        ("colours", request.most_colours, 0, MOST_COLOURS),
        ("bars", request.most_bars, 2, 1_000),
    )
    for name, number, least, most in limits:
        if not least <= number <= most:
            raise ConfigurationError(f"{name}: must be from {least} to {most:,}, not {number:,}", field=name)


class _Tally:
    """The sums of parts."""

    def __init__(self, request: OverviewRequest, bars: HistogramBars) -> None:
        self._request = request
        self._bars = bars
        self._facets = [ValueCounter() for _ in request.facets]
        self._counts: list[pl.DataFrame] = [pl.DataFrame(schema=BAR_SCHEMA)]

    def add(self, part: Part) -> None:
        for number, counts in part.facets.items():
            self._facets[number].add(counts)
        if part.bars is not None:
            self._counts.append(part.bars.frame)
            if sum(frame.height for frame in self._counts[1:]) > self._counts[0].height + 100_000:
                self._counts = [merge_bars(self._counts)]

    def answer(self, version: int) -> Overview:
        request, counts = self._request, merge_bars(self._counts)
        by_number: Counter[int] = Counter(
            dict(counts.group_by(NUMBER).agg(pl.col(COUNT).sum()).select(NUMBER, COUNT).iter_rows())
        )
        bars = tuple(self._bars.drawn(by_number, request.search))
        named = counts.filter(pl.col(COLOUR).is_not_null() & (pl.col(COLOUR) != OTHERS))
        totals = named.group_by(pl.col(COLOUR).alias(VALUE)).agg(pl.col(COUNT).sum())
        colours = tuple(value for value, _ in ranked(totals, request.most_colours))
        cells = {(number, colour): count for number, colour, count in named.iter_rows()}
        numbers = [self._bars.buckets.number(microseconds(bar.start)) for bar in bars]
        return Overview(
            version=version,
            count=sum(by_number.values()),
            span=timedelta(microseconds=self._bars.buckets.width) if bars else None,
            bars=bars,
            colours=colours,
            coloured=tuple(tuple(cells.get((number, colour), 0) for colour in colours) for number in numbers),
            facets=tuple(
                facet_of(field, counter.counts(), request.most_values)
                for field, counter in zip(request.facets, self._facets, strict=True)
            ),
        )


def facet_of(field: Field, counts: ValueCounts, most: int) -> Facet:
    """Return the most frequent values of a field, lists taken apart."""
    single = counts.frame if field.system else split_lists(counts.frame)
    return Facet(
        field=field,
        events=counts.events,
        values=tuple(ranked(single, most)),
        distinct=single.height,
        is_exact=counts.is_exact,
    )
