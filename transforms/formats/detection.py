"""Which format an object has, and why (spec §4.2)."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass

from transforms.errors import UnsupportedError

SAMPLE_BYTES = 1024

_EXTENSIONS = {".csv": "csv", ".json": "json", ".ndjson": "json", ".jsonl": "json"}
_JSON_START = re.compile(r'\s*(?:\{\s*["}]|\[\s*[{\]])')
_JSON_RULE = "begins like a JSON object or an array of them"
_MAX_HEADER_CELL = 64
# A header names things: a number, a time or an address is a value.
_VALUE = re.compile(
    r"""
    [-+]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+)?%?            # a number, with any separators: a date or an IPv4 address as well
    | .*\d{1,2}:\d{2}.*                                 # a time of day
    | .*\d{4}[-/]\d{1,2}[-/]\d{1,2}.* | .*\d{1,2}[-/.](?:\d{1,2}|[A-Za-z]{3})[-/.]\d{2,4}.*   # a date
    | .*\d{1,3}(?:\.\d{1,3}){3}.* | [0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:]*                 # IPv4, IPv6
    | \S+@\S+\.\S+ | \w+://.*                           # mail, URL
    """,
    re.VERBOSE,
)
# Beginning -> what it is. (offset, bytes)
_BINARY: tuple[tuple[int, bytes, str], ...] = (
    (257, b"ustar", "tar archive"),
    (0, b"PK\x03\x04", "zip archive"),
    (0, b"PK\x05\x06", "zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (0, b"PAR1", "Parquet file"),
    (0, b"Obj\x01", "Avro file"),
    (0, b"ORC\x00", "ORC file"),
    (0, b"ORC\x0a", "ORC file"),
    (0, b"ARROW1", "Arrow file"),
    (0, b"SQLite format 3\x00", "SQLite database"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF87a", "GIF image"),
    (0, b"GIF89a", "GIF image"),
    (0, b"%PDF-", "PDF document"),
    (0, b"\x7fELF", "ELF program"),
    (0, b"BZh", "bzip2 stream"),
    (0, b"\xfd7zXZ\x00", "xz stream"),
    (0, b"\x04\x22\x4d\x18", "LZ4 stream"),
    (0, b"\x1f\x9d", "compress stream"),
    (0, b"\xff\x06\x00\x00sNaPpY", "Snappy stream"),
)


@dataclass(frozen=True, kw_only=True)
class FormatChoice:
    """A format, the rule that chose it, and what is odd about it, if anything."""

    format: str
    rule: str
    warning: str | None = None


def detect_format(key: str, head: bytes) -> FormatChoice:
    """Choose the format of an object.

    Args:
        key: Its key without the extension of its codec.
        head: Its first decoded bytes: 1024, or all there are.

    Raises:
        UnsupportedError: It is an archive, an image or another binary file. (A format that is asked for by name reads it all the same.)
    """
    kind = binary_kind(head)
    if kind is not None:
        hint = "its codec comes with a later version" if kind.endswith("stream") else "an explicit --format reads it all the same"
        raise UnsupportedError(f"unsupported: {kind}; {hint}")
    text = _text(head[:SAMPLE_BYTES])
    for ending, name in _EXTENSIONS.items():
        if key.lower().endswith(ending):
            if name == "csv" and _JSON_START.match(text):  # as CSV its first record would be lost as a header
                return FormatChoice(format="json", rule=_JSON_RULE, warning="its name says CSV, but it begins like JSON: read as JSON")
            return FormatChoice(format=name, rule=f"extension {ending}")
    whole = len(head) < SAMPLE_BYTES
    if _JSON_START.match(text):
        return FormatChoice(format="json", rule=_JSON_RULE)
    cells = _csv_width(text.lstrip(), whole=whole)
    if cells:
        return FormatChoice(format="csv", rule=f"begins with a header and rows of {cells} cells")
    return FormatChoice(format="text", rule="neither extension nor content of another format")


def binary_kind(head: bytes) -> str | None:
    """Return what binary file begins like this; None for text."""
    for offset, magic, name in _BINARY:
        if head.startswith(magic, offset) and not (magic == b"BZh" and _is_text(head)):
            return name
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "binary file (it holds NUL bytes)"
    return None


def _is_text(head: bytes) -> bool:
    try:
        codecs.utf_8_decode(head, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def _text(head: bytes) -> str:
    """Decode a sample, the byte order mark taken off and a character that was cut at its end left out."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("replace").decode(head)
    return codecs.utf_8_decode(head.removeprefix(codecs.BOM_UTF8), "replace", False)[0]


def _csv_width(text: str, *, whole: bool) -> int:
    """Return the number of cells of each row if a sample is CSV, else 0.

    Prose and log lines with commas are no CSV: there must be two complete rows, all of one width, and a first row that can be a header and
    is not merely the second one with other digits.
    """
    end = len(text) if whole else text.rfind("\n") + 1
    lines = [line for line in text[:end].replace("\r\n", "\n").split("\n") if line]
    if text[:end].count('"') % 2:  # a quoted cell goes on beyond the sample
        lines = lines[: _last_even(lines)]
    try:
        rows = [row for row in csv.reader(lines) if row]
    except csv.Error:
        return 0
    if len(rows) < 2 or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return 0
    if not _can_be_header(rows[0]) or _shape(lines[0]) == _shape(lines[1]):
        return 0
    return len(rows[0])


def _last_even(lines: list[str]) -> int:
    quotes, kept = 0, 0
    for number, line in enumerate(lines, 1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            kept = number
    return kept


def _can_be_header(cells: list[str]) -> bool:
    return len(set(cells)) == len(cells) and all(
        cell and cell == cell.strip() and len(cell) <= _MAX_HEADER_CELL and not _VALUE.fullmatch(cell) for cell in cells
    )


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line)
