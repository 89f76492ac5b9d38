"""CSV: what becomes of a row, a header, a quote; the fast path against the tolerant one, and against Python's csv."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.transforms.formats.reading import EXAMPLES, FAST, TOLERANT, Reading, blocks_of, read_all
from transforms.formats.csv.csv_format import dialect_of
from transforms.formats.csv.rows import header_names
from transforms.formats.options import FormatOptions
from transforms.formats.record_block import MAX_CELLS

PATHS = [pytest.param(FAST, id="fast"), pytest.param(TOLERANT, id="tolerant")]

# Name, bytes after a header of a,b; (message, fields, error code) of each row.
_ROWS: list[tuple[str, bytes, list[tuple[str, dict[str, str], str | None]]]] = [
    ("plain", b"1,2\n", [("1,2", {"a": "1", "b": "2"}, None)]),
    ("no newline at the end", b"1,2", [("1,2", {"a": "1", "b": "2"}, None)]),
    ("CRLF", b"1,2\r\n3,4\r\n", [("1,2", {"a": "1", "b": "2"}, None), ("3,4", {"a": "3", "b": "4"}, None)]),
    ("empty cells", b",\n", [(",", {"a": "", "b": ""}, None)]),
    ("empty quotes", b'"",""\n', [('"",""', {"a": "", "b": ""}, None)]),
    ("spaces stay", b' 1 , "2"\n', [(' 1 , "2"', {"a": " 1 ", "b": ' "2"'}, None)]),
    ("quoted", b'"1,x","2"\n', [('"1,x","2"', {"a": "1,x", "b": "2"}, None)]),
    ("doubled quotes", b'"say ""hi""",2\n', [('"say ""hi""",2', {"a": 'say "hi"', "b": "2"}, None)]),
    ("newline in quotes", b'"1\nx",2\n3,4\n', [('"1\nx",2', {"a": "1\nx", "b": "2"}, None), ("3,4", {"a": "3", "b": "4"}, None)]),
    ("CRLF in quotes", b'"1\r\nx",2\r\n', [('"1\r\nx",2', {"a": "1\r\nx", "b": "2"}, None)]),
    ("blank line in quotes", b'"1\n\nx",2\n', [('"1\n\nx",2', {"a": "1\n\nx", "b": "2"}, None)]),
    ("quote in a cell", b'1"x,2\n', [('1"x,2', {"a": '1"x', "b": "2"}, None)]),
    ("quote in one cell, newline in another", b'1"x,"2\ny"\n', [('1"x,"2\ny"', {"a": '1"x', "b": "2\ny"}, None)]),
    ("text after a quote", b'"1"x,2\n', [('"1"x,2', {"a": "1x", "b": "2"}, None)]),
    ("short row", b"1\n2,3\n", [("1", {"a": "1"}, None), ("2,3", {"a": "2", "b": "3"}, None)]),
    ("long row", b"1,2,3\n4,5\n", [("1,2,3", {"a": "1", "b": "2"}, "too_many_columns"), ("4,5", {"a": "4", "b": "5"}, None)]),
    ("lone CR", b"1\rx,2\n", [("1\rx,2", {"a": "1\rx", "b": "2"}, None)]),
    ("NUL", b"1\0x,2\n", [("1\0x,2", {"a": "1\0x", "b": "2"}, None)]),
    ("NUL beside a lone CR", b"1\0,2\r.\n", [("1\0,2\r.", {"a": "1\0", "b": "2\r."}, None)]),
    ("bad bytes", b"1\xff,2\n3,4\n", [("1\ufffd,2", {"a": "1\ufffd", "b": "2"}, "invalid_text"), ("3,4", {"a": "3", "b": "4"}, None)]),
    ("bad bytes in a second line", b'"1\n\xff",2\n', [('"1\n\ufffd",2', {"a": "1\n\ufffd", "b": "2"}, "invalid_text")]),
    ("unclosed quote", b'1,"2\n3,4\n', [('1,"2', {}, "unclosed_quote"), ("3,4", {"a": "3", "b": "4"}, None)]),
    ("unclosed quote in the last line", b'1,2\n3,"4', [("1,2", {"a": "1", "b": "2"}, None), ('3,"4', {}, "unclosed_quote")]),
    ("two unclosed quotes", b'1,"2\n"3,4\n5,6\n',
     [('1,"2\n"3,4', {"a": "1", "b": "2\n3"}, "too_many_columns"), ("5,6", {"a": "5", "b": "6"}, None)]),
    ("white space is a row", b"  \n1,2\n", [("  ", {"a": "  "}, None), ("1,2", {"a": "1", "b": "2"}, None)]),
    ("line separators of Unicode", "1\u2028x,2\x0b\x0c\x85\n".encode(),
     [("1\u2028x,2\x0b\x0c\x85", {"a": "1\u2028x", "b": "2\x0b\x0c\x85"}, None)]),
]  # fmt: skip


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize("cut", [None, 1, 7])
@pytest.mark.parametrize(("data", "rows"), [row[1:] for row in _ROWS], ids=[row[0] for row in _ROWS])
def test_row(
    data: bytes, rows: list[tuple[str, dict[str, str], str | None]], cut: int | None, patches: dict[str, Any]
) -> None:
    reading = read_all(b"a,b\n" + data, "csv", cut=cut, patches=patches)
    assert list(zip(reading.messages, reading.fields, reading.errors, strict=True)) == rows
    assert (reading.blank, reading.header) == (0, 1)


# Name, bytes, options; header names that have values, (blank, header) lines, number of rows.
_HEADERS: list[tuple[str, bytes, dict[str, Any], list[str], tuple[int, int], int]] = [
    ("byte order mark", b"\xef\xbb\xbfa,b\n1,2\n", {}, ["a", "b"], (0, 1), 1),
    ("UTF-16", "a,b\n1,2\n".encode("utf-16"), {}, ["a", "b"], (0, 1), 1),
    ("quoted", b'"a","b,c"\n1,2\n', {}, ["a", "b,c"], (0, 1), 1),
    ("newline in the header", b'"a\nx",b\n1,2\n', {}, ["a\nx", "b"], (0, 2), 1),
    ("doubled names", b"a,a,a_2\n1,2,3\n", {}, ["a", "a_3", "a_2"], (0, 1), 1),
    ("blank names", b"a,, \n1,2,3\n", {}, ["a", "column_2", "column_3"], (0, 1), 1),
    ("names with NUL", b"a\0,a\0\n1,2\n", {}, ["a\ufffd", "a\ufffd_2"], (0, 1), 1),
    ("names of the system", b"_time,date\n1,2\n", {}, ["_time", "date"], (0, 1), 1),
    ("one column", b"a\n1\n\n2\n", {}, ["a"], (1, 1), 2),
    ("blank lines", b"\n\r\na,b\n\n1,2\n\n\n3,4\n\n", {}, ["a", "b"], (6, 1), 2),
    ("tabs", b"a\tb\n1\t2\n", {"delimiter": "\t"}, ["a", "b"], (0, 1), 1),
    ("a delimiter of two bytes", "a§b\n1§2\n".encode(), {"delimiter": "§"}, ["a", "b"], (0, 1), 1),
    ("skipped lines", b'x "y\n\na,b\n1,2\n', {"skip_rows": 2}, ["a", "b"], (0, 3), 1),
    ("more skipped than there is", b"a,b\n1,2\n", {"skip_rows": 5}, [], (0, 2), 0),
    ("given header", b"1,2\n3,4\n", {"headers": ("x", "y")}, ["x", "y"], (0, 0), 2),
    ("replaced header", b"a,b\n1,2\n", {"headers": ("x", "y"), "skip_rows": 1}, ["x", "y"], (0, 1), 1),
    ("header alone", b"a,b", {}, [], (0, 1), 0),
    ("header with an open quote", b'a,"b\n1,2\n', {}, ["a", '"b'], (0, 1), 1),
    ("blank lines alone", b"\n\n\r\n", {}, [], (3, 0), 0),
    ("nothing", b"", {}, [], (0, 0), 0),
]  # fmt: skip


@pytest.mark.parametrize("cut", [None, 1, 5])
@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize(
    ("data", "options", "names", "counts", "rows"), [row[1:] for row in _HEADERS], ids=[row[0] for row in _HEADERS]
)
def test_header(
    data: bytes,
    options: dict[str, Any],
    names: list[str],
    counts: tuple[int, int],
    rows: int,
    cut: int | None,
    patches: dict[str, Any],
) -> None:
    reading = read_all(data, "csv", cut=cut, patches=patches, **options)
    assert list(dict.fromkeys(name for fields in reading.fields for name in fields)) == names
    assert (reading.blank, reading.header) == counts
    assert len(reading.rows) == rows
    assert reading.errors == [None] * rows


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a_2", "a_3"]),
        (["a", "a_2", "a"], ["a", "a_2", "a_3"]),
        (["", "column_1", ""], ["column_1_2", "column_1", "column_3"]),
    ],
)
def test_header_names_are_unique(cells: list[str], names: list[str]) -> None:
    assert header_names(cells) == names


@pytest.mark.parametrize("cut", [None, 1, 16])
@pytest.mark.parametrize("patches", PATHS)
def test_record_too_long(cut: int | None, patches: dict[str, Any]) -> None:
    data = b"a,b\n1,2\n" + b"x" * 40 + b",3\n" + '"é'.encode() * 30 + b"\n4,5\n"
    reading = read_all(data, "csv", cut=cut, patches=patches, max_record=20)
    assert reading.errors == [None, "record_too_long", "record_too_long", None]
    assert reading.messages[1:3] == ["x" * 20, '"é' * 6 + '"']
    assert reading.fields == [{"a": "1", "b": "2"}, {}, {}, {"a": "4", "b": "5"}]


@pytest.mark.parametrize("cut", [None, 1, 16])
@pytest.mark.parametrize("patches", PATHS)
def test_quote_that_stays_open_too_long(cut: int | None, patches: dict[str, Any]) -> None:
    """It becomes an error, and takes no other line with it."""
    data = b'a,b\n1,"2\n' + b"3,4\n" * 20 + b'5,6"\n7,8\n'
    reading = read_all(data, "csv", cut=cut, patches=patches, max_record=30)
    assert reading.errors == ["unclosed_quote", *[None] * 22]
    assert reading.messages[21:] == ['5,6"', "7,8"]


@pytest.mark.parametrize("cut", [None, 1, 3])
def test_lines_of_old_macs(cut: int | None) -> None:
    reading = read_all(b'a,b\r1,"x, y"\r\r3,4', "csv", cut=cut)
    assert reading.fields == [{"a": "1", "b": "x, y"}, {"a": "3", "b": "4"}]
    assert (reading.header, reading.blank, reading.errors) == (1, 1, [None, None])


def test_time_of_the_record() -> None:
    reading = read_all(b'host,timestamp,location\n127.0.0.1,24/Mar/2025:16:25:29 -0500,"Chicago, IL"\n', "csv")
    assert reading.fields == [
        {"host": "127.0.0.1", "location": "Chicago, IL", "timestamp": "24/Mar/2025:16:25:29 -0500"}
    ]
    assert [(str(row["_time"]), row["_time_source"]) for row in reading.rows] == [
        ("2025-03-24 21:25:29+00:00", "record")
    ]


def test_wide_rows_bound_the_cells() -> None:
    width, rows = 5000, 1700
    data = (",".join(f"c{number}" for number in range(width)) + "\n" + ("," * (width - 1) + "\n") * rows).encode()
    blocks = list(blocks_of(data, "csv"))
    assert max(block.records.num_rows * width for block in blocks) <= MAX_CELLS
    assert sum(block.records.num_rows for block in blocks) == rows


def test_many_rows_with_newlines_in_quotes_take_the_fast_path() -> None:
    data = b"a,b\n" + b'1,"x\ny ""z"""\r\n\n"",2\n' * 1000
    # to call it is an error
    patches = {"transforms.formats.csv.table.parse_rows": None, "transforms.formats.csv.csv_format._FIRST_TRY": 0}
    reading = read_all(data, "csv", patches=patches)
    assert reading.fields == [{"a": "1", "b": 'x\ny "z"'}, {"a": "", "b": "2"}] * 1000
    assert (reading.blank, reading.header) == (1000, 1)


_CELL = st.lists(
    st.sampled_from(["a", "é", " ", '"', '""', ",", "\n", "\r\n", "\r", "\0", "1", "\n\n"]), max_size=4
).map("".join)
_WRITTEN = st.one_of(_CELL, _CELL.map(lambda text: '"' + text.replace('"', '""') + '"'))
_ROW = st.lists(_WRITTEN, max_size=4).map(",".join)
_TEXT = st.lists(st.one_of(_ROW, st.just("1,2"), st.just("1,2")), max_size=8).flatmap(
    lambda rows: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(rows))
)
_END = st.sampled_from([b"", b"\n", b"\r\n", b"\r", b"\xff\n", b"\n\n"])


def _balance(data: bytes, reading: Reading) -> None:
    """Every byte but line ends is in some message, or blank, or the header."""
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n")
    if "\n" not in lines:  # an old Mac's: CR alone ends its lines
        lines = lines.replace("\r", "\n")
    assert sum(len(message.replace("\r\n", "\n")) for message in reading.messages) <= len(lines)
    physical = sum(message.count("\n") + 1 for message in reading.messages) + reading.blank + reading.header
    assert physical == lines.count("\n") + (not lines.endswith("\n") and lines != "")


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=_TEXT, end=_END, cut=st.sampled_from([None, 1, 7, 64]), max_record=st.sampled_from([1000, 1000, 6]))
@example(text='a,b\n1"x,2\n"3\n4",5\n6"y,7', end=b"\n", cut=None, max_record=1000)
@example(text='a\n""\n\n""', end=b"\n", cut=None, max_record=1000)
def test_fast_path_equals_tolerant_path(text: str, end: bytes, cut: int | None, max_record: int) -> None:
    data = text.encode() + end
    tolerant = read_all(data, "csv", patches=TOLERANT, max_record=max_record)
    assert read_all(data, "csv", cut=cut, patches=FAST, max_record=max_record) == tolerant
    if max_record == 1000:
        _balance(data, tolerant)


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=_TEXT, cut=st.sampled_from([None, 1, 7]))
def test_cells_are_what_python_reads(text: str, cut: int | None) -> None:
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "") + "\n"
    dialect = dialect_of(text.encode(), FormatOptions(headers=tuple("abcdefgh")))
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), skipinitialspace=dialect.trims) if row]
    reading = read_all(text.encode(), "csv", cut=cut, headers=tuple("abcdefgh"))
    if "unclosed_quote" in reading.errors or dialect.backslashes:
        return
    assert [list(fields.values()) for fields in reading.fields] == [row[:8] for row in rows]
