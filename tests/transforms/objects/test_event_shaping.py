"""A batch between reading and writing: its pipelines, its times, and what is counted on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone

import pyarrow as pa
import pytest

from transforms.core.schema import CONSTANT, TEXT, TIME, EventBatch
from transforms.elements import EventBatchCoder
from transforms.event_pipelines.definition import load_pipelines
from transforms.objects.event_counts import CountKey, EventCount, describe_too_old
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.inherited_times.preceding_records import last_records
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules_file import load_rules

MODIFIED = datetime(2024, 3, 1, tzinfo=timezone.utc)
RECEIVED = datetime(2025, 8, 12, tzinfo=timezone.utc)
PIPELINES = "pipelines: [{name: p, steps: [{regex: {source: message, pattern: '(?P<digits>[0-9]{9})'}}]}]"
RULES = "rules: [{name: short, retention: 30d}]"


def batch(*messages: str) -> EventBatch:
    columns = {
        "_message": pa.array(messages, TEXT),
        "_observed_at": pa.array([RECEIVED] * len(messages), TIME),
        "_format": pa.array(["text"] * len(messages), CONSTANT),
    }
    return EventBatch(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), MODIFIED)


def test_the_objects_last_modified_chooses_the_year_and_stays_with_the_batch() -> None:
    shaped = shape_events(batch("Feb 28 01:02:03 a line"), ShapingSettings())
    assert shaped.events.column("_time").to_pylist() == [datetime(2024, 2, 28, 1, 2, 3, tzinfo=timezone.utc)]
    assert shaped.modified == MODIFIED


def test_what_is_counted() -> None:
    counts: Counter[CountKey] = Counter()
    rules_by_section = {"rules": CompiledRules.of(load_rules(RULES, source="r.yaml"), RECEIVED)}
    pipelines = load_pipelines(PIPELINES, source="p.yaml")
    given = batch("2025-01-01 00:00:00 old", "no time", "nor here")
    shape_events(given, ShapingSettings(pipelines=pipelines), rules_by_section=rules_by_section, counts=counts)
    shape_events(given, ShapingSettings(pipelines=pipelines), rules_by_section=rules_by_section, counts=counts)
    old = CountKey(EventCount.OLDER_THAN_RULE, "short", "30d")
    failed = CountKey(EventCount.STEP_FAILED, "p", "steps[0].regex")
    assert counts == {
        CountKey(EventCount.TIMED, "detected"): 2,
        CountKey(EventCount.TIMED, "inherited"): 4,
        CountKey(EventCount.PIPELINE_TRIED, "p"): 6,
        failed: 6,
        old: 6,
    }
    assert describe_too_old(old, "2 events", one=False) == (
        "2 events are older than rule short allows (30d): the next `rekindle delete` by this rule removes them"
    )


def test_a_slice_of_a_batch() -> None:
    part = batch("a", "b", "c").slice(1, 1)
    assert (part.num_rows, part.events.column("_message").to_pylist(), part.modified) == (1, ["b"], MODIFIED)


NINE, TEN = (datetime(2024, 2, 1, hour, tzinfo=timezone.utc) for hour in (9, 10))
STAMP = "2024-02-01 09:00:00 "
WINDOW = 65_536
OWN, OBJECT = (NINE, "detected"), (MODIFIED, "object")
INHERITED = (NINE, "inherited")


def times_of(shaped: EventBatch) -> list[tuple[datetime, str]]:
    return [(row["_time"], row["_time_source"]) for row in shaped.events.to_pylist()]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param(["first", STAMP, "  at x", "  at y"], [OBJECT, OWN, INHERITED, INHERITED], id="a-stack-trace"),
        pytest.param(
            [STAMP, "a", "2024-02-01T10:00:00Z", "b"],
            [OWN, INHERITED, (TEN, "detected"), (TEN, "inherited")],
            id="the-nearest-before",
        ),
        pytest.param([STAMP + "x" * (WINDOW - 21), "a"], [OWN, INHERITED], id="just-within-the-window"),
        pytest.param([STAMP + "x" * (WINDOW - 20), "a"], [OWN, OBJECT], id="just-beyond"),
        pytest.param([STAMP, "ü" * (WINDOW // 2 - 11), "a"], [OWN, INHERITED, INHERITED], id="bytes-just-within"),
        pytest.param([STAMP, "ü" * (WINDOW // 2 - 10), "a"], [OWN, INHERITED, OBJECT], id="bytes-not-characters"),
        pytest.param(["a", "b"], [OBJECT, OBJECT], id="none"),
    ],
)
def test_a_line_without_a_time_has_that_of_the_nearest_before_it(
    messages: list[str], expected: list[tuple[datetime, str]]
) -> None:
    assert times_of(shape_events(batch(*messages), ShapingSettings())) == expected


def test_distances_are_those_of_the_messages_as_they_were_read() -> None:
    short = load_pipelines(
        "pipelines: [{name: p, steps: [{regex: {source: message, pattern: '^(?P<head>.{1,30})'}}, "
        "{message: {source: head}}]}]",
        source="p.yaml",
    )
    shaped = shape_events(batch(STAMP + "x" * WINDOW, "a"), ShapingSettings(pipelines=short))
    assert len(shaped.events.column("_message")[0].as_py()) == 30
    assert times_of(shaped) == [OWN, OBJECT]


@pytest.mark.parametrize(
    ("format_name", "expected"),
    [("text", INHERITED), ("splunk_hec", INHERITED), ("json", OBJECT), ("csv", OBJECT), ("w3c", OBJECT)],
)
def test_only_lines_of_text_inherit(format_name: str, expected: tuple[datetime, str]) -> None:
    given = batch("a", "b").events
    columns = {
        **dict(zip(given.schema.names, given.columns, strict=True)),
        "_format": pa.array([format_name] * 2, CONSTANT),
        "_time": pa.array([NINE, None], TIME),
    }
    events = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    assert times_of(shape_events(EventBatch(events, MODIFIED), ShapingSettings())) == [(NINE, "record"), expected]


def test_of_json_only_what_could_not_be_read_inherits() -> None:
    given = batch("{}", "  at x", "{}").events
    columns = {
        **dict(zip(given.schema.names, given.columns, strict=True)),
        "_format": pa.array(["json"] * 3, CONSTANT),
        "_time": pa.array([NINE, None, None], TIME),
        "_error": pa.array([None, "invalid_json: x", None], TEXT),
    }
    events = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    assert times_of(shape_events(EventBatch(events, MODIFIED), ShapingSettings())) == [
        (NINE, "record"),
        INHERITED,
        OBJECT,
    ]


@pytest.mark.parametrize(("timestamp", "expected"), [("object", OBJECT), ("received", (RECEIVED, "received"))])
def test_one_time_for_all_lines(timestamp: str, expected: tuple[datetime, str]) -> None:
    assert times_of(shape_events(batch(STAMP, "a"), ShapingSettings(timestamp=timestamp))) == [expected] * 2


def shaped_in_two(messages: list[str], cut: int) -> list[tuple[datetime, str]]:
    """Return the times of messages that are read as two batches."""
    first, then = batch(*messages[:cut]), batch(*messages[cut:])
    then = replace(then, preceding=last_records(None, first.events))
    coder = EventBatchCoder()
    parts = [coder.decode(coder.encode(part)) for part in (first, then)]
    return [time for part in parts for time in times_of(shape_events(part, ShapingSettings()))]


@pytest.mark.parametrize("cut", range(1, 6))
@pytest.mark.parametrize("size", [9, WINDOW // 3, WINDOW])
def test_where_batches_are_cut_does_not_matter(cut: int, size: int) -> None:
    messages = ["first", STAMP, "x" * size, "at x", "y" * size, "at y"]
    whole = times_of(shape_events(batch(*messages), ShapingSettings()))
    assert whole[:3] == [OBJECT, OWN, INHERITED]
    assert shaped_in_two(messages, cut) == whole
    assert times_of(shape_events(batch(*messages).slice(cut), ShapingSettings())) == whole[cut:]


def test_what_precedes_a_batch_goes_back_over_small_ones() -> None:
    preceding = None
    for message in ("lost", STAMP, *["x" * 5_999] * 10):
        preceding = last_records(preceding, batch(message).events)
    assert preceding is not None
    assert preceding.column("_message").to_pylist() == ["lost", STAMP, *["x" * 5_999] * 10]
    preceding = last_records(preceding, batch("x" * 5_999).events)
    assert preceding is not None
    assert preceding.column("_message").to_pylist() == ["x" * 5_999] * 10


def test_nothing_precedes_what_follows_a_record_beyond_the_window() -> None:
    assert last_records(batch(STAMP).events, batch("x" * WINDOW).events) is None
