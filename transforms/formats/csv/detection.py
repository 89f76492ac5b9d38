"""Whether a text is CSV, and if not, why not; and what is unusual about a file that is called CSV.

Prose and log lines with commas are no CSV: as CSV their first line would be lost as a header. So there must be two
complete rows, all of one width, and a first row that can be a header and has nothing in common with the second.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from transforms.formats.csv.dialect import Dialect
from transforms.formats.csv.first_records import (
    SAMPLE_BYTES,
    SEPARATOR_LINE,
    FirstRecords,
    first_records,
    sample_text,
)
from transforms.formats.csv.flow_logs import is_flow_log_header
from transforms.formats.csv.header_evidence import NOTHING_SHOWS, reason_against_header
from transforms.formats.csv.rows import header_row, own_cells
from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.options import FormatOptions

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
# PostgreSQL's csvlog, of 23 columns (9.0) to 26 (14): https://www.postgresql.org/docs/current/runtime-config-logging.html
_CSVLOG = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Z+\d-]+,")
_CSVLOG_CELLS = range(22, 30)
_OF_TABS = (".tsv", ".tab")
_AS_DATA = "it is read as data, of column_1, column_2…"
_MOST_TITLES = 20  # records before a header
# Delimiter -> what it is called, and how it is written on the command line.
_OTHERS = {";": ("semicolons", ";"), "\t": ("tabs", r"\t"), "|": ("bars", "|")}
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))


def recognise(sample: FormatSample) -> FormatChoice | str:
    """Choose CSV where a sample has a header and rows, or the first line of a known kind of file."""
    text = sample.start.lstrip()
    if text.startswith(("{", "[")):
        return ""
    if found := _known(sample):
        return found
    cells, reason = _width(text, whole=sample.whole)
    return FormatChoice(format="csv", rule=f"begins with a header and rows of {cells} cells") if cells else reason


def _known(sample: FormatSample) -> FormatChoice | None:
    """Choose CSV for a flow log with its header, for PostgreSQL's csvlog, and for what names its separator."""
    line = sample.start.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    if is_flow_log_header(line.split(" ")):
        rule = "begins with AWS's names of flow log fields"
        return FormatChoice(format="csv", rule=rule, options={"delimiter": " "})
    if SEPARATOR_LINE.match(line.encode()):
        return _with_columns(FormatChoice(format="csv", rule="begins with sep="), sample)
    if _CSVLOG.match(line) and any(len(row) in _CSVLOG_CELLS for row in _first(sample, FormatOptions()).cells[:1]):
        return _with_columns(FormatChoice(format="csv", rule="begins like PostgreSQL's csvlog"), sample)
    return None


def amend(choice: FormatChoice, sample: FormatSample) -> FormatChoice:
    """Look at the beginning of a file that is called CSV: its delimiter, and whether it has a header."""
    line = sample.start.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    if is_flow_log_header(line.split(" ")):
        return replace(choice, rule=f"{choice.rule}, with AWS's names of flow log fields", options={"delimiter": " "})
    if choice.rule.endswith(_OF_TABS):
        choice = replace(choice, options={"delimiter": "\t"})
    return _with_columns(choice, sample)


def mismatch(head: bytes, options: FormatOptions) -> str | None:
    """Return why the first record of an object that is asked to be read as CSV hardly is its header."""
    if options.headers is not None:
        return None
    text = sample_text(head)
    first = first_records(text, options, whole=len(head) < SAMPLE_BYTES)
    if lines := _lines_of_preamble(first):
        return _preamble_warning(lines)
    reason = _reason_against_header(first)
    if not reason or reason == NOTHING_SHOWS:
        return None
    return f"{reason}, but it is taken for the header: --headers names the columns, and then it is an event too"


def _first(sample: FormatSample, options: FormatOptions) -> FirstRecords:
    text = sample.text.encode("utf-8", "replace")
    return first_records(text, options, whole=sample.complete)


def _with_columns(choice: FormatChoice, sample: FormatSample) -> FormatChoice:
    """Name the columns of what has no header, and report what else is unusual about the first records."""
    first = _first(sample, FormatOptions(**choice.options))
    lines = _lines_of_preamble(first)
    others = _other_delimiter_of(sample) if first.dialect.delimiter == "," else ""
    reason = _reason_against_header(first)
    if others and reason == NOTHING_SHOWS:  # it shows once its cells are told apart
        reason = ""
    warnings = []
    if lines:
        warnings.append(_preamble_warning(lines))
    elif reason == NOTHING_SHOWS:
        warnings.append(f"{reason}: {_AS_DATA}; --format csv takes it for the header, --headers names the columns")
    elif reason:
        warnings.append(f"{reason}: {_AS_DATA}; --headers names them")
    if lines or reason:
        width = _columns(first.cells)
        names = {"headers": tuple(f"column_{number}" for number in range(1, width + 1))}
        choice = replace(choice, rule=f"{choice.rule}, without a header", options={**choice.options, **names})
    if others:
        warnings.append(f"it begins with {others}; by its name it is read with commas")
    return replace(choice, warning="; ".join(warnings) or None)


def _other_delimiter_of(sample: FormatSample) -> str:
    lines = _complete_lines(sample.start, whole=False)[:2]
    return "" if not lines or "," in lines[0] else _other_delimiter(lines)


def _reason_against_header(first: FirstRecords) -> str:
    cells = first.cells
    return reason_against_header(own_cells(cells[0]), cells[1:]) if cells else ""


def _columns(rows: Sequence[Sequence[str]]) -> int:
    """Return how many cells the rows of a table have: the most that two of them have, so that one may be longer."""
    widths = Counter(map(len, rows))
    return max((width for width, rows_of_it in widths.items() if rows_of_it > 1), default=len(rows[0]))


def _lines_of_preamble(first: FirstRecords) -> int:
    """Return how many lines stand before the header: titles, which have fewer cells than what follows; else 0."""
    rows = first.cells
    if rows and rows[0][0].startswith("#TYPE "):  # of PowerShell's Export-Csv
        return first.lines_before(1) if len(rows) > 1 else 0
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    if width < 2 or (_filled(rows[0]) * 2 > width and not reason_against_header(rows[0], rows[1:])):
        return 0
    place = next((place for place, row in enumerate(rows) if _filled(row) >= width), 0)
    if not place or place > _MOST_TITLES or len(rows) < place + 2:
        return 0
    return 0 if reason_against_header(rows[place], rows[place + 1 :]) else first.lines_before(place)


def _filled(row: Sequence[str]) -> int:
    """Return the cells of a row up to the last one that is not empty."""
    return max((place for place, cell in enumerate(row, 1) if cell), default=0)


def _preamble_warning(lines: int) -> str:
    one = lines == 1
    return (
        f"{lines} line{'' if one else 's'} before its header {'is' if one else 'are'} no row: --skip-rows {lines} "
        f"passes over {'it' if one else 'them'}"
    )


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


def header_cells(text: bytes) -> list[str]:
    """Return the header of CSV as it will be read; what there is of it where the text ends within it."""
    start = len(text) - len(text.lstrip(b"\r\n"))
    cells, end = header_row(text, start, Dialect())
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
