"""What becomes of a batch of events between reading and writing: the pipelines, then the time of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import Indices
from transforms.arrow.arrays import as_flags, as_series, is_present, null_unless, take
from transforms.core.schema import EventBatch
from transforms.event_pipelines import DROPPED_BY, Pipeline, PipelineCounts, apply_pipelines
from transforms.formats import format_of
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MESSAGE_IS_FIELD
from transforms.objects.event_counts import OLDER_THAN, CountKey, EventCount
from transforms.objects.inherited_times.preceding_records import inheriting
from transforms.objects.inherited_times.window import inherited_times, last_time, record_starts
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.durations import format_duration
from transforms.retention.past_rules import taken_by
from transforms.timestamps import choose_times, own_times

_DROPPED = EventCount.DROPPED, EventCount.DROPPED_WITH_ERROR
_DELETED = EventCount.DELETED, EventCount.DELETED_WITH_ERROR


@dataclass(frozen=True, kw_only=True)
class ShapingSettings:
    """How the events of a source are shaped.

    Attributes:
        pipelines: What to run, in order.
        timestamp: `auto`; `object` or `received` for plain text whose lines get that time.
        timezone: IANA name for times that name no zone.
        year: That of times without one; None chooses it.
        day_first: Whether `04/08/2025` is 4 August.
        keep_message: Whether records whose fields are attributes are messages too.
        inherits: Whether events without a time may have that of one before them.
    """

    pipelines: tuple[Pipeline, ...] = ()
    timestamp: str = "auto"
    timezone: str = "UTC"
    year: int | None = None
    day_first: bool = False
    keep_message: bool = True
    inherits: bool = True

    @classmethod
    def of(cls, formats: FormatOptions, pipelines: Sequence[Pipeline]) -> ShapingSettings:
        """Return how events are shaped that were read by these options."""
        return cls(
            pipelines=tuple(pipelines),
            timestamp=formats.timestamp,
            timezone=formats.timezone,
            year=formats.year,
            day_first=formats.day_first,
            keep_message=formats.keep_message,
        )


@dataclass(frozen=True)
class _Shaping:
    """How the events of one batch are shaped."""

    settings: ShapingSettings
    modified: datetime
    received: datetime

    def year(self, batch: EventBatch) -> int | Indices | None:
        """Return the year of stamps without one, that of each event where these are known."""
        return self.settings.year if batch.years is None else batch.years.of(0, batch.num_rows)

    def year_before(self, batch: EventBatch, rows: int) -> int | Indices | None:
        """Return the same of the records that precede a batch."""
        return self.settings.year if batch.years is None else batch.years.of(-rows, rows)

    def run(
        self, events: pa.RecordBatch, year: int | Indices | None, counts: PipelineCounts | None = None
    ) -> pa.RecordBatch:
        pipelines = self.settings.pipelines
        if not pipelines:
            return events
        return apply_pipelines(
            events, pipelines, received=self.received, modified=self.modified, year=year, counts=counts
        )

    def choose(
        self,
        events: pa.RecordBatch,
        year: int | Indices | None,
        inherit: Callable[[pl.Series], pl.Series] | None = None,
        unbelieved: Counter[str] | None = None,
    ) -> pa.RecordBatch:
        row = format_of(events)
        return choose_times(
            events,
            timestamp=self.settings.timestamp,
            timezone=self.settings.timezone,
            modified=self.modified,
            received=self.received,
            year=year,
            day_first=self.settings.day_first,
            lines=row.lines if row else "errors",
            inherit=inherit,
            unbelieved=unbelieved,
        )


def shape_events(
    batch: EventBatch,
    settings: ShapingSettings,
    *,
    rules_by_section: Mapping[str, CompiledRules] | None = None,
    past_rules: Sequence[CompiledRules] = (),
    counts: Counter[CountKey] | None = None,
    keep_dropped: bool = False,
) -> EventBatch:
    """Return a batch as its pipelines leave it, every event with a time, without the events that they dropped.

    Args:
        batch: Events as they were read.
        settings: How.
        rules_by_section: Rules by their section, to count the events that are too old for them.
        past_rules: What these take is left out, too: they have deleted it before (`retention.past_rules`).
        counts: Where events are counted by the source of their time, by the pipelines that were tried on them and
            changed them, and those that a step failed on, that a pipeline dropped, that a rule had deleted, or that one
            would take at once; None to count nothing.
        keep_dropped: Keep those that were dropped, with the pipeline's name in `DROPPED_BY` where there are any.
    """
    modified, received = batch.modified, batch.events.column("_observed_at")[0].as_py()
    settings = replace(settings, day_first=settings.day_first or batch.day_first)
    shaping = _Shaping(settings, modified, received)
    done = None if counts is None else PipelineCounts()
    unbelieved: Counter[str] | None = None if counts is None else Counter()
    year = shaping.year(batch)
    events = shaping.run(batch.events, year, done)
    inherit = partial(_inherit, batch, shaping) if settings.inherits and inheriting(batch.events) else None
    events = shaping.choose(events, year, inherit, unbelieved)
    if not settings.keep_message:
        events = _without_messages(events, batch.events, rewritten=bool(settings.pipelines))
    if MESSAGE_IS_FIELD in events.schema.names:
        events = events.drop_columns(MESSAGE_IS_FIELD)
    if not keep_dropped:
        events = _without_dropped(events, Counter() if counts is None else counts)
    if past_rules and events.num_rows:
        deleted = taken_by(events, past_rules)
        events = _without(events, deleted, _DELETED, Counter() if counts is None else counts)
    if counts is not None and done is not None:
        counts.update(dict(_counts_of_pipelines(done)))
        for reason, number in (unbelieved or {}).items():
            counts[CountKey(EventCount.NOT_BELIEVED, reason)] += number
        for source, number in count_time_sources([events]).items():
            counts[CountKey(EventCount.TIMED, source)] += number
        counts.update(dict(count_too_old(events, rules_by_section or {})))
    return EventBatch(events, modified, batch.day_first, source=batch.source)


def _inherit(batch: EventBatch, shaping: _Shaping, own: pl.Series) -> pl.Series:
    """Return the times that events have from those before them.

    Args:
        batch: The events as they were read: how far they are apart is measured there.
        shaping: How their times are found.
        own: Their own times.
    """
    before = None
    if batch.preceding is not None and own[:1].null_count():
        year = shaping.year_before(batch, batch.preceding.num_rows)
        earlier = shaping.choose(shaping.run(batch.preceding, year), year)
        starts, end = record_starts(as_series(batch.preceding.column("_message")))
        before = last_time(own_times(earlier), starts, end)
    times = inherited_times(own, record_starts(as_series(batch.events.column("_message")))[0], before)
    if inheriting(batch.events) == "errors":
        times = times.set(as_series(batch.events.column("_error")).is_null(), None)
    return times


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


def count_time_sources(batches: Iterable[pa.RecordBatch]) -> Counter[str]:
    """Return how many events have their time from where (`_time_source`)."""
    counts: Counter[str] = Counter()
    for events in batches:
        for row in pc.value_counts(events.column("_time_source")).to_pylist():
            counts[row["values"]] += row["counts"]
    return counts


def _counts_of_pipelines(done: PipelineCounts) -> Iterator[tuple[CountKey, int]]:
    for step, number in done.failures.items():
        yield CountKey(EventCount.STEP_FAILED, step.pipeline, step.step), number
    for name, number in done.tried.items():
        yield CountKey(EventCount.PIPELINE_TRIED, name), number
    for name, number in done.matched.items():
        if number:
            yield CountKey(EventCount.PIPELINE_MATCHED, name), number


def _without_messages(events: pa.RecordBatch, read: pa.RecordBatch, *, rewritten: bool) -> pa.RecordBatch:
    """Return events without the messages that only say what their attributes say.

    Kept are those of records with an error, those that are a field of the record (Splunk's `_raw`), and those that a
    pipeline has written.

    Args:
        events: Behind their pipelines, with their times.
        read: The same events as they were read.
        rewritten: Whether a pipeline may have written a message.
    """
    row = format_of(read)
    if row is None or "keep_message" not in row.options:
        return events
    messages = events.column("_message")
    kept = np.zeros(events.num_rows, np.bool_)
    if rewritten:
        kept |= as_flags(as_series(messages).ne_missing(as_series(read.column("_message"))))
    if "_error" in events.schema.names:
        kept |= is_present(events.column("_error"))
    if MESSAGE_IS_FIELD in events.schema.names:
        kept |= events.column(MESSAGE_IS_FIELD).fill_null(False).to_numpy(zero_copy_only=False)
    if not kept.any():
        return events.drop_columns("_message")
    return events.set_column(events.schema.get_field_index("_message"), "_message", null_unless(kept, messages))


def _without_dropped(events: pa.RecordBatch, counts: Counter[CountKey]) -> pa.RecordBatch:
    """Return the events that no pipeline dropped, and count the others by the pipeline's name."""
    if DROPPED_BY not in events.schema.names:
        return events
    dropped_by = events.column(DROPPED_BY).dictionary_decode()
    return _without(events.drop_columns(DROPPED_BY), dropped_by, _DROPPED, counts)


def _without(
    events: pa.RecordBatch, names: pa.Array, kinds: tuple[EventCount, EventCount], counts: Counter[CountKey]
) -> pa.RecordBatch:
    """Return the events without a name, and count the others by it.

    Args:
        events: The events.
        names: What takes each of them, null for one that stays.
        kinds: What they are counted under, and those of them that have `_error`.
        counts: Where.
    """
    if names.null_count == len(names):
        return events
    counts.update({CountKey(kinds[0], name): number for name, number in _numbers_by_name(names)})
    if "_error" in events.schema.names:
        broken = names.filter(events.column("_error").is_valid())
        counts.update({CountKey(kinds[1], name): n for name, n in _numbers_by_name(broken)})
    rows = np.flatnonzero(~is_present(names))
    columns = [take(column, rows) for column in events.columns]
    return pa.RecordBatch.from_arrays(columns, schema=events.schema)


def _numbers_by_name(names: pa.Array) -> Iterator[tuple[str, int]]:
    for one in names.drop_null().value_counts().to_pylist():
        yield one["values"], one["counts"]
