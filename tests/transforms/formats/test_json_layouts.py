"""JSON in its layouts: which records a text has, whole or broken, and that it does not matter where it was cut."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import many
from tests.transforms.formats.reading import FAST, MODIFIED, TOLERANT, read_all
from transforms.core.errors import CorruptStreamError
from transforms.formats import read_records
from transforms.formats.options import FormatOptions
from transforms.formats.ranges import count_records

CUTS = [1, 7, 64, 4096, None]
ONE, TWO = '{"a":1}', '{"b":"x}]"}'
TWO_FIELDS = [{"a": "1"}, {"b": "x}]"}]

# Texts of the same two objects.
LAYOUTS = {
    "lines": f"{ONE}\n{TWO}\n",
    "lines, no last line feed": f"{ONE}\n{TWO}",
    "CRLF": f"{ONE}\r\n{TWO}\r\n",
    "concatenated": ONE + TWO,
    "concatenated with a blank": f"{ONE} {TWO}\n",
    "array": f"[{ONE},{TWO}]",
    "array over lines": f"[\n{ONE},\n{TWO}\n]\n",
    "array with commas in front": f" [ {ONE}\n, {TWO}\n ] ",
    "Records": f'{{"Records":[{ONE},{TWO}]}}',
    "Records, pretty": f'{{\n  "Records": [\n    {ONE},\n    {TWO}\n  ]\n}}\n',
    "Records, one each": f'{{"Records":[{ONE}]}}\n{{"Records":[{TWO}]}}',
    "byte order mark": f"\ufeff{ONE}\n{TWO}\n",
    "byte order marks": f"\ufeff\ufeff{ONE}\n\ufeff {TWO}\n",
    "record separators (RFC 7464)": f"\x1e{ONE}\n\x1e{TWO}\n",
    "record separators alone": f"\x1e{ONE}\x1e{TWO}",
    "NUL behind each": f"{ONE}\0{TWO}\0",
    "NUL at the beginning": f"\0\0\n{ONE} \0\0 {TWO}",
    "commas at line ends": f"{ONE},\n{TWO},\n",
    "one list and nothing else": f'{{"items":[{ONE},{TWO}]}}',
    "one list and nothing else, one each": f'{{"value":[{ONE}]}}{{"value":[{TWO}]}}',
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layout(text: str, cut: int | None) -> None:
    reading = read_all(text.encode(), "json", cut=cut)
    assert reading.messages == [ONE, TWO]
    assert reading.fields == TWO_FIELDS
    assert reading.errors == [None, None]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("indent", [None, 0, 1, 2, 4, "\t"])
def test_pretty_objects_keep_their_lines(indent: int | str | None, cut: int | None) -> None:
    rows = [{"a": row, "deep": {"list": [{"x": "{"}, [1, {}]], "y": '\\"'}, "name": "é]}"} for row in range(5)]
    texts = [json.dumps(row, indent=indent, ensure_ascii=False) for row in rows]
    deep = '{"list":[{"x":"{"},[1,{}]],"y":"\\\\\\""}'
    for data in ("\n".join(texts), "".join(texts), "[" + ", ".join(texts) + "]"):
        reading = read_all(data.encode(), "json", cut=cut)
        assert reading.messages == texts
        assert reading.fields == [{"a": str(row), "deep": deep, "name": "é]}"} for row in range(5)]
    whole = read_all(json.dumps(rows, indent=indent, ensure_ascii=False).encode(), "json", cut=cut)
    assert whole.fields == [{"a": str(row), "deep": deep, "name": "é]}"} for row in range(5)]


# A text; its records, those with an error as (code, text).
BROKEN: list[tuple[str, str, list[Any]]] = [
    ("open quote", '{"a":1}\n{"a":"x\n{"a":2}\n{"a":3}', ['{"a":1}', ("invalid_json", '{"a":"x'), '{"a":2}', '{"a":3}']),
    ("open brace", '{"a":{"b":1}\n{"a":2}\n', [("invalid_json", '{"a":{"b":1}'), '{"a":2}']),
    ("cut at a value", '{"a":\n{"a":2}\n{"a":3}\n', [("invalid_json", '{"a":'), '{"a":2}', '{"a":3}']),
    ("cut in a list", '{"a":[1,\n{"a":2}\n{"a":3}\n', [("invalid_json", '{"a":[1,'), '{"a":2}', '{"a":3}']),
    ("cut at the end", '{"a":1}\n{"b":', ['{"a":1}', ("invalid_json", '{"b":')]),
    ("cut, concatenated", '{"a":1}{"a":2}{"a":', ['{"a":1}', '{"a":2}', ("invalid_json", '{"a":')]),
    ("text behind", '{"a":1}{"a":2} x\n{"a":3}', ['{"a":1}', ("invalid_json", '{"a":2} x'), '{"a":3}']),
    ("text between", 'x {"a":1}\n{"a":3}', [("invalid_json", 'x {"a":1}'), '{"a":3}']),
    ("commas at line ends", '{"a":1},\n{"a":2} , \r\n{"a":3},', ['{"a":1}', '{"a":2}', '{"a":3}']),
    ("commas between", '{"a":1},{"a":2}\n,{"a":3} , {"a":4}\n\n,\n', ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}']),
    ("a comma and text", '{"a":1}, x\n{"a":2}\n, y\n', [("invalid_json", '{"a":1}, x'), '{"a":2}', ("invalid_json", ", y")]),
    ("a comma behind what is no JSON", '{"a":1}\n{"a":NaN},\n{"a":"x},\n{"a":2}', ['{"a":1}', ("invalid_json", '{"a":NaN}'), ("invalid_json", '{"a":"x},'), '{"a":2}']),
    ("commas behind objects over lines", '{\n"a":1\n},\n{\n"a":2\n} ,', ['{\n"a":1\n}', '{\n"a":2\n}']),
    ("a stack trace", '{"a":1}\n2024 x\n  at y\n\tat z\n{"a":2}', ['{"a":1}', ("invalid_json", "2024 x"), ("invalid_json", "  at y"), ("invalid_json", "\tat z"), '{"a":2}']),
    ("scalars and lists", '{"a":1}\n[{"a":2}]\n3\n"x"\nnull\n{"a":4}',
     ['{"a":1}', ("not_an_object", '[{"a":2}]'), ("not_an_object", "3"), ("not_an_object", '"x"'), ("not_an_object", "null"), '{"a":4}']),
    ("array of scalars alone", "[1,2]", [("not_an_object", "[1,2]")]),
    ("other elements", '[{"a":1},2,"x,]",[{"a":3}], null ,{"a":4}]',
     ['{"a":1}', ("not_an_object", "2"), ("not_an_object", '"x,]"'), ("not_an_object", '[{"a":3}]'), ("not_an_object", "null"), '{"a":4}']),
    ("text in an array", '[{"a":1}, x y, {"a":2}]', ['{"a":1}', ("invalid_json", "x y"), '{"a":2}']),
    ("cut array", '[{"a":1},{"a":2},{"a":"x', ['{"a":1}', '{"a":2}', ("invalid_json", '{"a":"x')]),
    ("open quote in an array", '[{"a":1},{"a":"x},{"a":2},{"a":3}]', ['{"a":1}', ("invalid_json", '{"a":"x}'), '{"a":2}', '{"a":3}']),
    ("open quote in an array over lines", '[\n{"a":1},\n{"a":"x},\n{"a":2}\n]', ['{"a":1}', ("invalid_json", '{"a":"x},'), '{"a":2}']),
    ("bad element", '[{"a":1},{"a":NaN},{"a":2}]', ['{"a":1}', ("invalid_json", '{"a":NaN}'), '{"a":2}']),
    ("behind the array", '[{"a":1}]\n{"a":2}\n\n[3]\n', ['{"a":1}', ("invalid_json", '{"a":2}'), ("invalid_json", "[3]")]),
    ("beside the array", '[{"a":1}] x', ['{"a":1}', ("invalid_json", "x")]),
    ("broken over lines", '{\n "a": 1,\n "b": "x"y"\n}\n{\n "a": 2\n}', [("invalid_json", '{\n "a": 1,\n "b": "x"y"\n}'), '{\n "a": 2\n}']),
    ("cut over lines", '{\n "a": 1\n}\n{\n "a": [\n', ['{\n "a": 1\n}', ("invalid_json", '{\n "a": [')]),
    ("cut Records", '{"Records":[{"a":1},{"a":2},{"a":', ['{"a":1}', '{"a":2}', ("invalid_json", '{"a":')]),
    ("Records and more", '{"Records":[{"a":1}],"b":2}\n{"a":3}', ['{"Records":[{"a":1}],"b":2}', '{"a":3}']),
    ("Records without objects", '{"Records":[1]}\n{"Records":[]}', ['{"Records":[1]}', '{"Records":[]}']),
    ("no text", "", []),
    ("white space", " \n\t\r\n", []),
    ("empty array", "[ ]", []),
]  # fmt: skip


@pytest.mark.parametrize("patches", [pytest.param(FAST, id="fast"), pytest.param(TOLERANT, id="tolerant")])
@pytest.mark.parametrize("cut", [1, 7, None])
@pytest.mark.parametrize(("text", "records"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_broken(text: str, records: list[Any], cut: int | None, patches: dict[str, Any]) -> None:
    reading = read_all(text.encode(), "json", cut=cut, patches=patches)
    assert reading.messages == [record if isinstance(record, str) else record[1] for record in records]
    assert reading.errors == [None if isinstance(record, str) else record[0] for record in records]


CLOUDWATCH = (
    '{"logGroup":"g","n":1.10,"logEvents":[{"id":"1","logGroup":"own"},{"id":"2"}],"owner":"o","no":null,"tags":["t"]}'
)


@pytest.mark.parametrize("cut", CUTS)
def test_values_beside_the_records(cut: int | None) -> None:
    text = f'{CLOUDWATCH}\n{{"logEvents":[{{"id":"3"}}]}}{{"logEvents":[]}}\n{{"x":1}}\n{{"logEvents":1}}'
    reading = read_all(text.encode(), "json", cut=cut, records_path="logEvents")
    assert reading.fields[:3] == [
        {"id": "1", "logGroup": "own", "n": "1.10", "owner": "o"},
        {"id": "2", "logGroup": "g", "n": "1.10", "owner": "o"},
        {"id": "3"},
    ]
    assert reading.messages[3:] == ['{"x":1}', '{"logEvents":1}']
    assert reading.errors == [None, None, None, "not_an_object", "not_an_object"]


WRAPPERS: dict[str, tuple[str, list[dict[str, str]]]] = {
    "values before and behind": ('{"a":"1","records":[{"x":1},{"a":2}],"z":3}', [{"x": "1", "a": "1", "z": "3"}, {"a": "2", "z": "3"}]),
    "value": ('{"@odata.context":"c","value":[{"x":1}]}\n', [{"x": "1", "@odata.context": "c"}]),
    "results": ('{"count":1,"results":[{"x":1}]}', [{"x": "1", "count": "1"}]),
    "Items": ('{"Items":[{"x":1}],"Count":1}', [{"x": "1", "Count": "1"}]),
    "items": ('{"kind":"List","metadata":{},"items":[{"x":1}]}', [{"x": "1", "kind": "List"}]),
    "events": ('{"events":[{"x":1}],"next":"n"}', [{"x": "1", "next": "n"}]),
    "configurationItems": ('{"fileVersion":"1.0","configurationItems":[{"x":1}]}', [{"x": "1", "fileVersion": "1.0"}]),
    "logEvents, many": ('{"logGroup":"g","logEvents":[{"x":1}]}{"logGroup":"h","logEvents":[{"x":2}]}{"y":1}',
                        [{"x": "1", "logGroup": "g"}, {"x": "2", "logGroup": "h"}, {"y": "1"}]),
    "hits": ('{"took":3,"hits":{"total":1,"hits":[{"_index":"i","took":7,"_source":{"x":1,"took":9}},{"_source":{}},{"y":1}]}}',
             [{"x": "1", "took": "9", "total": "1", "@_index": "i"}, {"took": "3", "total": "1"}, {"y": "1", "took": "3", "total": "1"}]),
    "OTLP": ('{"resourceLogs":[{"resource":{"a":1},"scopeLogs":[{"scope":{},"logRecords":[{"x":1},{"x":2}]},{"logRecords":[{"x":3}]}]},'
             '{"schemaUrl":"u","scopeLogs":[{"logRecords":[{"x":4}]}]}]}\n{"resourceLogs":[]}{"y":1}',
             [{"x": "1", "resource": '{"a":1}', "scope": "{}"}, {"x": "2", "resource": '{"a":1}', "scope": "{}"},
              {"x": "3", "resource": '{"a":1}'}, {"x": "4", "schemaUrl": "u"}, {"y": "1"}]),
    "no list of objects": ('{"records":[1,2],"value":[]}', [{"records": "[1,2]", "value": "[]"}]),
    "two lists of objects": ('{"records":[{"x":1}],"errors":[{"y":1}]}', [{"records": '[{"x":1}]', "errors": '[{"y":1}]'}]),
    "events with items": ('{"id":1,"items":[{"x":1}]}\n{"id":2,"items":[]}\n', [{"id": "1", "items": '[{"x":1}]'}, {"id": "2", "items": "[]"}]),
    "an event first": ('{"id":1}\n{"Records":[{"x":1}]}\n', [{"id": "1"}, {"Records": '[{"x":1}]'}]),
    "another name": ('{"entries":[{"x":1}]}', [{"entries": '[{"x":1}]'}]),
    "within": ('{"data":{"items":[{"x":1}]}}', [{"data": '{"items":[{"x":1}]}'}]),
}  # fmt: skip


@pytest.mark.parametrize("cut", [1, 7, None])
@pytest.mark.parametrize(("text", "fields"), WRAPPERS.values(), ids=WRAPPERS.keys())
def test_wrappers_are_found(text: str, fields: list[dict[str, str]], cut: int | None) -> None:
    reading = read_all(text.encode(), "json", cut=cut)
    assert reading.errors == [None] * len(fields)
    assert [
        {name.replace("_index", "@_index"): value for name, value in row.items()} for row in reading.fields
    ] == fields


# A text; what its user is told.
TOLD: list[tuple[str, str, str]] = [
    ("array", '[\n{"a":1},\n{"a":2}\n', "is not closed"),
    ("wrapper", '{"records":[{"a":1},{"a":2}', "is not closed"),
    ("wrapper in a record", '{"records":[{"a":1},{"a":', "is not closed"),
    ("OTLP", '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"a":1}', "is not closed"),
    ("another name", '{"entries":[{"a":1}]}', "--records-path entries"),
    ("known name among others", '{"fields":[{"a":1}],"results":[{"a":1}]}', "--records-path results"),
    ("pages", '{"next":"x","value":[{"a":1}]}{"value":[{"a":1}]}', "--records-path value"),
]  # fmt: skip


@pytest.mark.parametrize("cut", [1, 7, None])
@pytest.mark.parametrize(("text", "told"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_told(text: str, told: str, cut: int | None) -> None:
    reading = read_all(text.encode(), "json", cut=cut)
    assert [told in warning for warning in reading.warnings] == [True]


def test_what_is_told_of_collected_events() -> None:
    reading = read_all(b'[{"event":"a","time":1},{"event":"b","time":1}', "splunk_hec")
    assert ["is not closed" in warning for warning in reading.warnings] == [True]


@pytest.mark.parametrize(
    "text",
    ['[{"a":1}]', '{"a":1}\n{"b":', '{"time":1,"list":[{"a":1}]}', '{"a":[{}]}{"a":[{}]}', '{"Records":[{"a":1}]}'],
)
def test_nothing_to_tell(text: str) -> None:
    assert read_all(text.encode(), "json").warnings == []


@pytest.mark.parametrize("cut", [1, 64, 4096])
def test_wrapper_beyond_all_that_is_looked_at(cut: int) -> None:
    events = [f'{{"id":"{number}"}}' for number in range(50)]
    text = f'{{"g":"x","records":[{",".join(events)}]}}\n'
    with (
        mock.patch("transforms.formats.json.framing.first_object._WINDOW", 40),
        mock.patch("transforms.formats.json.framing.wrapper_reader.WRAPPER_BYTES", 100),
    ):
        reading = read_all(text.encode(), "json", cut=cut, max_record=30)
    assert reading.fields == [{"id": str(number), "g": "x"} for number in range(50)]


@pytest.mark.parametrize(
    ("head", "count"),
    [(b'{"a":[{}]}\n', 2), (b'{"Records":[{"a":1}]}\n', None), (b'{"id":1,"logEvents":[{}]}\n', None)],
)
def test_ranges_of_lines_that_hold_more_than_one_record_are_refused(head: bytes, count: int | None) -> None:
    lines = b'{"Records":[{"a":1}]}\n{"a":2}\n'
    assert count_records(head + lines, iter([lines]), "json", FormatOptions(), first=False, last=True) == count


def test_path_of_several_names_and_an_object_at_its_end() -> None:
    text = '{"a":{"b":[{"x":1}],"c":2},"c":3,"d":4}{"a":{"b":{"x":5}},"d":6}'
    reading = read_all(text.encode(), "json", records_path="a.b")
    assert reading.fields == [{"x": "1", "c": "2", "d": "4"}, {"x": "5", "d": "6"}]


def test_broken_wrapper_leaves_the_next_line_alone() -> None:
    text = '{"g":1,"e":[{"a":1},{"a":"x]}\n{"g":2,"e":[{"a":2}\n{"g":3,"e":[{"a":3}]}\n'
    reading = read_all(text.encode(), "json", records_path="e")
    assert reading.messages == ['{"a":1}', '{"a":"x]}', '{"a":2}', '{"a":3}']
    assert reading.errors == [None, "invalid_json", None, None]
    assert [row["g"] for row in reading.fields] == ["1", "1", "2", "3"]


@pytest.mark.parametrize("cut", [16, 64, 4096])
def test_wrapper_larger_than_is_held_back(cut: int) -> None:
    events = [f'{{"id":"{number}"}}' for number in range(50)]
    text = f'{{"g":"x","e":[{",".join(events)}],"late":"y"}}\n{{"g":"z","e":[{{"id":"last"}}],"late":"w"}}'
    with mock.patch("transforms.formats.json.framing.wrapper_reader.WRAPPER_BYTES", 100):
        reading = read_all(text.encode(), "json", cut=cut, records_path="e")
    assert reading.messages == [*events, '"late":"y"', '{"id":"last"}']
    assert reading.errors == [*[None] * 50, "record_too_long", None]
    assert reading.fields[49] == {"id": "49", "g": "x"}
    assert reading.fields[51] == {"id": "last", "g": "z", "late": "w"}


@pytest.mark.parametrize("cut", [1, 7, None])
def test_broken_values_behind_a_large_wrapper(cut: int | None) -> None:
    text = '{"Records":[{"a":1},{"a":2}],"b"x and more\n{"c":3}'
    with mock.patch("transforms.formats.json.framing.wrapper_reader.WRAPPER_BYTES", 20):
        reading = read_all(text.encode(), "json", cut=cut)
    assert reading.messages == ['{"a":1}', '{"a":2}', '"b"x and more', '{"c":3}']
    assert reading.errors == [None, None, "record_too_long", None]


@pytest.mark.parametrize("cut", [1, 16, None])
@pytest.mark.parametrize(("before", "after"), [("[", ",{}]"), ("", "{}"), ("", "\n{}"), ('{"Records":[', ",{}]}")])
def test_long_record_is_cut_and_passed_over(before: str, after: str, cut: int | None) -> None:
    long = '{"a":"' + 'é\\"}' * 50 + '","b":[{"c":1}]}'
    reading = read_all((before + long + after).encode(), "json", cut=cut, max_record=40)
    assert reading.errors == ["record_too_long", None]
    assert reading.messages == [long.encode()[:40].decode("utf-8", "ignore"), "{}"]
    assert reading.cut == len(long.encode()) - 40


# A text; its records, all but the first 12 bytes of the first one passed over.
CUT_SHORT: list[tuple[str, str, list[Any]]] = [
    ("escape outside of strings", '{"Records":[\\"}{"a":1}', [("record_too_long", '{"Records":[')]),
    ("escape where it was cut", '{"a":{"b":1}\\"{"c":2}\n', [("record_too_long", '{"a":{"b":1}')]),
    ("escape across where it was cut", '{"a":{"b":1\\"x}}{"c":2}', [("record_too_long", '{"a":{"b":1\\'), '{"c":2}']),
    ("backslash at the end of a line", '{"Records":["\\\n{"a":1}\n', [("record_too_long", '{"Records":['), '{"a":1}']),
    ("new line where it was cut", '{"a":[1    \n  {"b":2}\n', [("record_too_long", '{"a":[1    \n'), '{"b":2}']),
    ("blanks where it was cut", '{"a":[1,\n  \t  {"b":2}]}{"c":3}', [("record_too_long", '{"a":[1,\n  \t'), '{"c":3}']),
    ("backslash at the end of the text", '{"Records":["\\', [("record_too_long", '{"Records":[')]),
]  # fmt: skip


@pytest.mark.parametrize("cut", [1, 7, None])
@pytest.mark.parametrize(("text", "records"), [row[1:] for row in CUT_SHORT], ids=[row[0] for row in CUT_SHORT])
def test_what_is_passed_over_ends_at_the_same_place(text: str, records: list[Any], cut: int | None) -> None:
    reading = read_all(text.encode(), "json", cut=cut, max_record=12)
    assert reading.messages == [record if isinstance(record, str) else record[1] for record in records]
    assert reading.errors == [None if isinstance(record, str) else record[0] for record in records]


@pytest.mark.parametrize("head", [b"[", b"", b'{"Records":['])
def test_memory_is_bounded(head: bytes) -> None:
    """One line of 64 MiB; what is held at any time shows in the blocks that come of it."""
    element = b'{"a":"' + b"x" * 1000 + b'"}'
    elements = (element + (b"," if head else b"") for _ in range(64 << 10))
    read, most, taken = 0, 0, 0

    def chunks() -> Iterator[bytes]:
        nonlocal read, most
        for chunk in itertools.chain([head], elements):
            read += len(chunk)
            most = max(most, read - taken)
            yield chunk

    for block in read_records(chunks(), "json", FormatOptions(format="json"), modified=MODIFIED, received=MODIFIED):
        taken += block.records.num_rows * len(element)
    assert taken == len(element) * (64 << 10)
    assert most < 40 << 20


def test_stream_that_breaks_gives_what_is_whole() -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"g":1,"e":[{"a":1},{"a":2},{"a"'
        raise CorruptStreamError("gzip: broken")

    options = FormatOptions(format="json", records_path="e")
    rows = []
    with pytest.raises(CorruptStreamError):
        for block in read_records(chunks(), "json", options, modified=MODIFIED, received=MODIFIED):
            rows += block.records.to_pylist()
    assert rows == [{"_message": '{"a":1}', "a": "1", "g": "1"}, {"_message": '{"a":2}', "a": "2", "g": "1"}]


_PIECES = ['{"a":1}', '{"a":"x"}', '{"b":[{"c":2}, {}]}', '{', '}', '[', ']', '"', ',', ':', '\n', '\n', ' ', '\\', '"a":', 'x', '1.10',
           ",", "\0", "\x1e", "\ufeff", '{"resourceLogs":[', '{"scopeLogs":[', '{"logRecords":[', '{"value":[', '"items":[{', '{"hits":{"hits":[',
           '{"Records":[', '{"a":"\\"}', '{\n  "a": {\n    "b": 1\n  }\n}', ']}', '"}', '\r\n', "é", '{"a":{"b":1}', "},{"]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=many(4000), deadline=None)
@given(
    pieces=st.lists(st.sampled_from(_PIECES), max_size=14),
    start=st.sampled_from(["", "", "[", '{"Records":[']),
    path=st.sampled_from([None, None, "Records", "b"]),
    max_record=st.sampled_from([12, 1000]),
)
def test_where_it_is_cut_does_not_matter(pieces: list[str], start: str, path: str | None, max_record: int) -> None:
    data = (start + "".join(pieces)).encode()
    options: dict[str, Any] = {"records_path": path, "max_record": max_record}
    whole = read_all(data, "json", **options)
    for cut in (1, 7):
        assert read_all(data, "json", cut=cut, **options) == whole
    with mock.patch("transforms.formats.json.framing.cursor.Cursor.find", lambda *args, **kwargs: False):
        assert read_all(data, "json", **options) == whole, "step by step"
