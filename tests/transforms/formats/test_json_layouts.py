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
    ("commas at line ends", '{"a":1},\n{"a":2}', [("invalid_json", '{"a":1},'), '{"a":2}']),
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
