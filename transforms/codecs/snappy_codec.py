"""Snappy by cramjam (the Rust crate `snap`), in three wrappings.

- Framed (google/snappy, `framing_format.txt`): chunks of at most 64 KiB, each with a CRC-32C. It has magic bytes, but
  no end mark: cut between two chunks it is whole, as gzip is between two members.
- Hadoop blocks (`BlockCompressorStream`): a block's plain length, then for each of its pieces the compressed length and
  the piece, raw; lengths are big-endian.
- Raw (`format_description.txt`): one piece that begins with its plain length. No library decodes it in parts, so its
  size is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

import cramjam

from transforms.codecs.decoders.codec import Codec, CompressedInput, gather
from transforms.codecs.decoders.snappy_raw import (
    RAW_BYTES,
    compressed_bound,
    declared_size,
    decode_block,
    undamaged_start,
)
from transforms.core.errors import ObjectError, UnsupportedError

_MAGIC = b"\xff\x06\x00\x00sNaPpY"
_JAVA = b"\x82SNAPPY\x00"  # SnappyOutputStream of org.xerial.snappy: https://github.com/xerial/snappy-java
_COMPRESSED, _PLAIN, _SKIPPABLE, _PADDING, _IDENTIFIER = 0x00, 0x01, 0x80, 0xFE, 0xFF
_CHUNK = 64 << 10  # plain bytes of a framed chunk, at most
_PIECE = 64 << 20  # plain bytes of a piece of a Hadoop block, at most; Hadoop's own buffer takes 256 KiB


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    head = stream.peek(16)
    if _MAGIC.startswith(head[: len(_MAGIC)]):
        yield from _framed(stream)
        return
    if head.startswith(_JAVA):
        raise UnsupportedError("unsupported: a stream of snappy-java (xerial): write framed Snappy instead")
    stream.unchecked = True
    yield from _hadoop(stream) if _is_hadoop(head) else _raw(stream)


def _framed(stream: CompressedInput) -> Iterator[bytes]:
    while head := stream.peek(4):
        kind, size = head[0], int.from_bytes(head[1:], "little")
        if len(head) < 4:
            raise stream.truncated()
        if kind in (_COMPRESSED, _PLAIN):
            yield _framed_chunk(stream, size)
        elif kind == _IDENTIFIER:
            if stream.take(4 + min(size, 6)) != _MAGIC or size != 6:
                raise stream.corrupt("a stream identifier that is none", offset=stream.offset - 4)
        elif kind >= _SKIPPABLE:
            _skip_chunk(stream, kind, size)
        else:
            raise stream.corrupt(f"a chunk of the unknown kind {kind}")


def _framed_chunk(stream: CompressedInput, size: int) -> bytes:
    start, head = stream.offset, stream.peek(13)
    if size > 4 + compressed_bound(_CHUNK):
        raise stream.corrupt(f"a chunk of {size} bytes")
    plain = size - 4 if head[0] == _PLAIN else declared_size(head[8:])
    data = stream.take(4 + size)
    if plain is None or not 0 <= plain <= _CHUNK:
        raise stream.corrupt(f"a chunk of {plain} plain bytes", offset=start)
    try:
        return bytes(cramjam.snappy.decompress(_MAGIC + data, output_len=plain))
    except cramjam.DecompressionError as error:
        raise stream.corrupt(error, offset=start) from error


def _skip_chunk(stream: CompressedInput, kind: int, left: int) -> None:
    """Pass over a chunk that the format skips; if it is not mere padding, it can be a damaged chunk of data."""
    stream.unchecked |= kind != _PADDING
    stream.take(4)
    while left:
        data = stream.chunk(left)
        if not data:
            raise stream.truncated()
        stream.unchecked |= data.count(0) < len(data)
        left -= len(data)


def _hadoop(stream: CompressedInput) -> Iterator[bytes]:
    while stream.peek(1):
        block = int.from_bytes(stream.take(4), "big")
        while block > 0:
            start, size = stream.offset, int.from_bytes(stream.take(4), "big")
            plain = declared_size(stream.peek(5))
            if plain is None and len(stream.peek(5)) < min(5, size):
                raise stream.truncated()
            if plain is None or not size or plain > block or size > compressed_bound(plain):
                raise stream.corrupt(f"a piece of {size} bytes in a block with {block} bytes to come", offset=start)
            if plain > _PIECE:
                raise UnsupportedError(
                    f"unsupported: a piece of {plain} bytes in a Hadoop Snappy block, more than {_PIECE}"
                )
            yield from _piece(stream, stream.take(size), plain, start)
            block -= plain


def _raw(stream: CompressedInput) -> Iterator[bytes]:
    start, plain = stream.offset, declared_size(stream.peek(5))
    if plain is None:
        raise stream.truncated() if len(stream.peek(5)) < 5 else stream.corrupt("no length of raw Snappy")
    if plain > RAW_BYTES:
        raise UnsupportedError(
            f"unsupported: raw Snappy of {plain} bytes in one piece, more than {RAW_BYTES}; "
            "framed Snappy has no such limit"
        )
    data = bytearray()
    try:
        while len(data) <= compressed_bound(plain) and (chunk := stream.chunk()):
            data += chunk
    except ObjectError:  # of the source, or of the codec around this one
        yield from undamaged_start(data, plain)
        raise
    yield from _piece(stream, data, plain, start)


def _piece(stream: CompressedInput, data: bytes | bytearray, plain: int, start: int) -> Iterator[bytes]:
    try:
        yield from decode_block(data, plain)
    except cramjam.DecompressionError as error:
        raise stream.corrupt(
            f"the piece of {len(data)} bytes there is cut off or damaged: {error}", offset=start
        ) from error


def _is_hadoop(head: bytes) -> bool:
    """Return whether these can be the lengths of a block and of its first piece.

    Raw Snappy begins with a zero byte only if that is all of it.
    """
    block, size, plain = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big"), declared_size(head[8:13])
    fits = plain is not None and 0 < plain <= block and 0 < size <= compressed_bound(plain)
    return fits or (len(head) > 1 and head[0] == 0)


def _recognise(head: bytes, named: bool) -> str | None:
    """Find the framing's magic bytes; and a raw piece of a few bytes, which can look like text, under Snappy's name."""
    if head.startswith(_MAGIC):
        return "magic bytes of snappy"
    if head.startswith(_JAVA):
        return "magic bytes of snappy-java"
    plain = declared_size(head[:5])
    if not named or not plain or plain > _CHUNK:
        return None
    try:
        cramjam.snappy.decompress_raw(head)
    except cramjam.DecompressionError:
        return None
    return "Snappy's extension, and it decodes as raw Snappy"


def _variant(head: bytes) -> str:
    return (
        "Hadoop blocks, for its big-endian lengths fit"
        if _is_hadoop(head)
        else "raw, for it has neither magic bytes nor Hadoop's lengths"
    )


SNAPPY = Codec(
    name="snappy",
    extensions=(".snappy", ".sz"),
    magic=(),
    decode=lambda stream: gather(_decode(stream)),
    checked=False,
    recognise=_recognise,
    variant=_variant,
)
