"""The tier's own rules: deletions and moves go by them, and jobs warn by them, unless a file is given."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.configuration.store import (
    RULES_SET,
    Configuration,
    ConfigurationChange,
    KeptFile,
    change_configuration,
)
from transforms.retention.rules import Hold
from transforms.retention.rules_file import RULES, TIERS, load_rules
from transforms.storage import TierStore


def set_rules(tier: TierStore, text: str, *, file: str, expected: int | None = None) -> Configuration:
    """Keep the text of a rules file, for the runs that begin from now on; the same again is no change.

    Args:
        tier: The hot tier.
        text: YAML or JSON with `rules:`, `tiers:` or both.
        file: Its name, for messages.
        expected: The version of the configuration that may be changed; None is any.

    Raises:
        ConfigurationError: something in it is wrong, all mistakes with their places; or it has holds, which the next
            file without them would lift unnoticed.
        ConflictError: another has changed the version that was expected.
        TierError: the store refuses.
    """
    files = {section: load_rules(text, source=file, section=section) for section in (RULES, TIERS)}
    if holds := files[RULES].holds:
        raise ConfigurationError(_refusal_of_holds(file, holds), field="rules")
    kept = KeptFile(file=file, text=text)
    names = {section: [rule.name for rule in one.rules] for section, one in files.items()}

    def edit(current: Configuration) -> tuple[Configuration, ConfigurationChange] | None:
        if current.rules == kept:
            return None
        return replace(current, rules=kept), ConfigurationChange(kind=RULES_SET, detail=names)

    return change_configuration(tier, edit, expected=expected)


def _refusal_of_holds(file: str, holds: Iterable[Hold]) -> str:
    commands = (f"  rekindle holds add {shlex.quote(one.name)} --when {shlex.quote(one.text or '…')}" for one in holds)
    lines = "\n".join(commands)
    return (
        f"{file}: holds: the hot tier keeps holds apart from its rules, so that new rules lift none. Take them out of "
        f"the file, and add each by its own command:\n{lines}"
    )
