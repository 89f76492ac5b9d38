"""LZ4 frames (LZ4 Frame Format 1.6.4): any number of them, skippable ones and the legacy frames of `lz4 -l` among them.

A frame's end mark is always there, its content checksum need not be. Checksums of the blocks alone do not cover the
blocks' lengths and kinds, so such a frame is unchecked.
"""

from __future__ import annotations

from collections.abc import Iterator

import lz4.block
import lz4.frame

from transforms.codecs.decoders.codec import OUTPUT_BYTES, Codec, CompressedInput, gather
from transforms.codecs.decoders.frames import decode_frame
from transforms.codecs.zstd_codec import SKIPPABLE, after_skippable, skip_frame
from transforms.core.errors import UnsupportedError

_MAGIC = b"\x04\x22\x4d\x18"
_LEGACY = b"\x02\x21\x4c\x18"
_JAVA = b"LZ4Block"  # LZ4BlockOutputStream of lz4-java: https://github.com/lz4/lz4-java
_CONTENT_CHECKSUM = 4  # of the descriptor's first byte
_LEGACY_BLOCK = 8 << 20
_LEGACY_MAX_STORED = _LEGACY_BLOCK + _LEGACY_BLOCK // 255 + 16  # LZ4_COMPRESSBOUND


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    while head := stream.peek(4):
        if head == _MAGIC:
            flags = stream.peek(5)[4:]
            stream.unchecked |= bool(flags) and not flags[0] & _CONTENT_CHECKSUM
            yield from decode_frame(stream, lz4.frame.LZ4FrameDecompressor, RuntimeError)
        elif head == _LEGACY:
            yield from _legacy_frame(stream)
        elif head in SKIPPABLE:
            skip_frame(stream)
        elif len(head) < 4 and any(magic.startswith(head) for magic in (_MAGIC, _LEGACY, *SKIPPABLE)):
            raise stream.truncated()
        elif _is_java(stream.peek(17)):
            raise UnsupportedError("unsupported: a stream of lz4-java (LZ4Block): write LZ4 frames instead")
        else:
            raise stream.corrupt("no LZ4 frame begins here")


def _is_java(head: bytes) -> bool:
    """Whether a block of lz4-java begins here: no text, for its plain length is no more than its level allows."""
    if not head.startswith(_JAVA) or len(head) < 17:
        return False
    return head[8] >> 4 in (1, 2) and int.from_bytes(head[13:17], "little") <= 1 << (10 + (head[8] & 15))


def _legacy_frame(stream: CompressedInput) -> Iterator[bytes]:
    """Decode blocks of 8 MiB up to the end, or to what can only be the next frame's magic bytes."""
    stream.unchecked = True
    stream.take(4)
    while head := stream.peek(4):
        if head in (_MAGIC, _LEGACY, *SKIPPABLE):
            return
        start, size = stream.offset, int.from_bytes(head, "little")
        if len(head) == 4 and size > _LEGACY_MAX_STORED:
            raise stream.corrupt(f"a block of {size} bytes")
        stream.take(4)
        try:
            block = lz4.block.decompress(stream.take(size), uncompressed_size=_LEGACY_BLOCK)
        except lz4.block.LZ4BlockError as error:
            raise stream.corrupt(error, offset=start) from error
        yield from (block[start : start + OUTPUT_BYTES] for start in range(0, len(block), OUTPUT_BYTES))


def _recognise(head: bytes, named: bool) -> str | None:
    """Tell LZ4 from ZSTD, which has the same skippable frames, by what follows them."""
    if _is_java(head):
        return "magic bytes of lz4-java"
    rest = after_skippable(head)
    return "magic bytes of lz4" if rest.startswith((_MAGIC, _LEGACY)) or (named and not rest) else None


LZ4 = Codec(
    name="lz4",
    extensions=(".lz4",),
    magic=(_MAGIC, _LEGACY, *SKIPPABLE, _JAVA),
    decode=lambda stream: gather(_decode(stream)),
    checked=False,
    recognise=_recognise,
)
