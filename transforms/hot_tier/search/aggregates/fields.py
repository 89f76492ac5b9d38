"""The attributes that events have: how many have each, its frequent and rare values, and names and values by prefix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.aggregates.overview import OverviewRequest, value_counts_of
from transforms.hot_tier.search.aggregates.scan import newest_first, read_row_groups
from transforms.hot_tier.search.aggregates.value_counts import ValueCounts, ranked
from transforms.hot_tier.search.event_file import EventFile, RowGroup
from transforms.hot_tier.search.request import SearchRequest
from transforms.hot_tier.search.selection import Selection
from transforms.hot_tier.search.serving.stop import StopSignal
from transforms.hot_tier.search.top import split_lists
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.syntax import SYSTEM_ATTRIBUTES, And, Comparison, Field, Operator, Pattern

MOST_NAMES = 10_000
"""Attributes that are listed of a file; of more, those that most events have."""
MOST_LISTED = 1_000
_QUESTION = "fields"


@dataclass(frozen=True)
class FieldCount:
    """An attribute and how many events have it; as text the field is its name in the query language."""

    field: Field
    events: int


@dataclass(frozen=True, kw_only=True)
class FieldList:
    """The attributes of the events that match.

    Attributes:
        version: The version of the table.
        fields: The attributes, those that most events have first.
        is_complete: Whether all are there: of more than 10,000 of a file, only those that most events have.
    """

    version: int
    fields: tuple[FieldCount, ...]
    is_complete: bool


@dataclass(frozen=True, kw_only=True)
class FieldStatistics:
    """The values of one field.

    Attributes:
        version: The version of the table.
        field: The field.
        events: How many of the events that match have it.
        distinct: How many values there are; at least so many where it is not exact.
        top: The most frequent values and how many events have each.
        rare: The rarest values, likewise; none where it is not exact.
        is_exact: Whether all values were counted. If not, there were too many, and counts are lower bounds.
    """

    version: int
    field: Field
    events: int
    distinct: int
    top: tuple[tuple[str, int], ...]
    rare: tuple[tuple[str, int], ...]
    is_exact: bool


@dataclass(frozen=True)
class _FieldCounts:
    """How many events of a file have each attribute."""

    counts: dict[str, int]
    is_complete: bool = True

    @property
    def bytes(self) -> int:
        return 200 + sum(len(name) + 100 for name in self.counts)


def list_fields(
    snapshot: Snapshot, request: SearchRequest, *, cache: FileCache | None = None, stop: StopSignal | None = None
) -> FieldList:
    """Return the attributes of the events that match, with how many of them have each.

    Of a search for everything, whole files are counted once and their counts are kept.

    Args:
        snapshot: A version of the table.
        request: Which events.
        cache: Where counts of whole files are kept; None keeps none.
        stop: What ends it early.

    Raises:
        TierError: a file can't be read.
        CanceledError: it was canceled.
        TimeLimitError: its time is over.
    """
    selection = Selection.of(snapshot, request)
    totals: Counter[str] = Counter()
    is_complete = True
    for found in _field_counts(selection, cache or FileCache(0), stop or StopSignal()):
        totals.update(found.counts)
        is_complete &= found.is_complete
        if len(totals) > 2 * MOST_NAMES:
            totals, is_complete = Counter(dict(totals.most_common(MOST_NAMES))), False
    order = sorted(totals.items(), key=lambda one: (-one[1], one[0]))
    fields = tuple(FieldCount(Field(name), count) for name, count in order if count)
    return FieldList(version=snapshot.version, fields=fields, is_complete=is_complete)


def describe_field(
    snapshot: Snapshot,
    request: SearchRequest,
    field: Field,
    *,
    limit: int = 10,
    cache: FileCache | None = None,
    stop: StopSignal | None = None,
) -> FieldStatistics:
    """Return how many events have a field, how many values it has, and which are frequent and rare.

    Args:
        snapshot: A version of the table.
        request: Which events.
        field: The field.
        limit: The most frequent values, and the most rare ones.
        cache: Where counts of whole files are kept; None keeps none.
        stop: What ends it early.

    Raises:
        ConfigurationError: the limit can't be.
        TierError: a file can't be read.
    """
    _check_limit(limit)
    counts = _counts_of(snapshot, request, field, cache, stop)
    single = counts.frame if field.system else split_lists(counts.frame)
    return FieldStatistics(
        version=snapshot.version,
        field=field,
        events=counts.events,
        distinct=single.height,
        top=tuple(ranked(single, limit)),
        rare=tuple(ranked(single, limit, rarest_first=True)) if counts.is_exact else (),
        is_exact=counts.is_exact,
    )


def complete_values(
    snapshot: Snapshot,
    request: SearchRequest,
    field: Field,
    prefix: str,
    *,
    limit: int = 20,
    cache: FileCache | None = None,
    stop: StopSignal | None = None,
) -> list[tuple[str, int]]:
    """Return the most frequent values of a field that begin with a text, without regard to case, and their counts.

    Of a field with very many values these may be the most frequent of some only, with counts that are lower bounds.

    Raises:
        ConfigurationError: the limit can't be.
        TierError: a file can't be read.
    """
    _check_limit(limit)
    counts = _counts_of(snapshot, request, field, cache, stop)
    found = _beginning_with(prefix, counts, field, limit)
    if not counts.is_exact and prefix and len(found) < limit:
        begins = Comparison(field, Operator.EQUAL, Pattern((prefix, "")))
        expr = begins if request.expr is None else And((request.expr, begins))
        counts = _counts_of(snapshot, replace(request, expr=expr), field, None, stop)
        found = _beginning_with(prefix, counts, field, limit)
    return found


def complete_names(
    snapshot: Snapshot,
    request: SearchRequest,
    prefix: str,
    *,
    limit: int = 20,
    cache: FileCache | None = None,
    stop: StopSignal | None = None,
) -> list[str]:
    """Return names of the query language that begin with a text, without regard to case: attributes that events have.

    Those that most events have come first; behind `#` the system's.

    Raises:
        ConfigurationError: the limit can't be.
        TierError: a file can't be read.
    """
    _check_limit(limit)
    folded = prefix.lower()
    if folded.startswith("#"):
        return [name for known in sorted(SYSTEM_ATTRIBUTES) if (name := f"#{known}").lower().startswith(folded)][:limit]
    listed = list_fields(snapshot, request, cache=cache, stop=stop).fields
    names = (str(one.field) for one in listed)
    return [name for name in names if name.lower().lstrip("`").startswith(folded.lstrip("`"))][:limit]


def _beginning_with(prefix: str, counts: ValueCounts, field: Field, limit: int) -> list[tuple[str, int]]:
    single = counts.frame if field.system else split_lists(counts.frame)
    folded = pl.col("value").str.to_lowercase().str.starts_with(prefix.lower())
    return ranked(single.filter(folded), limit)


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST_LISTED:
        raise ConfigurationError(f"must be from 1 to {MOST_LISTED:,}, not {limit:,}", field="limit")


def _counts_of(
    snapshot: Snapshot, request: SearchRequest, field: Field, cache: FileCache | None, stop: StopSignal | None
) -> ValueCounts:
    return value_counts_of(snapshot, OverviewRequest(search=request, facets=(field,)), cache=cache, stop=stop)[0]


def _field_counts(selection: Selection, cache: FileCache, stop: StopSignal) -> Iterator[_FieldCounts]:
    """Yield the counts of files, or of row groups."""
    bounds = selection.request.bounds
    files = newest_first(selection.files)
    whole = [file for file in files if selection.is_everything and selection.lies_whole_in(file, bounds)]
    unread = []
    for file in whole:
        if (kept := cache.get(file.path, _QUESTION, _FieldCounts)) is None:
            unread.append(file)
        else:
            yield kept
    for file, found in _of_whole_files(selection, unread, stop):
        cache.put(file.path, _QUESTION, found)
        yield found
    others = newest_first(selection.without(whole).files)
    for _, found in read_row_groups(selection, others, _reader(selection.request), stop, cache):
        yield found


def _of_whole_files(
    selection: Selection, files: Sequence[LiveFile], stop: StopSignal
) -> Iterator[tuple[LiveFile, _FieldCounts]]:
    current: LiveFile | None = None
    some: list[_FieldCounts] = []
    for file, found in read_row_groups(selection, files, _reader(selection.request), stop):
        if current is not None and current.path != file.path:
            yield current, _together(some)
            some = []
        current = file
        some.append(found)
    if current is not None:
        yield current, _together(some)


def _together(parts: Sequence[_FieldCounts]) -> _FieldCounts:
    totals: Counter[str] = Counter()
    for part in parts:
        totals.update(part.counts)
    bounded = _bounded(totals)
    return replace(bounded, is_complete=bounded.is_complete and all(part.is_complete for part in parts))


def _reader(request: SearchRequest) -> Callable[[EventFile, RowGroup], _FieldCounts]:
    def read(file: EventFile, group: RowGroup) -> _FieldCounts:
        return _bounded(Counter(file.attribute_counts(group, request)))

    return read


def _bounded(counts: Counter[str]) -> _FieldCounts:
    if len(counts) <= MOST_NAMES:
        return _FieldCounts(dict(counts))
    return _FieldCounts(dict(counts.most_common(MOST_NAMES)), is_complete=False)
