"""Pipelines, and how they run on a batch (docs/pipelines.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
import pyarrow as pa

from transforms.arrow import Flags, Indices
from transforms.core.schema import attribute_name
from transforms.event_pipelines.conditions import Conditions
from transforms.event_pipelines.observing import PipelineCounts, StepCounter, StepName, StepObserver
from transforms.event_pipelines.run_names import RunNames
from transforms.processors.kernels.events import Columns, Events
from transforms.processors.parameters import output_column
from transforms.processors.processor import Processor
from transforms.query import Expr, columns_read
from transforms.timestamps import Modified

_NAMES = "_pipelines"
DROPPED_BY = "_dropped_by"
"""The column in flight with the name of the pipeline that dropped an event; it is there if one was dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """An ordered list of processors and nested pipelines with a name, and the condition on which they run.

    `ready_made` is whether it ships with the product: an event that is not of its kind is none that it fails on where
    another ready-made pipeline knows it.
    """

    name: str
    steps: tuple[Processor | Pipeline, ...]
    description: str = ""
    when: Expr | None = None
    enabled: bool = True
    ready_made: bool = False


def apply_pipelines(
    batch: pa.RecordBatch,
    pipelines: Sequence[Pipeline],
    *,
    received: datetime,
    modified: Modified | None = None,
    year: int | Indices | None = None,
    counts: PipelineCounts | None = None,
    watch: StepObserver | None = None,
) -> pa.RecordBatch:
    """Run all enabled pipelines in order; each sees what those before it made.

    Args:
        batch: Events of one object.
        pipelines: As `load_pipelines` gives them.
        received: When Rekindle read the object.
        modified: When it was last modified, for times without a year; that of receipt if None.
        year: That of times without one, or that of each event's; None chooses it.
        counts: Where events are counted by what the pipelines did to them.
        watch: Is told of each step; it then counts for itself.

    Returns:
        As many events in the same order, with the attributes, `_message`, `_time`, `_time_source` that the processors
        set, `_pipelines`, and `DROPPED_BY` where one was dropped. The batch itself where no pipeline ran on any event.
    """
    columns = Columns(batch)
    events = Events(columns, None, modified or received, received, year)
    conditions = Conditions([step.when for step in _steps(pipelines) if step.when], columns)
    counter = StepCounter() if watch is None and counts is not None else None
    run = _Run(conditions, RunNames(batch.num_rows), RunNames(batch.num_rows), watch or counter or StepObserver())
    for pipeline in pipelines:
        run.whole(pipeline, events.kept())
    if counter is not None and counts is not None:
        counter.add_to(counts)
    ran = run.names.column()
    if ran is None:
        return batch
    columns.by_name[_NAMES] = ran
    dropped_by = run.dropped_by.column()
    if dropped_by is not None:
        columns.by_name[DROPPED_BY] = dropped_by
    return columns.batch()


@dataclass(frozen=True, slots=True)
class _Run:
    """Pipelines while they run on a batch."""

    conditions: Conditions
    names: RunNames
    dropped_by: RunNames
    watch: StepObserver

    def whole(self, pipeline: Pipeline, events: Events) -> None:
        """Run a pipeline of the first level on the events that satisfy its condition."""
        if pipeline.enabled and (chosen := self._begun(pipeline, events)) is not None:
            self.watch.began(pipeline.name, chosen, ready_made=pipeline.ready_made)
            self._steps(pipeline, chosen)
            self.watch.ended(chosen)

    def _begun(self, pipeline: Pipeline, events: Events) -> Events | None:
        chosen = self._chosen(pipeline.when, events)
        if chosen is None:
            self.watch.not_matched(pipeline.name)
        return chosen

    def _steps(self, pipeline: Pipeline, chosen: Events) -> None:
        self.names.add(pipeline.name, chosen.rows)
        for at, step in enumerate(pipeline.steps):
            if isinstance(step, Pipeline):
                if step.enabled and (nested := self._begun(step, chosen)) is not None:
                    self._steps(step, nested)
            else:
                chosen = self._step(step, StepName(pipeline.name, f"steps[{at}].{step.name}"), chosen)
            chosen = chosen.kept()
            if not len(chosen):
                return

    def _step(self, step: Processor, name: StepName, events: Events) -> Events:
        """Run a processor on the events that satisfy its own condition; return those for which the pipeline goes on."""
        chosen = self._chosen(step.when, events)
        if chosen is None:
            self.watch.done(name, events, None)
            return events
        failed = _trimmed(step.apply(chosen))
        dropped = chosen.columns.dropped
        if dropped is not None:
            # those that were dropped before are not among the chosen
            rows = np.flatnonzero(dropped) if chosen.rows is None else chosen.rows[dropped[chosen.rows]]
            if rows.size:
                self.dropped_by.add(name.pipeline, rows)
        self.watch.done(name, chosen, failed)
        going_on = step.going_on(chosen, failed)
        return events if going_on is None else chosen.where(going_on)

    def _chosen(self, condition: Expr | None, events: Events) -> Events | None:
        """Return the events that satisfy a condition; only one on `#pipelines` has the names made into a column."""
        ran = self.names.column() if condition is not None and _asks_what_ran(condition) else None
        if ran is None:
            return self.conditions.select(condition, events)
        events.columns.by_name[_NAMES] = ran
        try:
            return self.conditions.select(condition, events)
        finally:
            del events.columns.by_name[_NAMES]


@lru_cache(maxsize=4096)
def _asks_what_ran(condition: Expr) -> bool:
    return _NAMES in columns_read(condition, (_NAMES,))


def _trimmed(failed: Flags | None) -> Flags | None:
    return failed if failed is not None and np.any(failed) else None


def outputs(pipelines: Iterable[Pipeline]) -> list[str]:
    """Return the names of the attributes that enabled pipelines may write, each once, in their order."""
    columns = (
        output_column(name) for step in _steps(pipelines) if isinstance(step, Processor) for name in step.outputs
    )
    return list(dict.fromkeys(name for column in columns if (name := attribute_name(column)) is not None))


def _steps(steps: Iterable[Pipeline | Processor]) -> Iterator[Pipeline | Processor]:
    """Yield enabled pipelines and processors in the order they run in, nested ones too."""
    for step in steps:
        if isinstance(step, Processor):
            yield step
        elif step.enabled:
            yield step
            yield from _steps(step.steps)
