"""Pipelines tried on sample events: what each event was, what it becomes, and what every step did to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from transforms.arrow import Flags
from transforms.core import schema
from transforms.event_pipelines.observing import PipelineCounts, StepCounter, StepName
from transforms.event_pipelines.pipeline import DROPPED_BY, Pipeline, apply_pipelines
from transforms.formats import format_of
from transforms.processors.kernels.events import Columns, Events
from transforms.timestamps import choose_times

CHANGED, SKIPPED, FAILED, DROPPED, NOT_MATCHED = "changed", "skipped", "failed", "dropped", "not matched"
Row = dict[str, Any]


def try_pipelines(
    batch: schema.EventBatch,
    pipelines: Sequence[Pipeline],
    *,
    timestamp: str = "auto",
    timezone: str = "UTC",
    year: int | None = None,
    counts: PipelineCounts | None = None,
) -> Iterator[dict[str, Any]]:
    """Run pipelines on events one by one.

    Args:
        batch: Events as they were read.
        pipelines: What to run.
        timestamp: `auto`; `object` or `received` for plain text whose lines get that time.
        timezone: IANA name for times that name no zone.
        year: That of times without one, where the batch does not have them; None chooses it.
        counts: Where events are counted by what the pipelines did to them.

    Yields:
        For each event `before` and `after` as flat rows, `after` None if it was dropped, and `steps`,
        each with `pipeline`, `step`, `outcome`
        (`changed`, `skipped`, `failed`, `dropped`; `not matched` of a pipeline whose condition did not hold, and of a
        ready-made one that is for other lines where another knows this one) and `changes`: the new values, None for
        what is gone.
    """
    for at in range(batch.num_rows):
        event = batch.events.slice(at, 1)
        received = event.column("_observed_at")[0].as_py()
        own = year if batch.years is None else int(batch.years.of(at, 1)[0])
        trace = _Trace(event)
        done = apply_pipelines(event, pipelines, received=received, modified=batch.modified, year=own, watch=trace)
        trace.finish(counts or PipelineCounts())
        row = format_of(event)
        with_time = partial(
            choose_times,
            timestamp=timestamp,
            timezone=timezone,
            modified=batch.modified,
            received=received,
            year=own,
            day_first=batch.day_first,
            lines=row.lines if row else "errors",
        )
        yield {"before": _flat_row(with_time(event)), "after": _flat_row(with_time(done)), "steps": trace.steps}


def _flat_row(event: pa.RecordBatch) -> dict[str, Any] | None:
    """Return an event as a flat row, None where it was dropped."""
    row = event.to_pylist()[0]
    return None if DROPPED_BY in row else schema.flat_row(row)


class _Trace(StepCounter):
    """Notes what each step does to one event."""

    def __init__(self, event: pa.RecordBatch) -> None:
        super().__init__()
        self.steps: list[dict[str, Any]] = []
        self._dropped = False
        self._values = _values(Columns(event))

    def not_matched(self, pipeline: str) -> None:
        if not self._dropped:
            self.steps.append({"pipeline": pipeline, "step": "when", "outcome": NOT_MATCHED, "changes": {}})

    def finish(self, counts: PipelineCounts) -> None:
        """Count the event, and note on which steps it did not fail although they did not know it."""
        own = PipelineCounts()
        self.add_to(own)
        counts.add(own)
        for step in self.steps:
            if step["outcome"] == FAILED and StepName(step["pipeline"], step["step"]) not in own.failures:
                step["outcome"] = NOT_MATCHED

    def done(self, step: StepName, events: Events, failed: Flags | None) -> None:
        super().done(step, events, failed)
        before, self._values = self._values, _values(events.columns)
        changes = {
            name: self._values.get(name) for name in before | self._values if before.get(name) != self._values.get(name)
        }
        self._dropped = events.columns.dropped is not None
        outcome = DROPPED if self._dropped else FAILED if failed is not None else CHANGED if changes else SKIPPED
        self.steps.append({"pipeline": step.pipeline, "step": step.step, "outcome": outcome, "changes": changes})


def _values(columns: Columns) -> Row:
    return {
        name: schema.as_json(column[0].as_py()) for name, column in columns.by_name.items() if column.null_count == 0
    }
