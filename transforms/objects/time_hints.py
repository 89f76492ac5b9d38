"""What would give times to the events of an object that have none of their own: for the preview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from shlex import quote

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series
from transforms.core import schema
from transforms.core.schema import EventBatch
from transforms.formats.multiline_presets import multiline_pattern
from transforms.formats.options import FormatOptions
from transforms.objects.sample_object import Sample
from transforms.timestamps import TimeFields

OWN_TIMES = (schema.TIME_FROM_RECORD, schema.TIME_DETECTED, schema.TIME_FROM_PIPELINE)
"""The sources of times that events have themselves."""
_FIELDS = "--time-field NAME, or a pipeline's timestamp"
_CURES = {
    "text": "--format text --multiline-start REGEX (or java, python, postgresql, dated), or a pipeline's timestamp",
    "csv": _FIELDS,
    "json": _FIELDS,
    "w3c": "their #Fields lack date and time",
    "zeek": "their #fields lack ts",
}
_MOST = 0.5
_NEARLY_ALL = 0.9
_SAMPLED_ROWS = 1000
_STARTS = ("dated", r"^<\d+>", r"^\[", r"^\d", r"^\S")
"""How lines begin that are an event's first, the most telling first."""


def what_helps(format_name: str) -> str:
    """Return what may give times to the events of a format that have none."""
    return _CURES.get(format_name, "a pipeline's timestamp")


def time_hint(
    sample: Sample, shaped: Sequence[EventBatch], sources: Counter[str], options: FormatOptions
) -> str | None:
    """Return what would give a sample's events times of their own; None where most have one, or nothing is known.

    Args:
        sample: What was read of the object.
        shaped: Its events with their times.
        sources: How many of these have their time from where (`count_time_sources`).
        options: How it was read.
    """
    timed, events = sum(sources[source] for source in OWN_TIMES), sources.total()
    if sample.reading.format is None or not events or timed > _MOST * events or options.timestamp != "auto":
        return None
    share = f"{events - timed:,} of {events:,} sampled events have no time of their own"
    if sample.reading.format.format == "text":
        return _hint_for_lines(share, shaped) if timed and options.multiline_start is None else None
    names = _time_fields(sample, options)
    if not names:
        return None
    return f"{share}, but `{names[0]}` looks like one: --time-field {names[0]}"


def _hint_for_lines(share: str, shaped: Sequence[EventBatch]) -> str | None:
    """Propose the expression that matches nearly all lines with a time and hardly any other."""
    lines = pl.concat([as_series(batch.events.column("_message")) for batch in shaped])
    sources = pl.concat([as_series(batch.events.column("_time_source")) for batch in shaped])
    timed = sources.is_in(OWN_TIMES)
    for start in _STARTS:
        begins = lines.str.contains(multiline_pattern(start))
        if begins.filter(timed).mean() >= _NEARLY_ALL and begins.filter(~timed).mean() <= 1 - _NEARLY_ALL:
            flag = f"--format text --multiline-start {quote(start)}"
            return f"{share}: they seem to belong to the lines before them ({flag})"
    return None


def _time_fields(sample: Sample, options: FormatOptions) -> list[str]:
    """Return the attributes whose values would nearly all be read as times, if they were named."""
    if not sample.batches:
        return []
    first = sample.batches[0].events.slice(0, _SAMPLED_ROWS)
    named = zip(map(schema.attribute_name, first.schema.names), first.columns, strict=True)
    return [name for name, column in named if name is not None and _holds_times(name, column, sample, options)]


def _holds_times(name: str, column: pa.Array, sample: Sample, options: FormatOptions) -> bool:
    there = len(column) - column.null_count
    if not there or pa.types.is_dictionary(column.type):
        return False
    reading = sample.reading
    fields = TimeFields(
        timezone=options.timezone,
        modified=reading.info.modified,
        received=reading.received,
        time_field=[name],
        day_first=options.day_first,
    )
    times = fields.times({name: column})
    return times is not None and len(times) - times.null_count >= _NEARLY_ALL * there
