"""Line ends of old Macs: CR alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

HEAD_BYTES = 64 << 10


def with_line_feeds(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a stream as it is, but one with CR and without LF in its first 64 KiB with LF in place of each CR.

    Without this such a file would be one line, and as CSV its rows would be lost as a header. Chunks may be cut anywhere.
    """
    taken: list[bytes] = []
    size = 0
    for chunk in chunks:
        taken.append(chunk)
        size += len(chunk)
        if size >= HEAD_BYTES or b"\n" in chunk:
            break
    head = b"".join(taken)[:HEAD_BYTES]
    everything = chain(taken, chunks)
    alone = b"\r" in head and b"\n" not in head
    yield from (chunk.replace(b"\r", b"\n") for chunk in everything) if alone else everything
