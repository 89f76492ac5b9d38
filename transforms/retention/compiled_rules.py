"""Compiled retention rules: which events are too old, by which rule, and which of those a hold keeps.

An event is taken by the first rule, shortest retention first, whose cut-off its time lies before and whose condition it
meets. Times are looked at first: what is too young for every rule costs a comparison, and no text of it is read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import Flags, Indices
from transforms.core import schema
from transforms.query import Expr, columns_read
from transforms.query.instants import microseconds
from transforms.retention.candidates import Candidates
from transforms.retention.rules import Hold, RulesFile

STAYS = -1
_TIME = "_time"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


class CompiledRule(NamedTuple):
    """A rule that holds.

    Attributes:
        name: The rule's.
        cutoff: Events before it are too old, in microseconds since 1970 UTC.
        when: The condition; None means all events.
        retention: How old events get.
    """

    name: str
    cutoff: int
    when: Expr | None
    retention: timedelta

    @property
    def cutoff_time(self) -> datetime | None:
        """The cut-off as a date; None where it lies before the year 1, as no event does."""
        try:
            return _EPOCH + self.cutoff * _MICROSECOND
        except OverflowError:
            return None


class Evaluation(NamedTuple):
    """Which rule takes each row, and which hold keeps it.

    Attributes:
        rule: For each row the number of the rule that takes it, -1 where it stays.
        hold: For each row that a rule would take, the number of the first hold that keeps it; -1 for all others.
    """

    rule: npt.NDArray[np.int32]
    hold: npt.NDArray[np.int32]

    @property
    def held(self) -> Flags:
        """The rows that a rule would take and a hold keeps."""
        return np.not_equal(self.hold, STAYS)


@dataclass(frozen=True)
class CompiledRules:
    """Rules and holds at one moment.

    Attributes:
        rules: The rules that are enabled, shortest retention first; those of one retention as in their file.
        holds: What is kept regardless of them.
    """

    rules: tuple[CompiledRule, ...]
    holds: tuple[Hold, ...] = ()

    @classmethod
    def of(cls, rules_file: RulesFile, now: datetime) -> CompiledRules:
        """Return what a file's rules mean now (a time with its zone)."""
        enabled = sorted((rule for rule in rules_file.rules if rule.enabled), key=lambda rule: rule.retention)
        cutoffs = (max(_LEAST, microseconds(now) - rule.retention // _MICROSECOND) for rule in enabled)
        rules = (
            CompiledRule(rule.name, cutoff, rule.when, rule.retention)
            for rule, cutoff in zip(enabled, cutoffs, strict=True)
        )
        return cls(tuple(rules), rules_file.holds)

    def columns_needed(self, names: Collection[str], *, in_both: Collection[str] = ()) -> list[str]:
        """Return which of a table's columns `evaluate` reads; takes their names, and what `evaluate` takes."""
        needed = {_TIME}
        conditions = [rule.when for rule in self.rules] + [hold.when for hold in self.holds]
        for condition in conditions:
            needed |= set() if condition is None else columns_read(condition, names)
        if not needed.isdisjoint(in_both):
            needed.add(schema.ATTRIBUTES_COLUMN)
        return [name for name in names if name in needed]

    def evaluate(self, table: pa.Table | pa.RecordBatch, *, in_both: Collection[str] = ()) -> Evaluation:
        """Evaluate the rules on events, as a file of the hot tier has them or as they are in flight.

        Args:
            table: The events; of its columns at least `columns_needed`.
            in_both: Attributes that are in their column in some rows and in the map in others, as in files of
                other writers.
        """
        rule = np.full(table.num_rows, STAYS, np.int32)
        hold = np.full(table.num_rows, STAYS, np.int32)
        times = _times(table.column(_TIME))
        old = np.flatnonzero(times < self.rules[0].cutoff) if self.rules else np.empty(0, np.int64)
        if len(old):
            read = table.select(self.columns_needed(table.schema.names, in_both=in_both))
            events = Candidates.of(read, old, in_both)
            taken = self._taken(events, times[old])
            hold[old] = kept = self._held(events, taken)
            taken[kept != STAYS] = STAYS
            rule[old] = taken
        return Evaluation(rule, hold)

    def count(self, table: pa.Table | pa.RecordBatch) -> list[tuple[CompiledRule, int]]:
        """Return how many of some events each rule takes, those rules left out that take none."""
        numbers = counts(self.evaluate(table).rule, len(self.rules)).tolist()
        return [(rule, number) for rule, number in zip(self.rules, numbers, strict=True) if number]

    def _taken(self, events: Candidates, times: Indices) -> npt.NDArray[np.int32]:
        """Return the number of the rule that takes each event, regardless of the holds."""
        taken = np.full(len(times), STAYS, np.int32)
        left = np.arange(len(times))
        for number, rule in enumerate(self.rules):
            left = left[times[left] < rule.cutoff]  # what is too young for this rule is so for those that come
            if not len(left):
                break
            found = events.matching(rule.when, left)
            taken[left[found]] = number
            left = left[~found]
        return taken

    def _held(self, events: Candidates, taken: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return for each event that is taken the number of the first hold that keeps it."""
        kept = np.full(len(taken), STAYS, np.int32)
        left = np.flatnonzero(taken != STAYS)
        for number, hold in enumerate(self.holds):
            if not len(left):
                break
            found = events.matching(hold.when, left)
            kept[left[found]] = number
            left = left[~found]
        return kept


def counts(numbers: npt.NDArray[np.int32], most: int) -> Indices:
    """Return how many rows each of `most` rules or holds has, by the numbers that an `Evaluation` gives the rows."""
    return np.bincount(numbers[numbers != STAYS], minlength=most)


def _times(column: pa.Array | pa.ChunkedArray) -> Indices:
    """Return times in microseconds since 1970 UTC; an event without one stays."""
    times = column if column.type == schema.TIME else column.cast(schema.TIME)
    return np.asarray(times.cast(pa.int64()).fill_null(_MOST).to_numpy(), np.int64)
