"""Programs: the order of rules, the cut-offs, and every row as the row-by-row reference judges it."""

from __future__ import annotations

import pickle
import random
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import many
from tests.transforms.hot_tier.tiers import as_batch
from tests.transforms.query.test_compiler import TIME, random_event
from tests.transforms.retention.rule_samples import Event, expected_rule, random_rules, rules_file
from transforms.arrow.arrays import plain
from transforms.core import schema
from transforms.hot_tier.data.attributes import stored_columns
from transforms.query import parse
from transforms.retention.compiled_rules import STAYS, CompiledRules, counts
from transforms.retention.rules import Hold, Rule
from transforms.retention.rules_file import load_rules

NOW = datetime(2025, 9, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)
CASE_6 = """
rules:
- {name: B, retention: 30d, when: service=postgresql OR service=mysql}
- {name: A, retention: 14d, when: service=postgresql}
"""


def stored(events: list[Event], promoted: tuple[str, ...], *, text: str = "view") -> pa.Table:
    """Return events as a file of the hot tier has them, its text of one of Arrow's kinds."""
    columns = stored_columns(as_batch(events, source="s3://logs/a"), promoted)
    if text != "view":
        columns = {name: plain(column) for name, column in columns.items()}
    if text == "dictionary":
        columns = {
            name: column.dictionary_encode() if column.type == pa.string() else column
            for name, column in columns.items()
        }
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def evaluated(
    compiled: CompiledRules, table: pa.Table | pa.RecordBatch, in_both: tuple[str, ...] = ()
) -> list[tuple[str | None, bool]]:
    found = compiled.evaluate(
        table.select(compiled.columns_needed(table.schema.names, in_both=in_both)),
        in_both=in_both,
    )
    names = [None if number == STAYS else compiled.rules[number].name for number in found.rule]
    return list(zip(names, map(bool, found.held), strict=True))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (13, [None, None, None]),
        (20, ["A", None, None]),
        (31, ["A", "B", None]),
    ],
)
def test_the_shortest_retention_wins(day: int, expected: list[str | None]) -> None:
    events: list[Event] = [({"_time": NOW}, {"service": name}) for name in ("postgresql", "mysql", "redis")]
    compiled = CompiledRules.of(load_rules(CASE_6, source="r.yaml"), NOW + day * DAY)
    assert [rule.name for rule in compiled.rules] == ["A", "B"]
    assert [name for name, _ in evaluated(compiled, stored(events, ("service",)))] == expected


def test_a_cutoff_is_exact_and_strict() -> None:
    times = [NOW - DAY + timedelta(microseconds=number) for number in (-1, 0, 1)]
    events: list[Event] = [({"_time": time}, {}) for time in times]
    compiled = CompiledRules.of(rules_file(Rule(name="a", retention=DAY)), NOW)
    assert evaluated(compiled, stored(events, ())) == [("a", False), (None, False), (None, False)]
    assert compiled.rules[0].cutoff_time == NOW - DAY


def test_rules_of_one_retention_stay_in_order_and_disabled_ones_are_left_out() -> None:
    rules = [Rule(name=name, retention=DAY, enabled=name != "b") for name in "cbad"]
    compiled = CompiledRules.of(rules_file(*rules, Rule(name="x", retention=DAY / 2)), NOW)
    assert [rule.name for rule in compiled.rules] == ["x", "c", "a", "d"]


def test_counts_by_rule() -> None:
    events: list[Event] = [({"_time": NOW}, {"service": name}) for name in ("postgresql", "mysql", "redis", "mysql")]
    compiled = CompiledRules.of(load_rules(CASE_6, source="r.yaml"), NOW + 31 * DAY)
    assert [(rule.name, rule.retention, number) for rule, number in compiled.count(stored(events, ("service",)))] == [
        ("A", 14 * DAY, 1),
        ("B", 30 * DAY, 2),
    ]
    assert CompiledRules.of(load_rules(CASE_6, source="r.yaml"), NOW).count(stored(events, ())) == []


@pytest.mark.parametrize("retention", [timedelta(days=365 * 5000), timedelta.max])
def test_a_retention_longer_than_there_are_dates_deletes_nothing(retention: timedelta) -> None:
    events: list[Event] = [({"_time": time}, {}) for time in (datetime(1, 1, 1, tzinfo=timezone.utc), NOW)]
    compiled = CompiledRules.of(rules_file(Rule(name="a", retention=retention)), NOW)
    assert evaluated(compiled, stored(events, ())) == [(None, False)] * 2
    assert compiled.rules[0].cutoff_time is None


def test_what_each_hold_keeps() -> None:
    """An event that several keep counts for the first; one that no rule takes counts for none."""
    names = ["ann", "bob", "ann", "eve", "ann", "bob"]
    events: list[Event] = [
        ({"_time": NOW - (2 - number // 4 * 2) * DAY}, {"user": name}) for number, name in enumerate(names)
    ]
    holds = (
        Hold(name="none", when=parse("user=x")),
        Hold(name="ann", when=parse("user=ann")),
        Hold(name="b", when=parse("user IN (ann, bob)")),
    )
    found = CompiledRules.of(rules_file(Rule(name="a", retention=DAY), holds=holds), NOW).evaluate(
        stored(events, ("user",))
    )
    assert (found.rule.tolist(), found.hold.tolist()) == ([-1, -1, -1, 0, -1, -1], [1, 2, 1, -1, -1, -1])
    assert counts(found.hold, 3).tolist() == [0, 2, 1]


def test_without_rules_nothing_is_evaluated() -> None:
    events: list[Event] = [({"_time": NOW - DAY}, {"a": "b"})]
    compiled = CompiledRules.of(rules_file(holds=(Hold(name="all"),)), NOW)
    assert evaluated(compiled, stored(events, ("a",))) == [(None, False)]
    empty = CompiledRules.of(rules_file(Rule(name="a", retention=DAY, when=parse("a=b"))), NOW).evaluate(
        stored(events, ("a",)).slice(0, 0)
    )
    assert (empty.rule.tolist(), empty.held.tolist()) == ([], [])


def test_only_columns_that_a_condition_names_are_needed() -> None:
    file = rules_file(
        Rule(name="a", retention=DAY, when=parse("status=500 #error=*")),
        Rule(name="b", retention=DAY, when=parse("never=read"), enabled=False),
        holds=(Hold(name="c", when=parse("user=ann")),),
    )
    compiled = CompiledRules.of(file, NOW)
    names = ["_time", "_message", "_error", "never", "status", "attributes"]
    assert compiled.columns_needed(names) == ["_time", "_error", "status", "attributes"]
    assert compiled.columns_needed(["_time", "status", "user", "attributes"]) == ["_time", "status", "user"]
    assert compiled.columns_needed(["_time", "status", "user", "attributes"], in_both=["user"]) == names[:1] + [
        "status",
        "user",
        "attributes",
    ]
    assert compiled.columns_needed(["_time", "_message"]) == ["_time"]


@pytest.mark.parametrize("text", ["string", "view", "dictionary"])
def test_attributes_in_both_places(text: str) -> None:
    column = pa.array(["404", None, None], pa.string())
    kinds = {"string": column, "view": column.cast(pa.string_view()), "dictionary": column.dictionary_encode()}
    table = pa.table(
        {
            "_time": pa.array([NOW - 2 * DAY] * 3, schema.TIME),
            "status": kinds[text],
            "attributes": pa.array([None, [("status", "404")], [("other", "404")]], pa.map_(pa.string(), pa.string())),
        }
    )
    compiled = CompiledRules.of(rules_file(Rule(name="a", retention=DAY, when=parse("status=404"))), NOW)
    assert [name for name, _ in evaluated(compiled, table, ("status",))] == ["a", "a", None]
    assert [name for name, _ in evaluated(compiled, table)] == ["a", None, None]


def test_events_without_a_time_stay_and_other_units_are_read() -> None:
    compiled = CompiledRules.of(rules_file(Rule(name="a", retention=DAY)), NOW)
    for unit in ("ms", "us", "ns"):
        table = pa.table({"_time": pa.array([NOW - 2 * DAY, None], pa.timestamp(unit, "UTC"))})
        assert [name for name, _ in evaluated(compiled, table)] == ["a", None]


def test_a_table_of_several_chunks() -> None:
    parts = [stored([({"_time": NOW - number * DAY}, {"a": str(number)})], ("a",)) for number in (3, 0, 2, 1, 5)]
    compiled = CompiledRules.of(rules_file(Rule(name="r", retention=DAY, when=parse("a IN (2, 3, 0)"))), NOW)
    assert [name for name, _ in evaluated(compiled, pa.concat_tables(parts))] == ["r", None, "r", None, None]


def test_travels_to_workers() -> None:
    compiled = CompiledRules.of(load_rules(CASE_6, source="r.yaml"), NOW)
    assert pickle.loads(pickle.dumps(compiled)) == compiled


def compare(seed: int, number: int) -> int:
    """Compare random rules over one set of events in all shapes; return how many rows were taken or held."""
    rng = random.Random(seed)
    events: list[Event] = [random_event(rng) for _ in range(30)]
    for system, _ in events:
        system["_time"] -= rng.choice([0, 1, 2]) * DAY
    if rng.random() < 0.5:
        events.sort(key=lambda event: event[0]["_time"])
    for number, (system, _) in enumerate(events):
        system |= {"_object": "s3://logs/a", "_event_id": f"e_s3://logs/a-{number}"}
    promotable = [name for name in ("host", "status", "tags", "x", "message") if schema.can_be_column(name)]
    some = tuple(rng.sample(promotable, 3))
    batch = as_batch(events, source="s3://logs/a")
    shapes: list[Any] = [
        batch,
        stored(events, ()),
        *(stored(events, some, text=text) for text in ("string", "view", "dictionary")),
    ]
    file = pa.BufferOutputStream()
    pq.write_table(stored(events, some, text="string"), file)
    shapes.append(pq.read_table(pa.BufferReader(file.getvalue())))
    decided = 0
    for _ in range(number):
        rules = random_rules(rng, [DAY, DAY * 2, timedelta(hours=1), timedelta(seconds=30)])
        now = TIME + rng.choice([0, 1, 2]) * DAY + timedelta(seconds=rng.choice([0, 30, 31]))
        expected = [expected_rule(rules, now, event) for event in events]
        compiled = CompiledRules.of(rules, now)
        for shape in shapes:
            assert evaluated(compiled, shape) == expected, (seed, rules)
        decided += sum(name is not None or held for name, held in expected)
    return decided


@pytest.mark.parametrize("seed", range(10))
def test_random_programs_agree_with_the_reference(seed: int) -> None:
    assert compare(seed, 15) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + many(10)))
def test_many_random_programs_agree_with_the_reference(seed: int) -> None:
    assert compare(seed, 100) > 200
