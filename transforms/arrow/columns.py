"""Columns of strings put together row by row; no text is copied (`views`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow.views import take

Flags = npt.NDArray[np.bool_]


def is_present(column: pa.Array) -> Flags:
    """Return which rows are not null."""
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), np.bool_)


def is_empty(texts: pa.Array) -> Flags:
    """Return which rows are texts without a character."""
    views = texts.buffers()[1]
    lengths = (
        np.frombuffer(views, np.int32).reshape(-1, 4)[texts.offset : texts.offset + len(texts), 0]
        if len(texts)
        else np.empty(0)
    )
    return np.asarray(is_present(texts) & (lengths == 0), np.bool_)


def choose(condition: Flags, chosen: pa.Array, others: pa.Array) -> pa.Array:
    """Return the strings of one column where a condition holds, else of the other."""
    if condition.all():
        return chosen
    rows = np.arange(len(condition))
    return take(pa.concat_arrays([others, chosen]), np.where(condition, rows + len(rows), rows))


def only(condition: Flags, column: pa.Array) -> pa.Array:
    """Return the strings where a condition holds, else null."""
    return column if condition.all() else take(column, np.where(condition, np.arange(len(condition)), -1))
