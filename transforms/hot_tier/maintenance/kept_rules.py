"""The rules that a run went by, as its folder keeps them."""

from __future__ import annotations

from transforms.core.errors import ConfigurationError
from transforms.hot_tier.table.runs import TIER, MaintenanceRun
from transforms.retention.rules import RulesFile
from transforms.retention.rules_file import RULES, TIERS, load_rules

_NONE = RulesFile((), (), "")


def kept_rules(run: MaintenanceRun) -> RulesFile:
    """Return the rules and holds of a deletion or tiering; none where it had none, or they can't be read any more."""
    if run.rules is None:
        return _NONE
    try:
        return load_rules(run.rules, source=run.rules_file or run.id, section=TIERS if run.kind == TIER else RULES)
    except ConfigurationError:  # what was a rule to an older version
        return _NONE
