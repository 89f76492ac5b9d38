"""`ApplyPipelines`: events as their pipelines leave them, each with a time, and what is counted on the way."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from tests.transforms.beam import Given, Ran, run
from transforms.apply_pipelines import ApplyPipelines
from transforms.core.record_years import RecordYears
from transforms.core.schema import CONSTANT, TEXT, TIME
from transforms.elements import EventBatch
from transforms.event_pipelines import Pipeline
from transforms.event_pipelines.definition import load_pipelines
from transforms.objects.event_counts import CountKey, EventCount, EventCounts
from transforms.objects.event_shaping import ShapingSettings
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.past_rules import PastRules
from transforms.retention.rules_file import load_rules

UTC = timezone.utc
MODIFIED = datetime(2025, 3, 1, 12, tzinfo=UTC)
RECEIVED = datetime(2025, 11, 21, 12, tzinfo=UTC)
LOG = "s3://logs/a.log"
MESSAGES = ["2025-11-20T10:00:00Z user=ann", "2025-01-01T00:00:00Z start", "no time at all", "user=1700000000"]
STORED = {"_message": TEXT, "_event_id": TEXT, "_observed_at": TIME, "_object": CONSTANT, "_format": CONSTANT}
RULES = """
rules:
  - {name: old, retention: 30d}
  - {name: ann's, retention: 12h, when: user=ann}
holds:
  - {name: start, when: '"start"'}
tiers:
  - {name: cold, retention: 1h}
"""


def batch_of(
    messages: list[str], *, uri: str = LOG, format_name: str = "text", source: int = 0, **columns: pa.Array
) -> EventBatch:
    """Return events of an object as `ReadEvents` gives them."""
    rows = len(messages)
    given = {
        "_message": pa.array(messages, TEXT),
        "_event_id": pa.array([f"{uri}-{number}" for number in range(rows)], TEXT),
        "_observed_at": pa.array([RECEIVED] * rows, TIME),
        "_object": pa.array([uri] * rows, CONSTANT),
        "_format": pa.array([format_name] * rows, CONSTANT),
        **columns,
    }
    return EventBatch(pa.RecordBatch.from_arrays(list(given.values()), names=list(given)), MODIFIED, source=source)


def pipelines_of(*steps: dict[str, object]) -> tuple[Pipeline, ...]:
    return load_pipelines(json.dumps({"pipelines": [{"name": "p", "steps": steps}]}), source="p.json")


USERS = pipelines_of(
    {"regex": {"source": "message", "pattern": r"user=(?P<user>\S+)"}},
    {"timestamp": {"source": "user", "format": "EPOCH_SECONDS"}},
)
SHAPING_USERS = (ShapingSettings(pipelines=USERS),)


def rules_by_section() -> dict[str, CompiledRules]:
    return {
        section: CompiledRules.of(load_rules(RULES, source="rules.yaml", section=section), RECEIVED)
        for section in ("rules", "tiers")
    }


def ran(transform: ApplyPipelines, *batches: EventBatch, again: int = 0) -> Ran:
    return run(transform, Given(EventBatch, batches), again=again)


def events(found: Ran) -> list[pa.RecordBatch]:
    assert {batch.modified for batch in found.main} <= {MODIFIED}
    return [batch.events for batch in found.main]


def chosen_times(batch: pa.RecordBatch) -> list[tuple[str, datetime, str]]:
    return [(row["_message"], row["_time"], row["_time_source"]) for row in batch.to_pylist()]


def timed(source: str, number: int) -> tuple[CountKey, int]:
    return CountKey(EventCount.TIMED, source), number


def test_without_pipelines_every_event_gets_its_time() -> None:
    found = ran(ApplyPipelines(), batch_of(MESSAGES))
    assert found.labels == ["ApplyPipelines/Apply"]
    assert (found.kinds, found.counters) == ({"main": EventBatch, "counts": EventCounts}, {})
    [batch] = events(found)
    expected = pa.schema({**STORED, "_time": TIME, "_time_source": CONSTANT})
    assert batch.schema.equals(expected, check_metadata=True)
    assert chosen_times(batch) == [
        (MESSAGES[0], datetime(2025, 11, 20, 10, tzinfo=UTC), "detected"),
        (MESSAGES[1], datetime(2025, 1, 1, tzinfo=UTC), "detected"),
        (MESSAGES[2], datetime(2025, 1, 1, tzinfo=UTC), "inherited"),
        (MESSAGES[3], datetime(2025, 1, 1, tzinfo=UTC), "inherited"),
    ]
    assert batch.column("_event_id").to_pylist() == [f"{LOG}-{number}" for number in range(4)]
    assert found.outputs["counts"] == [EventCounts(LOG, (timed("detected", 2), timed("inherited", 2)))]


WHEN = pipelines_of(
    {"regex": {"source": "message", "pattern": "(?P<when>[A-Z].*)$"}},
    {"timestamp": {"source": "when", "format": "MMM d HH:mm:ss"}},
)


@pytest.mark.parametrize("pipelines", [pytest.param((), id="no-pipelines"), pytest.param(WHEN, id="pipelines")])
def test_events_have_the_years_of_their_object(pipelines: tuple[Pipeline, ...]) -> None:
    batch = batch_of(["\tat a", "Dec 31 23:59:59", "no time", "Jan 1 00:00:00"])
    preceding = batch_of(["Nov 1 00:00:00"]).events
    given = replace(batch, years=RecordYears((-1, 1, 3), (2001, 2002, 2003)), preceding=preceding)
    [shaped] = events(ran(ApplyPipelines((ShapingSettings(pipelines=pipelines),)), given))
    assert shaped.column("_time").to_pylist() == [
        datetime(2001, 11, 1, tzinfo=UTC),
        datetime(2002, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2002, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2003, 1, 1, tzinfo=UTC),
    ]


def test_pipelines_shape_events_and_are_counted() -> None:
    found = ran(ApplyPipelines(SHAPING_USERS, rules_by_section=rules_by_section()), batch_of(MESSAGES))
    [batch] = events(found)
    expected = pa.schema({**STORED, "user": TEXT, "_time": TIME, "_time_source": CONSTANT, "_pipelines": CONSTANT})
    assert batch.schema.equals(expected, check_metadata=True)
    assert chosen_times(batch) == [
        (MESSAGES[0], datetime(2025, 11, 20, 10, tzinfo=UTC), "detected"),
        (MESSAGES[1], datetime(2025, 1, 1, tzinfo=UTC), "detected"),
        (MESSAGES[2], datetime(2025, 1, 1, tzinfo=UTC), "inherited"),
        (MESSAGES[3], datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "pipeline"),
    ]
    assert batch.column("user").to_pylist() == ["ann", None, None, "1700000000"]
    assert batch.column("_pipelines").to_pylist() == ["p"] * 4
    [counts] = found.outputs["counts"]
    assert counts.uri == LOG
    assert dict(counts.counts) == {
        CountKey(EventCount.STEP_FAILED, "p", "steps[0].regex"): 2,
        CountKey(EventCount.STEP_FAILED, "p", "steps[1].timestamp"): 1,
        CountKey(EventCount.PIPELINE_TRIED, "p"): 4,
        CountKey(EventCount.PIPELINE_MATCHED, "p"): 2,
        **dict([timed("detected", 2), timed("inherited", 1), timed("pipeline", 1)]),
        CountKey(EventCount.OLDER_THAN_RULE, "ann's", "12h"): 1,
        CountKey(EventCount.OLDER_THAN_RULE, "old", "30d"): 2,  # of three that are older, a hold keeps one
        CountKey(EventCount.OLDER_THAN_TIER, "cold", "1h"): 3,
    }
    assert len(counts.counts) == 10


@pytest.mark.parametrize(
    ("fields", "messages", "columns", "expected"),
    [
        pytest.param({"timestamp": "received"}, MESSAGES[:1], {}, [(RECEIVED, "received")], id="received-by-order"),
        pytest.param(
            {"timezone": "Europe/Berlin"},
            ["2025-01-31 10:00:00 winter", "2025-01-31T10:00:00Z its own zone"],
            {},
            [(datetime(2025, 1, 31, 9, tzinfo=UTC), "detected"), (datetime(2025, 1, 31, 10, tzinfo=UTC), "detected")],
            id="zone-of-times-without-one",
        ),
        pytest.param(
            {},
            ["Feb 28 23:59:59 web sshd: x"],
            {},
            [(datetime(2025, 2, 28, 23, 59, 59, tzinfo=UTC), "detected")],
            id="year-of-the-object",
        ),
        pytest.param(
            {},
            ["2025-01-01T00:00:00Z the record's own counts"],
            {"_time": pa.array([MODIFIED], TIME), "_time_source": pa.array(["record"], CONSTANT)},
            [(MODIFIED, "record")],
            id="time-of-the-record",
        ),
    ],
)
def test_which_time_an_event_gets(
    fields: dict[str, Any], messages: list[str], columns: dict[str, pa.Array], expected: list[tuple[datetime, str]]
) -> None:
    found = ran(ApplyPipelines((ShapingSettings(**fields),)), batch_of(messages, **columns))
    assert [one[1:] for one in chosen_times(events(found)[0])] == expected
    numbers = Counter(source for _, source in expected)
    assert found.outputs["counts"] == [EventCounts(LOG, tuple(timed(*one) for one in numbers.items()))]


def test_each_source_has_its_own_pipelines_and_times() -> None:
    settings = (ShapingSettings(timezone="Europe/Berlin"), ShapingSettings(pipelines=USERS, timestamp="received"))
    messages = ["2025-11-20 10:00:00 user=ann"]
    of_second, of_first = batch_of(messages, source=1), batch_of(messages, uri="s3://logs/b.log")
    found = sorted(events(ran(ApplyPipelines(settings), of_second, of_first)), key=lambda one: one.num_columns)
    assert [chosen_times(one)[0][1:] for one in found] == [
        (datetime(2025, 11, 20, 9, tzinfo=UTC), "detected"),
        (RECEIVED, "received"),
    ]
    assert ["user" in one.schema.names for one in found] == [False, True]


def test_no_events() -> None:
    assert ran(ApplyPipelines(SHAPING_USERS, rules_by_section=rules_by_section())).outputs == {"main": [], "counts": []}


def test_batches_are_told_apart_and_keep_their_order() -> None:
    uris = [f"s3://logs/{number}.log" for number in range(3)]
    batches = [batch_of([f"{number} {uri}" for number in range(50)], uri=uri) for uri in uris]
    found = ran(ApplyPipelines(SHAPING_USERS), *batches)
    assert sorted(batch.column("_message").to_pylist() for batch in events(found)) == [
        batch.events.column("_message").to_pylist() for batch in batches
    ]
    assert sorted(one.uri for one in found.outputs["counts"]) == uris


def test_a_bundle_that_is_tried_again_counts_once() -> None:
    transform = ApplyPipelines(SHAPING_USERS, rules_by_section=rules_by_section())
    batches = [batch_of(MESSAGES), batch_of(MESSAGES[:2], uri="s3://logs/b.log")]
    once, again = ran(transform, *batches), ran(transform, *batches, again=2)
    assert len(again.main) == 2
    assert all(one.equals(other, check_metadata=True) for one, other in zip(events(again), events(once), strict=True))
    assert again.outputs["counts"] == once.outputs["counts"]
    assert [one.uri for one in again.outputs["counts"]] == [LOG, "s3://logs/b.log"]


def test_of_a_slice_only_its_own_rows_are_seen() -> None:
    [batch] = events(ran(ApplyPipelines(SHAPING_USERS), batch_of(MESSAGES * 2).slice(3, 2)))
    assert batch.column("_message").to_pylist() == [MESSAGES[3], MESSAGES[0]]
    assert batch.column("user").to_pylist() == ["1700000000", "ann"]


def test_rules_see_the_time_that_was_chosen() -> None:
    """An event is too old by its own time, not by that of receipt; one that is just young enough is not counted."""
    limit = RECEIVED - timedelta(days=30)
    messages = [
        f"{(limit + step).isoformat()} x" for step in (timedelta(seconds=-1), timedelta(0), timedelta(seconds=1))
    ]
    rules = {"rules": rules_by_section()["rules"]}
    assert ran(ApplyPipelines(rules_by_section=rules), batch_of(messages)).outputs["counts"] == [
        EventCounts(LOG, (timed("detected", 3), (CountKey(EventCount.OLDER_THAN_RULE, "old", "30d"), 1)))
    ]
    received = ApplyPipelines((ShapingSettings(timestamp="received"),), rules)
    assert ran(received, batch_of(messages)).outputs["counts"] == [EventCounts(LOG, (timed("received", 3),))]


def test_what_was_deleted_of_an_object_that_is_read_again_is_left_out() -> None:
    compiled = rules_by_section()["rules"]
    each = tuple(CompiledRules((rule,), compiled.holds) for rule in compiled.rules)
    assert [one.rules[0].name for one in each] == ["ann's", "old"]
    other, all_of_it = "s3://logs/b.log", "s3://logs/c.log"
    past = PastRules(each, {LOG: 0, all_of_it: 0, "s3://logs/later.log": 1})
    errors = {"_error": pa.array(["invalid_text: x", None, None, None], TEXT)}
    found = ran(
        ApplyPipelines(SHAPING_USERS, past_rules=past),
        batch_of(MESSAGES, **errors),
        batch_of(MESSAGES, uri=other),
        batch_of(MESSAGES[:1], uri="s3://logs/later.log"),
        batch_of(MESSAGES[3:], uri=all_of_it),
    )
    messages = {str(one["_object"][0]): one["_message"].to_pylist() for one in events(found)}
    assert messages == {LOG: [MESSAGES[1]], other: MESSAGES, "s3://logs/later.log": MESSAGES[:1]}
    counts = {one.uri: dict(one.counts) for one in found.outputs["counts"]}
    of_pipelines = (EventCount.STEP_FAILED, EventCount.PIPELINE_TRIED, EventCount.PIPELINE_MATCHED)
    assert {key: number for key, number in counts[all_of_it].items() if key.kind not in of_pipelines} == {
        CountKey(EventCount.DELETED, "old"): 1
    }
    shaped = {key: number for key, number in counts[other].items() if key.kind in of_pipelines}
    assert counts[LOG] == {
        **shaped,
        CountKey(EventCount.DELETED, "ann's"): 1,
        CountKey(EventCount.DELETED_WITH_ERROR, "ann's"): 1,
        CountKey(EventCount.DELETED, "old"): 2,
        CountKey(EventCount.TIMED, "detected"): 1,
    }
