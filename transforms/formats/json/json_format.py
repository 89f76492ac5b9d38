"""JSON in every layout: records of its objects, whether it is JSON, and its lines in ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.json.fields import JsonFields
from transforms.formats.json.nested_objects import NestedObjects
from transforms.formats.json.splunk_results import unwrap_results
from transforms.formats.json.stream import read_objects
from transforms.formats.lines import lines_of
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import RecordBlock
from transforms.formats.splunk_rows import SplunkRows

JSON_START = re.compile(r'\s*(?:(?P<object>\{\s*["}])|(?P<array>\[\s*[{\]]))')


def read(chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
    """Yield the objects of a stream."""
    path = None if options.records_path is None else tuple(options.records_path.split("."))
    rows, nested = SplunkRows(options, times), NestedObjects()
    for batch in read_objects(chunks, options, path=path):
        for part in unwrap_results(batch, nested):
            records = rows.records(part.messages, part.fields, part.errors, every=False)
            yield RecordBlock(records=records, blank=part.blank, replaced=part.replaced)


def read_range(_: bytes, chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
    """Yield the objects of a range of lines: each stands for itself, whatever the object's head."""
    return read(chunks, options, times)


def count_lines(_: bytes, chunks: Iterator[bytes], options: FormatOptions, *, first: bool, last: bool) -> int | None:
    """Count lines, each a whole object; None where one is not, or may hold more than one record."""
    del last  # its end is a line's
    duckdb = JsonFields()
    count = 0
    for lines in lines_of(chunks, options, first=first):
        if lines.long is not None or lines.bad is not None or b'"Records"' in lines.text:
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
