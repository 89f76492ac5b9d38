"""CSV as Splunk exports it: `_raw` is the event, `_time` its time, every other column an attribute (spec §4.3).

A row without `_raw` keeps the whole row as its message; so does one whose `_time` is no time, with `invalid_time`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from transforms.core import schema
from transforms.formats.csv import csv_format as csv_format
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock
from transforms.formats.splunk_rows import SplunkRows
from transforms.formats.times import Clock


def read(chunks: Iterator[bytes], options: FormatOptions, clock: Clock) -> Iterator[RecordBlock]:
    """Yield the rows of a stream."""
    rows = SplunkRows(options, clock)
    for block in csv_format.read(chunks, options, clock):
        records = block.records
        if not records.num_rows:
            yield block
            continue
        columns = dict(zip(records.schema.names, records.columns, strict=True))
        fields = {name: column for key, column in columns.items() if (name := schema.attribute_name(key)) is not None}
        found = columns["_error"].to_pylist() if "_error" in columns else []
        errors = {row: error for row, error in enumerate(found) if error is not None}
        yield replace(block, records=rows.records(columns["_message"], fields, errors, every=True))


def doubt(head: bytes, options: FormatOptions) -> str | None:
    """Return why an object that is to be read as Splunk's CSV hardly is it, by its first bytes; None where it may be.

    Its rows are read all the same: each is the message of an event without a time of its own.
    """
    names = csv_format.column_names(head, options)
    if not names or not {"_raw", "_time"}.isdisjoint(names):
        return None
    return "read as Splunk's CSV, but its header has neither _raw nor _time: --format csv reads other CSV, --format auto finds out"
