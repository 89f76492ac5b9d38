"""Looking at the beginning of a stream without losing it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from transforms.errors import ObjectError


def peek(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes (fewer where there are no more), and an iterator over everything, those bytes too.

    An error of the source shows where it stood: after the bytes that came before it.
    """
    taken: list[bytes] = []
    length = 0
    try:
        while length < size and (data := next(chunks, None)) is not None:
            taken.append(data)
            length += len(data)
    except ObjectError as error:
        chunks = _raising(error)
    return b"".join(taken)[:size], chain(taken, chunks)


def _raising(error: ObjectError) -> Iterator[bytes]:
    """Make an iterator that raises an error."""
    yield from ()
    raise error
