"""ZSTD (RFC 8878): any number of frames, skippable ones among them.

A byte of a block can stand for 43,000 bytes of output, and the library's incremental decoder gives all that its input
holds at once. So frames are fed block by block, of which each unpacks to at most 128 KiB (RFC 8878 §3.1.1.2.4).
The same walk knows where a stream was cut off and whether a frame has a checksum, and damage takes no more than its
block.
"""

from __future__ import annotations

from collections.abc import Iterator

import zstandard

from transforms.codecs.decoders.codec import Codec, CompressedInput, gather
from transforms.core.errors import UnsupportedError

_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
_MAX_BLOCK = 128 << 10
_MAX_WINDOW = 128 << 20  # what `zstd -d` takes without being told, too; the format allows 3.75 TiB
_MAX_HEADER = 18
_RLE, _RESERVED = 1, 3


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    head = stream.peek(4)
    while head:
        if head in SKIPPABLE:
            skip_frame(stream)
        elif head == _MAGIC:
            yield from _frame(stream)
        elif len(head) < 4 and any(magic.startswith(head) for magic in (_MAGIC, *SKIPPABLE)):
            raise stream.truncated()
        else:
            raise stream.corrupt("no zstd frame begins here")
        head = stream.peek(4)


def skip_frame(stream: CompressedInput) -> None:
    """Pass over a skippable frame (RFC 8878 §3.1.2; LZ4 has the same)."""
    left = int.from_bytes(stream.take(8)[4:], "little")
    while left:
        data = stream.chunk(left)
        if not data:
            raise stream.truncated()
        left -= len(data)


def after_skippable(head: bytes) -> bytes:
    """Return what follows the skippable frames at the beginning of a stream, as far as it was looked at."""
    while head[:4] in SKIPPABLE:
        head = head[8 + int.from_bytes(head[4:8], "little") :]
    return head


def _frame(stream: CompressedInput) -> Iterator[bytes]:
    header, checksum = _take_header(stream)
    stream.unchecked |= not checksum
    frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
    for block in _blocks(stream, header, checksum=checksum):
        try:
            output = frame.decompress(block)
        except zstandard.ZstdError as error:
            raise stream.corrupt(error, offset=stream.offset - len(block)) from error
        if output:
            yield output
    if not frame.eof:
        raise stream.corrupt("the frame does not end with its last block")


def _take_header(stream: CompressedInput) -> tuple[bytes, bool]:
    """Take a frame's header: its bytes, and whether the frame has a checksum."""
    start, head = stream.offset, stream.peek(_MAX_HEADER)
    try:
        frame = zstandard.get_frame_parameters(head)
        header = stream.take(zstandard.frame_header_size(head))
    except zstandard.ZstdError as error:
        raise (stream.corrupt(error, offset=start) if len(head) == _MAX_HEADER else stream.truncated()) from error
    if frame.window_size > _MAX_WINDOW:
        window = f"a window of {frame.window_size} bytes, more than the {_MAX_WINDOW} of --long=27"
        raise UnsupportedError(f"unsupported: a zstd frame at compressed byte {start} needs {window}")
    if frame.dict_id:
        raise UnsupportedError(
            f"unsupported: a zstd frame at compressed byte {start} needs the dictionary {frame.dict_id}"
        )
    return header, frame.has_checksum


def _blocks(stream: CompressedInput, header: bytes, *, checksum: bool) -> Iterator[bytes]:
    """Cut one frame into header, blocks and checksum: what came before one that is cut off or damaged unpacks."""
    yield header
    last = False
    while not last:
        last, block = _block(stream)
        yield block
    if checksum:
        yield stream.take(4)


def _block(stream: CompressedInput) -> tuple[bool, bytes]:
    """Take one block whole: whether it is the frame's last, and its bytes."""
    mark = stream.take(3)
    word = int.from_bytes(mark, "little")
    last, kind, size = bool(word & 1), word >> 1 & 3, word >> 3
    if kind == _RESERVED or size > _MAX_BLOCK:
        raise stream.corrupt(f"a block of kind {kind} and {size} bytes", offset=stream.offset - 3)
    return last, mark + stream.take(1 if kind == _RLE else size)


ZSTD = Codec(
    name="zstd",
    extensions=(".zst", ".zstd"),
    magic=(_MAGIC, *SKIPPABLE),
    decode=lambda stream: gather(_decode(stream)),
    checked=False,
)
