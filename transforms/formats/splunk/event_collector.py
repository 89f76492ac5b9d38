"""Events as they are sent to Splunk's HTTP Event Collector (HEC), as objects in any layout of JSON.

`{"time":1754870400.5,"host":"web-1","event":"text or object","fields":{"key":"value","several":["a","b"]}}`. What is
wrong with an event is named as the collector does: "Event field is required" (its code 12), "Event field cannot be
blank" (13), "Error in handling indexed fields" (15: `fields` is no object, or holds objects).
https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Flags
from transforms.arrow.arrays import choose, is_present, null_unless
from transforms.arrow.strings import is_empty, nulls
from transforms.formats.format import FormatReader
from transforms.formats.json.fields import Fields
from transforms.formats.json.nested_objects import NestedObjects
from transforms.formats.json.objects import ObjectBatch
from transforms.formats.json.stream import read_objects
from transforms.formats.json.values import other_members
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import RecordBlock, make_records
from transforms.formats.record_errors import (
    EVENT_BLANK,
    EVENT_REQUIRED,
    FIELDS_NESTED,
    FIELDS_NO_OBJECT,
    invalid_time,
    is_unreadable,
)
from transforms.formats.splunk.collected_events import refine
from transforms.formats.times import RecordTimes

_METADATA = ("host", "source", "sourcetype", "index")
_MEMBERS = frozenset({"event", "time", "fields", *_METADATA})
_AS_TEXT = r'"fields"[ \t\r\n]*:[ \t\r\n]*"'
_MAYBE_NESTED = r"[:,\[]\{|[,\[]\["


def read(chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
    """Yield the events of a stream."""
    record_times, nested = RecordTimes(options, times), NestedObjects()
    for batch in read_objects(chunks, options, path=()):
        for part, values in _with_fields(batch, nested):
            records = _records(part, values, record_times)
            yield RecordBlock(
                records=records, blank=part.blank, replaced=part.replaced, cut=part.cut, warnings=part.warnings
            )


def _with_fields(batch: ObjectBatch, nested: NestedObjects) -> Iterator[tuple[ObjectBatch, Fields]]:
    """Yield objects, and what their `fields` hold."""
    values = batch.fields.get("fields")
    if values is None:
        yield batch, {}
        return
    for part in nested.read(values):
        yield batch.slice(part.low, part.high), part.fields


def _records(batch: ObjectBatch, indexed: Fields, times: RecordTimes) -> pa.RecordBatch:
    """Make records of objects.

    Args:
        batch: The objects.
        indexed: What their `fields` hold.
        times: Reads their `time`.
    """
    total = batch.high - batch.low
    unreadable = np.zeros(total, np.bool_)
    unreadable[[row for row, error in batch.errors.items() if is_unreadable(error)]] = True
    event, time, values = (batch.fields.get(name, nulls(total)) for name in ("event", "time", "fields"))
    stamps = times.columns({"time": time}) if total else {}
    timed = is_present(stamps["_time"]) if stamps else np.zeros(total, np.bool_)
    errors = dict(batch.errors)
    no_object, nested = _bad_fields(values, batch.messages)
    for bad, error in (
        (~is_present(event), EVENT_REQUIRED),
        (is_empty(event), EVENT_BLANK),
        (no_object, FIELDS_NO_OBJECT),
        (nested, FIELDS_NESTED),
        (is_present(time) & ~timed, invalid_time("time")),
    ):
        for row in np.flatnonzero(bad & ~unreadable).tolist():
            errors.setdefault(row, error)
    attributes = {name: null_unless(~no_object, column) for name, column in indexed.items()}
    for name in _METADATA:
        own, other = batch.fields.get(name), attributes.get(name)
        if own is not None:
            attributes[name] = own if other is None else choose(is_present(own), own, other)
    good = np.ones(total, np.bool_)
    good[list(errors)] = False
    return make_records(choose(good, event, batch.messages), errors, attributes, stamps, rescued=_rescued(batch))


def _rescued(batch: ObjectBatch) -> dict[int, str]:
    """Return the members that HEC does not know, of those objects that have some.

    Their types are in the texts alone, so these objects are read once more, one by one; a sender has few of them, or
    the file was not found to be HEC.
    """
    rows = np.zeros(batch.high - batch.low, np.bool_)
    for name, column in batch.fields.items():
        if name not in _MEMBERS:
            rows |= is_present(column)
    return {row: other_members(batch.messages[row].as_py(), _MEMBERS) for row in np.flatnonzero(rows).tolist()}


def _bad_fields(values: pa.Array, messages: pa.Array) -> tuple[Flags, Flags]:
    """Return where `fields` is no object, and where it holds objects, or lists of lists or objects."""
    frame = pl.DataFrame({"values": pl.Series(values), "messages": pl.Series(messages)})
    text = pl.col("values").str
    found = frame.select(
        no_object=~text.starts_with("{"),
        maybe_text=text.starts_with("{") & pl.col("messages").str.contains(_AS_TEXT),
        maybe_nested=text.contains(_MAYBE_NESTED),
    ).with_columns(pl.all().fill_null(value=False))
    no_object, nested = found["no_object"].to_numpy().copy(), np.zeros(len(frame), np.bool_)
    for row in found["maybe_text"].arg_true().to_list():
        no_object[row] = isinstance(_load(frame["messages"][row]).get("fields"), str)
    for row in found["maybe_nested"].arg_true().to_list():
        nested[row] = not no_object[row] and any(map(_is_nested, _load(frame["values"][row]).values()))
    return no_object, nested


def _load(text: str) -> dict[str, object]:
    """Read an object, of whose doubled names the first counts; nothing where it is too deep, or broken."""
    try:
        found = json.loads(
            text, parse_int=str, parse_float=str, object_pairs_hook=lambda pairs: dict(reversed(pairs)), strict=False
        )
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)
    )


READER = FormatReader(read=read, refine=refine)
