"""Brotli (RFC 7932) by Google's library, which bounds its output from version 1.2 on.

Brotli has neither magic bytes nor a checksum. The library shows where a stream ended only by refusing what follows, so
`decode_frame` finds the end by decoding the last chunk byte by byte. Windows over 16 MiB (`--large_window`) are not in
the RFC, and the library refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator

import brotli

from transforms.codecs.decoders.codec import Codec, CompressedInput, gather
from transforms.codecs.decoders.frames import decode_frame
from transforms.core.errors import UnsupportedError

_NOTHING = frozenset(bytes([byte]) for byte in b"3579;=?")  # by window size; other streams of nothing are no text
_LARGE_WINDOW = 0x11  # the first seven bits, which are reserved in RFC 7932 §9.1


class _Decompressor:
    """Google's decompressor in the shape of the standard library's."""

    unused_data = b""

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        # after output there can be more of it without input: the library stops at 32 KiB, whatever it may give
        self._more = False

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.is_finished())

    @property
    def needs_input(self) -> bool:
        return bool(self._decompressor.can_accept_more_data()) and not self._more

    def decompress(self, data: bytes, max_length: int) -> bytes:
        output = bytes(self._decompressor.process(data, output_buffer_limit=max_length))
        self._more = bool(output)
        return output


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    stream.unchecked = True
    while True:
        if (head := stream.peek(1)) and head[0] & 0x7F == _LARGE_WINDOW:
            raise UnsupportedError("unsupported: Brotli with a large window, which is no part of RFC 7932")
        yield from decode_frame(stream, _Decompressor, brotli.error)
        if not stream.peek(1):
            return


def _recognise(head: bytes, named: bool) -> str | None:
    """Recognise the empty stream, one byte that could be text, by the key's extension."""
    return "a Brotli stream of nothing" if named and head in _NOTHING else None


BROTLI = Codec(
    name="brotli",
    extensions=(".br", ".brotli"),
    magic=(),
    decode=lambda stream: gather(_decode(stream)),
    checked=False,
    recognise=_recognise,
)
