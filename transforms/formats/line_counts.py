"""How many records there are in a range of lines, where a line is a record (docs/design.md §4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from transforms.formats.encoding import utf8
from transforms.formats.lines import Lines, line_blocks, split_lines
from transforms.formats.json.fields import JsonFields
from transforms.formats.options import FormatOptions


def count_text(chunks: Iterator[bytes], options: FormatOptions, *, first: bool) -> int:
    """Count the lines of text that are not blank; `first` says whether they begin with the object."""
    return sum(map(len, _lines(chunks, options, first=first)))


def count_json(chunks: Iterator[bytes], options: FormatOptions, *, first: bool) -> int | None:
    """Count lines of JSON, each a whole object; None where one is not, or may hold more than one record."""
    duckdb = JsonFields()
    count = 0
    for lines in _lines(chunks, options, first=first):
        if lines.long is not None or lines.bad is not None or b'"Records"' in lines.text:
            return None
        if len(lines) and not (
            (np.frombuffer(lines.text, np.uint8)[lines.starts] == ord("{")).all()
            and len(duckdb.valid(lines.array())) == len(lines)
        ):
            return None
        count += len(lines)
    return count


def _lines(chunks: Iterator[bytes], options: FormatOptions, *, first: bool) -> Iterator[Lines]:
    for block in line_blocks(utf8(chunks) if first else chunks, max_record=options.max_record):
        yield split_lines(block, max_record=options.max_record)
