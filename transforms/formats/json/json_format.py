"""JSON in every layout: records of its objects, whether it is JSON, and its lines in ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import numpy as np

from transforms.core.peeking import peek
from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.json.fields import Fields, JsonFields
from transforms.formats.json.nested_objects import NestedObjects
from transforms.formats.json.objects import ObjectBatch
from transforms.formats.json.stream import read_objects, wraps_records
from transforms.formats.json.wrapped_objects import unwrap_objects
from transforms.formats.lines import lines_of
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import RecordBlock
from transforms.formats.splunk_rows import SplunkRows

JSON_START = re.compile(r'\s*(?:(?P<object>\{\s*["}])|(?P<array>\[\s*[{\]]))')

_SAMPLED_BYTES = 64 << 10
_SAMPLED = 100  # objects

_Path = tuple[str, ...] | None


def read(chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
    """Yield the objects of a stream."""
    head, stream = peek(chunks, _SAMPLED_BYTES)
    path = None if options.records_path is None else tuple(options.records_path.split("."))
    return _read(head, stream, options, times, path)


def read_range(
    head: bytes, chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes
) -> Iterator[RecordBlock]:
    """Yield the objects of a range of lines; the object's head shows which of their fields is the time."""
    return _read(head, chunks, options, times, ())  # a line is a record: `count_lines` has looked


def _read(
    head: bytes, chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes, path: _Path
) -> Iterator[RecordBlock]:
    rows = SplunkRows(options, times, partial(_first_rows, head[:_SAMPLED_BYTES], options, path))
    for part in _objects(chunks, options, path):
        records = rows.records(part.messages, part.fields, part.errors, every=False)
        yield RecordBlock(
            records=records, blank=part.blank, replaced=part.replaced, cut=part.cut, warnings=part.warnings
        )


def _objects(chunks: Iterator[bytes], options: FormatOptions, path: _Path) -> Iterator[ObjectBatch]:
    nested = NestedObjects()
    for batch in read_objects(chunks, options, path=path):
        yield from unwrap_objects(batch, nested)


def _first_rows(head: bytes, options: FormatOptions, path: _Path) -> Fields:
    """Return the fields of the first objects, up to a hundred."""
    fields = next((part.fields for part in _objects(iter([head]), options, path) if part.fields), {})
    return {name: column[:_SAMPLED] for name, column in fields.items()}


def count_lines(head: bytes, chunks: Iterator[bytes], options: FormatOptions, *, first: bool, last: bool) -> int | None:
    """Count lines, each a whole object; None where one is not, or where objects wrap records."""
    del last  # its end is a line's
    if wraps_records(head):
        return None
    duckdb = JsonFields()
    count = 0
    for lines in lines_of(chunks, options, first=first):
        if lines.long is not None or lines.bad is not None:
            return None
        if len(lines) and not (
            (np.frombuffer(lines.text, np.uint8)[lines.starts] == ord("{")).all()
            and len(duckdb.valid(lines.array())) == len(lines)
        ):
            return None
        count += len(lines)
    return count


def recognise(sample: FormatSample) -> FormatChoice | str:
    """Choose JSON where a sample begins with an object, or an array of objects."""
    match = JSON_START.match(sample.start)
    if match:
        return FormatChoice(
            format="json", rule=f"begins like a JSON {'object' if match['object'] else 'array of objects'}"
        )
    bracket = sample.start.lstrip().startswith(("{", "["))
    return "begins with a bracket, but not like JSON objects" if bracket else ""
