"""Rules files: YAML or JSON, read whole, with every mistake told at once and its place (docs/retention.md).

A misread rule deletes data: what is not understood, or could be understood in two ways, is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta

from transforms.config_files.documents import Document, read_document
from transforms.config_files.fields import Fields, raise_problems, read_condition, read_description, read_enabled
from transforms.config_files.problems import Problems
from transforms.core.errors import ConfigurationError
from transforms.core.names import SYSTEM_NAMES
from transforms.query import Expr, parse
from transforms.query.lexer import query_error
from transforms.query.syntax import Field, fields
from transforms.retention.durations import parse_duration
from transforms.retention.rules import Hold, Rule, RulesFile

RULES, HOLDS, TIERS = "rules", "holds", "tiers"
MOST_RULES = 100
_SECTIONS = (RULES, HOLDS, TIERS)
_RULE_FIELDS = ("name", "description", "retention", "when", "enabled")
_HOLD_FIELDS = ("name", "description", "when")
_A_DAY = timedelta(days=1)


def load_rules(text: str, *, source: str, section: str = RULES) -> RulesFile:
    """Read a rules file.

    Args:
        text: YAML or JSON.
        source: The file's name, for messages.
        section: Whose rules are wanted: `rules` for deletion, `tiers` for tiering. All sections are checked.

    Raises:
        ConfigurationError: The file is no YAML, or has something that is not allowed; all mistakes, a line each, as
            `FILE:LINE:COLUMN: PATH: what is wrong`.
    """
    document = read_document(text, source=source, field="rules")
    problems = Problems()
    reader = _RulesReader(document, problems)
    reader.check_sections()
    rules = {name: reader.rules(name) for name in (RULES, TIERS)}
    holds = reader.holds()
    raise_problems(document, problems, source=source, field="rules")
    return RulesFile(rules[section], holds, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def make_hold(name: str, when: str, *, description: str = "") -> Hold:
    """Return a hold that stands in no file, checked as those of a file are.

    Raises:
        ConfigurationError: its name or condition is not allowed.
    """
    if problem := _problem_of_name(name):
        raise ConfigurationError(problem, field="name")
    if not when.strip():
        raise ConfigurationError("the condition is empty", field="when")
    return Hold(name=name, when=_parse_hold(when), text=when, description=description)


class _RulesReader:
    """One file while it is read."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self._document = document
        self._problems = problems

    def check_sections(self) -> None:
        document = self._document.value
        if not isinstance(document, Mapping):
            self._problems.add(RULES, f"the file must be a mapping with {_listed(_SECTIONS)}, each of them a list")
            return
        for key in document:
            if key not in _SECTIONS:
                self._problems.add(str(key), f"unknown field; allowed are {_listed(_SECTIONS)}", at_key=True)

    def rules(self, section: str) -> tuple[Rule, ...]:
        entries = self._entries(section, "rule", _RULE_FIELDS)
        for number, entry in enumerate(entries[MOST_RULES:], MOST_RULES + 1):
            text = f"{entry.values.get('name')!r} is number {number}; there are at most {MOST_RULES} rules in {section}"
            self._problems.add(entry.path, text)
        return tuple(self._rule(entry) for entry in entries)

    def holds(self) -> tuple[Hold, ...]:
        return tuple(
            Hold(
                name=entry.text("name"),
                when=read_condition(entry, self._document, _parse_hold),
                text=_text(entry),
                description=read_description(entry),
            )
            for entry in self._entries(HOLDS, "hold", _HOLD_FIELDS)
        )

    def _rule(self, entry: Fields) -> Rule:
        return Rule(
            name=entry.text("name"),
            retention=_retention(entry),
            when=read_condition(entry, self._document, _parse_rule),
            text=_text(entry),
            description=read_description(entry),
            enabled=read_enabled(entry),
        )

    def _entries(self, section: str, kind: str, allowed: tuple[str, ...]) -> list[Fields]:
        """Return the entries of a section, their fields' and their own names checked."""
        document = self._document.value
        entries = document.get(section, []) if isinstance(document, Mapping) else []
        if not isinstance(entries, list):
            what = "is empty; write [] for none" if entries is None else f"must be a list of {kind}s, not {entries!r}"
            self._problems.add(section, what)
            return []
        found: list[Fields] = []
        for at, entry in enumerate(entries):
            path = f"{section}[{at}]"
            if not isinstance(entry, Mapping):
                self._problems.add(path, f"must be a mapping with {', '.join(allowed)}, not {entry!r}")
                continue
            for key in entry:
                if key not in allowed:
                    self._problems.add(
                        f"{path}.{key}", f"unknown field; a {kind} has {', '.join(allowed)}", at_key=True
                    )
            found.append(Fields(entry, path, self._problems))
        _check_names(found)
        return found


def _check_names(entries: Iterable[Fields]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        name = entry.values.get("name")
        if not isinstance(name, str):
            continue
        if name and (problem := _problem_of_name(name)):
            entry.problem("name", problem)
        if name in seen:
            entry.problem("name", f"{name!r} names {seen[name]} too; reports and the audit refer to it by name")
        seen.setdefault(name, entry.path)


def _problem_of_name(name: str) -> str | None:
    """Return what is wrong with the name of a rule or hold, None where nothing is."""
    if not name:
        return "the name is empty"
    if name != name.strip() or not name.isprintable():
        return f"{name!r} has a blank at its end or a control character; reports show it"
    return None


def _retention(entry: Fields) -> timedelta:
    try:
        if entry.values.get("retention") is None:
            raise ConfigurationError("is required, as in 90m, 12h, 30d, 2w")
        return parse_duration(entry.values["retention"])
    except ConfigurationError as error:
        entry.problem("retention", str(error))
        return _A_DAY


def _text(entry: Fields) -> str | None:
    text = entry.values.get("when")
    return text if isinstance(text, str) else None


def _parse_hold(text: str) -> Expr:
    expr = parse(text, brackets_required=True)
    for field in fields(expr):
        if not field.system and field.name in SYSTEM_NAMES:  # a hold that means nothing keeps nothing
            system = Field(field.name, system=True)
            raise query_error(
                text,
                field.position,
                f"{field.name} would be an attribute of the record's own; the column is written {system}",
            )
    return expr


def _parse_rule(text: str) -> Expr:
    expr = _parse_hold(text)
    for field in fields(expr):
        if field.system and field.name == "_time":
            raise query_error(
                text, field.position, "a rule has no condition on time: its retention is the age that events reach"
            )
    return expr


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"
