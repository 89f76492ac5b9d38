"""Raw Snappy (google/snappy, `format_description.txt`): one block after its plain length, decoded as a whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import cramjam

from transforms.codecs.decoders.codec import OUTPUT_BYTES

RAW_BYTES = 1 << 30  # plain bytes of an object of raw Snappy, at most: they lie in memory together
_MOST_OF_A_BYTE = 22  # a copy of 64 bytes takes 3
_SALVAGED = 64 << 20  # plain bytes of a damaged block of which the beginning is looked for
_OVERSHOT = 64  # the library writes up to so many bytes more than it decoded


def declared_size(head: bytes) -> int | None:
    """Return the plain length that a block begins with, a little-endian varint of up to 5 bytes; None without one."""
    try:
        return int(cramjam.snappy.decompress_raw_len(head)) if head else None
    except cramjam.DecompressionError:
        return None


def compressed_bound(plain: int) -> int:
    """Return how many compressed bytes a block takes at most."""
    return 32 + plain + plain // 6


def decode_block(data: bytes | bytearray, plain: int) -> Iterator[bytes]:
    """Decode one block and yield it in chunks.

    Args:
        data: The whole block.
        plain: The length that it declares.

    Raises:
        cramjam.DecompressionError: It is damaged; what could be decoded was yielded.
    """
    if plain > _MOST_OF_A_BYTE * len(data):
        raise cramjam.DecompressionError(f"{len(data)} bytes cannot hold the {plain} that are declared")
    try:
        output = memoryview(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError:
        yield from undamaged_start(data, plain)
        raise
    yield from _cut(output)


def _cut(output: memoryview) -> Iterator[bytes]:
    return (bytes(output[start : start + OUTPUT_BYTES]) for start in range(0, len(output), OUTPUT_BYTES))


def undamaged_start(data: bytes | bytearray, plain: int) -> Iterator[bytes]:
    """Yield what is decoded before the damage or the end.

    These are the bytes that come out the same whatever was in the buffer before.
    """
    if plain > min(_SALVAGED, _MOST_OF_A_BYTE * len(data)):
        return
    one, other = bytearray(plain), bytearray(b"\xff") * plain
    for buffer in (one, other):
        with contextlib.suppress(cramjam.DecompressionError):
            cramjam.snappy.decompress_raw_into(data, buffer)
    low, high = 0, plain
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    yield from _cut(memoryview(one)[: max(0, low - _OVERSHOT)])
