"""What a report says of the times of a job's events: where they are from, and which objects have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from transforms.core.schema import TIME_FROM_OBJECT, TIME_INHERITED, TIME_RECEIVED
from transforms.hot_tier.ledger.entries import parse_count
from transforms.hot_tier.ledger.ledger import LedgerEntry
from transforms.objects.event_counts import EventCount
from transforms.objects.sampling.time_hints import what_helps
from transforms.timestamps.clock import IN_FUTURE

_NAMED = 5
_WHERE = {
    TIME_INHERITED: "with the time of an event before them",
    TIME_FROM_OBJECT: "without a time: that of the object holds (its LastModified)",
    TIME_RECEIVED: "without a time: that of receipt holds",
}
_WHY = {IN_FUTURE: " (more than a day after receipt)"}


def count_time_sources(entries: Iterable[LedgerEntry]) -> dict[str, int]:
    """Return how many events of the published objects have a time from each source, in the order of the names."""
    counts: Counter[str] = Counter()
    for entry in entries:
        counts.update(_sources(entry))
    return dict(sorted(counts.items()))


def warn_of_times(entries: Sequence[LedgerEntry]) -> Iterator[str]:
    """Yield which events have no time of their own, by source and format, and what would help.

    What inherits its time is told only of objects of which it is more than half.
    """
    found: dict[tuple[str, str], list[tuple[int, LedgerEntry]]] = {}
    for entry in entries:
        for source, number in _sources(entry).items():
            if source in _WHERE and (source != TIME_INHERITED or number > entry.events / 2):
                found.setdefault((source, entry.format or ""), []).append((number, entry))
    for (source, name), objects in sorted(found.items(), key=lambda item: (list(_WHERE).index(item[0][0]), item[0])):
        yield _warning(source, name, objects)


def warn_of_unbelieved(entries: Sequence[LedgerEntry]) -> Iterator[str]:
    """Yield how many times are not believed, by why not."""
    found: dict[str, list[tuple[int, LedgerEntry]]] = {}
    for entry in entries:
        for text, number in entry.counts if entry.events else ():
            if (key := parse_count(text)) and key.kind is EventCount.NOT_BELIEVED:
                found.setdefault(key.name, []).append((number, entry))
    for reason, objects in sorted(found.items()):
        number = sum(count for count, _ in objects)
        times = f"{number:,} time{'s' * (number != 1)} {reason}{_WHY.get(reason, '')}"
        yield f"{times} {'are' if number != 1 else 'is'} not believed, as if there were none: {_named(objects)}"


def _sources(entry: LedgerEntry) -> Counter[str]:
    """Return the events of an object by the source of their time; none of one that was not published."""
    counts: Counter[str] = Counter()
    for text, number in entry.counts if entry.events else ():
        key = parse_count(text)
        if key and key.kind in (EventCount.TIMED, EventCount.UNTIMED):
            counts[key.name or TIME_RECEIVED] += number
    return counts


def _warning(source: str, name: str, objects: list[tuple[int, LedgerEntry]]) -> str:
    number, whole = sum(count for count, _ in objects), sum(entry.events for _, entry in objects)
    share = f"{100 * number / whole:.3g} % of {len(objects):,} {name} object{'s' * (len(objects) != 1)}"
    events = f"{number:,} event{'s' * (number != 1)} ({share}) {_WHERE[source]}"
    return f"{events}: {_named(objects)}. What helps: {what_helps(name, inherited=source == TIME_INHERITED)}"


def _named(objects: list[tuple[int, LedgerEntry]]) -> str:
    """Return the objects with most events, each with how many."""
    most = sorted(objects, key=lambda one: (-one[0], one[1].uri))
    more = f", and {len(most) - _NAMED:,} more" if len(most) > _NAMED else ""
    return ", ".join(f"{entry.uri} ({count:,})" for count, entry in most[:_NAMED]) + more
