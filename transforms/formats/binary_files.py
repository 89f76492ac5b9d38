"""Files that are no text: known by their first bytes, so that a refusal can name them."""

from __future__ import annotations

import codecs

_NUL_SAMPLE = 1024  # bytes; a NUL that comes later is a character of its line
_UTF32 = "UTF-32 text"
_CODEC = "stream"  # what the names of codecs end with
# (offset, beginning, what it is)
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (257, b"ustar", "tar archive"),
    (0, b"PK\x03\x04", "zip archive"),
    (0, b"PK\x05\x06", "zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (0, b"!<arch>\n", "ar archive"),
    (0, b"PAR1\x15", "Parquet file"),
    (0, b"Obj\x01", "Avro file"),
    (0, b"ORC\x00", "ORC file"),
    (0, b"ORC\x0a", "ORC file"),
    (0, b"ARROW1\x00", "Arrow file"),
    (0, b"SQLite format 3\x00", "SQLite database"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5 file"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document"),
    (0, b"%PDF-", "PDF document"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF87a", "GIF image"),
    (0, b"GIF89a", "GIF image"),
    (0, b"II*\x00", "TIFF image"),
    (0, b"MM\x00*", "TIFF image"),
    (8, b"WEBPVP8", "WebP image"),
    (0, b"\x7fELF", "ELF program"),
    (0, b"\xd4\xc3\xb2\xa1", "pcap capture"),
    (0, b"\xa1\xb2\xc3\xd4", "pcap capture"),
    (0, b"\x4d\x3c\xb2\xa1", "pcap capture"),
    (0, b"\xa1\xb2\x3c\x4d", "pcap capture"),
    (0, b"\x0a\x0d\x0d\x0a", "pcapng capture"),
    (0, b"ElfFile\x00", "Windows event log (evtx)"),
    (0, b"LPKSHHRH", "systemd journal"),
    (0, b"\xff\xfe\x00\x00", _UTF32),
    (0, b"\x00\x00\xfe\xff", _UTF32),
    (0, b"\x1f\x8b\x08", "gzip stream"),
    (0, b"\x28\xb5\x2f\xfd", "zstd stream"),
    (0, b"BZh", "bzip2 stream"),
    (0, b"LZIP\x01", "lzip archive"),
    (0, b"\xfd7zXZ\x00", "xz stream"),
    (0, b"\x04\x22\x4d\x18", "LZ4 stream"),
    (0, b"\x1f\x9d", "compress stream"),
    (0, b"\xff\x06\x00\x00sNaPpY", "Snappy stream"),
)


def binary_kind(head: bytes) -> str | None:
    """Return what binary file begins like this; None for text."""
    for offset, magic, name in _MAGIC:
        # Letters alone may begin a text as well.
        if head.startswith(magic, offset) and not (magic.isalpha() and _is_text(head)):
            return name
    if b"\0" in head[:_NUL_SAMPLE] and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "binary file (it holds NUL bytes)"
    return None


def hint(kind: str) -> str:
    """Say what can be done about a binary file."""
    if kind.endswith(_CODEC):  # a codec that can be undone was undone before
        return "it lies inside as many codecs as are taken off, or is damaged where it begins"
    if kind == _UTF32:
        return "--encoding utf-32 reads it (with --format alone its bytes are read as they stand)"
    if kind.endswith("archive"):
        return "unpack it, and ingest what is in it (with --format its own bytes would be read as they stand)"
    return "with --format its bytes are read all the same"


def _is_text(head: bytes) -> bool:
    if b"\0" in head[:_NUL_SAMPLE]:
        return False
    try:
        codecs.utf_8_decode(head, "strict", False)
    except UnicodeDecodeError:
        return False
    return True
