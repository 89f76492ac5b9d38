"""What an overview needs of files: how many events they have in each bar, and of each value; kept of whole files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.aggregates.scan import newest_first, read_row_groups
from transforms.hot_tier.search.aggregates.value_counts import COUNT, MOST_VALUES, VALUE, ValueCounter, ValueCounts
from transforms.hot_tier.search.counts import count_times
from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.request import SearchRequest, TimeBuckets
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.compiler import time_text
from transforms.query.syntax import Everything, Field

_KEPT_VALUES = 10_000
"""Values that are kept of each file and facet."""
_FEW_ROWS = 50_000
"""Rows of several row groups are counted together up to so many: each count of a column takes 0.5 ms, however few."""
_PART_COLOURS = 200
_TIME, COLOUR, NUMBER = "time", "colour", "number"
OTHERS = "\0others"
"""Stands for the colours beyond those that are counted; an event that has this very text counts among them."""
_TIME_FIELD = Field("_time", system=True)
BAR_SCHEMA = {NUMBER: pl.Int64, COLOUR: pl.String, COUNT: pl.Int64}


@dataclass(frozen=True)
class FileQuestion:
    """What is counted of files: values of fields, and events in buckets of time, which a field's values divide."""

    facets: tuple[Field, ...]
    buckets: TimeBuckets | None
    colour: Field | None
    condition: str = ""
    """Of the events that count; empty where all do."""

    @classmethod
    def of(
        cls, request: SearchRequest, facets: tuple[Field, ...], buckets: TimeBuckets | None, colour: Field | None
    ) -> FileQuestion:
        """Return what is counted of the events that match a request."""
        is_everything = request.expr is None or isinstance(request.expr, Everything)
        return cls(facets, buckets, colour, "" if is_everything else repr(request.expr))

    def facet_key(self, number: int) -> tuple[object, ...]:
        """Return under what the counts of a facet are kept."""
        return "facet", self.facets[number], self.condition

    @property
    def bars_key(self) -> tuple[object, ...]:
        """Under what the bars are kept."""
        return "bars", self.buckets, self.colour, self.condition


@dataclass(frozen=True)
class BarCounts:
    """How many events lie in each bucket, by colour: the columns `number`, `colour` and `count`."""

    frame: pl.DataFrame

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return int(self.frame.estimated_size()) + 200


@dataclass(frozen=True)
class Part:
    """What was counted of some events: facets by their numbers, and bars."""

    facets: dict[int, ValueCounts]
    bars: BarCounts | None


def count_parts(selection: Selection, question: FileQuestion, cache: FileCache, stop: StopSignal) -> Iterator[Part]:
    """Yield the counts of files: kept ones, and what has to be read."""
    whole = [file for file in newest_first(selection.files) if selection.lies_whole_in(file, selection.request.bounds)]
    others = newest_first(selection.without(whole).files)
    yield from (part for _, part in _read(selection, others, question, _every(question), cache, stop))
    yield from (part for _, part in _whole_parts(selection, whole, question, cache, stop))


def count_whole_files(
    snapshot: Snapshot, files: Sequence[LiveFile], field: Field, cache: FileCache, stop: StopSignal
) -> Iterator[tuple[LiveFile, ValueCounts]]:
    """Yield how many of all events of a file have each value of a field."""
    selection = Selection(snapshot, SearchRequest(), files)
    for file, part in _whole_parts(selection, files, FileQuestion((field,), None, None), cache, stop):
        for counts in part.facets.values():
            yield file, counts


def _every(question: FileQuestion) -> _Needs:
    return _Needs(tuple(range(len(question.facets))), bars=question.buckets is not None)


@dataclass(frozen=True)
class _Needs:
    """What is not known yet of some files: facets by their numbers, and whether the bars."""

    facets: tuple[int, ...]
    bars: bool


def _whole_parts(
    selection: Selection,
    files: Sequence[LiveFile],
    question: FileQuestion,
    cache: FileCache,
    stop: StopSignal,
) -> Iterator[tuple[LiveFile, Part]]:
    """Yield the counts of files of which every event counts; what is read is kept."""
    unread: dict[_Needs, list[LiveFile]] = {}
    for file in files:
        stop.check()
        kept, needs = _kept(selection, file, question, cache)
        yield file, kept
        if needs.facets or needs.bars:
            unread.setdefault(needs, []).append(file)
    for needs, some in unread.items():
        for file, parts in _by_file(_read(selection, some, question, needs, cache, stop)):
            part = _together(parts, needs, most=_KEPT_VALUES if selection.is_everything else MOST_VALUES)
            for number, counts in part.facets.items():
                if counts.frame.height <= _KEPT_VALUES:
                    cache.put(file.path, question.facet_key(number), counts)
            if part.bars is not None:
                cache.put(file.path, question.bars_key, part.bars)
            yield file, part


def _kept(selection: Selection, file: LiveFile, question: FileQuestion, cache: FileCache) -> tuple[Part, _Needs]:
    """Return what is known of a file, and what is not."""
    facets = {
        number: counts
        for number in range(len(question.facets))
        if (counts := cache.get(file.path, question.facet_key(number), ValueCounts)) is not None
    }
    bars = cache.get(file.path, question.bars_key, BarCounts)
    if bars is None and question.buckets is not None and question.colour is None and selection.is_everything:
        bars = _uncoloured(selection, file, question.buckets)
        cache.put(file.path, question.bars_key, bars)
    missing = tuple(number for number in range(len(question.facets)) if number not in facets)
    return Part(facets, bars), _Needs(missing, bars is None and question.buckets is not None)


def _uncoloured(selection: Selection, file: LiveFile, buckets: TimeBuckets) -> BarCounts:
    """Return the bars of a file by the log or its footer."""
    first = buckets.number(file.min_time)
    if first == buckets.number(file.max_time):
        counts = Counter({first: file.rows})
    else:
        counts = count_times(selection.only([file]), buckets)
    columns = {NUMBER: list(counts), COLOUR: [None] * len(counts), COUNT: list(counts.values())}
    return BarCounts(pl.DataFrame(columns, schema=BAR_SCHEMA))


def _read(
    selection: Selection,
    files: Sequence[LiveFile],
    question: FileQuestion,
    needs: _Needs,
    cache: FileCache,
    stop: StopSignal,
) -> Iterator[tuple[LiveFile, Part]]:
    """Yield the counts of row groups."""
    buckets = question.buckets if needs.bars else None
    named = {f"facet{number}": question.facets[number] for number in needs.facets}
    if buckets is not None:
        named[_TIME] = _TIME_FIELD
        if question.colour is not None:
            named[COLOUR] = question.colour

    def part_of(frame: pl.DataFrame) -> Part:
        facets = {number: ValueCounts.of(_as_text(frame.get_column(f"facet{number}"))) for number in needs.facets}
        return Part(facets, None if buckets is None else _bars_of(frame, buckets))

    def read(file: EventFile, group: RowGroup) -> Part | pl.DataFrame:
        frame = file.values(group, selection.request, named)
        return part_of(frame) if frame.height > _FEW_ROWS else frame

    few = _FewRows()
    for live, found in read_row_groups(selection, files, read, stop, cache):
        if few.frames and (few.file is not live or few.rows > _FEW_ROWS):
            yield few.file or live, part_of(few.take())
        if isinstance(found, Part):
            yield live, found
        else:
            few.add(live, found)
    if few.file is not None and few.frames:
        yield few.file, part_of(few.take())


@dataclass
class _FewRows:
    """Rows of some row groups of one file that are not counted yet."""

    file: LiveFile | None = None
    frames: list[pl.DataFrame] = field(default_factory=list)
    rows: int = 0

    def add(self, file: LiveFile, frame: pl.DataFrame) -> None:
        self.file = file
        self.frames.append(frame)
        self.rows += frame.height

    def take(self) -> pl.DataFrame:
        frames, self.frames, self.rows = self.frames, [], 0
        return pl.concat(frames)


def _bars_of(frame: pl.DataFrame, buckets: TimeBuckets) -> BarCounts:
    """Count rows by bucket and colour; of many colours the rarest are counted together."""
    number = (pl.col(_TIME).to_physical() - buckets.origin).floordiv(buckets.width)
    if COLOUR not in frame.columns:
        colour = pl.lit(None, pl.String)
    else:
        column = _as_text(frame.get_column(COLOUR))
        frame = frame.with_columns(column)
        frequent = ValueCounts.of(column).frame.top_k(_PART_COLOURS, by=COUNT).get_column(VALUE)
        known = pl.col(COLOUR).is_in(frequent.implode()) | pl.col(COLOUR).is_null()
        colour = pl.when(known).then(pl.col(COLOUR)).otherwise(pl.lit(OTHERS))
    rows = frame.select(number.cast(pl.Int64).alias(NUMBER), colour.alias(COLOUR))
    return BarCounts(rows.group_by(NUMBER, COLOUR).len(COUNT).cast({COUNT: pl.Int64}))


def _as_text(column: pl.Series) -> pl.Series:
    """Return times as text; all else is text."""
    if not column.dtype.is_temporal():
        return column
    return time_text(column)


def _by_file(parts: Iterable[tuple[LiveFile, Part]]) -> Iterator[tuple[LiveFile, list[Part]]]:
    """Yield the parts of each file together; they come one after another."""
    current: LiveFile | None = None
    some: list[Part] = []
    for file, part in parts:
        if current is not None and file.path != current.path:
            yield current, some
            some = []
        current = file
        some.append(part)
    if current is not None:
        yield current, some


def _together(parts: Sequence[Part], needs: _Needs, *, most: int) -> Part:
    """Add up the parts of one file, with so many values of each facet at most."""
    facets = {}
    for number in needs.facets:
        counter = ValueCounter(most=most)
        for part in parts:
            counter.add(part.facets[number])
        facets[number] = counter.counts()
    bars = [part.bars.frame for part in parts if part.bars is not None]
    return Part(facets, BarCounts(merge_bars(bars)) if needs.bars else None)


def merge_bars(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up the counts of bars."""
    together = pl.concat([pl.DataFrame(schema=BAR_SCHEMA), *frames])
    return together.group_by(NUMBER, COLOUR).agg(pl.col(COUNT).sum())
