"""CSV as Splunk exports it: `_raw` is the event, `_time` its time, every other column an attribute.

A row without `_raw` keeps the whole row as its message; so does one whose `_time` is no time, with `invalid_time`.
https://docs.splunk.com/Documentation/Splunk/latest/Search/Exportsearchresults
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from transforms.core import schema
from transforms.formats.csv import csv_format
from transforms.formats.csv.detection import header_cells
from transforms.formats.format import FormatChoice, FormatReader, FormatSample
from transforms.formats.options import FormatOptions, ObjectTimes
from transforms.formats.record_block import RecordBlock
from transforms.formats.splunk_rows import SplunkRows


def read(chunks: Iterator[bytes], options: FormatOptions, times: ObjectTimes) -> Iterator[RecordBlock]:
    """Yield the rows of a stream."""
    rows = SplunkRows(options, times)
    for block in csv_format.read(chunks, options, times):
        records = block.records
        if not records.num_rows:
            yield block
            continue
        columns = dict(zip(records.schema.names, records.columns, strict=True))
        fields = {name: column for key, column in columns.items() if (name := schema.attribute_name(key)) is not None}
        found = columns["_error"].to_pylist() if "_error" in columns else []
        errors = {row: error for row, error in enumerate(found) if error is not None}
        yield replace(block, records=rows.records(columns["_message"], fields, errors, every=True))


def _refine(choice: FormatChoice, sample: FormatSample) -> FormatChoice | None:
    """Choose Splunk's export for CSV whose header has `_raw` and `_time`."""
    if {"_raw", "_time"} <= set(header_cells(sample.text.encode("utf-8", "replace"))):
        return replace(choice, format="splunk_csv", rule=f"{choice.rule}; its header has _raw and _time")
    return None


def _mismatch(head: bytes, options: FormatOptions) -> str | None:
    """Return why an object hardly is Splunk's CSV: then each row is the message of an event without a time."""
    names = csv_format.column_names(head, options)
    if not names or not {"_raw", "_time"}.isdisjoint(names):
        return None
    return (
        "read as Splunk's CSV, but its header has neither _raw nor _time: --format csv reads other CSV, "
        "--format auto finds out"
    )


READER = FormatReader(read=read, refine=_refine, mismatch=_mismatch)
