"""The single pass over messages selects what each condition selects alone, by the row-by-row reference."""

from __future__ import annotations

import json
import random
import sys
from datetime import datetime, timezone
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from tests.conftest import many
from tests.transforms.query.reference import holds
from transforms.arrow.strings import fold_ascii_case
from transforms.event_pipelines import apply_pipelines, conditions
from transforms.event_pipelines.definition import load_pipelines
from transforms.event_pipelines.message_search import NOTHING, contain_any, needles, rare_needles, without_needles
from transforms.query import parse
from transforms.query.syntax import And, Comparison, Expr, Field, Membership, Not, Operator, Or, Pattern, Word

NOW = datetime(2025, 11, 21, 12, tzinfo=timezone.utc)
KELVIN, LONG_S = "\u212a", "\u017f"
Event = dict[str, str | None]

NEEDLES: dict[str, set[str]] = {
    "timeout": {"timeout"},
    '"Out Of Memory"': {"f memory"},
    "CASE(Panic)": {"panic"},
    '"disk*is full"': {"is full"},
    "message=*word*": {"word"},
    "message=word": {"word"},
    "message IN (*one*, two)": {"one", "two"},
    "one OR two AND NOT three": {"one", "two", "three"},
    "Grüßgott": {"gott"},
    "status=word": set(),
    "attributes.message=word": set(),
    "#error=*word*": set(),
    "message!=*word*": set(),
    "message>word": set(),
    "message=*": set(),
    "message IN (*one*, *ab*)": set(),
    "ab": set(),
    "größe": set(),
    "*": set(),
}


@pytest.mark.parametrize(("query", "expected"), NEEDLES.items(), ids=NEEDLES.keys())
def test_needles(query: str, expected: set[str]) -> None:
    assert needles(parse(query)) == expected


WITHOUT: dict[str, Expr] = {
    "one": NOTHING,
    "four": parse("four"),
    "NOT one": Not(NOTHING),
    "message IN (*one*, two)": NOTHING,
    "message IN (*one*, four)": parse("message IN (*one*, four)"),
    "one status=1 OR two OR four": Or((And((NOTHING, parse("status=1"))), NOTHING, parse("four"))),
}


@pytest.mark.parametrize(("query", "expected"), WITHOUT.items(), ids=WITHOUT.keys())
def test_what_is_left_without_needles(query: str, expected: Expr) -> None:
    assert without_needles(parse(query), frozenset({"one", "two", "three"})) == expected


def test_no_character_that_equals_an_ascii_one_is_missed() -> None:
    every = pl.Series([chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000])
    alike = every.filter(every.str.contains(r"(?is)\A[\x00-\x7f]\z"))
    assert {KELVIN, LONG_S} < set(alike)
    assert len(alike) == 130
    for character in map(chr, range(128)):
        messages = "node" + alike + "node"
        (needle,) = needles(Word(Pattern((f"NODE{character}NODE",))))
        equal = messages.str.contains(f"(?is:{pl.escape_regex(f'node{character}node')})")
        assert equal.any()
        for given, expected in (
            (messages, equal),
            (messages.filter(equal), equal.filter(equal)),
            (messages.head(20), equal.head(20)),
        ):
            found = contain_any(given.to_arrow(compat_level=pl.CompatLevel.newest()), frozenset({needle}))
            assert (found >= expected.to_numpy()).all()


def test_small_letters() -> None:
    texts = ["first", "", None, "A", "TWELVE BYTES", "Thirteen Byte", "{`~ and a Longer Text, 0123456789-:"]
    small = fold_ascii_case(pa.array(texts, pa.string_view())[1:])
    assert small is not None
    small.validate(full=True)
    assert small.to_pylist() == [text and text.lower() for text in texts[1:]]
    assert small.equals(pa.array(small.to_pylist(), pa.string_view()))
    for other in ("é", "a longer text with an é in it"):
        assert fold_ascii_case(pa.array([*texts, other], pa.string_view())) is None


def test_needles_that_many_messages_have_are_not_rare() -> None:
    messages = pl.Series(["GET /one", None, "get /two", "GET /three", "Get /four", "GET /five"])
    assert rare_needles(messages, ["get", "one", "six"]) == {"one", "six"}


WORD_QUERIES = [
    *(
        "kernel",
        f"{KELVIN}ernel",
        "KERNEL",
        "mass",
        f"ma{LONG_S}s",
        "MASS",
        f"{LONG_S}{LONG_S}h",
        "ssh",
        "straße",
        "STRAẞE",
        "strasse",
    ),
    *(
        "éclair",
        "ÉCLAIR",
        "İstanbul",
        "istanbul",
        "ıssız",
        "ΣΊΣΥΦΟΣ",
        "σίσυφος",
        "foo.bar",
        "foo*bar",
        "foobar",
        "FooBar",
        "line\nbreak",
    ),
    *("", "a", "ok", '"quoted"', "back\\slash", "[1,2]", "get", "get", "get", "GET"),
]
ATTRIBUTES = ("status", "note", "empty")


def random_pattern(rng: random.Random) -> Pattern:
    word = rng.choice(WORD_QUERIES)
    start = rng.randrange(len(word) // 2 + 1)
    parts = [word[start : rng.randrange(start, len(word) + 1)] if rng.random() < 0.3 else word]
    if rng.random() < 0.4:
        parts.insert(rng.randrange(2), rng.choice(["", "", *WORD_QUERIES]))
    if rng.random() < 0.3:
        parts = ["", *parts, ""]
    return Pattern(tuple(parts), rng.random() < 0.2)


def random_condition(rng: random.Random, depth: int = 2) -> Expr:
    kind = rng.random()
    if depth and kind < 0.4:
        kinds: list[type[And] | type[Or]] = [And, Or]
        return rng.choice(kinds)(tuple(random_condition(rng, depth - 1) for _ in range(rng.choice([2, 3]))))
    if depth and kind < 0.55:
        return Not(random_condition(rng, depth - 1))
    field = Field("_message", system=True) if rng.random() < 0.6 else Field(rng.choice(ATTRIBUTES))
    pattern = random_pattern(rng)
    if kind < 0.8 and not pattern.is_any:
        return Word(pattern)
    if kind < 0.9:
        return Membership(field, (pattern, random_pattern(rng)))
    return Comparison(field, rng.choice([Operator.EQUAL, Operator.EQUAL, Operator.NOT_EQUAL]), pattern)


def random_pipeline(rng: random.Random, names: list[str], depth: int = 2) -> dict[str, Any]:
    """Return a pipeline that marks the events it runs on, and may change their messages or run others."""
    names.append(name := f"p{len(names)}")
    steps: list[dict[str, Any]] = [{"set": {"output": name, "value": "ran"}}]
    for _ in range(rng.choice([0, 0, 1, 2])):
        if depth and rng.random() < 0.5:
            steps.append({"pipeline": random_pipeline(rng, names, depth - 1)})
        elif rng.random() < 0.3:
            steps.append(
                rng.choice(
                    [
                        {"message": {"source": "note"}},
                        {"redact": {"source": "message", "pattern": "er", "replacement": "k"}},
                    ]
                )
            )
    when = {} if rng.random() < 0.15 else {"when": str(random_condition(rng))}
    return {"name": name, "steps": steps, **when}


def run_plainly(pipeline: dict[str, Any], events: list[Event]) -> None:
    """Run a pipeline event by event."""
    for event in events:
        system = {"_message": event["_message"]} if event["_message"] is not None else {}
        attributes = {name: value for name, value in event.items() if name != "_message" and value is not None}
        if "when" in pipeline and not holds(parse(pipeline["when"]), system, attributes):
            continue
        for step in pipeline["steps"]:
            ((kind, parameters),) = step.items()
            if kind == "pipeline":
                run_plainly(parameters, [event])
            elif kind == "set":
                event[parameters["output"]] = parameters["value"]
            elif kind == "message":
                event["_message"] = event["_message"] if event["note"] is None else event["note"]
            elif event["_message"] is not None:
                event["_message"] = event["_message"].replace("er", "k")


def random_event(rng: random.Random) -> Event:
    chosen_words = [rng.choice(WORD_QUERIES) for _ in range(rng.randrange(4))]
    message = None if rng.random() < 0.1 else rng.choice([" ", ""]).join(chosen_words)
    return {"_message": message, **{name: rng.choice([None, *WORD_QUERIES]) for name in ATTRIBUTES[:2]}, "empty": None}


def compare(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Compare a run with one event at a time.

    Returns how many passes it took, and how many pipelines distinguished the events.
    """
    passes: list[object] = []
    monkeypatch.setattr(conditions, "contain_any", lambda *given: passes.append(given) or contain_any(*given))
    rng = random.Random(seed)
    events = [random_event(rng) for _ in range(rng.choice([1, 5, 40, 40, 40]))]
    names: list[str] = []
    pipelines = [random_pipeline(rng, names) for _ in range(8)]
    columns = {name: pa.array([event[name] for event in events], pa.string_view()) for name in events[0]}
    batch = pa.RecordBatch.from_pydict(columns)
    done = apply_pipelines(batch, load_pipelines(json.dumps({"pipelines": pipelines}), source="p.json"), received=NOW)
    for pipeline in pipelines:
        run_plainly(pipeline, events)
    for name in ("_message", *names):
        got = done[name].to_pylist() if name in done.schema.names else [None] * len(events)
        assert got == [event.get(name) for event in events], (seed, name, json.dumps(pipelines))
    return len(passes), sum(0 < sum(event.get(name) == "ran" for event in events) < len(events) for name in names)


@pytest.mark.parametrize("seeds", [range(at, at + 10) for at in range(0, 60, 10)], ids=str)
def test_random_pipelines_agree_with_the_reference(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    passes, telling = (sum(column) for column in zip(*(compare(seed, monkeypatch) for seed in seeds), strict=True))
    assert passes >= 5
    assert telling >= 20


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(at, at + 100) for at in range(1000, 1000 + many(600), 100)], ids=str)
def test_many_random_pipelines_agree_with_the_reference(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(compare(seed, monkeypatch)[0] for seed in seeds) >= 50


def searched(
    batch: pa.RecordBatch, whens: list[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[list[int]], list[set[str]]]:
    """Return which rows each of some pipelines ran on, and the pieces of each pass."""
    passes: list[set[str]] = []
    monkeypatch.setattr(
        conditions,
        "contain_any",
        lambda messages, looked_for: passes.append(set(looked_for)) or contain_any(messages, looked_for),
    )
    entries = [
        {"name": f"p{at}", "when": when, "steps": [{"set": {"output": f"p{at}", "value": "x"}}]}
        for at, when in enumerate(whens)
    ]
    done = apply_pipelines(batch, load_pipelines(json.dumps({"pipelines": entries}), source="p.json"), received=NOW)
    columns = [done[f"p{at}"].to_pylist() if f"p{at}" in done.schema.names else [] for at in range(len(whens))]
    return [[row for row, value in enumerate(column) if value == "x"] for column in columns], passes


LINES = pa.RecordBatch.from_pydict(
    {
        "_message": pa.array(
            [f"GET /{row} {'panic' if row == 7 else 'fine'}" for row in range(1000)], pa.string_view()
        ),
        "sourcetype": pa.array(["app"] * 1000).dictionary_encode(),
    }
)


def test_terms_are_searched_once_and_frequent_ones_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    whens = [
        "segfault",
        '"out of memory"',
        "panic",
        "GET",
        'NOT "fine"',
        "traceback OR sourcetype=web",
        "sourcetype=web deadlock",
    ]
    rows, passes = searched(LINES, whens, monkeypatch)
    assert rows == [[], [], [7], list(range(1000)), [7], [], []]
    assert passes == [{"segfault", "f memory", "panic", "raceback"}]


def test_few_terms_are_searched_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, passes = searched(LINES, ["segfault", "panic"], monkeypatch)
    assert (rows, passes) == ([[], [7]], [])


def test_nested_conditions_are_asked_of_the_rows_that_the_outer_one_chose() -> None:
    def marks(name: str, when: str, *nested: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": name,
            "when": when,
            "steps": [{"set": {"output": name, "value": "x"}}, *({"pipeline": one} for one in nested)],
        }

    chosen_words = [marks(word, word) for word in ("panic", "segfault", "deadlock", "refused")]
    batch = LINES.append_column(
        "most", pa.array([None if row < 5 else str(row) for row in range(1000)], pa.string_view())
    )
    text = json.dumps({"pipelines": [marks("outer", "most=*", *chosen_words)]})
    done = apply_pipelines(batch, load_pipelines(text, source="p.json"), received=NOW)
    assert [row for row, value in enumerate(done["panic"].to_pylist()) if value == "x"] == [7]
    assert not {"segfault", "deadlock", "refused"} & set(done.schema.names)


def test_messages_that_are_absent_or_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whens = ["one", "two", "three", "four", "NOT five"]
    absent = LINES.set_column(0, "_message", pa.nulls(1000, pa.string_view()))
    same = LINES.set_column(0, "_message", pa.array(["one"] * 1000).dictionary_encode())
    everywhere = list(range(1000))
    assert searched(absent, whens, monkeypatch)[0] == [[], [], [], [], everywhere]
    assert searched(same, whens, monkeypatch) == ([everywhere, [], [], [], everywhere], [])
