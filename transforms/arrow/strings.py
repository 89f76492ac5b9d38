"""Arrow string views over a block of bytes, made and taken with numpy: no text is copied.

A view is 16 bytes: the length, and then the text itself if it has at most 12 bytes, else its first four, the number of
its buffer and the offset there (Arrow columnar format, "Variable-size Binary View Layout"). pyarrow 25 has no kernels
that filter or take string views.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import Flags, Indices

INLINE = 12
"""Bytes of a text that stands in its view."""
_VIEW = np.dtype(np.complex128)  # any type of 16 bytes that `numpy.take` knows: five times as fast as void
_MASKS = np.tril(np.full((INLINE + 1, INLINE), 0xFF, np.uint8), -1).view(np.int32)  # by length: the bytes that it has
_LOWER = np.uint8(0x20)  # the bit of ASCII that distinguishes lower case from upper case


def view_array(
    text: bytes, starts: npt.NDArray[Any], lengths: npt.NDArray[Any], present: Flags | None = None
) -> pa.Array:
    """Return slices of a text as string views.

    Args:
        text: Valid UTF-8 of less than 2 GiB.
        starts: Offsets in it.
        lengths: Bytes of each slice.
        present: Which are not null; all if None.
    """
    rows = len(starts)
    views = np.zeros((rows, 4), np.int32)
    views[:, 0] = lengths
    views[:, 3] = starts
    _write_prefixes(views, text, starts)
    short = np.flatnonzero(views[:, 0] <= INLINE)
    if short.size:
        _write_inline(views, text, short)
    return _build(views.view(_VIEW)[:, 0], present, [pa.py_buffer(text)])


def _write_prefixes(views: npt.NDArray[np.int32], text: bytes, starts: npt.NDArray[Any]) -> None:
    """Write the first four bytes of each slice; those too near the end of the text are short, and written later."""
    if len(text) < 4:
        return
    prefixes = np.ndarray((len(text) - 3,), np.dtype("<i4"), text, strides=(1,))
    views[:, 1] = prefixes[np.minimum(starts, len(text) - 4)]


def _write_inline(views: npt.NDArray[np.int32], text: bytes, rows: Indices) -> None:
    """Write whole short slices into their views, padded with zeros.

    16 bytes are read of each and those behind its end masked; from slices too near the end of the text for that, out of
    a padded copy of its end.
    """
    starts, lengths = views[rows, 3].astype(np.int64), views[rows, 0]
    reach = len(text) - _VIEW.itemsize
    words = np.empty((len(rows), 4), np.int32)
    late = starts > reach
    if not late.all():
        words[:] = _overlapping(text)[np.minimum(starts, reach)].view(np.int32).reshape(-1, 4)
    if late.any():
        end = max(reach, 0)
        padded = _overlapping(text[end:] + bytes(_VIEW.itemsize))
        words[late] = padded[starts[late] - end].view(np.int32).reshape(-1, 4)
    views[rows, 1:] = words[:, :3] & _MASKS[lengths]


def _overlapping(text: bytes) -> npt.NDArray[np.complex128]:
    """Return 16 bytes from each place of a text on that has as many."""
    views: npt.NDArray[np.complex128] = np.ndarray((len(text) - _VIEW.itemsize + 1,), _VIEW, text, strides=(1,))
    return views


def take_views(array: pa.Array, rows: Indices) -> pa.Array:
    """Return the strings at `rows`; null where a row is negative. 200,000 take 0.6 ms, as with Polars."""
    views, valid, data = _parts(array)
    if not len(views):
        return nulls(len(rows))
    present = rows >= 0 if len(rows) and rows.min() < 0 else None
    if valid is not None:
        valid = valid.take(rows, mode="clip")
        present = valid if present is None else present & valid
    return _build(views.take(rows, mode="clip"), present, data)


def is_empty(texts: pa.Array) -> Flags:
    """Return which rows are texts without a character."""
    views, valid, _ = _parts(texts)
    empty: Flags = views.view(np.int32)[::4] == 0
    return empty if valid is None else empty & valid


def fold_ascii_case(array: pa.Array) -> pa.Array | None:
    """Return ASCII strings with the lower-case bit set in every byte, None where their buffers hold other text.

    It takes a third of the time of lower case, but changes control characters, brackets and ``@ ^ _`` as well.
    """
    raw, valid, data = _parts(array)
    views = raw.view(np.int32).reshape(-1, 4).copy()
    short = np.flatnonzero(views[:, 0] <= INLINE)
    inline = views[short, 1:].view(np.uint8)
    texts = [np.frombuffer(buffer, np.uint8) for buffer in data]
    if any(text.max(initial=0) > 0x7F for text in (inline, *texts)):
        return None
    views[:, 1] |= int.from_bytes([_LOWER] * 4, "little")
    views[short, 1:] = np.where(np.arange(INLINE) < views[short, :1], inline | _LOWER, 0).view(np.int32)
    return _build(views.view(_VIEW)[:, 0], valid, [pa.py_buffer(text | _LOWER) for text in texts])


def split_columns(column: pa.ListArray, width: int) -> tuple[list[pa.Array], Indices]:
    """Split a list column into `width` columns of strings.

    Args:
        column: Lists of exactly `width` string views each.
        width: Strings a list.

    Returns:
        The columns, and how many strings of each list are not null.
    """
    cells, rows = column.flatten(), len(column)
    views, valid, data = _parts(cells)
    table = views.reshape(rows, width)
    if valid is None:
        return [_build(table[:, column], None, data) for column in range(width)], np.full(rows, width)
    present = valid.reshape(rows, width)
    columns = [_build(table[:, column], present[:, column], data) for column in range(width)]
    return columns, present.sum(axis=1)


def nulls(rows: int) -> pa.Array:
    """Return a column of strings that is null in every row."""
    return pa.nulls(rows, pa.string_view())


def text_views(array: pa.Array) -> tuple[npt.NDArray[np.int32], Flags | None, list[pa.Buffer]]:
    """Return an array's views as four numbers each, validity (None: all valid) and data buffers."""
    views, valid, data = _parts(array)
    return views.view(np.int32).reshape(-1, 4), valid, data


def _parts(array: pa.Array) -> tuple[npt.NDArray[np.complex128], Flags | None, list[pa.Buffer]]:
    """Return an array's views, validity (None: all valid) and data buffers."""
    valid, views, *data = array.buffers()
    rows, offset = len(array), array.offset
    raw = np.frombuffer(views, _VIEW, count=rows, offset=offset * _VIEW.itemsize) if rows else np.empty(0, _VIEW)
    return raw, (_bits(valid, offset, rows) if array.null_count else None), data


def _bits(buffer: pa.Buffer, offset: int, count: int) -> Flags:
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), count=offset + count, bitorder="little")
    return bits[offset:].astype(np.bool_)


def _build(views: npt.NDArray[np.complex128], valid: Flags | None, data: Sequence[pa.Buffer]) -> pa.Array:
    bitmap = None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(
        pa.string_view(), len(views), [bitmap, pa.py_buffer(np.ascontiguousarray(views)), *data]
    )
