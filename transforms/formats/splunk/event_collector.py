"""Events as they are sent to Splunk's HTTP Event Collector (HEC), as objects in any layout of JSON (spec §4.3).

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

from transforms.arrow.columns import Flags, choose, is_empty, is_present, only
from transforms.arrow.views import nulls
from transforms.formats.json.fields import Fields
from transforms.formats.json.nested_objects import InnerObjects
from transforms.formats.json.objects import Piece
from transforms.formats.json.stream import read_objects
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock
from transforms.formats.record_errors import (
    EVENT_BLANK,
    EVENT_REQUIRED,
    FIELDS_NESTED,
    FIELDS_NO_OBJECT,
    invalid_time,
    is_unreadable,
)
from transforms.formats.splunk_rows import record_batch
from transforms.formats.times import Clock, RecordTimes

_METADATA = ("host", "source", "sourcetype", "index")
_AS_TEXT = r'"fields"[ \t\r\n]*:[ \t\r\n]*"'
_MAYBE_NESTED = r"[:,\[]\{|[,\[]\["


def read(chunks: Iterator[bytes], options: FormatOptions, clock: Clock) -> Iterator[RecordBlock]:
    """Yield the events of a stream."""
    times, inner = RecordTimes(options, clock, csv=False), InnerObjects()
    for passage in read_objects(chunks, options, path=()):
        blank, replaced = passage.blank, passage.replaced
        for piece, attributes in _with_fields(passage.piece, inner):
            yield RecordBlock(records=_records(piece, attributes, times), blank=blank, replaced=replaced)
            blank = replaced = 0


def _with_fields(piece: Piece, inner: InnerObjects) -> Iterator[tuple[Piece, Fields]]:
    """Yield objects, and what their `fields` hold."""
    values = piece.fields.get("fields")
    if values is None:
        yield piece, {}
        return
    for part in inner.read(values):
        yield piece.slice(part.low, part.high), part.fields


def _records(piece: Piece, inner: Fields, times: RecordTimes) -> pa.RecordBatch:
    """Make records of objects.

    Args:
        piece: The objects.
        inner: What their `fields` hold.
        times: Reads their `time`.
    """
    total = piece.high - piece.low
    unreadable = np.zeros(total, np.bool_)
    unreadable[[row for row, error in piece.errors.items() if is_unreadable(error)]] = True
    event, time, values = (piece.fields.get(name, nulls(total)) for name in ("event", "time", "fields"))
    stamps = times.columns({"time": time}) if total else {}
    timed = is_present(stamps["_time"]) if stamps else np.zeros(total, np.bool_)
    errors = dict(piece.errors)
    no_object, nested = _bad_fields(values, piece.messages)
    for bad, error in (
        (~is_present(event), EVENT_REQUIRED),
        (is_empty(event), EVENT_BLANK),
        (no_object, FIELDS_NO_OBJECT),
        (nested, FIELDS_NESTED),
        (is_present(time) & ~timed, invalid_time("time")),
    ):
        for row in np.flatnonzero(bad & ~unreadable).tolist():
            errors.setdefault(row, error)
    attributes = {name: only(~no_object, column) for name, column in inner.items()}
    for name in _METADATA:
        own, other = piece.fields.get(name), attributes.get(name)
        if own is not None:
            attributes[name] = own if other is None else choose(is_present(own), own, other)
    good = np.ones(total, np.bool_)
    good[list(errors)] = False
    return record_batch(choose(good, event, piece.messages), attributes, errors, stamps)


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
