"""W3C's and Zeek's logs: cells by the header, times, odd rows, changed headers, detection and ranges."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import many
from tests.transforms.formats.reading import EXAMPLES, FAST, TOLERANT, blocks_of, read_all
from transforms.formats.detection import asked_for, detect_format
from transforms.formats.options import FormatOptions
from transforms.formats.ranges import count_records

_CLOUDFRONT = "#Version: 1.0\n#Fields: date time c-ip cs-uri-stem cs(User-Agent)\n"
_IIS = "#Software: IIS\r\n#Date: 2024-06-30 10:00:15\r\n#Fields: date time cs-method sc-status\r\n"
_EXCHANGE = "\ufeff#Software: Microsoft Exchange Server\r\n#Log-type: Message Tracking Log\r\n#Fields: date-time,client-ip,subject\r\n"
_ZEEK = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#fields\tts\tuid\tid.orig_h\ttags\n"
)

# Name, format, text, attributes of each record.
_FIELDS: list[tuple[str, str, str, list[dict[str, str]]]] = [
    ("tabs, a blank in a value", "w3c", _CLOUDFRONT + "2025-03-09\t02:11:09\t::1\t/a b.html\tcurl%20+x\n",
     [{"date": "2025-03-09", "time": "02:11:09", "c-ip": "::1", "cs-uri-stem": "/a b.html", "cs(User-Agent)": "curl%20+x"}]),
    ("blanks and tabs in one file", "w3c", "#Fields: a b\n1 2\n3\t4 5\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4 5"}]),
    ("CRLF, dashes", "w3c", _IIS + "2024-06-30 10:00:16 - 404\r\n", [{"date": "2024-06-30", "time": "10:00:16", "sc-status": "404"}]),
    ("blanks beside names", "w3c", "#Fields:   a  b \n1 2\n", [{"a": "1", "b": "2"}]),
    ("tabs between names", "w3c", "#Fields:\ta\tb c\n1 2\t\n", [{"a": "1 2", "b c": ""}]),
    ("fields in lower case", "w3c", "#fields: a\n1\n", [{"a": "1"}]),
    ("doubled names", "w3c", "#Fields: a a\n1 2\n", [{"a": "1", "a_2": "2"}]),
    ("fields change", "w3c", "#Fields: a b\n1 2\n#Software: x\n#Fields: b c d\n3 4 5\n", [{"a": "1", "b": "2"}, {"b": "3", "c": "4", "d": "5"}]),
    ("the separator changes", "w3c", "#Fields: a b\n1 2\n#Fields: a,b\n3,4 5\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4 5"}]),
    ("fields are repeated", "w3c", "#Fields: a b\n1 2\n#Fields: a b\n3 4\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    ("quotes", "w3c", '#Fields: a b c\n"1 2" "" "-"\n', [{"a": "1 2", "b": ""}]),
    ("doubled quotes", "w3c", '#Fields: a b\n"say ""x y""" 2\n', [{"a": 'say "x y"', "b": "2"}]),
    ("a quoted tab", "w3c", '#Fields: a b\n1 "2\t3"\n', [{"a": "1", "b": "2\t3"}]),
    ("a quote that nothing closes", "w3c", '#Fields: a b\n"> 2\n', [{"a": '">', "b": "2"}]),
    ("quotes within a cell", "w3c", '#Fields: a b\nx="1 2"\n', [{"a": 'x="1', "b": '2"'}]),
    ("a quote that closes within a cell", "w3c", '#Fields: a b\n"x"y 2\n', [{"a": '"x"y', "b": "2"}]),
    ("a quote over lines", "w3c", '#Fields: a b\n1 "2\n3 4"\n', [{"a": "1", "b": '"2'}, {"a": "3", "b": '4"'}]),
    ("too few cells", "w3c", "#Fields: a b c\n1 2\n", [{"a": "1", "b": "2"}]),
    ("runs of blanks", "w3c", "#Fields: a b c\n  1   2 \n", [{"a": "1", "b": "2"}]),
    ("a blank at the end", "w3c", "#Fields: a b\n1 2 \n", [{"a": "1", "b": "2"}]),
    ("Exchange", "w3c", _EXCHANGE + '2024-06-30T10:00:37.001Z,,"a, ""b"""\r\n',
     [{"date-time": "2024-06-30T10:00:37.001Z", "client-ip": "", "subject": 'a, "b"'}]),
    ("Exchange, a comma at the end", "w3c", "#Fields: a,b,\n1,2,\n", [{"a": "1", "b": "2"}]),
    ("letters of other alphabets", "w3c", "#Fields: a größe\né 漢 \n😀 b\n", [{"a": "é", "größe": "漢"}, {"a": "😀", "größe": "b"}]),
    ("Zeek", "zeek", _ZEEK + "1719741600.5\tC1\t::1\ta,b\n", [{"ts": "1719741600.5", "uid": "C1", "id.orig_h": "::1", "tags": "a,b"}]),
    ("Zeek, unset and empty", "zeek", _ZEEK + "1.5\t-\t\t(empty)\n", [{"ts": "1.5", "id.orig_h": "", "tags": ""}]),
    ("Zeek, quotes are characters", "zeek", "#fields\ta\tb\n\"1\t2\"\n", [{"a": '"1', "b": '2"'}]),
    ("Zeek, a separator of its own", "zeek", "#separator \\x7c\n#unset_field|N/A\n#empty_field|\n#fields|a|b|c\n1|N/A|\n", [{"a": "1", "c": ""}]),
    ("Zeek, empty is unset too", "zeek", "#separator \\x09\n#unset_field\t\n#fields\ta\tb\tc\n1\t\t(empty)\n", [{"a": "1", "c": ""}]),
    ("Zeek, a blank as separator", "zeek", "#separator  \n#fields a b\n1 2\n", [{"a": "1", "b": "2"}]),
    ("Zeek, a longer separator", "zeek", "#separator \\x7c\\x7c\n#fields||a||b\n1||2\n", [{"a": "1", "b": "2"}]),
    ("Zeek, two logs in one file", "zeek", "#fields\ta\tb\n1\t2\n#close\tx\n#fields\tb\n3\n", [{"a": "1", "b": "2"}, {"b": "3"}]),
    ("Zeek, escaped text", "zeek", "#fields\ta\n\\x23x\\x09\n", [{"a": "\\x23x\\x09"}]),
]  # fmt: skip


@pytest.mark.parametrize("patches", [FAST, TOLERANT], ids=["fast", "tolerant"])
@pytest.mark.parametrize(
    ("name", "text", "expected"), [case[1:] for case in _FIELDS], ids=[case[0] for case in _FIELDS]
)
def test_attributes(name: str, text: str, expected: list[dict[str, str]], patches: dict[str, Any]) -> None:
    found = read_all(text.encode(), name, patches=patches)
    assert found.fields == expected
    assert set(found.errors) == {None}
    lines = text.lstrip("\ufeff").splitlines()
    assert found.messages == [line for line in lines if not line.startswith("#")]
    assert (found.blank, found.header) == (0, sum(line.startswith("#") for line in lines))


# Name, format, text, `_error` of each record, attributes of each record.
_ERRORS: list[tuple[str, str, str, list[str | None], list[dict[str, str]]]] = [
    ("too many cells", "w3c", "#Fields: a b\n1 2 3\n4 5\n", ["too_many_columns: 3 cells, but the header has 2", None], [{"a": "1", "b": "2"}, {"a": "4", "b": "5"}]),
    ("two commas at the end", "w3c", "#Fields: a,b\n1,2,,\n", ["too_many_columns: 4 cells, but the header has 2"], [{"a": "1", "b": "2"}]),
    ("no header yet", "w3c", "1 2\n#Fields: a b\n3 4\n", ["too_many_columns: 2 cells, but there is no header before it", None], [{}, {"a": "3", "b": "4"}]),
    ("Zeek, too many", "zeek", "#fields\ta\n1\t2\n", ["too_many_columns: 2 cells, but the header has 1"], [{"a": "1"}]),
    ("too long", "w3c", "#Fields: a\n" + "x" * 60 + "\n1\n", ["record_too_long: more than 50 bytes, cut there", None], [{}, {"a": "1"}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "errors", "fields"), [case[1:] for case in _ERRORS], ids=[case[0] for case in _ERRORS]
)
def test_records_with_errors(name: str, text: str, errors: list[str | None], fields: list[dict[str, str]]) -> None:
    found = read_all(text.encode(), name, patches=FAST, max_record=50)
    assert [row.get("_error") for row in found.rows] == errors
    assert found.fields == fields


def test_bad_bytes_are_counted() -> None:
    found = read_all(b"#Fields: a b\n1 \xff\n#Remark: \xff\n", "w3c")
    assert (found.fields, found.errors, found.replaced) == ([{"a": "1", "b": "\ufffd"}], [None], 2)


_DATED = "#Date: 2024-06-30 22:00:00\n#Fields: time x\n"
# Name, format, text, time of each record; `--timezone` is Europe/Berlin.
_TIMES: list[tuple[str, str, str, list[str | None]]] = [
    ("date and time are UTC", "w3c", _IIS + "2024-06-30 10:00:16 GET 200\n", ["2024-06-30T10:00:16"]),
    ("fractions", "w3c", _IIS + "2024-06-30 10:00:16.191 GET 200\n", ["2024-06-30T10:00:16.191000"]),
    ("in quotes", "w3c", _IIS + '"2024-06-30" "10:00:16" GET 200\n', ["2024-06-30T10:00:16"]),
    ("names in capitals", "w3c", "#Fields: DATE TIME\n2024-06-30 10:00:16\n", ["2024-06-30T10:00:16"]),
    ("absent in some rows", "w3c", _IIS + "- 10:00:16 GET 200\n2024-06-30 10:00:17 GET 200\n", [None, "2024-06-30T10:00:17"]),
    ("no day such as this", "w3c", _IIS + "2024-06-31 10:00:16 GET 200\n", [None]),
    ("date-time", "w3c", _EXCHANGE + "2024-06-30T10:00:37.001Z,::1,x\n", ["2024-06-30T10:00:37.001000"]),
    ("date-time without a zone", "w3c", _EXCHANGE + "2024-06-30T10:00:37,::1,x\n", ["2024-06-30T10:00:37"]),
    ("another field, in the job's zone", "w3c", "#Fields: timestamp x\n2024-06-30T10:00:37 1\n", ["2024-06-30T08:00:37"]),
    ("time alone", "w3c", _DATED + "22:00:01 a\n23:59:59 b\n", ["2024-06-30T22:00:01", "2024-06-30T23:59:59"]),
    ("past midnight", "w3c", _DATED + "22:00:01 a\n00:00:01 b\n00:00:02 c\n", ["2024-06-30T22:00:01", "2024-07-01T00:00:01", "2024-07-01T00:00:02"]),
    ("past midnight before the first row", "w3c", _DATED + "00:00:01 b\n", ["2024-07-01T00:00:01"]),
    ("past two midnights", "w3c", _DATED + "12:00:00 a\n11:00:01 b\n09:00:00 c\n", ["2024-07-01T12:00:00", "2024-07-01T11:00:01", "2024-07-02T09:00:00"]),
    ("a row that was late", "w3c", _DATED + "00:00:01 a\n23:59:59 b\n00:00:02 c\n", ["2024-07-01T00:00:01", "2024-06-30T23:59:59", "2024-07-01T00:00:02"]),
    ("a row without a time", "w3c", _DATED + "23:00:00 a\n- b\n01:00:00 c\n", ["2024-06-30T23:00:00", None, "2024-07-01T01:00:00"]),
    ("another date", "w3c", _DATED + "23:00:00 a\n#Date: 2024-07-05 00:00:00\n01:00:00 c\n", ["2024-06-30T23:00:00", "2024-07-05T01:00:00"]),
    ("the same date again", "w3c", _DATED + "21:30:00 a\n01:00:00 b\n#Date: 2024-06-30 22:00:00\n22:30:00 c\n", ["2024-06-30T21:30:00", "2024-07-01T01:00:00", "2024-06-30T22:30:00"]),
    ("a start date", "w3c", "#Start-Date: 2024-06-30 10:00:00.191\n#Fields: time x\n10:00:01 a\n", ["2024-06-30T10:00:01"]),
    ("a date without a clock", "w3c", "#Fields: time x\n#Date: 2024-06-30\n10:00:01 a\n09:59:59 b\n", ["2024-06-30T10:00:01", "2024-06-30T09:59:59"]),
    ("time alone, no date", "w3c", "#Fields: time x\n10:00:01 a\n", [None]),
    ("time alone, no such date", "w3c", "#Date: 2024-02-30 10:00:00\n#Fields: time x\n10:00:01 a\n", [None]),
    ("Zeek", "zeek", _ZEEK + "1719741600.597629\tC\t::1\t-\n-\tC\t::1\t-\n", ["2024-06-30T10:00:00.597629", None]),
    ("Zeek, another field", "zeek", "#fields\ttimestamp\n2024-06-30T10:00:00Z\n", ["2024-06-30T10:00:00"]),
]  # fmt: skip


@pytest.mark.parametrize("cut", [None, 1])
@pytest.mark.parametrize(("name", "text", "times"), [case[1:] for case in _TIMES], ids=[case[0] for case in _TIMES])
def test_times(name: str, text: str, times: list[str | None], cut: int | None) -> None:
    rows = read_all(text.encode(), name, cut=cut, patches=FAST, timezone="Europe/Berlin").rows
    assert [row["_time"].replace(tzinfo=None).isoformat() if "_time" in row else None for row in rows] == times
    assert {row.get("_time_source") for row in rows if "_time" in row} <= {"record"}


_W3C = "begins with directives, #Fields: among them"
# Name, key, head, format, rule.
_DETECTED = [
    ("W3C's", "u_ex.log", _IIS.encode(), "w3c", _W3C),
    ("no extension", "E2.2025-03-09-02.1a2b", _CLOUDFRONT.encode(), "w3c", _W3C),
    ("commas", "MSGTRK.LOG", _EXCHANGE.encode() + b"1,2,3\r\n4,5,6\r\n", "w3c", _W3C),
    ("commas, fields first", "a", b"#Fields: a,b\n1,2\n3,4\n", "w3c", _W3C),
    ("UTF-16", "a.log", _IIS.encode("utf-16"), "w3c", _W3C),
    ("behind the first 1024 bytes", "a.log", b"#Remark: x\n" * 200 + b"#Fields: a\n", "w3c", _W3C),
    ("called CSV", "a.csv", _EXCHANGE.encode(), "w3c", _W3C),
    ("called JSON", "a.json", _IIS.encode(), "json", "extension .json"),
    ("comments", "a.conf", b"# Fields: a b\n#Fieldset: x\nx = 1\n", "text", "neither extension nor content of another format"),
    ("in the middle", "a.log", b"x\n#Fields: a b\n1 2\n", "text", "neither extension nor content of another format"),
    ("Zeek's", "conn.log", _ZEEK.encode(), "zeek", "begins with #separator and #fields"),
    ("Zeek's, no extension", "conn.10:00:00-11:00:00", _ZEEK.encode(), "zeek", "begins with #separator and #fields"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "head", "name", "rule"), [case[1:] for case in _DETECTED], ids=[case[0] for case in _DETECTED]
)
def test_detection(key: str, head: bytes, name: str, rule: str) -> None:
    choice = detect_format(key, head)
    assert (choice.format, choice.rule) == (name, rule)
    assert (choice.warning is not None) == (key == "a.csv")


def test_a_header_that_is_missing_is_a_warning() -> None:
    for name, header in (("w3c", _CLOUDFRONT), ("zeek", _ZEEK)):
        options = FormatOptions(format=name)
        assert asked_for(name, header.encode(), options).warning is None
        assert "does not begin with" in str(asked_for(name, b"1 2\n", options).warning)


_HEAD = b"#Fields: date time x\n"
_ROW = b"2024-06-30 10:00:00 1\n"
# Name, head, range, whether it is the first and the last; its records.
_COUNTED: list[tuple[str, bytes, bytes, bool, int | None]] = [
    ("first", _HEAD + _ROW, _HEAD + _ROW * 3, True, 3),
    ("second", _HEAD + _ROW, b"\n" + _ROW * 3, False, 3),
    ("the header is repeated", _HEAD + _ROW, _ROW + b"#Date: 2024-06-30 10:00:00\n" + _HEAD + _ROW, False, 2),
    ("another header", _HEAD + _ROW, _ROW + b"#Fields: date time y\n" + _ROW, False, None),
    ("another header at the end", _HEAD + _ROW, _ROW + b"#Fields: date time y\n", False, None),
    ("another header in the first range", _HEAD + _ROW, _HEAD + _ROW + b"#Fields: date time y\n" + _ROW, True, None),
    ("another header within the head", _HEAD + _ROW + b"#Fields: a\n", _HEAD + _ROW + b"#Fields: a\n1\n", True, 2),
    ("the head ends within a directive", _HEAD + b"#Fields: dat", _HEAD + b"#Fields: date\n" + _ROW, True, None),
    ("no header", _ROW, _ROW, True, None),
    ("time alone", b"#Fields: time x\n10:00:00 1\n", b"10:00:01 1\n", False, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("head", "part", "first", "expected"), [case[1:] for case in _COUNTED], ids=[case[0] for case in _COUNTED]
)
def test_counting_a_range(head: bytes, part: bytes, first: bool, expected: int | None) -> None:  # noqa: FBT001
    options = FormatOptions(format="w3c")
    assert count_records(head, iter([part]), "w3c", options, first=first, last=False) == expected


_MANY = settings(max_examples=many(4 * EXAMPLES), deadline=None, suppress_health_check=list(HealthCheck))
_PARTS = ["a", "1", "-", '"', '""', '"a"', '"b c"', " ", "\t", ",", "é漢", "(empty)", "|", "x=\"y\"", "2024-06-30", "10:00:00"]  # fmt: skip


@_MANY
@given(
    name=st.sampled_from(["w3c", "zeek"]),
    header=st.sampled_from(
        [
            "#Fields: a b c",
            "#Fields: a,b,c",
            "#Fields:\ta\tb",
            "#Fields: time b",
            "#fields\ta\tb\tc",
            "#separator ,\n#fields,a,b",
        ]
    ),
    rows=st.lists(st.lists(st.sampled_from(_PARTS), min_size=1, max_size=8).map("".join), max_size=6),
    cut=st.sampled_from([None, 1, 7]),
)
def test_both_paths_read_any_row_alike(name: str, header: str, rows: list[str], cut: int | None) -> None:
    text = "\n".join([header, *rows]).encode()
    assert read_all(text, name, cut=cut, patches=FAST) == read_all(text, name, patches=TOLERANT)


@pytest.mark.parametrize("patches", [pytest.param(FAST, id="fast"), pytest.param(TOLERANT, id="tolerant")])
@pytest.mark.parametrize(
    ("name", "data", "rescued"),
    [
        ("w3c", '#Fields: a b\n1 2 "x ""y""" -\n4 5\n6\n', ['["x \\"y\\"","-"]', None, None]),
        ("w3c", '#Fields: a b\n1 2 "" \n1 "" \n', ['[""]', None]),
        ("w3c", "1 é\n#Fields: a b\n3 4\n", ['["1","é"]', None]),
        ("zeek", "#fields\ta\n1\t(empty)\t-\n2\n", ['["(empty)","-"]', None]),
    ],
    ids=["w3c", "w3c, quotes and a blank", "w3c, before its header", "zeek"],
)
def test_further_cells_are_rescued(name: str, data: str, rescued: list[str | None], patches: dict[str, Any]) -> None:
    """As they are written: what is absent is said of columns of the header alone."""
    reading = read_all(data.encode(), name, patches=patches)
    assert [row.get("_rescued") for row in reading.rows] == rescued
    assert reading.errors == [text and "too_many_columns" for text in rescued]


_HEADERS = {
    "w3c": [
        "#Fields: date time a", "#Fields: time a b", "#Fields: date-time,a", "#Fields: x-timestamp a c", "#Fields: a", "#Fields: date time b a",
        "#Date: 2024-06-30 10:00:00", "#Date: 2024-07-01 23:30:00", "#Date: 2024-07-02", "#Remark: x",
    ],
    "zeek": ["#fields\tts\ta", "#fields\ta\tts", "#fields\ta", "#fields\ttimestamp\ta", "#separator ,", "#unset_field\ta", "#fields,ts,a"],
}  # fmt: skip
_CELLS = [
    "2024-06-30",
    "10:00:00",
    "23:59:59",
    "00:00:01",
    "-",
    "1719741600.5",
    "2024-06-30T10:00:00Z",
    '"a b"',
    "é",
    "",
]


@settings(max_examples=many(EXAMPLES), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), name=st.sampled_from(["w3c", "zeek"]))
def test_rows_under_many_headers_read_together_are_as_each_by_itself(data: st.DataObject, name: str) -> None:
    row = st.lists(st.sampled_from(_CELLS), min_size=1, max_size=4)
    separated = st.tuples(row, st.sampled_from(" ,\t")).map(lambda drawn: drawn[1].join(drawn[0]))
    lines = data.draw(st.lists(st.sampled_from(_HEADERS[name]) | separated, max_size=20))
    text = "\n".join(lines).encode()
    alone = {"transforms.formats.directives.sections._LARGE": 0}
    expected = read_all(text, name, patches={**FAST, **alone})
    for patches in (FAST, TOLERANT, {}, {"transforms.formats.directives.sections._COLUMNS": 3}):
        assert read_all(text, name, patches=patches) == expected


@pytest.mark.parametrize(
    ("header", "most"),
    [
        pytest.param("#Fields: date time a\n", 1, id="the same"),
        pytest.param("#Date: 2024-06-30\n#Fields: time a\n", 1, id="another date"),
        pytest.param("#Fields: date time a{odd}\n", 1, id="two in turns"),
        pytest.param("#Fields: date time a{number}\n", 5, id="all others"),
    ],
)
def test_a_header_before_each_row_makes_no_block_of_it(header: str, most: int) -> None:
    row = "2024-06-30 10:00:00 x\n" if "date time" in header else "10:00:00 x\n"
    text = "".join(header.format(number=number, odd=number % 2) + row for number in range(2000))
    blocks = list(blocks_of(text.encode(), "w3c"))
    assert sum(block.records.num_rows for block in blocks) == 2000
    assert sum(block.header for block in blocks) == 2000 * header.count("\n")
    assert len(blocks) <= most
