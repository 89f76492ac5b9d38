"""Look at the first bytes of a stream before it is read: to detect its codec and its format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain


def peek(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes (fewer where there are no more), and an iterator over everything, those bytes too.

    An error of the stream is raised in its turn: after the bytes that came before it.
    """
    stream = iter(chunks)
    taken: list[bytes] = []
    length = 0
    while length < size:
        try:
            chunk = next(stream)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001 - raised by `_broken`, after what came before it
            stream = _broken(error)
            break
        taken.append(chunk)
        length += len(chunk)
    return b"".join(taken)[:size], chain(taken, stream)


def _broken(error: Exception) -> Iterator[bytes]:
    yield from ()
    raise error
