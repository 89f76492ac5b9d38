"""The content of a rules file: rules that delete or move events, and holds that keep them (docs/retention.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from transforms.query import Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Events that meet a condition stay for so long.

    Attributes:
        name: What reports and the audit call it.
        retention: For how long; more than nothing.
        when: Its condition; None means all events.
        text: The condition as it was written.
        description: For people.
        enabled: Whether it holds.
    """

    name: str
    retention: timedelta
    when: Expr | None = None
    text: str | None = None
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Events that meet a condition stay, regardless of the rules.

    Attributes:
        name: What reports call it.
        when: Its condition; None means all events.
        text: The condition as it was written.
        description: For people.
    """

    name: str
    when: Expr | None = None
    text: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class RulesFile:
    """What one command needs of a rules file.

    Attributes:
        rules: Those of the command's section, in the order of the file, those that are not enabled too.
        holds: All holds.
        sha256: Of the file's text in UTF-8.
    """

    rules: tuple[Rule, ...]
    holds: tuple[Hold, ...]
    sha256: str
