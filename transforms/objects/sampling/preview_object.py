"""What the preview shows of an object: how it would be read and why, its first events, and their times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from transforms.core import schema
from transforms.core.errors import ObjectError
from transforms.core.schema import EventBatch
from transforms.event_pipelines import DROPPED_BY, Pipeline
from transforms.formats.options import FormatOptions
from transforms.objects.event_counts import CountKey, describe_too_old
from transforms.objects.event_shaping import ShapingSettings, count_time_sources, count_too_old, shape_events
from transforms.objects.reading import Reading, ReadSettings
from transforms.objects.sampling.pipeline_hints import pipeline_hint
from transforms.objects.sampling.sample_object import Sample
from transforms.objects.sampling.time_hints import time_hint, what_helps
from transforms.retention.compiled_rules import CompiledRules
from transforms.timestamps import detect_times
from transforms.timestamps.origin import first_stamp, time_field

Row = dict[str, Any]
_UNTIMED = "no time was found in these events: they get that of their object (its LastModified). What helps"
_NO_RECORD = "no record ends in the part that was read: the first ones are longer (a backfill reads them all the same)"
_DONE = {
    "salvaged": "a backfill keeps what comes before (--on-error salvage)",
    "quarantined": "a backfill publishes none of it (--on-error quarantine)",
}
_YEAR = timedelta(days=366)
_NO_TIME = {
    schema.TIME_FROM_OBJECT: "none found: the object's LastModified",
    schema.TIME_RECEIVED: "none found: the time of receipt",
}
_OTHERS = {
    **_NO_TIME,
    schema.TIME_FROM_PIPELINE: "a pipeline",
    schema.TIME_INHERITED: "that of the event before it",
}


def preview_object(
    sample: Sample,
    settings: ReadSettings,
    pipelines: Sequence[Pipeline],
    rules_by_section: Mapping[str, CompiledRules] | None = None,
    *,
    events: int,
) -> dict[str, Any]:
    """Show the beginning of an object.

    Args:
        sample: What was read of it.
        settings: How a job would read it.
        pipelines: What a job would run on its events.
        rules_by_section: Rules by their section, which are evaluated on all events of the sample.
        events: So many of its events are shown.

    Returns:
        The document of `rekindle preview --json` for one object.
    """
    reading = sample.reading
    shown = list(_shown_events(sample, settings, pipelines, events))
    found, old = _too_old(sample, settings, pipelines, rules_by_section) if rules_by_section else (None, [])
    left = [event["after"] for event in shown if event["after"] is not None]
    return {
        "object": reading.info.uri,
        "size": reading.info.size,
        "modified": schema.as_json(reading.info.modified),
        "bytesRead": sample.bytes_read,
        "codec": reading.codec
        and {"name": "+".join(reading.decoder.codecs) if reading.decoder else None, "rule": reading.codec.rule},
        "format": reading.format and {"name": reading.format.format, "rule": reading.format.rule},
        "warnings": [
            *reading.all_warnings(),
            *(_untimed(reading, left) if settings.formats.timestamp == "auto" else ()),
            *old,
            *(
                [_NO_RECORD]
                if not reading.records and sample.failure is None and sample.bytes_read < reading.info.size
                else ()
            ),
        ],
        "failure": sample.failure
        and {"status": reading.status(sample.failure), "reason": _reason(reading, sample.failure)},
        "tooOld": found,
        "events": shown,
    }


def _reason(reading: Reading, failure: ObjectError) -> str:
    """Return why an object can't be read, or not to its end, and what a backfill does with what came before."""
    done = _DONE.get(reading.status(failure))
    return f"{failure}; {done}" if done and reading.records else str(failure)


def _untimed(reading: Reading, rows: Sequence[Row]) -> Iterator[str]:
    """Yield a warning where no event that is shown has a time."""
    if rows and reading.format and all(row["_time_source"] in _NO_TIME for row in rows):
        yield f"{_UNTIMED}: {what_helps(reading.format.format)}"


def summarize_object(sample: Sample, settings: ReadSettings, pipelines: Sequence[Pipeline]) -> dict[str, Any]:
    """Sum up the beginning of an object: codec, format, where its times are from, what is unusual, what would help.

    `counts` has its events by what happened to them (`EventCount`).

    Args:
        sample: What was read of it.
        settings: How a job would read it.
        pipelines: What a job would run on its events.
    """
    reading = sample.reading
    shaping = ShapingSettings.of(settings.formats, pipelines)
    counts: Counter[CountKey] = Counter()
    shaped = [shape_events(batch, shaping, counts=counts) for batch in sample.batches]
    sources = count_time_sources(batch.events for batch in shaped)
    hints = [time_hint(sample, shaped, sources, settings.formats), pipeline_hint(sample, shaped, settings)]
    failure = [f"{reading.status(sample.failure)}: {_reason(reading, sample.failure)}"] if sample.failure else []
    return {
        "sampled": reading.info.uri,
        "codec": "+".join(reading.decoder.codecs) if reading.decoder else None,
        "format": reading.format.format if reading.format else None,
        "timeSources": sources,
        "counts": counts,
        "warnings": [*failure, *reading.all_warnings(), *filter(None, hints)],
    }


def _too_old(
    sample: Sample, settings: ReadSettings, pipelines: Sequence[Pipeline], rules_by_section: Mapping[str, CompiledRules]
) -> tuple[dict[str, Any], list[str]]:
    """Return how many of the sample's events rules would take at once, as a document and as warnings."""
    counts: dict[str, Counter[CountKey]] = {section: Counter() for section in rules_by_section}
    shaping = ShapingSettings.of(settings.formats, pipelines)
    for batch in sample.batches:
        shaped = shape_events(batch, shaping)
        for section, compiled in rules_by_section.items():
            counts[section].update(dict(count_too_old(shaped.events, {section: compiled})))
    sampled = sum(batch.num_rows for batch in sample.batches)
    warnings = [
        describe_too_old(key, f"{n:,} of {sampled:,} sampled events", one=n == 1)
        for found in counts.values()
        for key, n in found.items()
    ]
    numbers = {section: {key.name: n for key, n in found.items()} for section, found in counts.items()}
    return {"sampled": sampled, **numbers}, warnings


def _shown_events(
    sample: Sample, settings: ReadSettings, pipelines: Sequence[Pipeline], count: int
) -> Iterator[dict[str, Any]]:
    shaping = ShapingSettings.of(settings.formats, pipelines)
    for batch in sample.batches:
        first = batch.slice(0, count)
        count -= first.num_rows
        if not first.num_rows:
            return
        before, after = before_and_after(first, shaping)
        for number, (old, new) in enumerate(zip(before.events.to_pylist(), after.events.to_pylist(), strict=True)):
            origin = _time_origin(after.slice(number, 1), new, sample, settings.formats)
            yield {"timeOrigin": origin, **shown_rows(old, new)}


def before_and_after(batch: EventBatch, shaping: ShapingSettings) -> tuple[EventBatch, EventBatch]:
    """Return a batch as it is without pipelines, and as a backfill would publish it; with the events that they drop."""
    before = shape_events(batch, replace(shaping, pipelines=(), keep_message=True))
    published = not shaping.pipelines and shaping.keep_message
    return before, before if published else shape_events(batch, shaping, keep_dropped=True)


def shown_rows(before: Row, after: Row) -> dict[str, Row | None]:
    """Return an event `before` and `after` its pipelines as flat rows, `after` None where they dropped it."""
    dropped = after.pop(DROPPED_BY, None)
    return {"before": schema.flat_row(before), "after": None if dropped else schema.flat_row(after)}


def _time_origin(batch: EventBatch, row: Row, sample: Sample, formats: FormatOptions) -> str:
    """Describe where the time of the one event in a batch is from."""
    event, modified, source = batch.events, batch.modified, row["_time_source"]
    if source == schema.TIME_FROM_RECORD:
        named = zip(map(schema.attribute_name, event.schema.names), event.columns, strict=True)
        attributes = {name: column for name, column in named if name is not None and column[0].is_valid}
        received = event.column("_observed_at")[0].as_py()
        time, zone = event.column("_time"), formats.timezone
        name = time_field(attributes, time, timezone=zone, modified=modified, received=received)
        return f"field {name}" if name else "the record's own time"
    if source == schema.TIME_DETECTED:
        guessed = _is_yearless(row["_message"], formats.timezone, modified)
        return f"stamp {first_stamp(row['_message'])!r} in the text" + (
            _year_origin(sample, formats) if guessed else ""
        )
    return _OTHERS[source]


def _year_origin(sample: Sample, formats: FormatOptions) -> str:
    if formats.year is not None:
        return "; its year by --year"
    end = "" if sample.whole or not sample.reading.yearless else ", in a backfill also by the order of all its stamps"
    return f"; its year by the object's LastModified{end}"


def _is_yearless(message: str, timezone: str, modified: datetime) -> bool:
    """Whether a line's stamp has no year: then its time depends on when the object was modified."""
    lines = pl.Series([message])
    first, other = (
        detect_times(lines, timezone=timezone, modified=at, received=modified + 2 * _YEAR).item()
        for at in (modified, modified - _YEAR)
    )
    return bool(first != other)
