"""From bytes to UTF-8: byte order marks, UTF-16, and bad bytes.

Bad UTF-8 becomes U+FFFD, one for each maximal bad subsequence, as Unicode recommends (chapter 3.9) and Python does.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

_ENCODED_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Take the byte order mark off a stream, and make UTF-8 of UTF-16."""
    stream = iter(chunks)
    head = b""
    try:
        while len(head) < len(codecs.BOM_UTF8) and (data := next(stream, None)) is not None:
            head += data
    except Exception:
        yield head
        raise
    if head.startswith(codecs.BOM_UTF8):
        head = head[len(codecs.BOM_UTF8) :]
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from _from_utf16(head, stream)
        return
    yield head
    yield from stream


def _from_utf16(head: bytes, stream: Iterator[bytes]) -> Iterator[bytes]:
    """Transcode UTF-16; an unpaired surrogate becomes a bad byte, so that it is replaced and counted like one."""
    name = "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    decoder = codecs.getincrementaldecoder(name)("surrogatepass")
    yield _without_surrogates(decoder.decode(head[2:]))
    for data in stream:
        yield _without_surrogates(decoder.decode(data))
    if decoder.getstate()[0]:
        yield b"\xff"


def _without_surrogates(text: str) -> bytes:
    return _ENCODED_SURROGATE.sub(b"\xff", text.encode("utf-8", "surrogatepass"))


def is_utf8(data: bytes) -> bool:
    """Whether all bytes are valid UTF-8; at 30 GB/s where they are ASCII."""
    if data.isascii():
        return True
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, pa.py_buffer(np.array([0, len(data)])), pa.py_buffer(data)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def whole_characters(text: bytes) -> int:
    """Return the bytes of a text up to the last character that is not cut off at its end."""
    return codecs.utf_8_decode(text, "replace", False)[1]
