"""What a format makes of a block of bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from transforms.core import schema

# What bounds memory where records are very short, or very wide: rows of a block, and its rows times its columns.
MAX_ROWS = 1 << 18
MAX_CELLS = 4_000_000

MESSAGE_IS_FIELD = "_message_is_field"
"""Of records that are to lose their messages, the column that says which have a field as message, no attribute."""

_NONE: Mapping[str, pa.Array] = {}


@dataclass(frozen=True, kw_only=True)
class RecordBlock:
    """Records in their order, and what was passed over among them.

    Attributes:
        records: Columns `_message` and attributes (`string_view`, null where absent), `_error` and `_rescued`
            (`string_view`) if a record has one, `_time` and `_time_source` if a record has a time; `_time_source`
            also if a record has one that is not believed.
        blank: Blank lines.
        header: Lines of the header and skipped lines.
        replaced: Bad bytes that became U+FFFD.
        cut: Bytes of records longer than may be kept that were passed over.
        warnings: What the object's user should know of it.
    """

    records: pa.RecordBatch
    blank: int = 0
    header: int = 0
    replaced: int = 0
    cut: int = 0
    warnings: tuple[str, ...] = ()


def cells_as_json(cells: Sequence[str]) -> str:
    """Return the cells of a row that its header has no column for, as `_rescued` has them."""
    return json.dumps(cells, ensure_ascii=False, separators=(",", ":"))


def make_records(
    messages: pa.Array,
    errors: Mapping[int, str],
    fields: Mapping[str, pa.Array] = _NONE,
    times: Mapping[str, pa.Array] = _NONE,
    *,
    rescued: Mapping[int, str] = MappingProxyType({}),
) -> pa.RecordBatch:
    """Put records together; a column without a value is left out.

    Args:
        messages: Their texts (`string_view`).
        errors: What is wrong with some, by row.
        fields: Attributes by name (`string_view`).
        times: `_time` and `_time_source`, if a record has a time.
        rescued: What some hold that their format has no place for, by row, as JSON.
    """
    rows = len(messages)
    columns = {schema.attribute_column(name): column for name, column in fields.items() if column.null_count < rows}
    texts = {
        name: pa.array(map(found.get, range(rows)), pa.string_view(), size=rows)
        for name, found in (("_error", errors), ("_rescued", rescued))
        if found
    }
    stamps = {name: column for name, column in times.items() if column.null_count < rows}
    return pa.record_batch({"_message": messages, **columns, **texts, **stamps})
