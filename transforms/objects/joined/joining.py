"""Joins the events of small objects to batches that are worth shaping."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import pyarrow as pa

from transforms.core.record_years import RecordYears
from transforms.core.schema import EventBatch, JoinedObjects
from transforms.objects.parts import ObjectPart
from transforms.timestamps.clock import EPOCH

SMALL_OBJECT = 64 << 10
"""The bytes of an object whose events may be joined with others."""
SMALL_BYTES = 128 << 10
"""Events of an object that are joined with others take at most so much memory."""
BATCH_BYTES = 4 << 20
"""A batch that has reached this size is handed on."""
HELD_BYTES = 16 << 20
"""What waits to be joined takes at most so much."""


@dataclass
class _Waiting:
    """Batches that are to be joined."""

    batches: list[EventBatch] = field(default_factory=list)
    size: int = 0


def is_small(part: ObjectPart) -> bool:
    """Whether the events of an object may be held until they are joined with others: then they are few."""
    return not part.start and part.end is None and part.info.size <= SMALL_OBJECT


class EventJoiner:
    """Joins batches, each all that is read of one object.

    Batches that differ in their columns, or in what says how their times are found, are not joined with each other:
    what becomes of an event does not depend on what it is joined with.
    """

    def __init__(self, *, batch_bytes: int = BATCH_BYTES, held_bytes: int = HELD_BYTES) -> None:
        """Begin with nothing."""
        self._waiting: dict[Hashable, _Waiting] = {}
        self._batch_bytes, self._held_bytes = batch_bytes, held_bytes
        self._held = 0

    def add(self, batches: Sequence[EventBatch]) -> Iterator[EventBatch]:
        """Take the events of an object, and yield what is ready."""
        if len(batches) != 1 or batches[0].preceding is not None:
            yield from batches
            return
        size = batches[0].events.get_total_buffer_size()
        if size > SMALL_BYTES:
            yield from batches
            return
        key = _likeness(batches[0])
        waiting = self._waiting.setdefault(key, _Waiting())
        waiting.batches.append(batches[0])
        waiting.size += size
        self._held += size
        if waiting.size >= self._batch_bytes:
            yield self._take(key)
        while self._held > self._held_bytes:
            yield self._take(max(self._waiting, key=lambda one: self._waiting[one].size))

    def flush(self) -> Iterator[EventBatch]:
        """Yield all that waits."""
        while self._waiting:
            yield self._take(next(iter(self._waiting)))

    def _take(self, key: Hashable) -> EventBatch:
        waiting = self._waiting.pop(key)
        self._held -= waiting.size
        return join_batches(waiting.batches)


def _likeness(batch: EventBatch) -> Hashable:
    """Return what batches have in common that may be joined."""
    read_as = str(batch.events.column("_format")[0])
    schema = tuple(zip(batch.events.schema.names, map(str, batch.events.schema.types), strict=True))
    return schema, read_as, batch.source, batch.day_first, batch.years is None, batch.modified > EPOCH


def join_batches(batches: Sequence[EventBatch]) -> EventBatch:
    """Return batches of an object each as one batch of all objects."""
    last = batches[-1]
    if len(batches) == 1:
        return last
    table = pa.Table.from_batches([batch.events for batch in batches]).unify_dictionaries().combine_chunks()
    events = table.to_batches()[0]
    rows = tuple(batch.num_rows for batch in batches)
    joined = JoinedObjects(rows, tuple(batch.modified for batch in batches))
    years = _join_years(zip(accumulate(rows[:-1], initial=0), (batch.years for batch in batches), strict=True))
    return EventBatch(events, last.modified, last.day_first, source=last.source, years=years, joined=joined)


def _join_years(found: Iterable[tuple[int, RecordYears | None]]) -> RecordYears | None:
    """Return the years of all records, by the first record of each object and the years of its own."""
    starts: list[int] = []
    years: list[int] = []
    for first, own in found:
        if own is None:
            return None
        starts += [first + max(start, 0) for start in own.starts]
        starts[len(years)] = first  # what lies before the first of a year has that year too
        years += own.years
    return RecordYears(tuple(starts), tuple(years))
