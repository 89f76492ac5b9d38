"""Pipelines on batches: attributes and times, exact columns, types and nulls."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest

from transforms.core.schema import CONSTANT, TIME
from transforms.event_pipelines import Pipeline, apply_pipelines
from transforms.event_pipelines.definition import load_pipelines

UTC = timezone.utc
MODIFIED = datetime(2025, 3, 1, 12, tzinfo=UTC)
RECEIVED = datetime(2025, 11, 21, 12, tzinfo=UTC)
VIEW = pa.string_view()

ACCESS_PATTERN = (
    r"^(?P<clientip>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<req_time>[^\]]+)\] "
    r'"(?P<method>\S+) (?P<uri>\S+) HTTP/(?P<http_version>[^"]+)" '
    r'(?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<useragent>[^"]*)"'
)
ACCESS_LINE = (
    '87.129.182.205 - jaredevans [11/Aug/2025:22:24:37 +0000] "GET /products HTTP/1.1" 200 1987 "-" "Mozilla/5.0 '
    "(Linux; Android 5.1.1; "
    'Nexus 5) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/91.0.4472.124 Mobile Safari/537.36"'
)


def pipelines_of(*steps: dict[str, Any]) -> tuple[Pipeline, ...]:
    return load_pipelines(json.dumps({"pipelines": [{"name": "p", "steps": steps}]}), source="p.json")


def regex(pattern: str, source: str = "message", **more: Any) -> dict[str, Any]:
    return {"regex": {"source": source, "pattern": pattern, **more}}


def timestamp(source: str, **more: object) -> dict[str, Any]:
    return {"timestamp": {"source": source, **more}}


def batch_of(**given: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(given.values()), names=list(given))


def views(*values: str | None) -> pa.Array:
    return pa.array(values, VIEW)


def run(batch: pa.RecordBatch, *steps: dict[str, Any]) -> pa.RecordBatch:
    return apply_pipelines(batch, pipelines_of(*steps), received=RECEIVED, modified=MODIFIED)


def test_access_log() -> None:
    batch = batch_of(_message=views(ACCESS_LINE, "Traceback"), host=pa.array(["web-1"] * 2).dictionary_encode())
    done = run(batch, regex(ACCESS_PATTERN), timestamp("req_time", format="CLF"))
    names = [
        "clientip",
        "ident",
        "user",
        "req_time",
        "method",
        "uri",
        "http_version",
        "status",
        "bytes",
        "referer",
        "useragent",
    ]
    assert done.schema.names == ["_message", "host", *names, "_time", "_time_source", "_pipelines"]
    assert [done.schema.field(name).type for name in names] == [VIEW] * len(names)
    assert (
        done.schema.field("_time").type,
        done.schema.field("_time_source").type,
        done.schema.field("_pipelines").type,
    ) == (
        TIME,
        CONSTANT,
        CONSTANT,
    )
    first, second = done.to_pylist()
    assert first["_message"] == ACCESS_LINE
    assert (first["clientip"], first["user"], first["status"], first["http_version"], first["referer"]) == (
        "87.129.182.205",
        "jaredevans",
        "200",
        "1.1",
        "-",
    )
    assert (first["_time"], first["_time_source"], first["_pipelines"]) == (
        datetime(2025, 8, 11, 22, 24, 37, tzinfo=UTC),
        "pipeline",
        "p",
    )
    assert second == {**dict.fromkeys(done.schema.names), "_message": "Traceback", "host": "web-1", "_pipelines": "p"}


@pytest.mark.parametrize(
    ("pattern", "more", "messages", "before", "after"),
    [
        ("a=(?P<x>[a-z]*)", {}, ["a=1", "a=b", "c", None], None, ["", "b", None, None]),
        ("a=(?P<x>[a-z]*)", {}, ["a=1", "a=b", "c", None], ["1", None, "3", "4"], ["", "b", "3", "4"]),
        ("a(?P<x>b)?", {}, ["ab", "a", "x"], ["1", "2", "3"], ["b", "2", "3"]),
        ("(?<x>[éß☃]+)", {}, ["xé☃y", "ss"], None, ["é☃", None]),
        ("(.)$", {"outputs": ["x"]}, ["ab", ""], None, ["b", None]),
        ("(?i)A(?P<x>.)", {}, ["ab", "Ac"], None, ["b", "c"]),
        ("(?P<x>z)", {}, ["a", "b"], None, None),
        ("(?P<x>z)", {}, ["a", "b"], ["1", None], ["1", None]),
    ],
)
def test_each_group_that_took_part_replaces(
    pattern: str,
    more: dict[str, Any],
    messages: list[str | None],
    before: list[str | None] | None,
    after: list[str | None] | None,
) -> None:
    given = {"_message": views(*messages)} | ({} if before is None else {"x": views(*before)})
    done = run(batch_of(**given), regex(pattern, **more))
    assert ("x" in done.schema.names) == (after is not None)
    if after is not None:
        assert done["x"].to_pylist() == after
        assert done["x"].type == VIEW


@pytest.mark.parametrize(
    ("files", "hosts"),
    [(["logs/web-1/a.log"] * 3 + [None], ["web-1"] * 3 + [None]), (["logs/web-1/a", "x", None], ["web-1", None, None])],
)
def test_constants_are_searched_once(files: list[str | None], hosts: list[str | None]) -> None:
    filename = pa.array(files).dictionary_encode()
    messages = pa.array(["x"] * len(files), VIEW)
    done = run(batch_of(_message=messages, filename=filename), regex(r"^logs/(?P<host>[^/]+)/", source="filename"))
    assert done["host"].to_pylist() == hosts
    assert done["host"].null_count == hosts.count(None)
    assert done["filename"].equals(filename)


def test_a_constant_is_replaced_where_a_group_took_part() -> None:
    host = pa.array(["old"] * 2).dictionary_encode()
    done = run(batch_of(_message=views("host=new", "x"), host=host), regex(r"host=(?P<host>\w+)"))
    assert done["host"].to_pylist() == ["new", "old"]


def test_a_source_that_no_event_has_changes_nothing() -> None:
    batch = batch_of(_message=views("a"))
    done = run(batch, regex("(?P<x>.)", source="y"), timestamp("z", format="yyyy-MM-dd"))
    assert done.drop_columns("_pipelines").equals(batch)


def test_message_is_always_the_event_s_text() -> None:
    batch = batch_of(_message=views("text"), message=views("own"))
    done = run(batch, regex("(?P<a>.+)"), regex("(?P<b>.+)", source="attributes.message"))
    assert (done["a"].to_pylist(), done["b"].to_pylist()) == (["text"], ["own"])


def test_names_of_system_columns_are_kept_beside_them() -> None:
    done = run(batch_of(_message=views("7")), regex("(?P<date>.)"), regex("(?P<again>.)", source="attributes.date"))
    assert done.schema.names == ["_message", "attributes.date", "again", "_pipelines"]


def test_each_pipeline_sees_what_those_before_it_made() -> None:
    entries = [
        {"name": "one", "steps": [regex("a=(?P<a>.*)")]},
        {"name": "off", "enabled": False, "steps": [regex("(?P<a>nothing)")]},
        {"name": "two", "steps": [regex("(?P<b>.)$", source="a")]},
    ]
    pipelines = load_pipelines(json.dumps({"pipelines": entries}), source="p.json")
    done = apply_pipelines(batch_of(_message=views("a=xyz")), pipelines, received=RECEIVED)
    assert done.to_pylist() == [{"_message": "a=xyz", "a": "xyz", "b": "z", "_pipelines": "one,two"}]


REQUIRED = [
    ("some match", ["a1", "b", None, "a2"], ["x", "b", None, "x"]),
    ("all match", ["a1", "a2"], ["x", "x"]),
    ("none matches", ["b", None], ["b", None]),
]


@pytest.mark.parametrize(("values", "expected"), [row[1:] for row in REQUIRED], ids=[row[0] for row in REQUIRED])
@pytest.mark.parametrize("step", [{"regex": {"pattern": r"^a(?P<n>\d)"}}, {"grok": {"pattern": "^a%{INT:n}"}}])
def test_a_pipeline_ends_for_what_a_required_pattern_does_not_match(
    values: list[str | None], expected: list[str | None], step: dict[str, Any]
) -> None:
    """Only that pipeline: the one around it goes on."""
    [(name, parameters)] = step.items()
    overwrite = {"set": {"output": "v", "value": "x", "override": True}}
    inner = [{name: {**parameters, "source": "v", "required": True}}, overwrite]
    done = run(
        batch_of(_message=views(*["m"] * len(values)), v=views(*values)),
        {"pipeline": {"name": "inner", "steps": inner}},
        {"set": {"output": "after", "value": "y"}},
    ).to_pylist()
    assert [(row.get("v"), row["after"]) for row in done] == [(value, "y") for value in expected]


def test_no_pipelines_no_change() -> None:
    batch = batch_of(_message=views("a"))
    assert apply_pipelines(batch, (), received=RECEIVED) is batch


def time(*args: int) -> datetime:
    return datetime(*args, tzinfo=UTC)  # type: ignore[misc,arg-type]


KEPT = (time(2024, 5, 6), "record")
LATE = (RECEIVED, "received")


def made(*args: int) -> tuple[datetime, str]:
    return (time(*args), "pipeline")


@pytest.mark.parametrize(
    ("parameters", "value", "expected"),
    [
        ({}, "2025-01-02T03:04:05Z", made(2025, 1, 2, 3, 4, 5)),
        ({}, "1446249499.5", made(2015, 10, 30, 23, 58, 19, 500000)),
        ({"format": "AUTO"}, "Mar 27 13:06:56", made(2024, 3, 27, 13, 6, 56)),
        ({"format": "AUTO"}, "junk", KEPT),
        ({"format": "AUTO"}, "2099-01-01", KEPT),
        ({"format": "AUTO"}, None, KEPT),
        ({"format": "ISO_8601"}, "2025-01-02T03:04:05+01:00", made(2025, 1, 2, 2, 4, 5)),
        ({"format": "ISO_8601"}, "02/Jan/2025:03:04:05 +0000", KEPT),
        ({"format": "DATE", "timezone": "Europe/Paris"}, "2025-07-02", made(2025, 7, 1, 22)),
        ({"format": "CLF"}, "10/Oct/2011:13:55:36 -0700", made(2011, 10, 10, 20, 55, 36)),
        ({"format": "CLF"}, "2025-01-02T03:04:05Z", KEPT),
        ({"format": "EPOCH_SECONDS"}, "86400", made(1970, 1, 2)),
        ({"format": "EPOCH_MILLISECONDS"}, "1446249499322", made(2015, 10, 30, 23, 58, 19, 322000)),
        ({"format": "EPOCH_MICROSECONDS"}, "1446249499322001", made(2015, 10, 30, 23, 58, 19, 322001)),
        ({"format": "EPOCH_NANOSECONDS"}, "1446249499322001999", made(2015, 10, 30, 23, 58, 19, 322001)),
        ({"format": "EPOCH_SECONDS"}, "soon", KEPT),
        ({"format": "yyyy-MM-dd HH:mm:ss"}, "2025-01-02 03:04:05", made(2025, 1, 2, 3, 4, 5)),
        (
            {"format": "yyyy-MM-dd HH:mm:ss", "timezone": "America/New_York"},
            "2025-03-09 02:30:00",
            made(2025, 3, 9, 7, 30),
        ),
        ({"format": "yyyy-MM-dd HH:mm:ss"}, "2025-01-02T03:04:05", LATE),
        ({"format": "yyyy-MM-dd HH:mm:ss"}, "2099-01-02 03:04:05", LATE),
        ({"format": "yyyy-MM-dd HH:mm:ss"}, "2025-02-30 03:04:05", LATE),
        ({"format": "yyyy-MM-dd HH:mm:ss"}, None, KEPT),
        ({"format": "dd MMM HH:mm"}, "27 Mar 13:06", made(2024, 3, 27, 13, 6)),
    ],
)
def test_timestamp(parameters: dict[str, Any], value: str | None, expected: tuple[datetime, str]) -> None:
    batch = batch_of(
        _message=views("a", "b"),
        t=views(value, value),
        _time=pa.array([KEPT[0]] * 2, TIME),
        _time_source=pa.array(["record"] * 2).dictionary_encode(),
    )
    done = run(batch, timestamp("t", **parameters))
    assert list(zip(done["_time"].to_pylist(), done["_time_source"].to_pylist(), strict=True)) == [expected] * 2
    assert done.schema.field("_time").type == TIME


def test_timestamp_sets_some_rows_and_leaves_others() -> None:
    done = run(
        batch_of(_message=views("a", "b", "c"), t=views("2025-01-02", None, "x")), timestamp("t", format="yyyy-MM-dd")
    )
    assert done["_time"].to_pylist() == [time(2025, 1, 2), None, RECEIVED]
    assert done["_time_source"].to_pylist() == ["pipeline", None, "received"]


def test_auto_on_the_message_takes_its_first_stamp() -> None:
    done = run(batch_of(_message=views(ACCESS_LINE)), timestamp("message"))
    assert done["_time"].to_pylist() == [time(2025, 8, 11, 22, 24, 37)]
