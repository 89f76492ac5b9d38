"""From bytes to UTF-8 with line feeds: byte order marks, UTF-16, bad bytes, and the line ends of old Macs.

Bad UTF-8 becomes U+FFFD, one for each maximal bad subsequence, as Unicode recommends (chapter 3.9) and Python does.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from transforms.core.peeking import peek
from transforms.formats.transcoding import transcode

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LINE_END_SAMPLE = 64 << 10
_SEPARATORS = re.compile(rb"(?:[ \t\r\n\0\x1e]|\xef\xbb\xbf)*")
_SEPARATORS_BEHIND = re.compile(rb"(?<=[\n}\],])(?:[ \t\r\n\0\x1e]|\xef\xbb\xbf)+")
_TO_BLANKS = bytes.maketrans(b"\0\x1e", b"  ")


def utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Take the byte order mark off a stream, and make UTF-8 of UTF-16."""
    head, stream = peek(chunks, len(codecs.BOM_UTF8))
    mark = next((mark for mark in (codecs.BOM_UTF8, *_UTF16) if head.startswith(mark)), b"")
    return utf8_within(head, _without_first(stream, len(mark)))


def utf8_within(head: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Make UTF-8 of a part of an object that begins like `head`; the part begins with a character and has no mark."""
    name = _UTF16.get(head[:2])
    return iter(chunks) if name is None else transcode(name, chunks)


def without_separators(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield JSON with blanks in place of what else may stand between its texts.

    RFC 7464 begins each with a record separator (0x1E), GELF over TCP ends it with a NUL, and files that were put
    together have byte order marks. They are white space at the beginning, behind a line feed, and behind brackets and
    commas (not within a string: there they are a mistake).
    """
    between, rest = True, b""
    for chunk in chunks:
        text = rest + chunk
        rest = text[len(text) - next((n for n in (2, 1) if text.endswith(codecs.BOM_UTF8[:n])), 0) :]
        text = text[: len(text) - len(rest)]
        if b"\x1e" in text or b"\0" in text or _has_mark(text):
            if between:
                first = _SEPARATORS.match(text)
                assert first is not None
                text = _blanks(first) + text[first.end() :]
            text = _SEPARATORS_BEHIND.sub(_blanks, text)
        between = text.rstrip(b" \t\r")[-1:] in b"\n}]," and (between or bool(text.strip(b" \t\r")))
        yield text
    yield rest


def _has_mark(text: bytes) -> bool:
    """Whether a byte order mark is in a text; one byte is looked for at 25 GB/s, three at 1."""
    return codecs.BOM_UTF8[:1] in text and codecs.BOM_UTF8 in text


def _blanks(found: re.Match[bytes]) -> bytes:
    return found[0].replace(codecs.BOM_UTF8, b"   ").translate(_TO_BLANKS)


def with_line_feeds(chunks: Iterable[bytes], *, head: bytes | None = None) -> Iterator[bytes]:
    """Yield a stream as it is, but one with CR and without LF in its first 64 KiB with LF in place of each CR.

    Without this a file of an old Mac would be one line, and as CSV its rows would be lost as a header.

    Args:
        chunks: The stream, cut anywhere.
        head: The beginning of what it is a part of.
    """
    stream = iter(chunks)
    if head is None:
        head, stream = peek(stream, _LINE_END_SAMPLE)
    head = head[:_LINE_END_SAMPLE]
    alone = b"\r" in head and b"\n" not in head
    yield from (chunk.replace(b"\r", b"\n") for chunk in stream) if alone else stream


def _without_first(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[count:]
        count = max(count - len(chunk), 0)


def is_utf8(data: bytes | memoryview) -> bool:
    """Whether all bytes are valid UTF-8; at 30 GB/s where they are ASCII."""
    if isinstance(data, bytes) and data.isascii():
        return True
    try:
        pa.Array.from_buffers(
            pa.large_string(), 1, [None, pa.py_buffer(np.array([0, len(data)])), pa.py_buffer(data)]
        ).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def whole_characters(text: bytes) -> int:
    """Return the bytes of a text up to the last character that is not cut off at its end."""
    return codecs.utf_8_decode(text, "replace", False)[1]
