"""Small objects that are shaped together: events and counts are those of each object by itself."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import THOROUGH
from tests.transforms.sources import Source
from transforms.core.schema import EventBatch
from transforms.elements import EventBatchCoder
from transforms.event_pipelines.definition import load_pipelines
from transforms.objects.event_counts import CountKey, EventCounts
from transforms.objects.event_shaping import ShapingSettings
from transforms.objects.joined.joining import EventJoiner
from transforms.objects.joined.shaping import shape_and_count
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.read_object import read_object
from transforms.objects.reading import ReadSettings
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.past_rules import PastRules
from transforms.retention.rules_file import load_rules

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
MODIFIED = [
    datetime(1970, 1, 1, tzinfo=timezone.utc),
    datetime(2019, 6, 1, tzinfo=timezone.utc),
    datetime(2024, 3, 1, 12, tzinfo=timezone.utc),
    datetime(2024, 3, 3, 12, 30, tzinfo=timezone.utc),
    datetime(2025, 1, 1, tzinfo=timezone.utc),
    datetime.now(timezone.utc) + timedelta(days=40),
]
LINES = [
    "2025-01-31 10:00:00 user=ann logs in",
    "2024-02-29T23:59:59Z user=1700000000 code=7",
    "2019-01-01 00:00:00,123 drop me",
    "no time at all",
    "\tat com.example.Main(Main.java:7)",
    "user=bob says Mar 2 12:00:00",
    "06/07/25 01:02:03 of which order",
]
ODD_LINES = ["Mar 4 01:02:03 pc app: yearless", "Feb 29 10:00:00 pc app: leap", "2999-01-01 00:00:00 not believed"]
RECORDS = [
    '{"time":"2025-01-31T10:00:00Z","user":"ann","n":1}',
    '{"time":"2025-01-31T10:00:00Z","msg":"drop me"}',
    '{"msg":"no time","user":"1700000000"}',
    "not json 2025-01-31 10:00:00",
    '{"time":"Mar 2 12:00:00","user":"x"}',
]
STEPS = """
pipelines:
- name: users
  when: 'user OR com.example'
  steps:
  - regex: {source: message, pattern: 'user=(?P<who>[a-z]+|[0-9]{10})'}
  - timestamp: {source: who, format: EPOCH_SECONDS}
- name: dropping
  steps:
  - drop: {when: '"drop me"'}
- name: stamps
  when: 'says'
  steps:
  - regex: {source: message, pattern: 'says (?P<said>.*)'}
  - timestamp: {source: said, format: 'MMM d HH:mm:ss'}
"""
CUSTOM = """
pipelines:
- name: custom
  steps:
  - regex: {source: message, pattern: '(?P<when>\\S+)'}
  - timestamp: {source: when, format: yyyy-MM-dd}
"""
RULES = "rules: [{name: old, retention: 500d}, {name: ann, retention: 12h, when: user=ann}]"
SETTINGS = {
    "plain": ShapingSettings(),
    "pipelines": ShapingSettings(pipelines=load_pipelines(STEPS, source="p.yaml")),
    "custom": ShapingSettings(pipelines=load_pipelines(CUSTOM, source="p.yaml")),
    "received": ShapingSettings(timestamp="received"),
    "object": ShapingSettings(timestamp="object"),
    "no-message": ShapingSettings(keep_message=False, inherits=False),
}
COMPILED = CompiledRules.of(load_rules(RULES, source="r.yaml"), NOW)


def objects(source: Source, chance: random.Random, number: int) -> None:
    for at in range(number):
        odd = ODD_LINES if chance.random() < 0.2 else []
        lines = RECORDS if chance.random() < 0.3 else LINES + odd
        chosen = [chance.choice(lines) for _ in range(chance.randrange(1, 5))]
        name = f"{at:03}.json" if lines is RECORDS else f"{at:03}.log"
        source.put({name: ("\n".join(chosen) + "\n").encode()}, modified=chance.choice(MODIFIED))


def read(source: Source) -> list[list[EventBatch]]:
    infos = sorted((info for page in source.store.list_pages("") for info in page), key=lambda info: info.key)
    return [
        [
            one
            for one in read_object(info, source.store, ReadSettings(task_id="t"))
            if not isinstance(one, ObjectOutcome)
        ]
        for info in infos
    ]


def shaped(
    batches: Iterable[EventBatch], settings: ShapingSettings, past: PastRules
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Counter[CountKey]]]:
    """Return the events and the counts of each object."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    counts: dict[str, Counter[CountKey]] = defaultdict(Counter)
    for batch in batches:
        for found, counted in shape_and_count(batch, settings, {"rules": COMPILED}, past):
            for row in found.events.to_pylist():
                rows[row["_object"]].append({name: value for name, value in row.items() if value is not None})
            for one in counted:
                assert isinstance(one, EventCounts)
                counts[one.uri].update(dict(one.counts))
    return rows, counts


@pytest.mark.parametrize("seed", range(40 if THOROUGH else 3))
@pytest.mark.parametrize("name", SETTINGS)
def test_events_and_counts_are_those_of_each_object_by_itself(name: str, seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{name} {seed}")
    source = Source(tmp_path)
    objects(source, chance, 40)
    each = read(source)
    joiner = EventJoiner(batch_bytes=chance.choice([20_000, 4 << 20]), held_bytes=chance.choice([60_000, 16 << 20]))
    joined = [batch for batches in each for batch in joiner.add(batches)] + [*joiner.flush()]
    assert len(joined) < len(each)
    assert sum(batch.num_rows for batch in joined) == sum(batch.num_rows for batches in each for batch in batches)
    past = PastRules((COMPILED,), {f"{source.bucket}/003.log": 0}) if seed else PastRules()
    alone = shaped((batch for batches in each for batch in batches), SETTINGS[name], past)
    assert shaped(joined, SETTINGS[name], past) == alone
    coder = EventBatchCoder()
    assert shaped((coder.decode(coder.encode(batch)) for batch in joined), SETTINGS[name], past) == alone


def test_only_what_is_alike_is_joined(tmp_path: Path) -> None:
    source = Source(tmp_path)
    line = b"2025-01-31 10:00:00 a\n"
    old = datetime(1970, 1, 1, tzinfo=timezone.utc)
    source.put(
        {"a.log": line, "b.log": line, "c.json": b'{"a": 1}\n', "d.json": b'{"b": 1}\n', "e.json": b'{"a": 2}\n'}
    )
    source.put({"f.log": line}, modified=old)
    joiner = EventJoiner()
    assert not [one for batches in read(source) for one in joiner.add(batches)]
    keys = [batch.events.column("filename").to_pylist() for batch in joiner.flush()]
    assert keys == [["a.log", "b.log"], ["c.json", "e.json"], ["d.json"], ["f.log"]]


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    source = Source(tmp_path)
    source.put({f"{number:02}.log": b"2025-01-31 10:00:00 a\n" * 20 for number in range(30)})
    each = read(source)
    size = each[0][0].events.get_total_buffer_size()
    joiner = EventJoiner(batch_bytes=4 * size)
    found = [len(one.joined.rows) for batches in each for one in joiner.add(batches) if one.joined]
    assert found == [4] * 7
    held = EventJoiner(held_bytes=3 * size)
    assert [batch.num_rows for batches in each[:8] for batch in held.add(batches)] == [80, 80]


def test_a_large_object_is_not_held(tmp_path: Path) -> None:
    source = Source(tmp_path)
    source.put({"a.log": b"2025-01-31 10:00:00 a line of text\n" * 20_000})
    [batches] = read(source)
    assert [*EventJoiner().add(batches)] == batches
    twice = [batches[0].slice(0, 2), batches[0].slice(2, 2)]
    assert [*EventJoiner().add(twice)] == twice  # their order is the object's


def test_constants_of_joined_batches_stay_constants(tmp_path: Path) -> None:
    source = Source(tmp_path)
    source.put({"a.log": b"2025-01-31 10:00:00 a\n", "b.log": b"2025-01-31 10:00:00 b\n"})
    joiner = EventJoiner()
    assert not [one for batches in read(source) for one in joiner.add(batches)]
    [batch] = joiner.flush()
    assert pa.types.is_dictionary(batch.events.schema.field("_object").type)
    assert batch.events.column("_format").dictionary.to_pylist() == ["text"]
    assert batch.joined is not None
    assert batch.joined.rows == (1, 1)
    assert [len([*shape_and_count(batch, SETTINGS["plain"], {}, PastRules())])] == [1]  # none is shaped by itself
