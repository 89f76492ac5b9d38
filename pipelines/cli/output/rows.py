r"""Rows and documents on standard output, as JSON or CSV. Without rich, which takes 0.04 s to import.

In a pipe or a file they are written as they are. On a terminal, control characters of log text are shown as `\x1b`: a
terminal would obey.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import orjson

_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters (C0, C1), and those that turn the direction of a text or break its lines."""
_JSON_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def print_json(document: object) -> None:
    """Print one JSON document."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    sys.stdout.write((_printable_json(text) if sys.stdout.isatty() else text) + "\n")


def print_rows_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as NDJSON, each as it comes."""
    is_terminal = sys.stdout.isatty()
    for row in rows:
        line = orjson.dumps(row, default=_json_value, option=_JSON_OPTIONS)
        sys.stdout.buffer.write((_printable_json(line.decode()).encode() if is_terminal else line) + b"\n")
    sys.stdout.flush()


def print_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a few rows as CSV, written as `export.as_csv` writes many: without Polars, which takes 0.15 s to import."""
    lines = io.StringIO()
    # before Python 3.13 a lone CR was quoted where it is part of a line's end alone
    writer = csv.writer(lines, lineterminator="\r\n")
    written = bytearray()
    for row in chain([columns], rows):
        writer.writerow(map(_csv_cell, row))
        written += lines.getvalue().removesuffix("\r\n").encode() + b"\n"
        lines.seek(0)
        lines.truncate()
    write_csv(bytes(written))


def write_csv(text: bytes) -> None:
    """Print CSV that is made already."""
    sys.stdout.buffer.write(printable(text.decode()).encode() if sys.stdout.isatty() else text)
    sys.stdout.buffer.flush()


def printable(text: str) -> str:
    r"""Return a text that can do a terminal no harm, nor show itself as another.

    Control characters but tab and newline are written as `\x1b`, those that turn the direction as `\u202e`.
    """
    return _HARMFUL.sub(lambda match: f"\\x{code:02x}" if (code := ord(match[0])) < 256 else f"\\u{code:04x}", text)


def _printable_json(text: str) -> str:
    r"""Return JSON with the harmful characters escaped that it allows in strings: DEL to `\u009f`, `\u202e`."""
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _csv_cell(cell: object) -> object:
    """Return a value as CSV has it: times as in JSON."""
    if isinstance(cell, datetime):
        return cell.isoformat().removesuffix("+00:00") + ("Z" if cell.tzinfo is not None else "")
    return cell


def _json_value(value: object) -> object:
    """Return what orjson does not know: decimals as numbers with all their digits, all else as text."""
    return orjson.Fragment(f"{value:f}") if isinstance(value, Decimal) else str(value)
