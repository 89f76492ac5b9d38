"""Plain text: a line is an event (spec §4.3). The time in it is looked for later, when pipelines had their say (`timestamps.settle_times`)."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from transforms.formats.framing import line_blocks, split_lines, utf8
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock
from transforms.formats.record_errors import error_column, line_errors
from transforms.formats.times import Clock


def read(chunks: Iterator[bytes], options: FormatOptions, clock: Clock) -> Iterator[RecordBlock]:
    """Yield the lines of a stream as `_message`."""
    del clock  # text has no fields
    for block in line_blocks(utf8(chunks), max_record=options.max_record):
        lines = split_lines(block, max_record=options.max_record)
        errors = line_errors(lines, max_record=options.max_record, bad_text=False)
        records = pa.record_batch({"_message": lines.array(), **error_column(errors, len(lines))})
        yield RecordBlock(records=records, blank=lines.blank, replaced=lines.replaced)
