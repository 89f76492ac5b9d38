"""No compression: the bytes as they are."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.codecs.decoders.codec import OUTPUT_BYTES, Codec, CompressedInput


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    while data := stream.chunk():
        if len(data) <= 2 * OUTPUT_BYTES:
            yield data
        else:
            yield from (data[start : start + OUTPUT_BYTES] for start in range(0, len(data), OUTPUT_BYTES))


NONE = Codec(name="none", extensions=(), magic=(), decode=_decode, checked=True)
