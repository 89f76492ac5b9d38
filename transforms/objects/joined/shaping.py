"""Shapes a batch, of one object or of several, and says what was counted of each object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import pyarrow as pa

from transforms.core.errors import MixedObjectsError
from transforms.core.schema import EventBatch, JoinedObjects
from transforms.objects.event_counts import EventCounts
from transforms.objects.event_shaping import ShapingSettings, shape_with_tally
from transforms.objects.event_tally import EventTally
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.past_rules import PastRules


def shape_and_count(
    batch: EventBatch,
    settings: ShapingSettings,
    rules_by_section: Mapping[str, CompiledRules],
    past_rules: PastRules,
) -> Iterator[tuple[EventBatch, list[EventCounts]]]:
    """Yield the events as `shape_events` leaves them, and what was counted of each object.

    Where what becomes of an event depends on which object it is of, the objects are shaped one by one.

    Args:
        batch: Events as they were read.
        settings: How they are shaped.
        rules_by_section: Rules by their section, to count the events that are too old for them.
        past_rules: What was deleted of objects that are read again.
    """
    rows = (batch.num_rows,) if batch.joined is None else batch.joined.rows
    names, tally = _names(batch, rows), EventTally(rows)
    past = past_rules.of_object(names[0])
    try:
        if batch.joined is not None and any(map(past_rules.of_object, names)):
            raise MixedObjectsError("of some of the objects events were deleted")
        shaped = shape_with_tally(batch, settings, tally, rules_by_section, past_rules=past)
    except MixedObjectsError:
        for one in _objects(batch):
            yield from shape_and_count(one, settings, rules_by_section, past_rules)
        return
    counts = zip(names, tally.counts, strict=True)
    yield shaped, [EventCounts(uri, tuple(found.items())) for uri, found in counts if found]


def _names(batch: EventBatch, rows: Sequence[int]) -> list[str]:
    """Return the URI of each object, by how many events each has."""
    firsts = pa.array(accumulate(rows[:-1], initial=0), pa.int64())
    names: list[str] = batch.events.column("_object").take(firsts).to_pylist()
    return names


def _objects(batch: EventBatch) -> Iterator[EventBatch]:
    """Yield the events of each of several objects."""
    assert isinstance(batch.joined, JoinedObjects)
    start = 0
    for rows, modified in zip(batch.joined.rows, batch.joined.modified, strict=True):
        years = None if batch.years is None else batch.years.within(start, start + rows).counted_from(start)
        yield EventBatch(batch.events.slice(start, rows), modified, batch.day_first, None, batch.source, years)
        start += rows
