"""The rules and holds that the tier keeps, as the page shows them."""

from __future__ import annotations

from datetime import datetime, timezone

from pipelines.documents import JsonObject
from transforms.core.errors import ConfigurationError
from transforms.hot_tier.configuration.store import Configuration, KeptFile, name_of_kept
from transforms.query.instants import format_instant
from transforms.retention.durations import format_duration
from transforms.retention.rules import Rule, RulesFile
from transforms.retention.rules_file import RULES, TIERS, load_rules

SECTIONS = {RULES: "delete", TIERS: "tier"}
"""Sections of a rules file, and the runs that go by them."""


def rules_of(configuration: Configuration, section: str) -> RulesFile | None:
    """Return the rules of a section that the tier keeps, None where it keeps none.

    Raises:
        ConfigurationError: they are no longer valid.
    """
    kept = configuration.rules
    return None if kept is None else _load(kept, configuration.version, section)


def describe_kept(configuration: Configuration) -> JsonObject:
    """Return the rules by the runs that go by them, what is wrong with them, and the holds."""
    now, by_kind, failure = datetime.now(timezone.utc), {}, ""
    try:
        for section, kind in SECTIONS.items():
            file = rules_of(configuration, section)
            by_kind[kind] = [_describe(rule, now) for rule in file.rules] if file else []
    except ConfigurationError as error:  # valid for an older version only
        failure = str(error)
    holds = [
        {"name": one.name, "when": one.when, "why": one.description, "at": one.at, "who": one.who}
        for one in configuration.holds
    ]
    return {"version": configuration.version, "rules": by_kind, "broken": failure, "holds": holds}


def _load(kept: KeptFile, version: int, section: str) -> RulesFile:
    return load_rules(kept.text, source=name_of_kept(kept.file, version), section=section)


def _describe(rule: Rule, now: datetime) -> JsonObject:
    try:
        cutoff = format_instant(now - rule.retention)
    except OverflowError:  # before the year 1, as no event is
        cutoff = ""
    return {
        "name": rule.name,
        "retention": format_duration(rule.retention),
        "when": rule.text,
        "why": rule.description,
        "is_enabled": rule.enabled,
        "cutoff": cutoff,
        "explored": {"query": rule.text or "", "to": cutoff},
    }
