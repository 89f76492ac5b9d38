"""Which rules of past deletions hold for an object, by what it was when they went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from transforms.hot_tier.ledger.ledger import Published
from transforms.hot_tier.maintenance.past_deletions import PastDeletions, PastRule, uncovered
from transforms.query.parser import parse
from transforms.retention.compiled_rules import CompiledRule, CompiledRules
from transforms.retention.rules import Hold

MONTH = timedelta(days=30)
HOLD = Hold(name="case", when=parse("user=ann"), text="user=ann")


def rule(k: int, cutoff: int, when: str | None = None, *, holds: tuple[Hold, ...] = ()) -> PastRule:
    compiled = CompiledRule(f"{when} {cutoff}", cutoff, None if when is None else parse(when), MONTH)
    return PastRule(k, CompiledRules((compiled,), holds))


def content(k: int, low: int | None) -> Published:
    return Published("etag", 1, "ingested", "job", 0, k, low, low)


def names(rules: Sequence[CompiledRules]) -> list[str]:
    return [one.rules[0].name for one in rules]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule(1, 10), rule(2, 20), rule(3, 30)], ["None 30"]),
        ([rule(3, 30), rule(1, 10)], ["None 30"]),
        ([rule(1, 30), rule(2, 20)], ["None 30", "None 20"]),
        ([rule(1, 10, "a=1"), rule(2, 20), rule(3, 30, "a=1")], ["None 20", "a=1 30"]),
        ([rule(1, 10), rule(2, 20, holds=(HOLD,))], ["None 10", "None 20"]),
        ([rule(1, 10, holds=(HOLD,)), rule(2, 20, holds=(HOLD,))], ["None 20"]),
    ],
    ids=["daily", "in-any-order", "longer-retention-later", "two-rules", "hold-since", "same-holds"],
)
def test_a_later_deletion_by_the_same_rule_covers_an_earlier_one(rules: list[PastRule], expected: list[str]) -> None:
    assert names([one.rules for one in uncovered(rules)]) == expected


@pytest.mark.parametrize(
    ("lineage", "expected"),
    [
        ([content(1, 5)], ["a=1 10", "b=1 20"]),
        ([content(2, 5)], ["a=1 10", "b=1 20"]),
        ([content(3, 5)], ["b=1 20"]),
        ([content(4, 5)], ["b=1 20"]),
        ([content(5, 5)], []),
        ([content(4, 20)], []),
        ([content(1, 15)], ["a=1 10", "b=1 20"]),
        ([content(1, 5), content(5, 50)], ["a=1 10", "b=1 20"]),
        ([content(1, None)], []),
        ([], []),
    ],
    ids=[
        "before-both",
        "last-that-the-first-has-seen",
        "between",
        "last-that-the-second-has-seen",
        "after",
        "too-young",
        "too-young-for-one",
        "read-again-since",
        "no-events",
        "unknown",
    ],
)
def test_which_rules_hold(lineage: list[Published], expected: list[str]) -> None:
    deletions = PastDeletions((rule(2, 10, "a=1"), rule(4, 20, "b=1")), frozenset())
    past = deletions.of_objects([("uri", lineage)])
    assert names(past.of_object("uri")) == expected
    assert past.of_object("other") == ()


def test_nothing_was_deleted() -> None:
    assert PastDeletions((), frozenset()).of_objects([("uri", [content(1, 5)])]).of_object("uri") == ()
