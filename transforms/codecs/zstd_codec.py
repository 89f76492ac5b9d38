"""ZSTD (RFC 8878): any number of frames, skippable ones among them.

A byte of a block can stand for 43,000 bytes of output, and the library's incremental decoder gives all that its input holds in one piece.
So frames are fed in whole blocks, whose headers bound what comes out: at most 128 KiB each (RFC 8878 §3.1.1.2.4). The same walk knows
where a stream was cut off and whether a frame has a checksum.
"""

from __future__ import annotations

from collections.abc import Iterator

import zstandard

from transforms.codecs.codec import OUTPUT_BYTES, Codec, CompressedInput
from transforms.errors import CorruptStreamError

_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
_MAX_BLOCK = 128 << 10
_BLOCKS_AT_ONCE = OUTPUT_BYTES // _MAX_BLOCK
_MAX_HEADER = 18
_RLE, _RESERVED = 1, 3


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    head = stream.peek(4)
    while head:
        if head in _SKIPPABLE:
            _skip_frame(stream)
        elif head == _MAGIC:
            yield from _frame(stream)
        elif len(head) < 4 and any(magic.startswith(head) for magic in (_MAGIC, *_SKIPPABLE)):
            raise stream.truncated()
        else:
            raise stream.corrupt("no zstd frame begins here")
        head = stream.peek(4)


def _skip_frame(stream: CompressedInput) -> None:
    left = int.from_bytes(stream.take(8)[4:], "little")
    while left:
        data = stream.chunk()
        if not data:
            raise stream.truncated()
        stream.unread(data[left:])
        left -= min(left, len(data))


def _frame(stream: CompressedInput) -> Iterator[bytes]:
    start, head = stream.offset, stream.peek(_MAX_HEADER)
    try:
        checksum = zstandard.get_frame_parameters(head).has_checksum
        header = stream.take(zstandard.frame_header_size(head))
    except zstandard.ZstdError as error:
        raise (stream.corrupt(error, offset=start) if len(head) == _MAX_HEADER else stream.truncated()) from error
    stream.unchecked |= not checksum
    frame = zstandard.ZstdDecompressor().decompressobj()
    for piece in _pieces(stream, header, checksum=checksum):
        try:
            output = frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise stream.corrupt(error, offset=max(start, stream.offset - len(piece))) from error
        if output:
            yield output
    if not frame.eof:
        raise stream.corrupt("the frame does not end with its last block")


def _pieces(stream: CompressedInput, header: bytes, *, checksum: bool) -> Iterator[bytes]:
    """Cut one frame into runs of whole blocks that unpack to at most OUTPUT_BYTES."""
    parts, last = [header], False
    while not last:
        try:
            last, block = _block(stream)
            parts += block
            if last and checksum:
                parts.append(stream.take(4))
        except CorruptStreamError:
            yield b"".join(parts)  # what came before the break unpacks
            raise
        if last or len(parts) >= 2 * _BLOCKS_AT_ONCE:
            yield b"".join(parts)
            parts = []


def _block(stream: CompressedInput) -> tuple[bool, list[bytes]]:
    """Take one block whole: whether it is the frame's last, and its bytes."""
    mark = stream.take(3)
    word = int.from_bytes(mark, "little")
    last, kind, size = bool(word & 1), word >> 1 & 3, word >> 3
    if kind == _RESERVED or size > _MAX_BLOCK:
        raise stream.corrupt(f"a block of kind {kind} and {size} bytes", offset=stream.offset - 3)
    return last, [mark, stream.take(1 if kind == _RLE else size)]


ZSTD = Codec(name="zstd", extensions=(".zst", ".zstd"), magic=(_MAGIC, *_SKIPPABLE), decode=_decode, checked=False)
