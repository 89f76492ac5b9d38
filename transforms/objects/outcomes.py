"""What the ledger says of a wave's objects, put together from what their parts and their events tell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from transforms.hot_tier.ledger.ledger import LedgerEntry

_WORST_FIRST = ("vanished", "archived", "failed", "quarantined", "salvaged", "ingested")

_NEXT = {
    "older than rule ": "the next `rekindle delete` with these rules removes",
    "older than tier ": "the next `rekindle tier` with these rules moves",
}


def too_old(section: str, rule: str, retention: str) -> str:
    """Return the name under which events are counted that a rule of a section (`rules`, `tiers`) would take at once."""
    return f"older than {section.removesuffix('s')} {rule} allows ({retention})"


def is_too_old(name: str) -> bool:
    """Whether it is the name of such a count."""
    return name.startswith(tuple(_NEXT))


def tell_too_old(name: str, events: str, *, one: bool) -> str:
    """Return what is said of events that a rule would take at once.

    Args:
        name: What their count is called.
        events: How many there are, like `3 events`.
        one: Whether it is one.
    """
    happens = next(text for start, text in _NEXT.items() if name.startswith(start))
    return f"{events} {'is' if one else 'are'} {name}: {happens} {'it' if one else 'them'}"


@dataclass(frozen=True)
class EventCounts:
    """What happened to some events of an object on their way, for the ledger.

    Attributes:
        uri: The object's name.
        counts: What, and to how many: `schema.TIME_RECEIVED`, processors that failed, and rules that would take them
            (`too_old`).
    """

    uri: str
    counts: tuple[tuple[str, int], ...]


def merge_entries(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Make one ledger entry of those of an object's parts: sums, and the worst status."""
    ordered = sorted(entries, key=lambda entry: entry.uri)
    return [_merged(list(parts)) for _, parts in groupby(ordered, key=lambda entry: entry.uri)]


def with_counts(entries: Iterable[LedgerEntry], found: Iterable[EventCounts]) -> list[LedgerEntry]:
    """Put what happened to events into the entries of their objects, as far as these are published."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        sums[one.uri].update(dict(one.counts))
    return [
        replace(entry, counts=tuple(sorted(sums[entry.uri].items())))
        if entry.is_published and entry.uri in sums
        else entry
        for entry in entries
    ]


def _merged(parts: list[LedgerEntry]) -> LedgerEntry:
    worst = min(parts, key=lambda entry: _WORST_FIRST.index(entry.status))
    if len(parts) == 1:
        return worst
    records = sum(entry.records_in for entry in parts)
    return replace(
        worst,
        unchecked=any(entry.unchecked for entry in parts),
        records_in=records,
        blank=sum(entry.blank for entry in parts),
        header=sum(entry.header for entry in parts),
        events=records if worst.is_published else 0,
        events_with_error=sum(entry.events_with_error for entry in parts) if worst.is_published else 0,
        rejected=0 if worst.is_published else records,
        bytes_read=sum(entry.bytes_read for entry in parts),
        bytes_decoded=sum(entry.bytes_decoded for entry in parts),
        warnings=tuple(dict.fromkeys(warning for entry in parts for warning in entry.warnings)),
    )
