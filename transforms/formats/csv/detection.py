"""Whether a text is CSV, and if not, why not; and what is unusual about a file that is called CSV.

Prose and log lines with commas are no CSV: as CSV their first line would be lost as a header. So there must be two
complete rows, all of one width, and a first row that can be a header and has nothing in common with the second.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace

from transforms.formats.csv.rows import header_row
from transforms.formats.format import FormatChoice, FormatSample

_MAX_HEADER_CELL = 64
# A header names things: a number, a time or an address is a value, and so are a setting and a level.
_VALUE = re.compile(
    r"""
    [-+$€£v]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+)?%?        # a number, with any separators: a date, IPv4, a version as well
    | [0-9a-fA-F-]{16,}                                 # a hash, a UUID
    | .*\d{1,2}:\d{2}.*                                 # a time of day
    | .*\d{4}[-/]\d{1,2}[-/]\d{1,2}.* | .*\d{1,2}[-/.](?:\d{1,2}|[A-Za-z]{3})[-/.]\d{2,4}.*   # a date
    | .*\d{1,3}(?:\.\d{1,3}){3}.* | [0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:]*                 # IPv4, IPv6
    | \S+@\S+\.\S+ | \w+://.* | /\S*                    # mail, URL, path
    | [^\s=]+=.*                                        # key=value
    | true|false|null|None|-
    | [^\s:]+:\S.*                                      # key:value
    | (?i:trace|debug|info|notice|warn|warning|error|err|fatal|critical|alert|emerg)
    """,
    re.VERBOSE | re.DOTALL,
)
_TIME = re.compile(r"\W?\d[\d/.-]{5,}[T ,:]\d{1,2}:\d{2}\b.{0,20}")
# Delimiter -> what it is called, and how it is written on the command line.
_OTHERS = {";": ("semicolons", ";"), "\t": ("tabs", r"\t"), "|": ("bars", "|")}
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))


def recognise(sample: FormatSample) -> FormatChoice | str:
    """Choose CSV where a sample has a header and rows."""
    text = sample.start.lstrip()
    if text.startswith(("{", "[")):
        return ""
    cells, reason = _width(text, whole=sample.whole)
    return FormatChoice(format="csv", rule=f"begins with a header and rows of {cells} cells") if cells else reason


def amend(choice: FormatChoice, sample: FormatSample) -> FormatChoice:
    """Look at the beginning of a file that is called CSV: its delimiter, and whether it has a header."""
    if columns := _columns_without_header(sample.start):
        return replace(
            choice,
            rule=f"{choice.rule}, without a header",
            warning="its first row has a time where the second has one: it is read as data, of column_1, column_2…; "
            "--headers names them",
            options={"headers": tuple(f"column_{number}" for number in range(1, columns + 1))},
        )
    lines = _complete_lines(sample.start, whole=False)[:2]
    others = "" if not lines or "," in lines[0] else _other_delimiter(lines)
    warning = f"it begins with {others}; by its name it is read with commas" if others else None
    return replace(choice, warning=warning)


def _width(text: str, *, whole: bool) -> tuple[int, str]:
    """Look for rows of CSV.

    Args:
        text: The beginning of a file.
        whole: Whether it is all of it, so that its last line is complete.

    Returns:
        The number of cells of each row, and an empty text; or 0 and why it is no CSV, empty where it is nothing like
        it.
    """
    lines = _complete_lines(text, whole=whole)
    if "," not in (lines[0] if lines else text):
        return 0, _other_delimiter(lines)
    rows = _rows(lines, ",")
    if len(rows) < 2 or len(rows[0]) < 2:
        return 0, "commas, but fewer than two complete rows of CSV" if len(rows) < 2 else ""
    if any(len(row) != len(rows[0]) for row in rows):
        return 0, "lines with commas, but not of one number of cells"
    reason = _no_header(rows[0], rows[1:], alike=_shape(lines[0]) == _shape(lines[1]))
    return (0, reason) if reason else (len(rows[0]), "")


def _columns_without_header(text: str) -> int:
    """Return how many columns there are if the first two rows have a time in the same place, so no header; else 0."""
    rows = _rows(_complete_lines(text, whole=False)[:2], ",")
    if len(rows) < 2 or len(rows[0]) != len(rows[1]):
        return 0
    timed = any(_TIME.fullmatch(first) and _TIME.fullmatch(second) for first, second in zip(*rows, strict=True))
    return len(rows[0]) if timed else 0


def header_cells(text: bytes) -> list[str]:
    """Return the header of CSV as it will be read; what there is of it where the text ends within it."""
    start = len(text) - len(text.lstrip(b"\r\n"))
    cells, end = header_row(text, start, ",")
    return text[start:end].decode().strip("\r\n").split(",") if cells is None else cells


def _complete_lines(text: str, *, whole: bool) -> list[str]:
    end = len(text) if whole else text.rfind("\n") + 1
    lines = [line for line in text[:end].replace("\r\n", "\n").split("\n") if line]
    if text[:end].count('"') % 2:  # a quoted cell goes on beyond the sample
        lines = lines[: _last_even(lines)]
    return lines


def _last_even(lines: list[str]) -> int:
    quotes, kept = 0, 0
    for number, line in enumerate(lines, 1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            kept = number
    return kept


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []


def _no_header(cells: list[str], rows: list[list[str]], *, alike: bool) -> str:
    if not all(cell.strip() for cell in cells):
        return "a first row with blank cells, no header"
    if len(set(cells)) < len(cells):
        return "a first row with the same cell twice, no header"
    if any(cell != cell.strip() or len(cell) > _MAX_HEADER_CELL for cell in cells):
        return "a first row of phrases, not of names"
    if any(_VALUE.fullmatch(cell) or _is_cut(cell) for cell in cells):
        return "a first row that could be values, not names"
    if alike or any(cell == other for row in rows for cell, other in zip(cells, row, strict=True)):
        return "a first row like one below it, no header"
    return ""


def _is_cut(cell: str) -> bool:
    """Whether a comma was within brackets, as in code and SQL."""
    return any(cell.count(opening) != cell.count(closing) for opening, closing in _BRACKETS)


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _other_delimiter(lines: list[str]) -> str:
    """Return what separates the cells of lines if it is not commas, and how they are read; else nothing."""
    for delimiter, (name, written) in _OTHERS.items():
        rows = _rows(lines, delimiter)
        widths = {len(row) for row in rows}
        if (
            len(rows) > 1
            and len(widths) == 1
            and (width := widths.pop()) > 1
            and not _no_header(rows[0], rows[1:], alike=False)
        ):
            return f"rows of {width} cells separated by {name}, which --format csv --delimiter '{written}' would read"
    return ""
