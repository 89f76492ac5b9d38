"""Arrow's cast of ISO 8601 text, the quickest reader there is, and what columns of times are made of."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from transforms.timestamps.clock import NAIVE, UTC

_PROBED = 512  # rows


def nothing(rows: int) -> pl.Series:
    """A column of times in which no row has one."""
    return pl.Series([None] * rows, dtype=UTC) if rows < _PROBED else pl.repeat(None, rows, dtype=UTC, eager=True)


def first_of(texts: pl.Series) -> str | None:
    """The first value that is not null."""
    at = texts.is_not_null().arg_max()
    return None if at is None else texts[at]


def cast_iso(texts: pl.Series | pa.Array, to: pa.DataType) -> pl.Series | None:
    """Cast ISO 8601 text to times in microseconds, finer digits cut off.

    Args:
        texts: Strings.
        to: Arrow timestamp. With a zone each text must have one, without a zone none may.

    Returns:
        Datetime[us, UTC], or Datetime[us] if the type has no zone; None if any row is not such a text, or no date.
    """
    cells = texts.to_arrow(compat_level=pl.CompatLevel.oldest()) if isinstance(texts, pl.Series) else texts
    try:
        pc.cast(cells.slice(0, _PROBED), to)  # a row that fails costs 500 ns, one that doesn't 15
        times = pl.from_arrow(pc.cast(cells, to))
    except pa.ArrowInvalid:
        return None
    return pl.Series(pl.Series(times).dt.cast_time_unit("us"), dtype=UTC if to.tz else NAIVE)
