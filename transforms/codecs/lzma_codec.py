"""LZMA alone, the format of LZMA Utils (`lzma-file-format.txt` of XZ Utils), by the standard library's liblzma.

It has no checksum.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator

from transforms.codecs.decoders.codec import Codec, CompressedInput, gather
from transforms.codecs.decoders.frames import decode_frame
from transforms.core.errors import UnsupportedError

MEMORY_BYTES = 160 << 20  # takes a dictionary of 128 MiB; `xz -9` makes one of 64 MiB, the format allows 4 GiB
_HEADER = 13
_MAX_PROPERTIES = (4 * 5 + 4) * 9 + 8  # pb, lp and lc at their largest
_MIN_DICTIONARY, _MAX_DICTIONARY = 4096, 0xFFFFFFFF  # and between them 2^n or 2^n + 2^(n-1)
_UNKNOWN_SIZE, _MAX_SIZE = (1 << 64) - 1, 1 << 38  # liblzma, too, takes a larger one for no LZMA


class BoundedDecompressor:
    """liblzma with a limit on memory that is named where it is met."""

    def __init__(self, form: int) -> None:
        """Make one for a `lzma.FORMAT_…`."""
        self._decompressor = lzma.LZMADecompressor(form, MEMORY_BYTES)

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._decompressor.eof

    @property
    def needs_input(self) -> bool:
        """Whether it can give no more without input."""
        return self._decompressor.needs_input

    @property
    def unused_data(self) -> bytes:
        """What followed the stream."""
        return self._decompressor.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Decode as liblzma does; a dictionary that is too large is an UnsupportedError."""
        try:
            return self._decompressor.decompress(data, max_length)
        except lzma.LZMAError as error:
            if "Memory usage limit" in str(error):
                raise UnsupportedError(
                    f"unsupported: an LZMA dictionary that takes more than {MEMORY_BYTES >> 20} MiB of memory"
                ) from error
            raise


def _decode(stream: CompressedInput) -> Iterator[bytes]:
    stream.unchecked = True
    while True:
        yield from decode_frame(stream, lambda: BoundedDecompressor(lzma.FORMAT_ALONE), lzma.LZMAError)
        if not stream.peek(1):
            return


def _recognise(head: bytes, named: bool) -> str | None:
    """Find a header that can be one, for LZMA alone has no magic bytes, and data behind it that decodes."""
    dictionary, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:_HEADER], "little")
    if (
        len(head) <= _HEADER
        or head[0] > _MAX_PROPERTIES
        or head[_HEADER]
        or (size >= _MAX_SIZE and size != _UNKNOWN_SIZE)
    ):
        return None
    power = 1 << max(0, dictionary.bit_length() - 1)
    if dictionary < _MIN_DICTIONARY or dictionary not in (power, power | power >> 1, _MAX_DICTIONARY):
        return None
    trial = BoundedDecompressor(lzma.FORMAT_ALONE)
    try:
        output = trial.decompress(head, len(head))
    except lzma.LZMAError:
        return None
    except UnsupportedError:
        return "header of LZMA alone"
    return "header of LZMA alone, and its first bytes decode" if output or trial.eof else None


LZMA = Codec(
    name="lzma",
    extensions=(".lzma",),
    magic=(),
    decode=lambda stream: gather(_decode(stream)),
    checked=False,
    recognise=_recognise,
)
