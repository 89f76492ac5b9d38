"""What a codec is, and the compressed input that it reads: bytes in order, with the offset that errors name."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transforms.core.errors import CorruptStreamError, ObjectError

_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\x1b")
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
        self._buffer, self._position = b"", 0
        self.received = 0
        self.unchecked = False

    @property
    def offset(self) -> int:
        """The compressed byte that comes next."""
        return self.received - len(self._buffer) + self._position

    def chunk(self, most: int | None = None) -> bytes:
        """Return the next bytes, as many as there are at hand but not more than `most`; none at the end."""
        if self._position == len(self._buffer):
            self._buffer, self._position = self._receive(), 0
        start, end = self._position, len(self._buffer)
        self._position = end if most is None else min(start + most, end)
        return self._buffer[start : self._position]

    def _receive(self) -> bytes:
        """Return the next chunk that is not empty."""
        for data in self._chunks:
            if data:
                self.received += len(data)
                return data
        return b""

    def unread(self, data: bytes) -> None:
        """Put back the last bytes of what `chunk` just gave."""
        self._position -= len(data)

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes without taking them; fewer at the end."""
        parts = [self._buffer[self._position :]] if len(self._buffer) < self._position + count else []
        size = sum(map(len, parts))
        while parts and size < count and (data := self._receive()):
            parts.append(data)
            size += len(data)
        if parts:
            self._buffer, self._position = b"".join(parts), 0
        return self._buffer[self._position : self._position + count]

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes.

        Raises:
            CorruptStreamError: The stream ends before them.
        """
        data = self.peek(count)
        if len(data) < count:
            raise self.truncated()
        self._position += count
        return data

    def truncated(self) -> CorruptStreamError:
        """Make the error for a stream that ends too early."""
        return CorruptStreamError(
            f"truncated {self._codec} stream: it ends at compressed byte {self.received}, before its end mark"
        )

    def corrupt(self, what: object, *, offset: int | None = None) -> CorruptStreamError:
        """Make the error for a damaged stream; `offset` is where, if not at the next byte."""
        at = self.offset if offset is None else offset
        return CorruptStreamError(f"corrupt {self._codec} stream near compressed byte {at}: {what}")


def gather(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Join chunks into ones of about OUTPUT_BYTES; what precedes an error is yielded before it is raised."""
    parts: list[bytes] = []
    size = 0
    failure: ObjectError | None = None
    while failure is None:
        try:
            chunk = next(chunks, None)
        except ObjectError as error:
            failure, chunk = error, None
        if chunk is not None:
            parts.append(chunk)
            size += len(chunk)
        if size and (chunk is None or size >= OUTPUT_BYTES):
            yield b"".join(parts)
            parts, size = [], 0
        if chunk is None:
            break
    if failure is not None:
        raise failure


@dataclass(frozen=True, kw_only=True)
class Codec:
    """A compression: how it is recognised and undone.

    Attributes:
        name: As reports have it.
        extensions: Endings of keys, lower case, with their dot.
        magic: Byte sequences one of which begins every stream; empty where there are none, or not always.
        decode: Turns the compressed input into chunks of at most 8 MiB; raises CorruptStreamError, or UnsupportedError
            for a stream that takes more memory than is allowed.
        checked: Whether every stream has a checksum; a codec with some that have none sets `CompressedInput.unchecked`.
        recognise: Returns the rule by which a stream is this codec's, or None, where magic bytes are not enough. Takes
            the first bytes, and whether the key has the codec's extension.
        variant: Returns which variant without magic bytes a stream is that begins with these bytes.
    """

    name: str
    extensions: tuple[str, ...]
    magic: tuple[bytes, ...]
    decode: Callable[[CompressedInput], Iterator[bytes]]
    checked: bool
    recognise: Callable[[bytes, bool], str | None] | None = None
    variant: Callable[[bytes], str] | None = None

    def rule(self, head: bytes, *, named: bool) -> str | None:
        """Return why a stream is this codec's, None if it may not be.

        Args:
            head: The stream's first bytes.
            named: Whether the key has an extension of this codec.
        """
        if self.magic and not head.startswith(self.magic):
            return None
        if self.recognise is not None:
            return self.recognise(head, named)
        return f"magic bytes of {self.name}" if self.magic else None


def looks_like_text(head: bytes) -> bool:
    """Return whether these bytes, at least one, begin a text: UTF-16 with its mark, or UTF-8 without controls."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    try:
        codecs.utf_8_decode(head, "strict", False)
    except UnicodeDecodeError:
        return False
    return bool(head) and all(byte >= 0x20 or byte in _TEXT_CONTROLS for byte in head)
