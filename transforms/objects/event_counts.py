"""What is counted of an object's events on their way: it travels beside them to the ledger and the report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class EventCount(str, Enum):
    """What happened to an event."""

    UNTIMED = "untimed"
    """It has the time of receipt: so older versions counted it, in place of `TIMED`."""
    TIMED = "timed"
    """It has a time, from the source that is the name."""
    NOT_BELIEVED = "not_believed"
    """It has a time that is not believed, because of what the name says, and is as one without it."""
    STEP_FAILED = "step_failed"
    """A pipeline's step failed on it and left it as it was."""
    DROPPED = "dropped"
    """A pipeline dropped it."""
    DROPPED_WITH_ERROR = "dropped_with_error"
    """A pipeline dropped it, and it has `_error`; it is counted under `DROPPED` too."""
    DELETED = "deleted"
    """A rule had deleted it before its object was read again."""
    DELETED_WITH_ERROR = "deleted_with_error"
    """So it had, and the event has `_error`; it is counted under `DELETED` too."""
    OLDER_THAN_RULE = "older_than_rule"
    """The next deletion removes it."""
    OLDER_THAN_TIER = "older_than_tier"
    """The next tiering moves it."""


OLDER_THAN = {"rules": EventCount.OLDER_THAN_RULE, "tiers": EventCount.OLDER_THAN_TIER}
"""By the section of the rules file that the rule is in."""

_RULES = {
    EventCount.OLDER_THAN_RULE: ("rule", "the next `rekindle delete` with these rules removes"),
    EventCount.OLDER_THAN_TIER: ("tier", "the next `rekindle tier` with these rules moves"),
}


class CountKey(NamedTuple):
    """What a number of events is counted under.

    Attributes:
        kind: What happened to them.
        name: The pipeline, rule, `_time_source` or reason it is about; empty for `UNTIMED`.
        detail: The step (`steps[0].regex`), or the rule's retention (`30d`).
    """

    kind: EventCount
    name: str = ""
    detail: str = ""


@dataclass(frozen=True)
class EventCounts:
    """What happened to some events of an object, for the ledger.

    Attributes:
        uri: The object's name.
        counts: What, and to how many.
    """

    uri: str
    counts: tuple[tuple[CountKey, int], ...]


def describe_too_old(key: CountKey, events: str, *, one: bool) -> str:
    """Return the warning about events that a rule would take at once.

    Args:
        key: What they are counted under: `OLDER_THAN_RULE` or `OLDER_THAN_TIER`.
        events: How many there are, like `3 events`.
        one: Whether it is one.
    """
    rule, happens = _RULES[key.kind]
    older = f"older than {rule} {key.name} allows ({key.detail})"
    return f"{events} {'is' if one else 'are'} {older}: {happens} {'it' if one else 'them'}"
