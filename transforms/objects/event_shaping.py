"""What becomes of a batch of events between reading and writing: the pipelines, then the time of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.schema import TIME_RECEIVED, EventBatch
from transforms.event_pipelines import Failures, Pipeline, apply_pipelines
from transforms.objects.event_counts import OLDER_THAN, CountKey, EventCount
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.durations import format_duration
from transforms.timestamps import choose_times


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
) -> EventBatch:
    """Return a batch as its pipelines leave it, every event with a time.

    Args:
        batch: Events as they were read.
        pipelines: What to run, in order.
        timestamp: `auto`, or `received` for plain text whose lines get the time of receipt.
        timezone: IANA name for times that name no zone.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
        rules_by_section: Rules by their section, to count the events that are too old for them.
        counts: Where events are counted that got the time of receipt, that a step failed on, or that a rule would take
            at once; None to count nothing.
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
    if counts is not None:
        for step, number in failures.items():
            counts[CountKey(EventCount.STEP_FAILED, step.pipeline, step.step)] += number
        if timestamp == "auto" and (untimed := _count_untimed(events)):
            counts[CountKey(EventCount.UNTIMED)] += untimed
        counts.update(dict(count_too_old(events, rules_by_section or {})))
    return EventBatch(events, modified, batch.day_first)


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


def _count_untimed(events: pa.RecordBatch) -> int:
    """Return how many events have the time of receipt."""
    sources = events.column("_time_source")
    values = sources.dictionary.to_pylist()
    if TIME_RECEIVED not in values:
        return 0
    return int(pc.sum(pc.equal(sources.indices, values.index(TIME_RECEIVED))).as_py() or 0)
