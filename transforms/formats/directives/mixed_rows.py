"""Rows under several headers as one block: a file may have another header before every few rows.

A block for each would cost some milliseconds, and so would all that is done with it later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa

from transforms.arrow import Indices
from transforms.arrow.arrays import as_constant, take

HeaderT = TypeVar("HeaderT")
Fragment = tuple[Indices, pa.Array]
"""Some rows of a block, and a value for each."""


@dataclass(frozen=True)
class HeadedRows(Generic[HeaderT]):
    """Rows of a block that are read alike.

    Attributes:
        rows: Where they are in the block, ascending.
        headers: What stands before them: headers, each with the number of rows under it.
        fields: Their fields by name, without those that none of them has.
    """

    rows: Indices
    headers: Sequence[tuple[HeaderT, int]]
    fields: Mapping[str, pa.Array]


def spread(fragments: Sequence[Fragment], total: int) -> pa.Array:
    """Return a column of a block of which fragments are known, null elsewhere."""
    rows, values = fragments[0] if len(fragments) == 1 else joined(fragments)
    if len(rows) == total:
        return values
    index = np.full(total, -1)
    index[rows] = np.arange(len(rows))
    return take(values, index)


def joined(fragments: Sequence[Fragment]) -> Fragment:
    """Return fragments as one, its rows ascending."""
    if len(fragments) == 1:
        return fragments[0]
    rows = np.concatenate([rows for rows, _ in fragments])
    order = np.argsort(rows)
    return rows[order], take(pa.concat_arrays([values for _, values in fragments]), order)


def union_of_fields(parts: Sequence[HeadedRows[HeaderT]], total: int) -> dict[str, pa.Array]:
    """Return the columns of all parts together; all rows of the block are in one of them."""
    fragments: dict[str, list[Fragment]] = {}
    for part in parts:
        for name, column in part.fields.items():
            fragments.setdefault(name, []).append((part.rows, column))
    return {name: spread(found, total) for name, found in fragments.items()}


def closed_up(parts: Sequence[HeadedRows[HeaderT]]) -> tuple[Indices, dict[str, pa.Array]]:
    """Return the rows of some parts, ascending, and the columns of just these."""
    if len(parts) == 1:
        return parts[0].rows, dict(parts[0].fields)
    rows = np.sort(np.concatenate([part.rows for part in parts]))
    moved = [HeadedRows(np.searchsorted(rows, part.rows), part.headers, part.fields) for part in parts]
    return rows, union_of_fields(moved, len(rows))


def spread_times(found: Sequence[tuple[Indices, Mapping[str, pa.Array]]], total: int) -> dict[str, pa.Array]:
    """Return `_time` and `_time_source` of a block of which those of some rows are known."""
    fragments = [(rows, times) for rows, times in found if times]
    if not fragments:
        return {}
    return {
        "_time": spread([(rows, times["_time"]) for rows, times in fragments], total),
        "_time_source": as_constant(
            spread([(rows, times["_time_source"].cast(pa.string())) for rows, times in fragments], total)
        )
        if len(fragments) > 1 or len(fragments[0][0]) < total
        else fragments[0][1]["_time_source"],
    }
