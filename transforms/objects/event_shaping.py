"""What becomes of a batch of events between reading and writing: the pipelines, then the time of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.arrays import is_present, take
from transforms.core.schema import TIME_RECEIVED, EventBatch
from transforms.event_pipelines import DROPPED_BY, Failures, Pipeline, apply_pipelines
from transforms.objects.event_counts import OLDER_THAN, CountKey, EventCount
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.durations import format_duration
from transforms.timestamps import choose_times


@dataclass(frozen=True, kw_only=True)
class ShapingSettings:
    """How the events of a source are shaped.

    Attributes:
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
    """

    pipelines: tuple[Pipeline, ...] = ()
    timestamp: str = "auto"
    timezone: str = "UTC"
    year: int | None = None
    day_first: bool = False


def shape_events(
    batch: EventBatch,
    pipelines: Sequence[Pipeline],
    *,
    timestamp: str = "auto",
    timezone: str = "UTC",
    year: int | None = None,
    day_first: bool = False,
    rules_by_section: Mapping[str, CompiledRules] | None = None,
    counts: Counter[CountKey] | None = None,
    keep_dropped: bool = False,
) -> EventBatch:
    """Return a batch as its pipelines leave it, every event with a time, without the events that they dropped.

    Args:
        batch: Events as they were read.
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
        rules_by_section: Rules by their section, to count the events that are too old for them.
        counts: Where events are counted that got the time of receipt, that a step failed on, that a pipeline dropped,
            or that a rule would take at once; None to count nothing.
        keep_dropped: Keep those that were dropped, with the pipeline's name in `DROPPED_BY` where there are any.
    """
    events, modified, received = batch.events, batch.modified, batch.events.column("_observed_at")[0].as_py()
    failures: Failures = Counter()
    if pipelines:
        events = apply_pipelines(events, pipelines, received=received, modified=modified, failures=failures)
    events = choose_times(
        events,
        timestamp=timestamp,
        timezone=timezone,
        modified=modified,
        received=received,
        year=year,
        day_first=day_first or batch.day_first,
    )
    if not keep_dropped:
        events = _without_dropped(events, Counter() if counts is None else counts)
    if counts is not None:
        for step, number in failures.items():
            counts[CountKey(EventCount.STEP_FAILED, step.pipeline, step.step)] += number
        if timestamp == "auto" and (untimed := _count_untimed(events)):
            counts[CountKey(EventCount.UNTIMED)] += untimed
        counts.update(dict(count_too_old(events, rules_by_section or {})))
    return EventBatch(events, modified, batch.day_first, source=batch.source)


def count_too_old(
    events: pa.RecordBatch, rules_by_section: Mapping[str, CompiledRules]
) -> Iterator[tuple[CountKey, int]]:
    """Yield how many events each rule would take at once, those rules left out that take none.

    Args:
        events: Events with their times.
        rules_by_section: Rules by their section of the rules file.
    """
    for section, compiled in rules_by_section.items():
        for rule, number in compiled.count(events):
            yield CountKey(OLDER_THAN[section], rule.name, format_duration(rule.retention)), number


def _without_dropped(events: pa.RecordBatch, counts: Counter[CountKey]) -> pa.RecordBatch:
    """Return the events that no pipeline dropped, and count the others by the pipeline's name."""
    if DROPPED_BY not in events.schema.names:
        return events
    dropped_by = events.column(DROPPED_BY)
    names = dropped_by.dictionary_decode()
    counts.update({CountKey(EventCount.DROPPED, name): number for name, number in _numbers_by_name(names)})
    if "_error" in events.schema.names:
        broken = names.filter(events.column("_error").is_valid())
        counts.update({CountKey(EventCount.DROPPED_WITH_ERROR, name): n for name, n in _numbers_by_name(broken)})
    rows = np.flatnonzero(~is_present(dropped_by))
    events = events.drop_columns(DROPPED_BY)
    columns = [take(column, rows) for column in events.columns]
    return pa.RecordBatch.from_arrays(columns, schema=events.schema)


def _numbers_by_name(names: pa.Array) -> Iterator[tuple[str, int]]:
    for one in names.drop_null().value_counts().to_pylist():
        yield one["values"], one["counts"]


def _count_untimed(events: pa.RecordBatch) -> int:
    """Return how many events have the time of receipt."""
    sources = events.column("_time_source")
    values = sources.dictionary.to_pylist()
    if TIME_RECEIVED not in values:
        return 0
    return int(pc.sum(pc.equal(sources.indices, values.index(TIME_RECEIVED))).as_py() or 0)
