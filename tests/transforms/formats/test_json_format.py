"""JSON: what becomes of an object, a number, a name; the fast path, the tolerant one and Python's json agree."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import many
from tests.transforms.formats.reading import EXAMPLES, FAST, TOLERANT, blocks_of, read_all
from transforms.formats.record_block import MAX_CELLS

_E_ACUTE = "é"

# A line, its fields.
OBJECTS: list[tuple[str, str, dict[str, str]]] = [
    ("scalars", '{"s":"text","i":1,"t":true,"f":false,"n":null,"e":""}', {"s": "text", "i": "1", "t": "true", "f": "false", "e": ""}),
    ("nested", '{"o": {"a" : [1, 2.50 , "x\\/y\\u00e9"], "a": null}}', {"o": f'{{"a":[1,2.50,"x/y{_E_ACUTE}"],"a":null}}'}),
    ("empty containers", '{"o":{},"l":[],"ll":[ [ ] , { } ]}', {"o": "{}", "l": "[]", "ll": "[[],{}]"}),
    ("empty object", "{}", {}),
    ("doubled key", '{"a":1,"a":2}', {"a": "1"}),
    ("doubled key, null first", '{"a":null,"a":2}', {}),
    ("case", '{"a":1,"A":2}', {"a": "1", "A": "2"}),
    ("odd names", '{"":1,"*":2,"a/b":3,"a~b":4,"$.x":5,"it\'s":6,"0":7," ":8}',
     {"": "1", "*": "2", "a/b": "3", "a~b": "4", "$.x": "5", "it's": "6", "0": "7", " ": "8"}),
    ("escaped name", '{"\\u0061\\n":1}', {"a\n": "1"}),
    ("NUL in a name", '{"a\\u0000b":1}', {"a\0b": "1"}),
    ("NUL in a value", '{"a":"x\\u0000"}', {"a": "x\0"}),
    ("system names", '{"_time":"x","date":"d","tier":"t","attributes":"a","attributes.x":"b","_other":"c"}',
     {"_time": "x", "date": "d", "tier": "t", "attributes": "a", "attributes.x": "b", "_other": "c"}),
    ("escapes", r'{"a":"\"\\\/\b\f\n\r\t\u001f\u007f","b":["\"\\\/\b\f\n\r\t\u001f\u007f"]}',
     {"a": '"\\/\b\f\n\r\t\x1f\x7f', "b": '["\\"\\\\/\\b\\f\\n\\r\\t\\u001F\x7f"]'}),
    ("surrogate pair", r'{"a":"\ud83d\ude00"}', {"a": "😀"}),
    ("mark of our own", r'{"a":"\u00011.10","b":1.10}', {"a": "\x011.10", "b": "1.10"}),
    ("white space", ' \t{ "a" : 1 , "b" : "x" } \t', {"a": "1", "b": "x"}),
    ("deep", '{"a":' + "[" * 3000 + "]" * 3000 + "}", {"a": "[" * 3000 + "]" * 3000}),
]  # fmt: skip

NUMBERS = [
    "0", "-0", "-0.0", "0.0", "0.00", "1.0", "1.00", "1.10", "1e5", "1E5", "1e+5", "1e-5", "-1.5e300", "1e400", "0.1", "0.000001",
    "0.0000001", "0.00000010", "9007199254740993", "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890",
    "123456789012345.5", "1234567890123456.5", "0.12345678901234567", "0.1234567890123456", "1446249499.123456", "1446249499.1234567",
    "9446249499.123456", "100.0", "12345678.12345678", "0.30000000000000004", "5e-324", "1.7976931348623157e308",
    "1." + "0" * 30, "0." + "1" * 40, "1" + "0" * 30 + ".5",
]  # fmt: skip

# A line, the code of its error, fields that are there all the same.
UNREADABLE: list[tuple[str, bytes, str, dict[str, str]]] = [
    ("text", b"not JSON", "invalid_json", {}),
    ("cut off", b'{"a":1,"b":', "invalid_json", {}),
    ("trailing comma", b'{"a":1,}', "invalid_json", {}),
    ("trailing comma in a list", b'{"a":[1, ]}', "invalid_json", {}),
    ("NaN", b'{"a":NaN}', "invalid_json", {}),
    ("nan", b'{"a": nan }', "invalid_json", {}),
    ("-Infinity", b'{"a":[-Infinity]}', "invalid_json", {}),
    ("inf", b'{"a":1,"b":inf}', "invalid_json", {}),
    ("leading zero", b'{"a":01}', "invalid_json", {}),
    ("plus", b'{"a":+1}', "invalid_json", {}),
    ("no digits", b'{"a":1.}', "invalid_json", {}),
    ("single quotes", b"{'a':1}", "invalid_json", {}),
    ("raw control character", b'{"a":"x\x01"}', "invalid_json", {}),
    ("raw NUL", b'{"a":"x\x00"}', "invalid_json", {}),
    ("bad escape", b'{"a":"\\x"}', "invalid_json", {}),
    ("comment", b'{"a":1} // x', "invalid_json", {}),
    ("no comma", b'{"a":1 "b":2}', "invalid_json", {}),
    ("odd number in a broken object", b'{"a":1.10,"b":x}', "invalid_json", {}),
    ("list", b'[{"a":1}]', "not_an_object", {}),
    ("string", b'"x"', "not_an_object", {}),
    ("number", b"1.10", "not_an_object", {}),
    ("null", b"null", "not_an_object", {}),
    ("lone surrogate", b'{"a":"x\\ud800y","b":"z"}', "invalid_text", {"a": "x\ufffdy", "b": "z"}),
    ("lone surrogate within", b'{"a":["\\udc00"]}', "invalid_text", {"a": '["\ufffd"]'}),
    ("reversed pair", b'{"a":"\\ude00\\ud83d"}', "invalid_text", {"a": "\ufffd\ufffd"}),
    ("bad bytes", b'{"a":"\xff\xfe","b":1}', "invalid_text", {"a": "\ufffd\ufffd", "b": "1"}),
]  # fmt: skip

PATHS = [pytest.param(FAST, id="fast"), pytest.param(TOLERANT, id="tolerant")]


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize(("line", "fields"), [row[1:] for row in OBJECTS], ids=[row[0] for row in OBJECTS])
def test_object(line: str, fields: dict[str, str], patches: dict[str, Any]) -> None:
    reading = read_all(line.encode() + b"\n", "json", patches=patches)
    assert reading.messages == [line.strip()]
    assert reading.errors == [None]
    assert reading.fields == [fields]


@pytest.mark.parametrize("patches", PATHS)
def test_objects_of_the_table_together(patches: dict[str, Any]) -> None:
    """Rows take different ways through the fast path; each must come out at its place."""
    lines = [line for _, line, _ in OBJECTS for _ in range(3)]
    reading = read_all("\n".join(lines).encode(), "json", patches=patches)
    assert reading.messages == [line.strip() for line in lines]
    assert reading.fields == [fields for _, _, fields in OBJECTS for _ in range(3)]


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize("number", NUMBERS)
def test_number_keeps_its_text(number: str, patches: dict[str, Any]) -> None:
    line = f'{{"a":{number},"b":[{number},{number} , {number}],"c": {number} ,"s":"{number}","t":"a, {number}, b"}}'
    reading = read_all(line.encode(), "json", patches=patches)
    assert reading.errors == [None]
    assert reading.fields == [
        {"a": number, "b": f"[{number},{number},{number}]", "c": number, "s": number, "t": f"a, {number}, b"}
    ]


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize(
    "place", ["[{}]", "[1,{}]", "[{},1]", "[{} ]", '{{"x":{}}}', '{{"x":{},"y":1}}', '{{"x":{} }}', "{}"]
)
def test_number_keeps_its_text_where_nothing_else_does_not(place: str, patches: dict[str, Any]) -> None:
    """A line of its own for each: one number that DuckDB would change takes its whole line off the fast path."""
    values = [place.format(number) for number in NUMBERS]
    reading = read_all("".join(f'{{"a":{value}}}\n' for value in values).encode(), "json", patches=patches)
    assert reading.errors == [None] * len(values)
    assert [fields["a"] for fields in reading.fields] == [value.replace(" ", "") for value in values]


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize(
    ("line", "code", "fields"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE]
)
def test_unreadable(line: bytes, code: str, fields: dict[str, str], patches: dict[str, Any]) -> None:
    good = b'{"ok":1}\n'
    reading = read_all(good + line + b"\n" + good, "json", patches=patches)
    assert reading.errors == [None, code, None]
    assert reading.messages[1] == line.decode("utf-8", "replace")
    assert reading.fields == [{"ok": "1"}, fields, {"ok": "1"}]


def test_explanation_says_where() -> None:
    reading = read_all(b'{"a":1,"b":oops}\n', "json")
    assert reading.rows[0]["_error"] == "invalid_json: unexpected text at character 12"


def test_blank_lines_and_line_ends() -> None:
    reading = read_all(b'\n{"a":1}\r\n\r\n{"a":2}\n \n{"a":3}', "json")
    assert reading.fields == [{"a": "1"}, {"a": "2"}, {"a": "3"}]
    assert reading.errors == [None, None, None]
    assert (reading.blank, reading.header) == (3, 0)


def test_byte_order_mark() -> None:
    assert read_all('\ufeff{"a":1}\n'.encode(), "json").fields == [{"a": "1"}]
    assert read_all('\ufeff{"a":"é"}\n{"a":2}'.encode("utf-16-be"), "json", cut=1).fields == [{"a": "é"}, {"a": "2"}]


def test_record_too_long() -> None:
    reading = read_all(b'{"a":1}\n{"a":"' + b"x" * 50 + b'"}\n{"a":2}\n', "json", max_record=20)
    assert reading.errors == [None, "record_too_long", None]
    assert reading.messages[1] == '{"a":"' + "x" * 14
    assert reading.fields == [{"a": "1"}, {}, {"a": "2"}]


def test_time_of_the_record() -> None:
    reading = read_all(b'{"time":"2025-08-11T00:00:01Z"}\n{"x":1}\n', "json")
    assert [str(row.get("_time")) for row in reading.rows] == ["2025-08-11 00:00:01+00:00", "None"]
    assert [row.get("_time_source") for row in reading.rows] == ["record", None]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([{f"k{row}_{column}": row for column in range(10)} for row in range(3000)], id="no name twice"),
        pytest.param(
            [{f"k{(row * 7 + column) % 1500}": row for column in range(10)} for row in range(6000)], id="1,500 names"
        ),
        pytest.param([{f"k{column}": row for column in range(1500)} for row in range(30)], id="1,500 in each"),
        pytest.param(
            [{"a": row, **({f"rare{row}": 1} if row % 100 == 0 else {})} for row in range(5000)], id="rare names"
        ),
        pytest.param([{"a": 1}] * 600 + [{"b": 2, "c": None}] * 600, id="names that change"),
    ],
)
def test_many_names_bound_the_cells(rows: list[dict[str, Any]]) -> None:
    """A batch has no more than 4 million cells, and not many times more than there are values."""
    data = "\n".join(map(json.dumps, rows)).encode()
    blocks = list(blocks_of(data, "json"))
    cells = [block.records.num_rows * (block.records.num_columns - 1) for block in blocks]
    values = sum(map(len, rows))
    assert max(cells) <= MAX_CELLS
    assert sum(cells) <= max(2 * MAX_CELLS, 250 * values)
    found = read_all(data, "json").fields
    assert found == [{name: str(value) for name, value in row.items() if value is not None} for row in rows]


# Hypothesis: texts near JSON

_NUMBER = st.one_of(
    st.sampled_from(NUMBERS),
    st.from_regex(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
_PIECE = st.sampled_from(
    [
        *'abé😀\u2028\x7f"\\/ ,:[]{}',
        "1.10",
        ", 1.10 ",
        ":1e5",
        "00:00.000Z",
        "\\ud800",
        "\\u0001",
        "NaN",
        ",}",
        "\x01",
        "\\u0000",
        "\\n",
    ]
)
_STRING = (
    st.lists(_PIECE, max_size=4)
    .map("".join)
    .flatmap(lambda text: st.sampled_from([json.dumps(text), json.dumps(text, ensure_ascii=False), f'"{text}"']))
)
_NAME = st.one_of(
    st.sampled_from(['"a"', '"b"', '"time"', '""', '"*"', '"a/b"', '"A"', '"\\u0061"', '"date"']), _STRING
)
_SPACE = st.sampled_from(["", "", "", " ", "\t", "  "])
_SCALAR = st.one_of(
    _NUMBER,
    _STRING,
    st.sampled_from(["true", "false", "null", "null", "NaN", "-Infinity", "nan", "", "x", "01", "+1", "1.", ".5"]),
)


def _joined(parts: list[str], spaces: list[str], opening: str, closing: str, end: str) -> str:
    return (
        opening + ",".join(f"{space}{part}{space}" for part, space in zip(parts, spaces, strict=False)) + end + closing
    )


def _container(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    spaces = st.lists(_SPACE, min_size=4, max_size=4)
    end = st.sampled_from([""] * 12 + [",", " ", ", "])
    members = st.lists(
        st.tuples(_NAME, values, _SPACE).map(lambda item: f"{item[0]}{item[2]}:{item[2]}{item[1]}"), max_size=4
    )
    return st.one_of(
        st.builds(_joined, members, spaces, st.just("{"), st.just("}"), end),
        st.builds(_joined, st.lists(values, max_size=4), spaces, st.just("["), st.just("]"), end),
    )


_LINE = st.one_of(
    _container(st.recursive(_SCALAR, _container, max_leaves=8)),
    _container(st.recursive(_SCALAR, _container, max_leaves=8)),
    st.sampled_from(["", " ", "{}", "{", "[1]", "x", '{"a":1}{"a":2}', '{"a":1} ']),
).map(lambda line: line.replace("\n", " "))
_BAD_BYTES = st.sampled_from([b"", b"", b"", b"\xff", b"\xc3", b"\r", b"\xed\xa0\x80"])


@settings(max_examples=EXAMPLES, deadline=None)
@given(lines=st.lists(st.tuples(_LINE, _BAD_BYTES), max_size=6), cut=st.sampled_from([None, 1, 7, 64]))
@example(lines=[('{"a":1.10}', b""), ('{"a":[1.10,2.20]}', b"")], cut=None)
def test_fast_path_equals_tolerant_path(lines: list[tuple[str, bytes]], cut: int | None) -> None:
    data = b"\n".join(line.encode("utf-8", "surrogatepass") + bad for line, bad in lines)
    tolerant = read_all(data, "json", patches=TOLERANT)
    assert read_all(data, "json", cut=cut, patches=FAST) == tolerant
    assert read_all(data, "json", cut=cut, patches=TOLERANT) == tolerant


@pytest.mark.slow
@settings(max_examples=many(500), deadline=None)
@given(lines=st.lists(st.tuples(_LINE, _BAD_BYTES), min_size=20, max_size=20))
def test_fast_path_equals_tolerant_path_many_times(lines: list[tuple[str, bytes]]) -> None:
    """500 batches of 20 independent lines."""
    data = b"\n".join(line.encode("utf-8", "surrogatepass") + bad for line, bad in lines)
    assert read_all(data, "json", patches=FAST) == read_all(data, "json", patches=TOLERANT)


class _Number(str):
    """A number by its text."""


def _expected(value: Any) -> str | None:
    """Say by Python's json what an attribute is."""
    if value is None:
        return None
    if isinstance(value, str):
        return str(value)
    return _dumps(value)


def _dumps(value: Any) -> str:
    if isinstance(value, list) and value and value[0] == "object":
        return "{" + ",".join(f"{_dumps(name)}:{_dumps(item)}" for name, item in value[1]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dumps, value[1])) + "]"
    if isinstance(value, _Number):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    return "".join(f"\\u{char[2:].upper()}" if char.startswith("\\u") else char for char in _escapes(text))


def _escapes(text: str) -> list[str]:
    parts, place = [], 0
    while place < len(text):
        size = 6 if text.startswith("\\u", place) else 2 if text[place] == "\\" else 1
        parts.append(text[place : place + size])
        place += size
    return parts


def _tag(value: Any) -> Any:
    """Tell lists from objects, which `object_pairs_hook` gives as lists too."""
    return ["list", [_tag(item) for item in value]] if isinstance(value, list) and value[:1] != ["object"] else value


@settings(max_examples=EXAMPLES, deadline=None)
@given(members=st.lists(st.tuples(_NAME, st.recursive(_SCALAR, _container, max_leaves=6)), max_size=5))
def test_fields_are_what_python_reads(members: list[tuple[str, str]]) -> None:
    line = "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    def pairs(items: list[tuple[str, Any]]) -> Any:
        return ["object", [(name, _tag(value)) for name, value in items]]

    try:
        found = json.loads(line, parse_float=_Number, parse_int=_Number, parse_constant=refuse, object_pairs_hook=pairs)
    except ValueError:
        found = None
    if found is None and line.count("{") - line.count("}"):
        return  # what it is then is for the layouts' tests
    reading = read_all(line.encode("utf-8", "surrogatepass"), "json", patches=FAST)
    if found is None:
        assert reading.errors == ["invalid_json"]
        return
    expected: dict[str, str | None] = {}
    for name, value in found[1]:
        expected.setdefault(name, _expected(value))
    if any("\ud800" <= char <= "\udfff" for name, value in expected.items() for char in name + (value or "")):
        assert reading.errors == ["invalid_text"]
        return
    assert reading.fields == [{name: value for name, value in expected.items() if value is not None}]
