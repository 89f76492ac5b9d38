"""The tier's own holds: they keep what they match from every deletion and move, until somebody lifts them.

A run that is at work has perhaps read the holds already. Therefore a new hold also takes a version of the table, with a
commit without actions: a run's commit must be the version after the one it was planned on, so it is refused, and
planned again with the holds as they are then (docs/decisions/0004-commit-by-compare-and-swap.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from transforms.core.errors import ConfigurationError, TierError
from transforms.hot_tier.configuration.store import (
    HOLD_LIFTED,
    HOLD_SET,
    Configuration,
    ConfigurationChange,
    KeptHold,
    change_configuration,
    load_configuration,
)
from transforms.hot_tier.table import location
from transforms.hot_tier.table.commit import Attempts, commit, finish_commit
from transforms.hot_tier.table.runs import who
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.query.instants import format_instant
from transforms.retention.compiled_rules import CompiledRules
from transforms.retention.rules import Hold
from transforms.retention.rules_file import make_hold
from transforms.storage import TierStore

APP_ID = "config"
"""The app id of the commits that make runs look at the holds again; its version is the configuration's."""


def add_hold(
    tier: TierStore, *, name: str, when: str, description: str = "", expected: int | None = None
) -> tuple[Configuration, bool]:
    """Set a hold; once this returns, no run commits that has not seen it.

    Args:
        tier: The hot tier.
        name: Its name.
        when: Which events it keeps.
        description: Why.
        expected: The version of the configuration that may be changed; None is any.

    Returns:
        The configuration that has it, and whether it is new: the same again is no change.

    Raises:
        ConfigurationError: its name or condition is not allowed, or another hold has its name.
        ConflictError: another has changed the version that was expected.
        TierError: the store refuses.
    """
    make_hold(name, when, description=description)
    added = False

    def edit(current: Configuration) -> tuple[Configuration, ConfigurationChange] | None:
        nonlocal added
        same = next((hold for hold in current.holds if hold.name == name), None)
        if same is not None and same.when != when:
            raise ConfigurationError(_taken(name, same.when), field="name")
        added = same is None
        if same is not None:
            return None
        hold = KeptHold(
            name=name, when=when, description=description, at=format_instant(datetime.now(timezone.utc)), who=who()
        )
        change = ConfigurationChange(kind=HOLD_SET, name=name, detail={"when": when})
        return replace(current, holds=(*current.holds, hold)), change

    configuration = change_configuration(tier, edit, expected=expected)
    if location.exists(tier):
        _take_version(tier, configuration.version)
    return configuration, added


def lift_hold(tier: TierStore, name: str, *, expected: int | None = None) -> tuple[KeptHold, Configuration]:
    """Take a hold out of force; return it, and the configuration without it.

    Raises:
        ConfigurationError: there is none of that name.
        ConflictError: another has changed the version of the configuration that was expected.
        TierError: the store refuses.
    """
    lifted: list[KeptHold] = []

    def edit(current: Configuration) -> tuple[Configuration, ConfigurationChange]:
        gone = [hold for hold in current.holds if hold.name == name]
        if not gone:
            there = ", ".join(repr(hold.name) for hold in current.holds) or "none"
            raise ConfigurationError(f"there is no hold {name!r} at {tier.uri}; there are: {there}", field="name")
        lifted[:] = gone
        rest = tuple(hold for hold in current.holds if hold.name != name)
        detail = {"when": gone[0].when, "setAt": gone[0].at, "setBy": gone[0].who}
        return replace(current, holds=rest), ConfigurationChange(kind=HOLD_LIFTED, name=name, detail=detail)

    configuration = change_configuration(tier, edit, expected=expected)
    return lifted[0], configuration


def replace_holds(
    tier: TierStore, holds: Sequence[Hold], *, expected: int | None = None
) -> tuple[Configuration, list[str], list[str]]:
    """Let these holds be in force, and no others: each that is new is set, then each that is left out is lifted.

    Each is a change of its own, so that an interruption leaves too many holds and never too few.

    Args:
        tier: The hot tier.
        holds: All of them.
        expected: The version of the configuration that may be changed; None is any.

    Returns:
        The configuration that holds now, and the names of the holds that were set and lifted.

    Raises:
        ConfigurationError: one has the name of another that is in force with another condition.
        ConflictError: another has changed the version that was expected.
        TierError: the store refuses.
    """
    current = load_configuration(tier)
    there = {hold.name: hold.when for hold in current.holds}
    for hold in holds:
        if there.get(hold.name, hold.text) != hold.text:
            raise ConfigurationError(_taken(hold.name, there[hold.name]), field="name")
    kept = {hold.name for hold in holds}
    added = [hold for hold in holds if hold.name not in there]
    lifted = [name for name in there if name not in kept]
    for hold in added:
        current, _ = add_hold(
            tier, name=hold.name, when=hold.text or "", description=hold.description, expected=expected
        )
        expected = None if expected is None else current.version
    for name in lifted:
        _, current = lift_hold(tier, name, expected=expected)
        expected = None if expected is None else current.version
    return current, [hold.name for hold in added], lifted


def _taken(name: str, when: str) -> str:
    return f"there is a hold {name!r} already, when {when}: lift it first, or choose another name"


def load_holds(tier: TierStore) -> tuple[Hold, ...]:
    """Return the holds that are in force.

    Raises:
        TierError: they can't be read: nothing may be deleted then.
    """
    try:
        return tuple(
            make_hold(hold.name, hold.when, description=hold.description) for hold in load_configuration(tier).holds
        )
    except ConfigurationError as error:
        raise TierError(f"hot tier {tier.uri}: a hold of its own can't be read: {error}") from error


def with_holds(rules: CompiledRules, kept: tuple[Hold, ...]) -> CompiledRules:
    """Return rules with the tier's holds before those of their file; of two of one name, the file's is marked."""
    conditions = {hold.name: hold.when for hold in kept}
    others = [hold for hold in rules.holds if hold.name not in conditions or conditions[hold.name] != hold.when]
    named = (replace(hold, name=f"{hold.name} (file)") if hold.name in conditions else hold for hold in others)
    return replace(rules, holds=(*kept, *named))


def _take_version(tier: TierStore, version: int) -> None:
    """Commit nothing under the configuration's version, unless that or a later one is in the log."""
    attempts = Attempts(tier, "runs at work can't be made to look at the new hold", Snapshot.load)
    for snapshot in attempts:
        if (snapshot.transaction_version(APP_ID) or 0) >= version:
            return
        with attempts.unless_refused():
            commit(snapshot, transactions=[(APP_ID, version)])
            finish_commit(tier, snapshot.version + 1)
