"""DEFLATE by isal: with zlib's header and checksum (RFC 1950), or raw (RFC 1951), which has neither.

The first two bytes of a stream show which of them it is: in raw DEFLATE a byte of zlib's header would begin a stored
block, and that block's length and its complement (RFC 1951 §3.2.4) do not fit where it is a header.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from isal import igzip_lib

from transforms.codecs.decoders.codec import Codec, CompressedInput, gather, looks_like_text
from transforms.codecs.decoders.frames import Decompressor, decode_frame

_DEFLATE, _MAX_WINDOW, _DICTIONARY = 8, 7, 0x20  # RFC 1950 §2.2
_STORED_HEADER = 5
# bytes of a stream that goes on; what is no DEFLATE fails sooner: a fifth of all codes there is a reference to nothing
_TRIAL = 64
_DAMAGE: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub calls the class an instance


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    wrapped = _is_zlib(stream.peek(_STORED_HEADER))
    stream.unchecked |= not wrapped
    while True:
        yield from decode_frame(stream, _zlib if wrapped else _raw, _DAMAGE)
        if not (head := stream.peek(2)):
            return
        if wrapped and not _has_header(head):
            raise stream.corrupt("no zlib stream begins here")


def _zlib() -> Decompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)


def _raw() -> Decompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)


def _is_zlib(head: bytes) -> bool:
    size, complement = int.from_bytes(head[1:3], "little"), int.from_bytes(head[3:5], "little")
    stored = len(head) == _STORED_HEADER and size ^ complement == 0xFFFF
    return _has_header(head) and not stored


def _has_header(head: bytes) -> bool:
    return (
        len(head) >= 2
        and head[0] & 15 == _DEFLATE
        and head[0] >> 4 <= _MAX_WINDOW
        and int.from_bytes(head[:2], "big") % 31 == 0
        and not head[1] & _DICTIONARY
    )


def _recognise(head: bytes, named: bool) -> str | None:
    """Recognise zlib by its header, which can be text (`x^`), and its first block: all of it if the head is text."""
    if not _is_zlib(head):
        return None
    trial = zlib.decompressobj()
    try:
        output = trial.decompress(head)
    except zlib.error:
        return None
    if trial.eof or (output and len(head) >= _TRIAL and not looks_like_text(head)):
        return "zlib header, and its first block decodes"
    return None


def _variant(head: bytes) -> str:
    return "zlib" if _is_zlib(head) else "raw, for it has no zlib header"


DEFLATE = Codec(
    name="deflate",
    extensions=(".deflate", ".zz", ".zlib"),
    magic=(),
    decode=lambda stream: gather(_decode(stream)),
    checked=False,
    recognise=_recognise,
    variant=_variant,
)
