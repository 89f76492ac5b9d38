"""What the log proves of files, compared with what their rows say."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.transforms.hot_tier.tiers import Tier, event, foreign_file
from tests.transforms.query.test_compiler import random_query
from tests.transforms.retention.rule_samples import random_rules, rules_file
from transforms.hot_tier.maintenance.classify_files import ActionKind, FileAction, classify_files, without_rows
from transforms.hot_tier.search.event_file import EventFile
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import never_in_map
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query import parse
from transforms.retention.compiled_rules import STAYS, CompiledRules
from transforms.retention.rules import Hold, Rule
from transforms.storage import TierStore

KEEP, WHOLE, HELD, OPEN = ActionKind
DAY = timedelta(days=1)
MARCH = datetime(2025, 3, 1, tzinfo=timezone.utc)


def rule(name: str, when: str | None = None, *, days: float = 1) -> Rule:
    return Rule(name=name, retention=days * DAY, when=None if when is None else parse(when))


def hold(when: str | None) -> Hold:
    return Hold(name=f"hold {when}", when=None if when is None else parse(when))


@pytest.fixture
def services(local_tier: TierStore) -> Tier:
    """A tier of three files of one day: one service, another, and both."""
    mysql, redis = (
        [event(f"2025-03-01T00:00:0{second}", service=name) for second in (0, 9)] for name in ("mysql", "redis")
    )
    return Tier(local_tier).add(mysql, redis, [mysql[0], redis[1]], promote=["service"])


# rules, holds, seconds between the first event and the cut-off of a rule of one day -> what becomes of the three files
CASES: dict[str, tuple[list[Rule], list[Hold], float, list[tuple[Any, ...]]]] = {
    "all too old": ([rule("a")], [], 10, [(WHOLE, 0)] * 3),
    "the newest is just too old": ([rule("a")], [], 9.000001, [(WHOLE, 0)] * 3),
    "the newest is not": ([rule("a")], [], 9, [(OPEN, -1)] * 3),
    "the oldest is not": ([rule("a")], [], 0, [(KEEP, -1)] * 3),
    "by a condition": ([rule("a", "service=MySQL")], [], 10, [(WHOLE, 0), (KEEP, -1), (OPEN, -1)]),
    "by the second rule": ([rule("a", "service=100"), rule("b")], [], 10, [(WHOLE, 1)] * 3),
    "by either, so that counts are exact": (
        [rule("a", "service=mysql"), rule("b")], [], 10, [(WHOLE, 0), (WHOLE, 1), (OPEN, -1)]
    ),
    "the first rule takes some only": ([rule("a", "word"), rule("b")], [], 10, [(OPEN, -1)] * 3),
    "the shorter retention is first": (
        [rule("b", days=2), rule("a", "service=mysql")], [], 10, [(WHOLE, 0), (KEEP, -1), (OPEN, -1)]
    ),
    "held": ([rule("a")], [hold("service=mysql")], 10, [(HELD, 0, 0), (WHOLE, 0), (OPEN, -1)]),
    "all held": ([rule("a")], [hold("word"), hold(None)], 10, [(HELD, 0, 1)] * 3),
    "held by two": ([rule("a")], [hold("service=mysql"), hold(None)], 10, [(HELD, 0, 0), *[(HELD, 0, 1)] * 2]),
    "held perhaps": ([rule("a")], [hold("word")], 10, [(OPEN, -1)] * 3),
    "held by time": ([rule("a")], [hold("#time>=2025-03-02")], 10, [(WHOLE, 0)] * 3),
    "held by time before": ([rule("a")], [hold("#time<2025-03-01")], 10, [(WHOLE, 0)] * 3),
    "held by time perhaps": ([rule("a")], [hold("#time<2025-03-02")], 10, [(OPEN, -1)] * 3),
    "without rules": ([], [hold(None)], 10, [(KEEP, -1)] * 3),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "holds", "seconds", "expected"), CASES.values(), ids=CASES.keys())
def test_verdicts(
    services: Tier, rules: list[Rule], holds: list[Hold], seconds: float, expected: list[tuple[Any, ...]]
) -> None:
    compiled = CompiledRules.of(rules_file(*rules, holds=tuple(holds)), MARCH + DAY + timedelta(seconds=seconds))
    found = {str(file.min_object): action for file, action in classify_files(Snapshot.load(services.store), compiled)}
    assert [found[source] for source in sorted(found)] == [FileAction(*one) for one in expected]


@pytest.mark.parametrize(
    ("condition", "nothing"),
    [
        ("service=mariadb", True),
        ("service=mysql", False),
        ("service=mysql user=ann", False),
        ("#time<2025-03-01", True),
        ("#time>=2025-03-01T00:00:09", False),
        ("user=ann", False),
        (None, False),
    ],
)
def test_conditions_that_nothing_meets(services: Tier, condition: str | None, nothing: bool) -> None:
    """What may be in the map, or anywhere between two bounds, the log can't rule out."""
    expr = None if condition is None else parse(condition)
    assert without_rows(Snapshot.load(services.store), [expr]) == [nothing]


def test_shortened_bounds_prove_nothing(local_tier: TierStore) -> None:
    long = [event("2025-03-01T00:00:00", path="x" * 64), event("2025-03-01T00:00:00", path="x" * 64 + "y")]
    tier = Tier(local_tier).add(long, [long[1]], promote=["path"])
    compiled = CompiledRules.of(rules_file(rule("a", "path=x*")), MARCH + 2 * DAY)
    assert [action.kind for _, action in classify_files(Snapshot.load(tier.store), compiled)] == [OPEN] * 2


def test_what_another_writer_made_is_opened(local_tier: TierStore) -> None:
    tier = foreign_file(local_tier)
    cases: list[tuple[str | None, timedelta, ActionKind]] = [
        ("status=404", 2 * DAY, OPEN),
        ("NOT status=404", 2 * DAY, OPEN),
    ]
    cases += [(None, 2 * DAY, OPEN), (None, timedelta(), KEEP)]
    for when, age, kind in cases:
        compiled = CompiledRules.of(rules_file(rule("a", when)), MARCH + age)
        actions = {file.path: action for file, action in classify_files(Snapshot.load(tier.store), compiled)}
        assert [action.kind for path, action in actions.items() if not layout_of(path)] == [kind], when


def random_tier(rng: random.Random, store: TierStore) -> Tier:
    """Return a tier of small files, some of one kind of event, whose attributes were promoted one after the other."""
    tier = Tier(store)
    for promote in (["host"], ["status", "tags"], []):
        objects = []
        for _ in range(8):
            texts = {
                name: rng.choice(["a", "A", "[1,2]", "404", "x" * 70, "b"])
                for name in ("host", "status", "tags", "Host")
            }
            alike = rng.random() < 0.6
            rows = []
            for _ in range(3):
                at = MARCH + timedelta(hours=rng.randrange(3), seconds=0 if alike else rng.randrange(60))
                own = {
                    name: text if alike else rng.choice(["a", "b", text])
                    for name, text in texts.items()
                    if alike or rng.random() < 0.7
                }
                rows.append(event(at, rng.choice(["a", "b"]), **own))
            objects.append(rows)
        tier.add(*objects, promote=promote)
    return tier


def rows_of(tier: Tier, snapshot: Snapshot, file: LiveFile, compiled: CompiledRules) -> tuple[set[int], set[bool]]:
    """Return by which rules a file's rows go, and whether rows are held, as the rows themselves say."""
    table = pq.ParquetFile(Path(tier.store.table_uri("events").removeprefix("file://")) / file.path).read()
    both = EventFile(tier.store, file, never_in_map(snapshot, [file.path]))._in_both_places
    found = compiled.evaluate(table, in_both=both)
    return set(found.rule.tolist()), set(found.held.tolist())


@pytest.mark.parametrize("seed", range(4))
def test_files_are_classified_as_their_rows(local_tier: TierStore, seed: int) -> None:
    rng = random.Random(seed)
    tier = random_tier(rng, local_tier)
    snapshot = Snapshot.load(tier.store)
    kinds: dict[ActionKind, int] = dict.fromkeys(ActionKind, 0)
    for _ in range(40):
        rules = random_rules(rng, [timedelta(hours=hours) for hours in (1, 2, 3)])
        if rng.random() < 0.5:
            rules = rules_file(*rules.rules, Rule(name="last", retention=timedelta(hours=1)), holds=rules.holds)
        if rng.random() < 0.3:
            rules = rules_file(
                *rules.rules,
                holds=(*rules.holds, Hold(name="last", when=rng.choice([None, random_query(rng, depth=1)]))),
            )
        compiled = CompiledRules.of(rules, MARCH + timedelta(hours=rng.randrange(2, 7)))
        for file, action in classify_files(snapshot, compiled):
            taken, held = rows_of(tier, snapshot, file, compiled)
            kinds[action.kind] += 1
            if action.kind is KEEP:
                assert (taken, held) == ({STAYS}, {False})
            elif action.kind is WHOLE:
                assert (taken, held) == ({action.rule}, {False})
            elif action.kind is HELD:
                assert (taken, held) == ({STAYS}, {True})
    assert min(kinds.values()) > 0, kinds
