"""What a codec is, and the compressed input that it reads: bytes in order, with the offset that errors name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transforms.errors import CorruptStreamError

OUTPUT_BYTES = 4 << 20  # a decoded chunk; small enough that a bomb shows before it fills memory


class CompressedInput:
    """The compressed bytes of one object, as a stream that can be looked into.

    Attributes:
        received: Bytes taken from the chunks so far.
        unchecked: Set by a codec that met data without a checksum, in which damage can hide.
    """

    def __init__(self, chunks: Iterator[bytes], *, codec: str) -> None:
        """Read from `chunks`; `codec` is the name that errors give."""
        self._chunks = chunks
        self._codec = codec
        self._buffer, self._place = b"", 0
        self.received = 0
        self.unchecked = False

    @property
    def offset(self) -> int:
        """The compressed byte that comes next."""
        return self.received - len(self._buffer) + self._place

    def chunk(self) -> bytes:
        """Return the next bytes, as many as there are at hand; none at the end."""
        data = self._buffer[self._place :] if self._place else self._buffer
        self._buffer, self._place = b"", 0
        return data or self._receive()

    def _receive(self) -> bytes:
        """Return the next chunk that is not empty."""
        for data in self._chunks:
            if data:
                self.received += len(data)
                return data
        return b""

    def unread(self, data: bytes) -> None:
        """Put back the last bytes of what `chunk` gave."""
        self._buffer, self._place = data, 0

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes without taking them; fewer at the end."""
        parts = [self._buffer[self._place :]] if len(self._buffer) < self._place + count else []
        size = sum(map(len, parts))
        while parts and size < count and (data := self._receive()):
            parts.append(data)
            size += len(data)
        if parts:
            self._buffer, self._place = b"".join(parts), 0
        return self._buffer[self._place : self._place + count]

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes.

        Raises:
            CorruptStreamError: The stream ends before them.
        """
        data = self.peek(count)
        if len(data) < count:
            raise self.truncated()
        self._place += count
        return data

    def truncated(self) -> CorruptStreamError:
        """Make the error for a stream that ends too early."""
        return CorruptStreamError(f"truncated {self._codec} stream: it ends at compressed byte {self.received}, before its end mark")

    def corrupt(self, what: object, *, offset: int | None = None) -> CorruptStreamError:
        """Make the error for a damaged stream; `offset` is where, if not at the next byte."""
        at = self.offset if offset is None else offset
        return CorruptStreamError(f"corrupt {self._codec} stream near compressed byte {at}: {what}")


@dataclass(frozen=True, kw_only=True)
class Codec:
    """A compression: how it is recognised and undone.

    Attributes:
        name: As the report says it.
        extensions: Endings of keys, lower case, with their dot.
        magic: Byte sequences one of which begins every stream; empty where there are none.
        decode: Turns the compressed input into chunks of at most 8 MiB; raises CorruptStreamError.
        checked: Whether every stream has a checksum; a codec with some that have none sets `CompressedInput.unchecked`.
    """

    name: str
    extensions: tuple[str, ...]
    magic: tuple[bytes, ...]
    decode: Callable[[CompressedInput], Iterator[bytes]]
    checked: bool
