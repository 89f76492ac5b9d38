"""A batch between reading and writing: its pipelines, its times, and what is counted on the way."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

import pyarrow as pa

from transforms.core.schema import CONSTANT, TEXT, TIME, EventBatch
from transforms.event_pipelines.definition import load_pipelines
from transforms.objects.event_counts import CountKey, EventCount, describe_too_old
from transforms.objects.event_shaping import shape_events
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
    shaped = shape_events(batch("Feb 28 01:02:03 a line"), ())
    assert shaped.events.column("_time").to_pylist() == [datetime(2024, 2, 28, 1, 2, 3, tzinfo=timezone.utc)]
    assert shaped.modified == MODIFIED


def test_what_is_counted() -> None:
    counts: Counter[CountKey] = Counter()
    rules_by_section = {"rules": CompiledRules.of(load_rules(RULES, source="r.yaml"), RECEIVED)}
    pipelines = load_pipelines(PIPELINES, source="p.yaml")
    given = batch("2025-01-01 00:00:00 old", "no time", "nor here")
    shape_events(given, pipelines, rules_by_section=rules_by_section, counts=counts)
    shape_events(given, pipelines, rules_by_section=rules_by_section, counts=counts)
    old = CountKey(EventCount.OLDER_THAN_RULE, "short", "30d")
    failed = CountKey(EventCount.STEP_FAILED, "p", "steps[0].regex")
    assert counts == {CountKey(EventCount.UNTIMED): 4, failed: 6, old: 2}
    assert describe_too_old(old, "2 events", one=False) == (
        "2 events are older than rule short allows (30d): the next `rekindle delete` with these rules removes them"
    )


def test_a_slice_of_a_batch() -> None:
    part = batch("a", "b", "c").slice(1, 1)
    assert (part.num_rows, part.events.column("_message").to_pylist(), part.modified) == (1, ["b"], MODIFIED)
