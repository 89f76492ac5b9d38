"""What rules say of events, row by row, as slow and plain as it can be; and random rules."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.transforms.query.reference import holds as meets
from tests.transforms.query.test_compiler import random_query
from transforms.query import Expr
from transforms.retention.rules import Hold, Rule, RulesFile

Event = tuple[dict[str, Any], dict[str, str]]


def rules_file(*rules: Rule, holds: tuple[Hold, ...] = ()) -> RulesFile:
    return RulesFile(rules, holds, "")


def expected_rule(file: RulesFile, now: datetime, event: Event) -> tuple[str | None, bool]:
    """Return the rule that takes an event, and whether a hold keeps one that a rule would take."""
    by_retention = sorted((rule for rule in file.rules if rule.enabled), key=lambda rule: rule.retention)
    for rule in by_retention:
        if event[0]["_time"] < now - rule.retention and _meets(rule.when, *event):
            held = any(_meets(hold.when, *event) for hold in file.holds)
            return (None, True) if held else (rule.name, False)
    return None, False


def _meets(condition: Expr | None, system: Mapping[str, Any], attributes: Mapping[str, str]) -> bool:
    return condition is None or meets(condition, system, attributes)


def random_rules(rng: random.Random, lengths: list[timedelta]) -> RulesFile:
    """Return some rules and holds; conditions on time too, which files may not have."""
    rules = [
        Rule(
            name=f"rule {number}",
            retention=rng.choice(lengths),
            when=None if rng.random() < 0.1 else random_query(rng, depth=2),
            enabled=rng.random() < 0.9,
        )
        for number in range(rng.randrange(5))
    ]
    holds = tuple(
        Hold(name=f"hold {number}", when=None if rng.random() < 0.1 else random_query(rng, depth=2))
        for number in range(rng.randrange(3))
    )
    return rules_file(*rules, holds=holds)
