"""What a format makes of a block of bytes."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

# What bounds memory where records are very short, or very wide: rows of a block, and its rows times its columns.
MAX_ROWS = 1 << 18
MAX_CELLS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class RecordBlock:
    """Records in their order, and what was passed over among them.

    Attributes:
        records: Columns `_message` and attributes (`string_view`, null where absent), `_error` (`string_view`) if a
            record has one, `_time` and `_time_source` if a record has a time.
        blank: Blank lines.
        header: Lines of the header and skipped lines.
        replaced: Bad bytes that became U+FFFD.
    """

    records: pa.RecordBatch
    blank: int = 0
    header: int = 0
    replaced: int = 0
