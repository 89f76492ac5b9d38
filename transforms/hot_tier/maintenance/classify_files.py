"""What rules do with live files, by the log alone: most are removed or kept without being opened (docs/retention.md).

All files are classified at once, rule by rule. The log's statistics of a field are often the same for many files: each
distinct value is evaluated once.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.live_files import BOUND_PRECISION, LogStatistics
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot
from transforms.query import Expr
from transforms.query.bounds import time_bounds
from transforms.query.certainty import ALL_ROWS, NO_ROW, Certainty, KnownValues, prove_all
from transforms.query.pruning import Values
from transforms.query.syntax import Field
from transforms.retention.compiled_rules import STAYS, CompiledRules

_Numbers = npt.NDArray[np.int64]


class ActionKind(Enum):
    """What to do with a file."""

    KEEP = "keep"
    """No rule takes any of its rows."""
    WHOLE = "whole"
    """One rule takes all of its rows."""
    HELD = "held"
    """One rule would take all of its rows, and a hold keeps them all."""
    OPEN = "open"
    """Its rows must be read; it may turn out that all are taken, or none."""


class FileAction(NamedTuple):
    """What rules do with a file.

    Attributes:
        kind: What to do with it.
        rule: The number of the rule that takes all rows of a `WHOLE` file, or would of a `HELD` one; else -1.
        hold: The number of the first hold that is known to keep all rows of a `HELD` file; else -1.
    """

    kind: ActionKind
    rule: int = STAYS
    hold: int = STAYS


def classify_files(snapshot: Snapshot, compiled: CompiledRules) -> list[tuple[LiveFile, FileAction]]:
    """Return what rules do with each live file, in the table's order."""
    files = list(snapshot.files.values())
    classifier = _Classifier(snapshot, files)
    rule, whole = classifier.rules(compiled)
    some_held, hold = classifier.holds(compiled, np.flatnonzero(rule != STAYS))
    found = zip(rule.tolist(), whole.tolist(), some_held.tolist(), hold.tolist(), strict=True)
    return [(file, _action(*of_file)) for file, of_file in zip(files, found, strict=True)]


def without_rows(snapshot: Snapshot, conditions: Sequence[Expr | None]) -> list[bool]:
    """Return which conditions the log proves to hold for no event at all."""
    return _Classifier(snapshot, list(snapshot.files.values())).without_rows(conditions) if conditions else []


def _action(rule: int, whole: bool, some_held: bool, hold: int) -> FileAction:  # noqa: FBT001  a row of columns
    if rule == STAYS:
        return FileAction(ActionKind.KEEP)
    if whole and hold != STAYS:
        return FileAction(ActionKind.HELD, rule, hold)
    return FileAction(ActionKind.WHOLE, rule) if whole and not some_held else FileAction(ActionKind.OPEN)


class _Classifier:
    """All live files, and the log's statistics of them."""

    def __init__(self, snapshot: Snapshot, files: Sequence[LiveFile]) -> None:
        self._files = files
        self._known = LogStatistics(snapshot)
        self._own = np.array([layout_of(file.path) > 0 for file in files], np.bool_)
        slack = [0 if layout_of(file.path) else BOUND_PRECISION for file in files]
        self._oldest = np.array([file.min_time for file in files], np.int64)
        self._newest = np.array([file.max_time for file in files], np.int64) + np.array(slack, np.int64)
        self._values = cache(self._values_of)

    def rules(self, compiled: CompiledRules) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        """Return the number of the first rule that may take rows of each file, and whether it takes all of them."""
        first = np.full(len(self._files), STAYS, np.int32)
        whole = np.zeros(len(self._files), np.bool_)
        left = np.arange(len(self._files))
        for number, rule in enumerate(compiled.rules):
            left = left[
                self._oldest[left] < rule.cutoff
            ]  # what is too young for this rule is too young for the later ones
            certainty = self._prove(rule.when, left)
            found = certainty != NO_ROW
            first[left[found]] = number
            surely = (certainty[found] == ALL_ROWS) & self._own[left[found]]  # another writer's rows may have no time
            whole[left[found]] = surely & (self._newest[left[found]] < rule.cutoff)
            left = left[~found]
        return first, whole

    def holds(self, compiled: CompiledRules, numbers: _Numbers) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int32]]:
        """Return of which of some files holds may keep rows, and the number of the first hold that keeps all."""
        some = np.zeros(len(self._files), np.bool_)
        every = np.full(len(self._files), STAYS, np.int32)
        for number, hold in enumerate(compiled.holds):
            near = numbers[self._may_lie_in(hold.when, numbers)]
            certainty = self._prove(hold.when, near)
            some[near] |= certainty != NO_ROW
            kept = near[certainty == ALL_ROWS]
            every[kept[every[kept] == STAYS]] = number
        return some, every

    def without_rows(self, conditions: Sequence[Expr | None]) -> list[bool]:
        """Return which conditions are proved to hold for no row of any file."""
        numbers = np.arange(len(self._files))
        near = (numbers[self._may_lie_in(condition, numbers)] for condition in conditions)
        proved = (self._prove(condition, some) for condition, some in zip(conditions, near, strict=True))
        return [bool((certainty == NO_ROW).all()) for certainty in proved]

    def _may_lie_in(self, condition: Expr | None, numbers: _Numbers) -> npt.NDArray[np.bool_]:
        """Return which files may have rows of the times that a condition allows."""
        bounds = time_bounds(condition)
        may = np.ones(len(numbers), np.bool_)
        if bounds.low is not None:
            may &= self._newest[numbers] >= bounds.low
        if bounds.high is not None:
            may &= self._oldest[numbers] < bounds.high
        return may

    def _prove(self, condition: Expr | None, numbers: _Numbers) -> Certainty:
        if not len(numbers):
            return np.empty(0, np.int8)

        def known(field: Field) -> KnownValues:
            distinct, codes = self._values(field)
            return KnownValues(distinct, codes[numbers])

        return prove_all(condition, known, len(numbers))

    def _values_of(self, field: Field) -> KnownValues:
        distinct: dict[Values, int] = {}
        codes = [distinct.setdefault(self._known.of(file, field), len(distinct)) for file in self._files]
        return KnownValues(list(distinct), np.array(codes, np.int64))
