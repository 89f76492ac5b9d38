"""What rules would take now and next, by the log's statistics alone: no file is opened, so some of it is estimated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from pipelines.documents import JsonObject
from service.pages.retention.kept import SECTIONS, rules_of
from transforms.hot_tier.configuration.holds import load_holds
from transforms.hot_tier.configuration.store import load_configuration
from transforms.hot_tier.maintenance.classify_files import ActionKind, classify_files
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query.instants import microseconds
from transforms.retention.compiled_rules import CompiledRule, CompiledRules
from transforms.retention.rules import Hold, Rule

_MOST = 10
_NEVER = (1 << 63) - 1
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_COLD = "cold"


def forecast(snapshot: Snapshot, now: datetime) -> JsonObject:
    """Return what each enabled rule that the tier keeps would take, the first ten of them.

    Each has `due`, about how many events it would take now, `tomorrow`, how many more a day later, `first`, when its
    oldest event comes of age, and `isExact`, whether the numbers are certain.

    Raises:
        ConfigurationError: the rules are no longer valid.
    """
    configuration = load_configuration(snapshot.tier)
    files = [(kind, rules_of(configuration, section)) for section, kind in SECTIONS.items()]
    enabled = [(kind, rule) for kind, file in files for rule in (file.rules if file else ()) if rule.enabled]
    holds = load_holds(snapshot.tier)
    rules = [{"kind": kind, **_of_rule(snapshot, rule, kind, holds, now)} for kind, rule in enabled[:_MOST]]
    return {"rules": rules, "more": len(enabled) - len(rules)}


def _of_rule(snapshot: Snapshot, rule: Rule, kind: str, holds: tuple[Hold, ...], now: datetime) -> JsonObject:
    found = list(_may_take(snapshot, rule, kind, holds))
    cutoffs = [microseconds(now + later) - rule.retention // timedelta(microseconds=1) for later in (timedelta(), _DAY)]
    due, then = (round(sum(file.rows * _share(file, cutoff) for file, _ in found)) for cutoff in cutoffs)
    is_exact = all(
        is_sure and _share(file, cutoff) in (0, 1)
        for file, is_sure in found
        for cutoff in cutoffs
        if _share(file, cutoff)
    )
    oldest = min((file.min_time for file, _ in found), default=None)
    first = None if oldest is None else _of_age(oldest, rule.retention)
    return {"name": rule.name, "due": due, "tomorrow": then - due, "first": first, "isExact": is_exact}


def _may_take(snapshot: Snapshot, rule: Rule, kind: str, holds: tuple[Hold, ...]) -> Iterator[tuple[LiveFile, bool]]:
    """Yield the files of which a rule takes events once they are old enough, and whether it takes all of them."""
    timeless = CompiledRules((CompiledRule(rule.name, _NEVER, rule.when, rule.retention),), holds)
    for file, action in classify_files(snapshot, timeless):
        is_there = kind != "tier" or file.tier != _COLD
        if is_there and action.kind in (ActionKind.WHOLE, ActionKind.OPEN):
            yield file, action.kind is ActionKind.WHOLE


def _share(file: LiveFile, cutoff: int) -> float:
    """Return about which part of a file's events lies before a time: as if they lay evenly."""
    if file.max_time < cutoff:
        return 1.0
    return 0.0 if file.min_time >= cutoff else (cutoff - file.min_time) / (file.max_time - file.min_time + 1)


def _of_age(oldest: int, retention: timedelta) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=oldest) + retention
    except OverflowError:  # after the year 9999
        return None
