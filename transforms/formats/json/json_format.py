"""JSON in every layout: an object is an event, its top-level fields are attributes (spec §4.3)."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.formats.json.nested_objects import InnerObjects
from transforms.formats.json.stream import read_objects
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock
from transforms.formats.json.splunk_results import unwrap_results
from transforms.formats.splunk_rows import SplunkRows
from transforms.formats.times import Clock


def read(chunks: Iterator[bytes], options: FormatOptions, clock: Clock) -> Iterator[RecordBlock]:
    """Yield the objects of a stream."""
    path = None if options.records_path is None else tuple(options.records_path.split("."))
    rows, inner = SplunkRows(options, clock), InnerObjects()
    for passage in read_objects(chunks, options, path=path):
        blank, replaced = passage.blank, passage.replaced
        for piece in unwrap_results(passage.piece, inner):
            records = rows.records(piece.messages, piece.fields, piece.errors, every=False)
            yield RecordBlock(records=records, blank=blank, replaced=replaced)
            blank = replaced = 0
