"""Z, the LZW of Unix `compress`, by ncompress: the program itself as a library, which reads and writes file objects.

ncompress calls a `read` and a `write`, while here chunks are asked for: `iterate_callbacks` turns one into the other.
It streams, at 220 MB/s. The format has neither end mark nor checksum: only impossible codes show as damage, and two
files in a row can't be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import ncompress

from transforms.codecs.decoders.callbacks import iterate_callbacks
from transforms.codecs.decoders.codec import Codec, CompressedInput
from transforms.codecs.decoders.frames import STEP

_MAGIC = b"\x1f\x9d"
_MIN_BITS, _MAX_BITS, _RESERVED = 9, 16, 0x60  # of the third byte
_OUTPUT = 1 << 20
_KEPT = 1 << 20  # compressed bytes that are kept for finding the damage
_BUFFERED = 16 << 10  # ncompress reads and writes by 8 KiB, so that damage takes no more with it
_GIVEN = 32 << 20  # plain bytes that may be gone through again for that


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    stream.unchecked = True
    head = stream.peek(3)
    if len(head) < 3:
        raise stream.truncated()
    if not _can_begin(head):
        raise stream.corrupt(f"the header {head.hex(' ')} is none of compress")
    source = _InputFile(stream)
    given = 0
    try:
        for chunk in iterate_callbacks(lambda write: _run(source, write)):
            given += len(chunk)
            yield chunk
    except ValueError as error:
        offset, rest = (
            _before_damage(bytes(source.kept), given) if source.whole and given <= _GIVEN else (stream.offset, b"")
        )
        if rest:
            yield rest
        raise stream.corrupt(error, offset=offset) from error


def _run(source: _InputFile, write: Callable[[bytes], None]) -> None:
    sink = _OutputFile(write)
    try:
        ncompress.decompress(source, sink)
    finally:
        sink.flush()


def _can_begin(head: bytes) -> bool:
    return head[:2] == _MAGIC and (
        len(head) < 3 or (_MIN_BITS <= head[2] & 0x1F <= _MAX_BITS and not head[2] & _RESERVED)
    )


class _InputFile:
    """The file that ncompress reads from."""

    def __init__(self, stream: CompressedInput) -> None:
        self._stream = stream
        self.kept = bytearray()

    def read(self, size: int) -> bytes:
        data = self._stream.chunk(min(size, STEP) if size > 0 else STEP)
        if self.whole:
            self.kept += data
        return data

    @property
    def whole(self) -> bool:
        """Whether what was read is kept from the start."""
        return len(self.kept) <= _KEPT


class _OutputFile:
    """The file that ncompress writes to by the kilobyte; larger chunks are handed on."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._parts = bytearray()

    def write(self, data: bytes) -> int:
        self._parts += data
        if len(self._parts) >= _OUTPUT:
            self.flush()
        return len(data)

    def flush(self) -> None:
        if self._parts:
            data = bytes(self._parts)
            self._parts.clear()
            self._write(data)


def _before_damage(data: bytes, given: int) -> tuple[int, bytes]:
    """Find the longest beginning that decodes: where it ends, and what of its output had not been given."""
    low, high, rest = max(3, len(data) - _BUFFERED), len(data), b""
    while low < high:
        middle = (low + high + 1) // 2
        output = _output_after(data[:middle], given)
        if output is None:
            high = middle - 1
        else:
            low, rest = middle, output
    return low, rest


def _output_after(data: bytes, given: int) -> bytes | None:
    """Decode a beginning: its output but for the first `given` bytes, or None if it is damaged."""
    parts: list[bytes] = []
    seen = 0

    class _Tail:
        def write(self, data: bytes) -> int:
            nonlocal seen
            parts.append(data[max(0, given - seen) :])
            seen += len(data)
            return len(data)

    try:
        ncompress.decompress(data, _Tail())
    except ValueError:
        return None
    return b"".join(parts)


Z = Codec(
    name="z",
    extensions=(".z",),
    magic=(_MAGIC,),
    decode=_decode,
    checked=False,
    recognise=lambda head, named: "magic bytes of compress (LZW)" if _can_begin(head) else None,
)
