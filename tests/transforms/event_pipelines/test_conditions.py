"""Conditions, nesting, order, and what is counted: on batches with exact columns, types and nulls."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest

from transforms.core import schema
from transforms.event_pipelines import Pipeline, PipelineCounts, StepName, apply_pipelines, outputs
from transforms.event_pipelines.definition import load_pipelines

NOW = datetime(2025, 11, 21, 12, tzinfo=timezone.utc)
VIEW = pa.string_view()


def constant(value: str, rows: int) -> pa.Array:
    return pa.array([value] * rows).dictionary_encode()


def load(*entries: dict[str, Any]) -> tuple[Pipeline, ...]:
    return load_pipelines(json.dumps({"pipelines": entries}), source="p.json")


def put(output: str, value: str = "x", **more: object) -> dict[str, Any]:
    return {"set": {"output": output, "value": value, **more}}


BATCH = pa.RecordBatch.from_arrays(
    [
        pa.array(["one error", "two", "three Error", None], VIEW),
        pa.array(["200", "404", None, "500"], VIEW),
        constant("app", 4),
        pa.array([NOW] * 4, schema.TIME),
    ],
    names=["_message", "status", "sourcetype", "_observed_at"],
)


@pytest.mark.parametrize(
    ("when", "rows"),
    [
        (None, [0, 1, 2, 3]),
        ("*", [0, 1, 2, 3]),
        ("sourcetype=APP", [0, 1, 2, 3]),
        ("sourcetype=web", []),
        ("sourcetype=web status=404", []),
        ("sourcetype=app status=404", [1]),
        ("sourcetype=web OR status=404", [1]),
        ("sourcetype=app OR status=404", [0, 1, 2, 3]),
        ("NOT sourcetype=app", []),
        ("NOT (sourcetype=app status=404)", [0, 2, 3]),
        ("status>=404", [1, 3]),
        ("NOT status=*", [2]),
        ("status!=404", [0, 3]),
        ("error", [0, 2]),
        ('CASE("Error")', [2]),
        ("message=two", [1]),
        ("nothing=1", []),
        ("NOT nothing=1", [0, 1, 2, 3]),
        ("#observedAt>2025-01-01 status=500", [3]),
        ("#error=*", []),
    ],
)
def test_a_pipeline_runs_on_what_matches(when: str | None, rows: list[int]) -> None:
    done = apply_pipelines(
        BATCH, load({"name": "p", "steps": [put("y")], **({"when": when} if when else {})}), received=NOW
    )
    if not rows:
        assert done is BATCH
        return
    assert [row for row, value in enumerate(done["y"].to_pylist()) if value == "x"] == rows
    assert [row for row, value in enumerate(done["_pipelines"].to_pylist()) if value == "p"] == rows
    assert done["_pipelines"].null_count == done["y"].null_count == 4 - len(rows)
    assert done["_pipelines"].type == schema.CONSTANT
    assert done["y"].type == (schema.CONSTANT if len(rows) == 4 else VIEW)
    for name in BATCH.schema.names:
        assert done[name].equals(BATCH[name])


NESTED = load(
    {
        "name": "a",
        "when": "status=*",
        "steps": [
            put("kind", "ok"),
            {
                "pipeline": {
                    "name": "b",
                    "when": "status>=400 kind=ok",
                    "steps": [
                        put("kind", "bad", override=True),
                        {
                            "pipeline": {
                                "name": "c",
                                "when": "status=5*",
                                "steps": [put("kind", "worse", override=True), put("deep")],
                            }
                        },
                        put("kind", "never"),
                    ],
                }
            },
            {"pipeline": {"name": "off", "enabled": False, "steps": [put("off")]}},
            put("end"),
        ],
    },
    {"name": "d", "when": "kind=bad", "steps": [put("last"), {"remove": {"attributes": ["status"]}}]},
    {"name": "e", "when": "status=404", "steps": [put("gone")]},
)


def test_nested_pipelines_run_on_what_the_outer_ones_chose() -> None:
    done = apply_pipelines(BATCH, NESTED, received=NOW)
    assert done["kind"].to_pylist() == ["ok", "bad", None, "worse"]
    assert done["deep"].to_pylist() == [None, None, None, "x"]
    assert done["end"].to_pylist() == ["x", "x", None, "x"]
    assert done["last"].to_pylist() == [None, "x", None, None]
    assert done["status"].to_pylist() == ["200", None, None, "500"]
    assert done["_pipelines"].to_pylist() == ["a", "a,b,d", None, "a,b,c"]
    assert not {"off", "gone"} & set(done.schema.names)
    assert outputs(NESTED) == ["kind", "deep", "end", "last", "gone"]


def test_outputs_are_attributes_by_their_own_names() -> None:
    assert outputs(load({"name": "p", "steps": [put("attributes.date"), put("attributes.x"), put("date")]})) == [
        "date",
        "attributes.x",
    ]


def test_an_attribute_that_no_event_has_any_more_is_no_column() -> None:
    pipelines = load({"name": "p", "steps": [{"remove": {"attributes": ["status"]}}]})
    assert apply_pipelines(BATCH, pipelines, received=NOW).schema.names == [
        "_message",
        "sourcetype",
        "_observed_at",
        "_pipelines",
    ]
    pipelines = load({"name": "p", "when": "status=*", "steps": [{"remove": {"attributes": ["status"]}}]})
    assert "status" not in apply_pipelines(BATCH, pipelines, received=NOW).schema.names


def test_what_lies_beside_the_columns_stays() -> None:
    batch = BATCH.replace_schema_metadata({b"k": b"v"})
    done = apply_pipelines(batch, load({"name": "p", "steps": [put("y")]}), received=NOW)
    assert done.schema.metadata == {b"k": b"v"}


def test_a_constant_is_copied_as_one() -> None:
    done = apply_pipelines(
        BATCH, load({"name": "p", "steps": [{"map": {"source": "sourcetype", "output": "y"}}]}), received=NOW
    )
    assert done["y"].type == schema.CONSTANT


def test_a_constant_is_set_for_some_events() -> None:
    step = {"set": {"output": "sourcetype", "value": "db", "override": True}}
    done = apply_pipelines(BATCH, load({"name": "p", "when": "error", "steps": [step]}), received=NOW)
    assert done["sourcetype"].to_pylist() == ["db", "app", "db", "app"]


def test_slices_are_read_from_where_they_begin() -> None:
    pipelines = load({"name": "p", "when": "status>=404", "steps": [{"map": {"source": "message", "output": "y"}}]})
    assert apply_pipelines(BATCH.slice(1, 2), pipelines, received=NOW)["y"].to_pylist() == ["two", None]


def test_failures_are_counted_by_pipeline_and_step() -> None:
    digits = {"regex": {"source": "message", "pattern": r"(?P<n>\d+)"}}
    inner = {"pipeline": {"name": "inner", "when": "status=*", "steps": [digits]}}
    counts = PipelineCounts()
    for _ in range(2):
        apply_pipelines(BATCH, load({"name": "outer", "steps": [put("y"), digits, inner]}), received=NOW, counts=counts)
    assert counts.failures == {StepName("outer", "steps[1].regex"): 6, StepName("inner", "steps[0].regex"): 4}


def test_times_are_set_for_some_events() -> None:
    batch = pa.RecordBatch.from_arrays(
        [pa.array(["a", "b", "c"], VIEW), pa.array(["2025-01-02", "2025-01-02", "x"], VIEW)], names=["_message", "t"]
    )
    pipelines = load({"name": "p", "when": "b OR c", "steps": [{"timestamp": {"source": "t", "format": "yyyy-MM-dd"}}]})
    done = apply_pipelines(batch, pipelines, received=NOW)
    assert done["_time"].to_pylist() == [None, datetime(2025, 1, 2, tzinfo=timezone.utc), NOW]
    assert done["_time_source"].to_pylist() == [None, "pipeline", "received"]


def test_no_events() -> None:
    empty = BATCH.slice(0, 0)
    assert apply_pipelines(empty, NESTED, received=NOW) is empty


def test_a_condition_sees_which_pipelines_ran() -> None:
    def also(when: str, output: str, *more: dict[str, Any]) -> dict[str, Any]:
        return {"name": output, "when": when, "steps": [put(output), *more]}

    inner = [
        {"pipeline": also('#pipelines="errors,outer"', "inner")},
        {"pipeline": also("NOT #pipelines=*inner*", "other")},
    ]
    pipelines = load(
        also("NOT #pipelines=*", "first_of_all"),
        {"name": "off", "enabled": False, "steps": [put("off")]},
        also("nothing=1", "nowhere"),
        also("#pipelines=first_of_all", "second"),
        also("NOT #pipelines=*second", "never"),
    )
    done = apply_pipelines(BATCH, pipelines, received=NOW)
    assert done["_pipelines"].to_pylist() == ["first_of_all,second"] * 4
    pipelines = load(
        also("error", "errors"), also("*", "outer", *inner), also('#pipelines="*inner" status=200', "last")
    )
    done = apply_pipelines(BATCH, pipelines, received=NOW)
    assert done["_pipelines"].to_pylist() == [
        "errors,outer,inner,last",
        "outer,other",
        "errors,outer,inner",
        "outer,other",
    ]
    assert done["last"].to_pylist() == ["x", None, None, None]


def test_what_ran_is_no_change_of_a_step() -> None:
    from transforms.event_pipelines.trial import try_pipelines

    pipelines = load({"name": "p", "steps": [put("y")]}, {"name": "q", "when": "#pipelines=p", "steps": [put("y")]})
    for event in try_pipelines(schema.EventBatch(BATCH, NOW), pipelines):
        assert [(step["outcome"], step["changes"]) for step in event["steps"]] == [
            ("changed", {"y": "x"}),
            ("skipped", {}),
        ]
