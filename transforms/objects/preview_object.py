"""What a user is shown of an object before it is ingested (spec §3.4): how it would be read and why, its first events,
and their times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from transforms.core import schema
from transforms.event_pipelines import Pipeline
from transforms.objects.event_shaping import apply_pipelines
from transforms.objects.outcomes import tell_too_old, too_old
from transforms.objects.reading import ReadSettings
from transforms.objects.sample_object import Sample
from transforms.retention.compiled_rules import CompiledRule, CompiledRules
from transforms.retention.durations import format_duration
from transforms.timestamps import detect_times
from transforms.timestamps.origin import first_stamp, time_field

Row = dict[str, Any]
_UNTIMED = (
    "no time was found in these events: they get that of receipt. Lines that belong to the one before them are kept there by "
    "--format text --multiline-start REGEX; a pipeline's timestamp reads other times"
)
_NO_RECORD = "no record ends in the part that was read: the first ones are longer (a backfill reads them all the same)"
_YEAR = timedelta(days=366)


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
        rules_by_section: Rules by their section, which all events of the sample are evaluated by.
        events: So many of its events are shown.

    Returns:
        The document of `rekindle preview --json` for one object.
    """
    reading = sample.reading
    shown = list(_shown_events(sample, settings, pipelines, events))
    found, old = _too_old(sample, settings, pipelines, rules_by_section) if rules_by_section else (None, [])
    untimed = bool(shown) and all(event["after"]["_time_source"] == schema.TIME_RECEIVED for event in shown)
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
            *([_UNTIMED] if untimed and settings.formats.timestamp == "auto" else ()),
            *old,
            *(
                [_NO_RECORD]
                if not reading.records and sample.failure is None and sample.bytes_read < reading.info.size
                else ()
            ),
        ],
        "failure": sample.failure and {"status": sample.failure.status, "reason": str(sample.failure)},
        "tooOld": found,
        "events": shown,
    }


def _too_old(
    sample: Sample, settings: ReadSettings, pipelines: Sequence[Pipeline], rules_by_section: Mapping[str, CompiledRules]
) -> tuple[dict[str, Any], list[str]]:
    """Return how many of the sample's events rules would take at once, as a document and as warnings."""
    formats = settings.formats
    counts: dict[str, Counter[CompiledRule]] = {section: Counter() for section in rules_by_section}
    for batch in sample.batches:
        shaped = apply_pipelines(batch, pipelines, timestamp=formats.timestamp, timezone=formats.timezone)
        for section, compiled in rules_by_section.items():
            counts[section].update(dict(compiled.count(shaped)))
    sampled = sum(batch.num_rows for batch in sample.batches)
    told = [
        tell_too_old(
            too_old(section, rule.name, format_duration(rule.retention)),
            f"{n:,} of {sampled:,} sampled events",
            one=n == 1,
        )
        for section, found in counts.items()
        for rule, n in found.items()
    ]
    return {
        "sampled": sampled,
        **{section: {rule.name: n for rule, n in found.items()} for section, found in counts.items()},
    }, told


def _shown_events(
    sample: Sample, settings: ReadSettings, pipelines: Sequence[Pipeline], count: int
) -> Iterator[dict[str, Any]]:
    formats = settings.formats
    for batch in sample.batches:
        first = batch.slice(0, count)
        count -= first.num_rows
        if not first.num_rows:
            return
        before = apply_pipelines(first, (), timestamp=formats.timestamp, timezone=formats.timezone)
        after = (
            apply_pipelines(first, pipelines, timestamp=formats.timestamp, timezone=formats.timezone)
            if pipelines
            else before
        )
        for number, (old, new) in enumerate(zip(before.to_pylist(), after.to_pylist(), strict=True)):
            yield {
                "timeOrigin": _time_origin(after.slice(number, 1), new, formats.timezone, sample.reading.info.modified),
                "before": schema.flat_row(old),
                "after": schema.flat_row(new),
            }


def _time_origin(event: pa.RecordBatch, row: Row, timezone: str, modified: datetime) -> str:
    """Say where the time of an event is from."""
    source = row["_time_source"]
    if source == schema.TIME_FROM_RECORD:
        named = zip(map(schema.attribute_name, event.schema.names), event.columns, strict=True)
        attributes = {name: column for name, column in named if name is not None and column[0].is_valid}
        received = event.column("_observed_at")[0].as_py()
        name = time_field(attributes, event.column("_time"), timezone=timezone, modified=modified, received=received)
        return f"field {name}" if name else "the record's own time"
    if source == schema.TIME_DETECTED:
        guessed = _is_yearless(row["_message"], timezone, modified)
        return f"stamp {first_stamp(row['_message'])!r} in the text" + (
            "; its year by the object's LastModified" if guessed else ""
        )
    return "a pipeline" if source == schema.TIME_FROM_PIPELINE else "none found: the time of receipt"


def _is_yearless(message: str, timezone: str, modified: datetime) -> bool:
    """Whether a line's stamp has no year: then its time depends on when the object was modified."""
    lines = pl.Series([message])
    first, other = (
        detect_times(lines, timezone=timezone, modified=at, received=modified + 2 * _YEAR).item()
        for at in (modified, modified - _YEAR)
    )
    return bool(first != other)
