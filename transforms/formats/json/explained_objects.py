r"""Which JSON objects have no members but those that were found in them, by the lengths of their texts.

An object without white space and backslashes is as long as its braces, commas, names and values with their quotes; how
many of its values are strings follows from the number of its quotes. A member more (a null, one of another name, a
doubled one) makes it longer by two bytes at least, and so does white space by one. So where the length is right there
is no other, provided that no number was written anew in a longer way (`duckdb_guards`). This takes 1.0 ms a MiB, to
list the names of all objects 2.0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import Flags, Indices
from transforms.arrow.strings import INLINE, text_views

_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_WORD = 64


def explained(objects: pa.Array, fields: Mapping[str, pa.Array]) -> Flags:
    """Return which objects have all their members among some fields; false where that is not known.

    Args:
        objects: Their texts as string views, numbers as they stay (`duckdb_guards`).
        fields: The members of some names as text, null where there is none or its value is null.
    """
    views, _, data = text_views(objects)
    lengths = views[:, 0].astype(np.int64)
    if len(data) != 1 or not len(views) or int(lengths.min()) <= INLINE:
        return np.zeros(len(objects), np.bool_)
    starts = views[:, 3].astype(np.int64)
    text = np.frombuffer(data[0], np.uint8)
    expected = 1 + _ByteCounts(text, _QUOTE).between(starts, starts + lengths)
    for name, column in fields.items():
        expected += _length(name, column)
    found: Flags = expected == lengths
    if (text == _BACKSLASH).any():
        found &= _ByteCounts(text, _BACKSLASH).between(starts, starts + lengths) == 0
    return found


def _length(name: str, column: pa.Array) -> Indices:
    """Return what a member adds to each object's length beside the quotes in it, which are counted for all."""
    views, valid, data = text_views(column)
    lengths = views[:, 0].astype(np.int64) + (len(name.encode()) + 2)
    first = views[:, 1] & 0xFF
    if ((first == ord("{")) | (first == ord("["))).any():  # no other value has quotes, where there are no backslashes
        lengths -= _quotes(column)
    return lengths if valid is None else np.where(valid, lengths, 0)


def _quotes(column: pa.Array) -> Indices:
    """Return how many quotes are in each text."""
    plain = column.cast(pa.large_string())
    _, offsets, data = plain.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(plain) + 1)
    return _ByteCounts(np.frombuffer(data, np.uint8), _QUOTE).between(bounds[:-1], bounds[1:])


class _ByteCounts:
    """How often a byte is in ranges of a text: a bit for each, counted in words of 64."""

    def __init__(self, text: npt.NDArray[np.uint8], byte: int) -> None:
        bits = np.zeros((len(text) // _WORD + 1) * 8, np.uint8)
        packed = np.packbits(text == byte, bitorder="little")
        bits[: len(packed)] = packed
        self._words = bits.view(np.uint64)
        self._before = np.zeros(len(self._words) + 1, np.int64)
        np.cumsum(np.bitwise_count(self._words), out=self._before[1:])

    def between(self, starts: Indices, ends: Indices) -> Indices:
        """Return how often it is in each range."""
        return self._to(ends) - self._to(starts)

    def _to(self, places: Indices) -> Indices:
        words = places >> 6
        below = (np.uint64(1) << (places & 63).astype(np.uint64)) - np.uint64(1)
        counts: Indices = self._before[words] + np.bitwise_count(self._words[words] & below)
        return counts
