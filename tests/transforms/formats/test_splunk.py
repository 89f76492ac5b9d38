"""Splunk's formats: HEC, CSV as it exports it, JSON as it exports it."""

# ruff: noqa: E501  tables of cases, a row a line
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import many
from tests.transforms.formats.reading import FAST, TOLERANT, read_all

PATHS = [pytest.param(FAST, id="fast"), pytest.param(TOLERANT, id="tolerant")]

# An object; message, attributes, time.
HEC: list[tuple[str, str, str, dict[str, str], str | None]] = [
    ("documented", '{"event":"Demo log","time":"2025-08-14T22:46:11Z","index":"demo","status":1,'
     '"fields":{"key1":"value1","key2":["value2.0", "value2.1"]}}', "Demo log",
     {"index": "demo", "key1": "value1", "key2": '["value2.0","value2.1"]'}, "2025-08-14 22:46:11+00:00"),
    ("all metadata", '{"event":"x","host":"h","source":"s","sourcetype":"t","index":"i","fields":{"host":"other","source":null}}', "x",
     {"host": "h", "source": "s", "sourcetype": "t", "index": "i"}, None),
    ("metadata in fields", '{"event":"x","fields":{"host":"h","sourcetype":"t"}}', "x", {"host": "h", "sourcetype": "t"}, None),
    ("object", '{"event": {"b": 1.10, "a": [ {} ]}, "time": 1754870400.5}', '{"b":1.10,"a":[{}]}', {},
     "2025-08-11 00:00:00.500000+00:00"),
    ("list", '{"event":[1, 2],"time":"1754870400"}', "[1,2]", {}, "2025-08-11 00:00:00+00:00"),
    ("number", '{"event":1.10}', "1.10", {}, None),
    ("boolean", '{"event":false}', "false", {}, None),
    ("values of fields", '{"event":"x","fields":{"n":1e5,"t":true,"z":null,"e":"","l":[],"status":401}}', "x",
     {"n": "1e5", "t": "true", "e": "", "l": "[]", "status": "401"}, None),
    ("braces in texts", '{"event":"\\"fields\\": \\"","fields":{"a":":{","b":["{","[["]}}', '"fields": "',
     {"a": ":{", "b": '["{","[["]'}, None),
    ("null time", '{"event":"x","time":null}', "x", {}, None),
    ("no fields", '{"event":"x","fields":null}', "x", {}, None),
]  # fmt: skip

HEC_ERRORS = [
    ('{"host":"h"}', "event_field_required"),
    ('{"event":null}', "event_field_required"),
    ('{"event":""}', "event_field_blank"),
    ('{"event":"x","fields":[1]}', "invalid_fields"),
    ('{"event":"x","fields":1}', "invalid_fields"),
    ('{"event":"x","fields":"{}"}', "invalid_fields"),
    ('{"event":"x","fields":{"a":{}}}', "invalid_fields"),
    ('{"event":"x","fields":{"a":[{}]}}', "invalid_fields"),
    ('{"event":"x","fields":{"a":[1,[]]}}', "invalid_fields"),
    ('{"event":"x","time":"yesterday"}', "invalid_time"),
    ('{"event":"x","time":[1]}', "invalid_time"),
    ('{"event":"x\\ud800"}', "invalid_text"),
    ('{"event":"x",}', "invalid_json"),
    ("x", "invalid_json"),
    ("1", "not_an_object"),
]


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize(("text", "message", "fields", "time"), [row[1:] for row in HEC], ids=[row[0] for row in HEC])
def test_hec(text: str, message: str, fields: dict[str, str], time: str | None, patches: dict[str, Any]) -> None:
    reading = read_all(text.encode(), "splunk_hec", patches=patches)
    assert reading.messages == [message]
    assert reading.fields == [fields]
    assert reading.errors == [None]
    assert [str(row["_time"]) if "_time" in row else None for row in reading.rows] == [time]


@pytest.mark.parametrize("patches", PATHS)
@pytest.mark.parametrize(("text", "code"), HEC_ERRORS)
def test_hec_error_keeps_the_text(text: str, code: str, patches: dict[str, Any]) -> None:
    good = '{"event":"good"}'
    reading = read_all(f"{good}\n{text}\n{good}".encode(), "splunk_hec", patches=patches)
    assert reading.messages == ["good", text, "good"]
    assert reading.errors == [None, code, None]


@pytest.mark.parametrize("cut", [1, 7, 64, None])
@pytest.mark.parametrize("join", ["", "\n", " ", ","])
def test_hec_layouts(join: str, cut: int | None) -> None:
    text = join.join(row[1] for row in HEC)
    reading = read_all((f"[{text}]" if join == "," else text).encode(), "splunk_hec", cut=cut)
    assert reading.messages == [row[2] for row in HEC]
    assert reading.fields == [row[3] for row in HEC]


@pytest.mark.parametrize("cut", [1, 7, None])
def test_splunk_csv(cut: int | None) -> None:
    text = (
        '_time,_raw,host,_cd\n2025-08-11T00:00:01.5Z,"raw, ""text""\nmore",h1,1:2\nnever,raw2,h2,\n1754870400.25,,h3,\n,raw4,h4,\n'
        "2025-08-11T00:00:01Z,raw5\n"
    )
    reading = read_all(text.encode(), "splunk_csv", cut=cut)
    assert reading.messages == ['raw, "text"\nmore', "never,raw2,h2,", "1754870400.25,,h3,", "raw4", "raw5"]
    assert reading.errors == [None, "invalid_time", None, None, None]
    assert reading.fields[0] == {"host": "h1", "_cd": "1:2"}
    assert reading.fields[1] == {"host": "h2", "_cd": "", "_raw": "raw2", "_time": "never"}
    assert reading.fields[4] == {}
    times = [str(row.get("_time")) for row in reading.rows]
    assert times == [
        "2025-08-11 00:00:01.500000+00:00",
        "None",
        "2025-08-11 00:00:00.250000+00:00",
        "None",
        "2025-08-11 00:00:01+00:00",
    ]
    assert reading.header == 1


def test_splunk_csv_options() -> None:
    reading = read_all(
        b"x\n1754870400;event;h\n", "splunk_csv", delimiter=";", skip_rows=1, headers=("_time", "_raw", "host")
    )
    assert (reading.messages, reading.fields) == (["event"], [{"host": "h"}])


@pytest.mark.parametrize("patches", PATHS)
def test_splunk_json(patches: dict[str, Any]) -> None:
    rows = [
        '{"preview":false,"offset":0,"result":{"_time":"2025-08-11T00:00:01.000+00:00","_raw":"the event","host":"h"}}',
        '{"preview":true,"result":{"a":1.10,"b":{"c":[1, 2]}}}',
        '{"result":{"a":1}}',
        '{"_raw":"x","_time":"2025-08-11","a":1}',
        '{"_raw":"x","_time":"never","a":1}',
        '{"_raw":"x"}',
    ]
    reading = read_all("\n".join(rows).encode(), "json", patches=patches)
    assert reading.messages == ["the event", '{"a":1.10,"b":{"c":[1,2]}}', rows[2], "x", rows[4], rows[5]]
    assert reading.errors == [None, None, None, None, "invalid_time", None]
    assert reading.fields == [
        {"host": "h"}, {"a": "1.10", "b": '{"c":[1,2]}'}, {"result": '{"a":1}'}, {"a": "1"},
        {"_raw": "x", "_time": "never", "a": "1"}, {"_raw": "x"},
    ]  # fmt: skip


@pytest.mark.parametrize("patches", PATHS)
def test_other_members_of_hec_are_rescued(patches: dict[str, Any]) -> None:
    rows = [
        '{"event":"x","sourcetype":"s","status":5.10,"a":{"b": [1, "\\u00e9"]},"c":null}',
        '{"event":"y","sourcetype":"s"}',
        '{"event":"","level":"5","event":"z"}',
        '{"status":',
    ]
    reading = read_all("\n".join(rows).encode(), "splunk_hec", patches=patches)
    assert [row.get("_rescued") for row in reading.rows] == [
        '{"status":5.10,"a":{"b":[1,"é"]}}', None, '{"level":"5"}', None,
    ]  # fmt: skip
    assert reading.fields == [{"sourcetype": "s"}, {"sourcetype": "s"}, {}, {}]


@pytest.mark.parametrize("patches", PATHS)
def test_further_cells_of_splunk_csv_are_rescued(patches: dict[str, Any]) -> None:
    reading = read_all(b"_raw,_time\nx,1754870400,more\ny,1754870400\n", "splunk_csv", patches=patches)
    assert [row.get("_rescued") for row in reading.rows] == ['["more"]', None]
    assert reading.errors == ["too_many_columns", None]


_VALUE = st.sampled_from(['"x"', '""', "null", "1.10", "-0", "1e5", "true", "{}", "[]", '["a", 1.0]', '{"a":{"b":1}}', '"{}"', '"\\ud800"',
                          '"{\\"a\\":1}"', "[[]]", '"2025-08-11T00:00:01Z"', "1754870400.123456", "9007199254740993", "x", '{"a": 1.10}',
                          "123456789012345678901234567890"])  # fmt: skip
_NAME = st.sampled_from(
    ["event", "event", "time", "host", "sourcetype", "index", "fields", "fields", "a", "event\\u0000"]
)


@pytest.mark.slow
@settings(max_examples=many(500), deadline=None)
@given(
    batch=st.lists(st.lists(st.tuples(_NAME, _VALUE), max_size=5), min_size=20, max_size=20),
    space=st.sampled_from(["", " ", "\r\n"]),
)
def test_hec_fast_path_equals_tolerant_path(batch: list[list[tuple[str, str]]], space: str) -> None:
    """500 batches of 20 independent objects."""
    objects = ["{" + f",{space}".join(f'"{name}":{space}{value}' for name, value in members) + "}" for members in batch]
    data = "\n".join(objects).encode()
    assert read_all(data, "splunk_hec", patches=FAST) == read_all(data, "splunk_hec", patches=TOLERANT)
    assert read_all(data, "splunk_hec", cut=7, patches=TOLERANT) == read_all(data, "splunk_hec", patches=TOLERANT)
