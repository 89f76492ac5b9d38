"""`drop` and `sample`: which events they take out, that no later step sees those, and how they are counted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest

from transforms.core.errors import ConfigurationError
from transforms.core.schema import CONSTANT, TEXT, TIME, EventBatch
from transforms.event_pipelines.definition import load_pipelines
from transforms.event_pipelines.trial import try_pipelines
from transforms.objects.event_counts import CountKey, EventCount
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.processors.drop import share_of

NOW = datetime(2025, 8, 12, tzinfo=timezone.utc)
QUIET = """
pipelines:
  - name: quiet
    steps:
      - pipeline:
          name: inner
          when: level=debug
          steps: [{drop: {when: user=ann}}, {set: {output: seen, value: inner}}]
      - drop: {when: 'level=trace OR #pipelines=*inner*'}
      - set: {output: seen, value: quiet, override: true}
  - name: late
    when: level=*
    steps: [{set: {output: late, value: "yes"}}]
"""


def batch(levels: list[str | None], users: list[str | None], errors: list[str | None] | None = None) -> EventBatch:
    rows = len(levels)
    columns = {
        "_message": pa.array([f"m{at}" for at in range(rows)], TEXT),
        "_observed_at": pa.array([NOW] * rows, TIME),
        "_format": pa.array(["text"] * rows, CONSTANT),
        "_event_id": pa.array([f"id-{at}" for at in range(rows)], TEXT),
        "_error": pa.array(errors or [None] * rows, TEXT),
        "level": pa.array(levels, TEXT),
        "user": pa.array(users, TEXT),
    }
    return EventBatch(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), NOW)


def shaped(given: EventBatch, text: str) -> tuple[list[dict[str, Any]], Counter[CountKey]]:
    counts: Counter[CountKey] = Counter()
    done = shape_events(
        given, ShapingSettings(pipelines=load_pipelines(text, source="p.yaml"), timestamp="received"), counts=counts
    )
    return done.events.to_pylist(), counts


def sample_of(count: int, step: str, users: list[str | None] | None = None) -> set[str]:
    given = batch([None] * count, users or [None] * count)
    rows, _ = shaped(given, f"pipelines: [{{name: p, steps: [{{sample: {step}}}]}}]")
    return {row["_message"] for row in rows}


def test_later_steps_and_pipelines_do_not_see_a_dropped_event() -> None:
    given = batch(
        ["debug", "debug", "trace", "info"], ["ann", "bob", None, None], ["invalid_json: x", None, None, None]
    )
    rows, counts = shaped(given, QUIET)
    assert [(row["_message"], row["seen"], row["late"]) for row in rows] == [("m3", "quiet", "yes")]
    assert not [name for name in rows[0] if "dropped" in name]
    assert {key: number for key, number in counts.items() if "pipeline" not in key.kind.value} == {
        CountKey(EventCount.DROPPED, "inner"): 1,
        CountKey(EventCount.DROPPED_WITH_ERROR, "inner"): 1,
        CountKey(EventCount.DROPPED, "quiet"): 2,
        CountKey(EventCount.TIMED, "received"): 1,
    }


def test_a_batch_of_which_nothing_is_left() -> None:
    rows, counts = shaped(batch(["a", "b"], ["x", "y"]), "pipelines: [{name: none, steps: [{drop: {}}]}]")
    assert rows == []
    kinds = (EventCount.DROPPED, EventCount.PIPELINE_TRIED, EventCount.PIPELINE_MATCHED)
    assert counts == {CountKey(kind, "none"): 2 for kind in kinds}


def test_a_trial_tells_which_step_dropped_an_event() -> None:
    pipelines = load_pipelines(QUIET, source="p.yaml")
    dropped, kept = try_pipelines(batch(["trace", "info"], [None, None]), pipelines, timestamp="received")
    assert dropped["after"] is None
    assert [(step["pipeline"], step["step"], step["outcome"]) for step in dropped["steps"]] == [
        ("inner", "when", "not matched"),
        ("quiet", "steps[1].drop", "dropped"),
    ]
    assert kept["after"]["late"] == "yes"
    assert "_dropped_by" not in kept["after"]


@pytest.mark.parametrize(
    ("key", "share"),
    [("", 0xE4A6A0577479B2B4), ("id-1", 0x5AAEBC19545226D2)],
    ids=["empty", "id"],
)
def test_the_hash_is_that_of_every_machine(key: str, share: int) -> None:
    assert share_of(key) == share


def test_a_sample_is_the_same_however_events_are_cut_and_grows_with_keep() -> None:
    tenth, half = sample_of(2000, "{keep: 0.1}"), sample_of(2000, "{keep: 0.5}")
    assert sample_of(1000, "{keep: 0.1}") == {name for name in tenth if int(name[1:]) < 1000}
    assert tenth < half
    assert 150 < len(tenth) < 250
    assert 900 < len(half) < 1100


def test_events_of_one_value_stay_or_go_together_and_those_without_go_by_their_ids() -> None:
    users = [None if at % 2 else f"user {at % 40}" for at in range(2000)]
    kept = sample_of(2000, "{keep: 0.5, by: user}", users)
    by_id = sample_of(2000, "{keep: 0.5}")
    assert {name for name in kept if int(name[1:]) % 2} == {name for name in by_id if int(name[1:]) % 2}
    kept_users = {users[int(name[1:])] for name in kept} - {None}
    assert 0 < len(kept_users) < 20
    whole = {f"m{at}" for at, user in enumerate(users) if user in kept_users}
    assert whole == {name for name in kept if users[int(name[1:])] is not None}


def test_a_comment_in_the_condition_is_refused_with_its_place() -> None:
    text = "pipelines:\n  - name: p\n    steps:\n      - drop:\n          when: a=b #pipelines=x\n"
    with pytest.raises(ConfigurationError, match=r"p\.yaml:5:\d+: pipelines\[0\]\.steps\[0\]\.when: YAML takes"):
        load_pipelines(text, source="p.yaml")
