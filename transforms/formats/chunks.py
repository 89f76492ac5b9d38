"""The chunks of a stream on their way to blocks: read up to where it breaks, joined without copying more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

BLOCK_BYTES = 8 << 20


class BreakableStream:
    """A stream that ends where it breaks, and keeps the error."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Take the stream; nothing is read yet."""
        self._chunks = chunks
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the chunks up to the break."""
        try:
            yield from self._chunks
        except Exception as error:  # noqa: BLE001 - raised by who reads, after what came before it
            self.error = error

    def blocks(self) -> Iterator[list[bytes]]:
        """Yield the chunks up to the break, some 8 MiB of them together."""
        chunks: list[bytes] = []
        size = 0
        for chunk in self:
            chunks.append(chunk)
            size += len(chunk)
            if size >= BLOCK_BYTES:
                yield chunks
                chunks, size = [], 0
        if size:
            yield chunks


class ChunkBuffer:
    """Bytes that are joined once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._parts: list[bytes | memoryview] = []
        self.size = 0

    def add(self, part: bytes | memoryview) -> None:
        """Append some bytes."""
        if len(part):
            self._parts.append(part)
            self.size += len(part)

    def join(self) -> bytes:
        """Return all bytes, and begin anew."""
        parts, self._parts, self.size = self._parts, [], 0
        return parts[0] if len(parts) == 1 and isinstance(parts[0], bytes) else b"".join(parts)
