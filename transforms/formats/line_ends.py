"""Line ends of old Macs: CR alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from transforms.core.peeking import peek

HEAD_BYTES = 64 << 10


def with_line_feeds(chunks: Iterable[bytes], *, head: bytes | None = None) -> Iterator[bytes]:
    """Yield a stream as it is, but one with CR and without LF in its first 64 KiB with LF in place of each CR.

    Without this such a file would be one line, and as CSV its rows would be lost as a header. Chunks may be cut
    anywhere.

    Args:
        chunks: The stream.
        head: The beginning of what it is a part of.
    """
    stream = iter(chunks)
    if head is None:
        head, stream = peek(stream, HEAD_BYTES)
    head = head[:HEAD_BYTES]
    alone = b"\r" in head and b"\n" not in head
    yield from (chunk.replace(b"\r", b"\n") for chunk in stream) if alone else stream
