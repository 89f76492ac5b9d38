"""Text that is no UTF-8: which encoding an object has, and from that to UTF-8, piece by piece.

A byte order mark counts for more than the encoding that was asked for, as in the Encoding Standard
(https://encoding.spec.whatwg.org/#decode). Without either, UTF-16 is known by its NULs.
"""

from __future__ import annotations

import codecs
import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from encodings import aliases
from functools import cache

UTF8 = "utf-8"
ENCODING_SAMPLE = 1024  # bytes that show whether a text without a mark is UTF-16
_MARKS = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16's, which it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_WITH_MARK = {"utf-8-sig": UTF8, "utf-16": "utf-16-le", "utf-32": "utf-32-le"}  # what they are without one: Windows'
_BY_LINE = re.compile(r"iso2022|utf-7")
_NO_FILES = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")
_KNOWN = "a text codec of Python's, such as windows-1252, utf-16-le or shift_jis"
_PART = 1 << 20
_BAD = "\udcff"  # no text has it: an encoded surrogate is a bad byte
_ENCODED_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_NO_TEXT = ("Cn", "Co", "Cs", "Cc")


@dataclass(frozen=True, kw_only=True)
class EncodingChoice:
    """The encoding of an object.

    Attributes:
        name: As Python's codecs have it.
        rule: How it was found out, where neither the job nor a mark says it.
        warning: What is unusual about it.
    """

    name: str
    rule: str | None = None
    warning: str | None = None


def encoding_error(name: str) -> str | None:
    """Return why a name is neither `auto` nor that of an encoding of texts; None where it is."""
    if name == "auto" or _is_of_text(name):
        return None
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):  # a NUL in it is a ValueError
        known = [each.replace("_", "-") for names in aliases.aliases.items() for each in names]
        near = [each for each in difflib.get_close_matches(name.lower().replace("_", "-"), known) if _is_of_text(each)]
        return f"it must be auto or {_KNOWN}{f'; is {near[0]} meant?' if near else ''}"
    return f"no text in a file is encoded like this: it must be auto or {_KNOWN}"


def _is_of_text(name: str) -> bool:
    try:
        b"\0\0\0\0".decode(name, "ignore")
    except (LookupError, ValueError):  # `undefined` raises UnicodeError, which is a ValueError
        return False
    return codecs.lookup(name).name not in _NO_FILES


def choose_encoding(head: bytes, asked: str) -> EncodingChoice:
    """Choose the encoding of an object.

    Args:
        head: Its first `ENCODING_SAMPLE` decoded bytes or more, or all there are.
        asked: `auto`, or the name of a codec.
    """
    name = UTF8 if asked == "auto" else codecs.lookup(asked).name
    mark = _mark(head, name)
    if asked == "auto":
        found = None if mark else utf16_without_mark(head)
        rule = f"{found.upper()} by its NULs" if found else None
        return EncodingChoice(name=found or mark or UTF8, rule=rule)
    plain = _WITH_MARK.get(name, name)
    if mark is None or mark == plain or (name in _WITH_MARK and mark[:6] == name[:6]):
        return EncodingChoice(name=mark or plain)
    return EncodingChoice(
        name=mark,
        warning=f"it begins with the byte order mark of {mark.upper()}: read as that, not as {asked} (--encoding)",
    )


def _mark(head: bytes, name: str) -> str | None:
    """Return the encoding whose mark is at the beginning; NULs behind UTF-16's are characters where that was asked."""
    found = (named for mark, named in _MARKS.items() if head.startswith(mark))
    return next((named for named in found if not (named[:6] == "utf-32" and name[:6] == "utf-16")), None)


def utf16_without_mark(head: bytes) -> str | None:
    """Return the byte order of UTF-16 that has no mark but is plainly that by its NULs; None for all else.

    Nearly all NULs are on one side of the code units (U+4E00 and U+1F600 have theirs on the other), and make a quarter
    of these ASCII or Latin-1; none is NUL, a control character, unassigned, of private use, or half a pair. Binary
    files with NULs fail in one of these.
    """
    sample = head[: min(len(head), ENCODING_SAMPLE) & ~1]
    low, high = sample[::2], sample[1::2]
    below, above = low.count(0), high.count(0)
    if len(low) < 2 or max(below, above) * 4 < len(low) or min(below, above) * 4 > max(below, above):
        return None
    name = "utf-16-le" if above > below else "utf-16-be"
    decoder = codecs.getincrementaldecoder(name)()
    try:
        text = decoder.decode(sample)
    except UnicodeDecodeError:
        return None
    strange = (unicodedata.category(letter) in _NO_TEXT for letter in set(text) - set("\t\n\f\r\x1b\ufeff"))
    return None if any(strange) else name


@cache
def ends_lines_like_ascii(name: str) -> bool:
    """Whether a text can be decoded from any line on: UTF-8, or one byte a character and the first 128 as in ASCII."""
    if name == UTF8:
        return True
    decoder = codecs.getincrementaldecoder(name)(_ERRORS)
    for byte in range(256):
        decoder.reset()
        letter = decoder.decode(bytes([byte]))
        like_ascii = letter == chr(byte) if byte < 128 else letter != "\n"
        if len(letter) != 1 or decoder.getstate()[0] or not like_ascii:
            return False
    return True


def transcode(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Make UTF-8 of a text; what can't be decoded becomes a bad byte, so that it is replaced and counted like one.

    Memory does not grow with the text, and where it is cut changes nothing.

    Args:
        name: The codec's name, as `choose_encoding` gives it.
        chunks: The text. If it breaks, a character that was cut off is left out.
    """
    if name == UTF8:
        yield from chunks
        return
    # EBCDIC ends lines with NEL.
    newline = "\x85" if b"\x15\x15\x15\x15".decode(name, "ignore")[:1] == "\x85" else "\n"
    for text in _by_line(name, chunks) if _BY_LINE.match(name) else _decoded(name, chunks):
        data = text.replace(newline, "\n").encode("utf-8", "surrogatepass")
        yield _ENCODED_SURROGATE.sub(b"\xff", data)


def _decoded(name: str, chunks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(name)(_ERRORS)
    for data in chunks:
        yield decoder.decode(data)
    yield decoder.decode(b"", True)


def _by_line(name: str, chunks: Iterable[bytes]) -> Iterator[str]:
    """Decode what begins anew in each line, line by line: its incremental decoders fail at bad bytes, or keep too much.

    RFC 1468 (ISO-2022-JP) and RFC 2152 (UTF-7) end shifts with the line.
    """
    rest = b""
    for data in chunks:
        *lines, rest = (rest + data).split(b"\n")
        yield "".join(_in_parts(name, line) + "\n" for line in lines)
        while len(rest) >= _PART:
            yield rest[:_PART].decode(name, _ERRORS)
            rest = rest[_PART:]
    yield rest.decode(name, _ERRORS)


def _in_parts(name: str, line: bytes) -> str:
    parts = (line[start : start + _PART] for start in range(0, len(line), _PART))
    return "".join(part.decode(name, _ERRORS) for part in parts)


def _as_bad_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _BAD, error.end


_ERRORS = "rekindle.bad_byte"
codecs.register_error(_ERRORS, _as_bad_byte)
