"""What would give times to the events of an object that have none of their own: for the preview."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from shlex import quote

import polars as pl
import pyarrow as pa

from transforms.arrow.arrays import as_series
from transforms.core import schema
from transforms.core.schema import EventBatch
from transforms.formats.options import FormatOptions
from transforms.formats.text.multiline_presets import multiline_pattern
from transforms.objects.sampling.sample_object import Sample
from transforms.timestamps import TimeFields

OWN_TIMES = (schema.TIME_FROM_RECORD, schema.TIME_DETECTED, schema.TIME_FROM_PIPELINE)
"""The sources of times that events have themselves."""
_FIELDS = "--time-field NAME, or a pipeline's timestamp"
_LINES = "--format text --multiline-start REGEX (or java, python, postgresql, dated), or a pipeline's timestamp"
_CURES = {
    "text": "a pipeline's timestamp, or a ready-made pipeline that knows the lines (rekindle pipelines list)",
    "csv": _FIELDS,
    "json": _FIELDS,
    "w3c": "their #Fields lack date and time",
    "zeek": "their #fields lack ts",
}
_MOST = 0.5
_NEARLY_ALL = 0.9
_SAMPLED_ROWS = 1000
_MEMBERS = 16
_STARTS = ("dated", r"^<\d+>", r"^\[", r"^\d", r"^\S")
"""How lines begin that are an event's first, the most telling first."""


def what_helps(format_name: str, *, inherited: bool = False) -> str:
    """Return what may give times to the events of a format that have none.

    Lines that belong to one with a time have inherited it; where no line has one, joining lines gives them none.
    """
    if inherited and format_name == "text":
        return _LINES
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
    names = _time_fields(sample, shaped, options)
    if not names:
        return None
    return f"{share}, but `{names[0]}` looks like one: --time-field {quote(names[0])}"


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


def _time_fields(sample: Sample, shaped: Sequence[EventBatch], options: FormatOptions) -> list[str]:
    """Return the attributes that events without a time have, whose values would nearly all be times if named."""
    if not sample.batches:
        return []
    read, events = set(sample.batches[0].events.schema.names), shaped[0].events
    untimed = ~as_series(events.column("_time_source")).is_in(OWN_TIMES)
    named = [
        (name, texts)
        for column_name, column in zip(events.schema.names, events.columns, strict=True)
        if (name := schema.attribute_name(column_name)) is not None
        if column_name in read and not pa.types.is_dictionary(column.type)
        if len(texts := as_series(column).filter(untimed).head(_SAMPLED_ROWS).drop_nulls())
    ]
    paths = [(name, name, texts) for name, texts in named]
    paths += [(path, name, texts) for name, texts in named for path in _paths_within(name, texts)]
    return [path for path, name, texts in paths if _holds_times(path, name, texts, sample, options)]


def _paths_within(name: str, texts: pl.Series) -> list[str]:
    """Return what leads to the members of an attribute that holds objects, by the first of them."""
    if not texts[0].startswith("{"):
        return []
    try:
        members = json.loads(texts[0])
    except ValueError:
        return []
    return [f"{name}.{member}" for member, value in members.items() if isinstance(value, str)][:_MEMBERS]


def _holds_times(path: str, name: str, texts: pl.Series, sample: Sample, options: FormatOptions) -> bool:
    reading = sample.reading
    fields = TimeFields(
        timezone=options.timezone,
        modified=reading.info.modified,
        received=reading.received,
        time_field=[path],
        day_first=options.day_first,
    )
    times = fields.times({name: texts.to_arrow(compat_level=pl.CompatLevel.newest())})
    return times is not None and len(times) - times.null_count >= _NEARLY_ALL * len(texts)
