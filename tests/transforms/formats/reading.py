"""How the tests of formats read: all records of some bytes, cut anywhere, on the fast or on the tolerant path."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from typing import Any
from unittest import mock

import numpy as np

from transforms.core import schema
from transforms.formats import read_records
from transforms.formats.directives.cells import CellGrid, RowLayout
from transforms.formats.json.fields import JsonFields
from transforms.formats.lines import Lines
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import RecordBlock

EXAMPLES = int(os.environ.get("REKINDLE_EXAMPLES", "200"))
"""How many texts Hypothesis makes for a test; 10,000 take an hour."""

MODIFIED = datetime(2025, 9, 1, tzinfo=timezone.utc)


@cache
def _json_fields() -> JsonFields:
    """One connection for all tests: making one takes longer than most tests."""
    return JsonFields()


atexit.register(_json_fields.cache_clear)  # or DuckDB's binding complains of a leak

FAST = {
    "transforms.formats.json.objects.JsonFields": _json_fields,
    "transforms.formats.json.objects._SMALL": 0,
    "transforms.formats.json.objects._FEW": 0,
    "transforms.formats.directives.cells._FEW": 0,
}


def _no_rows(lines: Lines, layout: RowLayout) -> CellGrid:
    nothing = np.empty((len(layout.names), 0), np.int64)
    return CellGrid(np.arange(0), nothing, nothing)


TOLERANT = {
    "transforms.formats.json.objects._SMALL": 1 << 60,
    "transforms.formats.csv.table.can_be_fast": lambda lines, delimiter: False,
    "transforms.formats.directives.cells.even_rows": _no_rows,
}


@dataclass
class Reading:
    """What came of an object."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    blank: int = 0
    header: int = 0
    replaced: int = 0
    cut: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def messages(self) -> list[str]:
        return [row["_message"] for row in self.rows]

    @property
    def errors(self) -> list[str | None]:
        """The codes."""
        return [row["_error"].split(":")[0] if "_error" in row else None for row in self.rows]

    @property
    def fields(self) -> list[dict[str, str]]:
        """The attributes."""
        return [
            {name: value for column, value in row.items() if (name := schema.attribute_name(column)) is not None}
            for row in self.rows
        ]


def blocks_of(data: bytes, format_name: str, *, cut: int | None = None, **options: Any) -> Iterator[RecordBlock]:
    size = cut or max(len(data), 1)
    chunks = iter([data[start : start + size] for start in range(0, len(data), size)])
    return read_records(
        chunks, format_name, FormatOptions(format=format_name, **options), modified=MODIFIED, received=MODIFIED
    )


def read_all(
    data: bytes, format_name: str, *, cut: int | None = None, patches: dict[str, Any] | None = None, **options: Any
) -> Reading:
    """Read an object; `cut` is the size of its chunks, and of the blocks that are parsed."""
    settings = dict(patches or {})
    if cut is not None:
        settings["transforms.formats.chunks.BLOCK_BYTES"] = cut
    reading = Reading()
    with ExitStack() as stack:
        for target, value in settings.items():
            stack.enter_context(mock.patch(target, value))
        for block in blocks_of(data, format_name, cut=cut, **options):
            add(reading, block)
    return reading


def add(reading: Reading, block: RecordBlock) -> None:
    """Check a block's types, and add it to what was read."""
    records = block.records
    records.validate(full=True)
    for name in records.schema.names:
        kind = records.schema.field(name).type
        expected = {"_time": schema.TIME, "_time_source": schema.CONSTANT}.get(name, schema.TEXT)
        assert kind == expected, (name, kind)
        assert name == "_message" or not records.num_rows or records.column(name).null_count < records.num_rows, (
            f"{name} is empty"
        )
    reading.rows += [{name: value for name, value in row.items() if value is not None} for row in records.to_pylist()]
    reading.blank += block.blank
    reading.header += block.header
    reading.replaced += block.replaced
    reading.cut += block.cut
    reading.warnings += block.warnings
