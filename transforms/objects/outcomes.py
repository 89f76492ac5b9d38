"""What became of one object: what reading yields last, and what the ledger makes a row of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from transforms.objects.event_counts import CountKey, EventCounts
from transforms.objects.record_problems import RecordProblems, add_problems
from transforms.storage import ObjectInfo

PUBLISHED = ("ingested", "salvaged")
"""The statuses of objects whose events are for readers."""
_WORST_FIRST = ("vanished", "archived", "failed", "quarantined", "salvaged", "ingested")


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectOutcome:
    """What became of an object, or of a part of one.

    Attributes:
        info: The object.
        status: `ingested`, `salvaged`, `quarantined`, `failed`, `vanished` or `archived`.
        reason: Why it is not `ingested`.
        codec: Its compression.
        format: What it was read as.
        unchecked: Whether its codec can hide damage.
        records: Records that were read.
        blank: Blank lines.
        header: Header lines and skipped rows.
        errors: Records with `_error`.
        bytes_read: Bytes that were read of it.
        bytes_decoded: Bytes after decompression.
        warnings: What else its user should know, but for what `problems` has numbers of.
        problems: What was wrong with its records.
        counts: What happened to how many of its events.
    """

    info: ObjectInfo
    status: str
    reason: str | None = None
    codec: str | None = None
    format: str | None = None
    unchecked: bool = False
    records: int = 0
    blank: int = 0
    header: int = 0
    errors: int = 0
    bytes_read: int = 0
    bytes_decoded: int = 0
    warnings: tuple[str, ...] = ()
    problems: RecordProblems = RecordProblems()
    counts: tuple[tuple[CountKey, int], ...] = ()

    @property
    def uri(self) -> str:
        """The object's name."""
        return self.info.uri

    @property
    def is_published(self) -> bool:
        """Whether its events are for readers."""
        return self.status in PUBLISHED

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """What its user should know."""
        found = self.problems.warnings(records=self.records, errors=self.errors, format_name=self.format)
        return (*self.warnings, *found)


def merge_outcomes(outcomes: Iterable[ObjectOutcome]) -> list[ObjectOutcome]:
    """Make one outcome of those of an object's parts: sums, and the worst status."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.uri)
    return [_merged(list(parts)) for _, parts in groupby(ordered, key=lambda outcome: outcome.uri)]


def with_counts(outcomes: Iterable[ObjectOutcome], found: Iterable[EventCounts]) -> list[ObjectOutcome]:
    """Put what happened to events into the outcomes of their objects, as far as these are published."""
    sums: defaultdict[str, Counter[CountKey]] = defaultdict(Counter)
    for one in found:
        sums[one.uri].update(dict(one.counts))
    return [
        replace(outcome, counts=tuple(sums[outcome.uri].items()))
        if outcome.is_published and outcome.uri in sums
        else outcome
        for outcome in outcomes
    ]


def _merged(parts: list[ObjectOutcome]) -> ObjectOutcome:
    worst = min(parts, key=lambda part: _WORST_FIRST.index(part.status))
    if len(parts) == 1:
        return worst
    return replace(
        worst,
        unchecked=any(part.unchecked for part in parts),
        records=sum(part.records for part in parts),
        blank=sum(part.blank for part in parts),
        header=sum(part.header for part in parts),
        errors=sum(part.errors for part in parts),
        bytes_read=sum(part.bytes_read for part in parts),
        bytes_decoded=sum(part.bytes_decoded for part in parts),
        warnings=tuple(dict.fromkeys(warning for part in parts for warning in part.warnings)),
        problems=add_problems([part.problems for part in parts]),
    )
