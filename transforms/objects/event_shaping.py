"""What becomes of a batch of events between reading and writing: the pipelines, then the time of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.arrays import as_series
from transforms.core.schema import EventBatch
from transforms.event_pipelines import Failures, Pipeline, apply_pipelines
from transforms.formats import FORMATS
from transforms.objects.event_counts import OLDER_THAN, CountKey, EventCount
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.durations import format_duration
from transforms.timestamps import choose_times, own_times
from transforms.timestamps.inheriting import inherited_times, last_time, record_starts


@dataclass(frozen=True)
class _TimeRules:
    """How the times of a batch are found."""

    pipelines: Sequence[Pipeline]
    timestamp: str
    timezone: str
    year: int | None
    day_first: bool
    modified: datetime
    received: datetime

    def run(self, events: pa.RecordBatch, failures: Failures) -> pa.RecordBatch:
        if not self.pipelines:
            return events
        return apply_pipelines(
            events, self.pipelines, received=self.received, modified=self.modified, failures=failures
        )

    def choose(self, events: pa.RecordBatch, inherit: Callable[[pl.Series], pl.Series] | None = None) -> pa.RecordBatch:
        return choose_times(
            events,
            timestamp=self.timestamp,
            timezone=self.timezone,
            modified=self.modified,
            received=self.received,
            year=self.year,
            day_first=self.day_first,
            inherit=inherit,
        )


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
        timestamp: `auto`; `object` or `received` for plain text whose lines get that time.
        timezone: IANA name for times that name no zone.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
        rules_by_section: Rules by their section, to count the events that are too old for them.
        counts: Where events are counted by the source of their time, and those that a step failed on or that a rule
            would take at once; None to count nothing.
    """
    modified, received = batch.modified, batch.events.column("_observed_at")[0].as_py()
    rules = _TimeRules(pipelines, timestamp, timezone, year, day_first or batch.day_first, modified, received)
    failures: Failures = Counter()
    events = rules.run(batch.events, failures)
    events = rules.choose(events, partial(_inherit, batch, events, rules) if inheriting(batch.events) else None)
    if counts is not None:
        for step, number in failures.items():
            counts[CountKey(EventCount.STEP_FAILED, step.pipeline, step.step)] += number
        for source, number in _count_sources(events):
            counts[CountKey(EventCount.TIMED, source)] += number
        counts.update(dict(count_too_old(events, rules_by_section or {})))
    return EventBatch(events, modified, batch.day_first)


def inheriting(events: pa.RecordBatch) -> str:
    """Return which of an object's events may have the time of one before them, by their format's row."""
    at = events.schema.get_field_index("_format")
    row = FORMATS.get(str(events.column(at)[0])) if at >= 0 and events.num_rows else None
    which = row.inherits if row else ""
    return which if which != "errors" or events.schema.get_field_index("_error") >= 0 else ""


def _inherit(batch: EventBatch, events: pa.RecordBatch, rules: _TimeRules, own: pl.Series) -> pl.Series:
    """Return the times that events have from those before them.

    Args:
        batch: The events as they were read: how far they are apart is measured there.
        events: What the pipelines have made of them, row for row.
        rules: How their times are found.
        own: Their own times.
    """
    before = None
    if batch.preceding is not None and own[:1].null_count():
        earlier = rules.choose(rules.run(batch.preceding, Counter()))
        starts, end = _starts(batch.preceding, earlier)
        before = last_time(own_times(earlier), starts, end)
    times = inherited_times(own, _starts(batch.events, events)[0], before)
    if inheriting(batch.events) == "errors":
        times = times.set(as_series(events.column("_error")).is_null(), None)
    return times


def _starts(read: pa.RecordBatch, events: pa.RecordBatch) -> tuple[pl.Series, int]:
    """Return where the records of the events began that the pipelines have left, and where all ended."""
    starts, end = record_starts(as_series(read.column("_message")))
    if events.num_rows == read.num_rows:
        return starts, end
    known = pl.DataFrame({"id": as_series(read.column("_event_id")), "start": starts})
    left = pl.DataFrame({"id": as_series(events.column("_event_id"))})
    return left.join(known, on="id", how="left", maintain_order="left")["start"], end


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


def _count_sources(events: pa.RecordBatch) -> Iterator[tuple[str, int]]:
    """Yield how many events have a time from each source."""
    for row in pc.value_counts(events.column("_time_source")).to_pylist():
        yield row["values"], row["counts"]
