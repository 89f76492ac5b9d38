"""What is told of pipelines while they run, and what is counted of it: which matched how much, and failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from transforms.arrow import Flags
from transforms.arrow.arrays import is_present
from transforms.processors.kernels.events import Events


class StepName(NamedTuple):
    """Where a processor stands: the name of its pipeline, and `steps[2].regex` there."""

    pipeline: str
    step: str


@dataclass(frozen=True)
class PipelineCounts:
    """On how many events pipelines did what.

    Attributes:
        failures: Each processor failed. Where several ready-made pipelines were tried on an event, a line that is not
            of the kind of one is no failure if another matched it.
        tried: Each pipeline of the first level was tried, because its condition held.
        matched: Each of these changed something.
    """

    failures: Counter[StepName] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)

    def add(self, other: PipelineCounts) -> None:
        """Add what was counted elsewhere."""
        self.failures.update(other.failures)
        self.tried.update(other.tried)
        self.matched.update(other.matched)


class StepObserver:
    """Is told what a run does to a batch; this one notes nothing."""

    def began(self, pipeline: str, events: Events, *, ready_made: bool) -> None:
        """A pipeline of the first level begins on the events that satisfy its condition."""

    def ended(self, events: Events) -> None:
        """It has ended; the events are those it began on, dropped ones too."""

    def not_matched(self, pipeline: str) -> None:
        """No event satisfied a pipeline's condition."""

    def done(self, step: StepName, events: Events, failed: Flags | None) -> None:
        """A processor has run on some events, and failed on those that are flagged, None for none."""


class StepCounter(StepObserver):
    """Counts what a run does to one batch."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._before: dict[str, pa.Array] = {}
        self._was_dropped: Flags | None = None
        self._runs: list[_PipelineRun] = []

    def began(self, pipeline: str, events: Events, *, ready_made: bool) -> None:
        """Keep the columns as they are, to compare them later."""
        columns = events.columns
        tried = np.zeros(columns.size, np.bool_)
        tried[slice(None) if events.rows is None else events.rows] = True
        self._before = dict(columns.by_name)
        self._was_dropped = None if columns.dropped is None else columns.dropped.copy()
        self._runs.append(_PipelineRun(pipeline, ready_made, tried, np.zeros(columns.size, np.bool_), []))

    def ended(self, events: Events) -> None:
        """Note which events have changed."""
        columns, changed = events.columns, self._runs[-1].changed
        for name in self._before.keys() | columns.by_name.keys():
            changed |= _changed(self._before.get(name), columns.by_name.get(name))
        if columns.dropped is not None:
            changed |= columns.dropped if self._was_dropped is None else columns.dropped & ~self._was_dropped

    def done(self, step: StepName, events: Events, failed: Flags | None) -> None:
        """Note on which events a processor failed."""
        if failed is not None:
            rows = np.zeros(events.columns.size, np.bool_)
            rows[np.flatnonzero(failed) if events.rows is None else events.rows[failed]] = True
            self._runs[-1].failures.append((step, rows))

    def add_to(self, counts: PipelineCounts) -> None:
        """Add what was counted."""
        for name, rows in self.tried():
            counts.tried[name] += int(rows.sum())
        for name, rows in self.matched():
            counts.matched[name] += int(rows.sum())
        for step, rows in self.failures():
            if number := int(rows.sum()):
                counts.failures[step] += number

    def tried(self) -> Iterator[tuple[str, Flags]]:
        """Yield the events that each pipeline of the first level was tried on."""
        return ((run.name, run.tried) for run in self._runs)

    def matched(self) -> Iterator[tuple[str, Flags]]:
        """Yield the events that each of them changed."""
        return ((run.name, run.changed) for run in self._runs)

    def failures(self) -> Iterator[tuple[StepName, Flags]]:
        """Yield the events that each processor failed on, as `PipelineCounts.failures` counts them."""
        known = np.logical_or.reduce([run.changed for run in self._runs if run.ready_made])
        for run in self._runs:
            for step, rows in run.failures:
                yield step, rows & (run.changed | ~known) if run.ready_made else rows


class _PipelineRun(NamedTuple):
    """A pipeline of the first level on one batch.

    Attributes:
        name: The pipeline's.
        ready_made: Whether it ships with the product.
        tried: Which rows of the batch it ran on.
        changed: Which rows of the batch it changed.
        failures: Which rows each of its processors failed on.
    """

    name: str
    ready_made: bool
    tried: Flags
    changed: Flags
    failures: list[tuple[StepName, Flags]]


def _changed(old: pa.Array | None, new: pa.Array | None) -> Flags | np.bool_:
    """Return which rows of a column have another value; one that nobody replaced is not looked at."""
    if old is new:
        return np.bool_(False)  # noqa: FBT003
    if old is None or new is None:
        return is_present(new if old is None else old)
    found: Flags = _as_comparable(old).ne_missing(_as_comparable(new)).to_numpy()
    return found


def _as_comparable(column: pa.Array) -> pl.Series:
    series = pl.Series(pl.from_arrow(column))
    return series if series.dtype.is_temporal() else series.cast(pl.String)
