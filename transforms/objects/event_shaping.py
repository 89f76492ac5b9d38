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
from transforms.core.errors import MixedObjectsError
from transforms.core.schema import EventBatch, JoinedObjects
from transforms.event_pipelines import DROPPED_BY, Pipeline, StepCounter, apply_pipelines
from transforms.formats import format_of
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MESSAGE_IS_FIELD
from transforms.objects.event_counts import OLDER_THAN, CountKey, EventCount
from transforms.objects.event_tally import EventTally
from transforms.objects.inherited_times.preceding_records import inheriting
from transforms.objects.inherited_times.window import WINDOW, inherited_times, last_time, record_starts
from transforms.retention.compiled_rules import STAYS, CompiledRules
from transforms.retention.durations import format_duration
from transforms.retention.past_rules import taken_by
from transforms.timestamps import Modified, ModifiedTimes, choose_times, own_times

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
    modified: Modified
    received: datetime

    @classmethod
    def of(cls, batch: EventBatch, settings: ShapingSettings) -> _Shaping:
        received = batch.events.column("_observed_at")[0].as_py()
        settings = replace(settings, day_first=settings.day_first or batch.day_first)
        return cls(settings, batch.modified if batch.joined is None else _modified_times(batch.joined), received)

    def year(self, batch: EventBatch) -> int | Indices | None:
        """Return the year of stamps without one, that of each event where these are known."""
        return self.settings.year if batch.years is None else batch.years.of(0, batch.num_rows)

    def year_before(self, batch: EventBatch, rows: int) -> int | Indices | None:
        """Return the same of the records that precede a batch."""
        return self.settings.year if batch.years is None else batch.years.of(-rows, rows)

    def run(
        self, events: pa.RecordBatch, year: int | Indices | None, watch: StepCounter | None = None
    ) -> pa.RecordBatch:
        pipelines = self.settings.pipelines
        if not pipelines:
            return events
        return apply_pipelines(
            events, pipelines, received=self.received, modified=self.modified, year=year, watch=watch
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
    tally = None if counts is None else EventTally([batch.num_rows])
    rules = rules_by_section or {}
    shaped = shape_with_tally(batch, settings, tally, rules, past_rules=past_rules, keep_dropped=keep_dropped)
    if counts is not None and tally is not None:
        counts.update(tally.counts[0])
    return shaped


def shape_with_tally(
    batch: EventBatch,
    settings: ShapingSettings,
    tally: EventTally | None,
    rules_by_section: Mapping[str, CompiledRules],
    *,
    past_rules: Sequence[CompiledRules] = (),
    keep_dropped: bool = False,
) -> EventBatch:
    """Do the same for events of one object or of several; `tally` counts those of each object.

    Raises:
        MixedObjectsError: there are several objects, and what becomes of the events depends on which they are of.
    """
    shaping = _Shaping.of(batch, settings)
    watch = None if tally is None else StepCounter()
    unbelieved: Counter[str] | None = None if tally is None else Counter()
    year = shaping.year(batch)
    events = shaping.run(batch.events, year, watch)
    inherit = partial(_inherit, batch, shaping) if settings.inherits and inheriting(batch.events) else None
    events = shaping.choose(events, year, inherit, unbelieved)
    if tally is not None and watch is not None:
        _count_pipelines(tally, watch)
    if unbelieved and tally is not None:
        _count_unbelieved(tally, unbelieved)
    if not settings.keep_message:
        events = _without_messages(events, batch.events, rewritten=bool(settings.pipelines))
    if MESSAGE_IS_FIELD in events.schema.names:
        events = events.drop_columns(MESSAGE_IS_FIELD)
    if not keep_dropped:
        events = _without_dropped(events, tally)
    if past_rules and events.num_rows:
        events = _without(events, taken_by(events, past_rules), _DELETED, tally)
    if tally is not None:
        tally.add_names(EventCount.TIMED, events.column("_time_source"))
        _count_too_old(tally, events, rules_by_section)
    return EventBatch(events, batch.modified, batch.day_first, source=batch.source)


def _modified_times(joined: JoinedObjects) -> ModifiedTimes:
    each = pl.Series(joined.modified, dtype=pl.Datetime("us", "UTC"))
    return ModifiedTimes(min(joined.modified), max(joined.modified), each.gather(joined.of_events))


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
    starts = record_starts(as_series(batch.events.column("_message")))[0]
    if batch.joined is not None:  # no event has the time of one of another object
        starts += pl.Series(batch.joined.of_events) * (WINDOW + 1)
    times = inherited_times(own, starts, before)
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


def _count_pipelines(tally: EventTally, watch: StepCounter) -> None:
    for step, rows in watch.failures():
        tally.add(CountKey(EventCount.STEP_FAILED, step.pipeline, step.step), rows)
    for name, rows in watch.tried():
        tally.add(CountKey(EventCount.PIPELINE_TRIED, name), rows)
    for name, rows in watch.matched():
        tally.add(CountKey(EventCount.PIPELINE_MATCHED, name), rows)


def _count_unbelieved(tally: EventTally, unbelieved: Counter[str]) -> None:
    if len(tally.counts) > 1:
        raise MixedObjectsError("there are times that are not believed, and it is not known of which object")
    for reason, number in unbelieved.items():
        tally.counts[0][CountKey(EventCount.NOT_BELIEVED, reason)] += number


def _count_too_old(tally: EventTally, events: pa.RecordBatch, rules_by_section: Mapping[str, CompiledRules]) -> None:
    for section, compiled in rules_by_section.items():
        numbers = compiled.evaluate(events).rule
        for at in np.unique(numbers[numbers != STAYS]).tolist():
            rule = compiled.rules[at]
            tally.add(CountKey(OLDER_THAN[section], rule.name, format_duration(rule.retention)), numbers == at)


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


def _without_dropped(events: pa.RecordBatch, tally: EventTally | None) -> pa.RecordBatch:
    """Return the events that no pipeline dropped, and count the others by the pipeline's name."""
    if DROPPED_BY not in events.schema.names:
        return events
    dropped_by = events.column(DROPPED_BY).dictionary_decode()
    return _without(events.drop_columns(DROPPED_BY), dropped_by, _DROPPED, tally)


def _without(
    events: pa.RecordBatch, names: pa.Array, kinds: tuple[EventCount, EventCount], tally: EventTally | None
) -> pa.RecordBatch:
    """Return the events without a name, and count the others by it.

    Args:
        events: The events.
        names: What takes each of them, null for one that stays.
        kinds: What they are counted under, and those of them that have `_error`.
        tally: Where.
    """
    if names.null_count == len(names):
        return events
    rows = np.flatnonzero(~is_present(names))
    if tally is not None:
        tally.add_names(kinds[0], names)
        if "_error" in events.schema.names:
            tally.add_names(kinds[1], pc.if_else(events.column("_error").is_valid(), names, None))
        tally.keep(rows)
    columns = [take(column, rows) for column in events.columns]
    return pa.RecordBatch.from_arrays(columns, schema=events.schema)
