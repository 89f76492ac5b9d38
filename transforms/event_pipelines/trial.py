"""Pipelines tried on sample events: what each event was, what it becomes, and what every step did to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from transforms.arrow import Flags
from transforms.core import schema
from transforms.event_pipelines.pipeline import DROPPED_BY, Pipeline, StepName, StepObserver, apply_pipelines
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
) -> Iterator[dict[str, Any]]:
    """Run pipelines on events one by one.

    Args:
        batch: Events as they were read.
        pipelines: What to run.
        timestamp: `auto`; `object` or `received` for plain text whose lines get that time.
        timezone: IANA name for times that name no zone.
        year: That of times without one, where the batch does not have them; None chooses it.

    Yields:
        For each event `before` and `after` as flat rows, `after` None if it was dropped, and `steps`,
        each with `pipeline`, `step`, `outcome`
        (`changed`, `skipped`, `failed`, `dropped`; of a pipeline whose condition did not hold
        `not matched`) and `changes`: the new values, None for what is gone.
    """
    modified = batch.modified
    for at in range(batch.num_rows):
        event = batch.events.slice(at, 1)
        received = event.column("_observed_at")[0].as_py()
        row = format_of(event)
        own = year if batch.years is None else int(batch.years.of(at, 1)[0])
        trace = _Trace(event)
        done = apply_pipelines(event, pipelines, received=received, modified=modified, year=own, watch=trace)
        before, after = (
            choose_times(
                one,
                timestamp=timestamp,
                timezone=timezone,
                modified=modified,
                received=received,
                year=own,
                day_first=batch.day_first,
                lines=row.lines if row else "errors",
            ).to_pylist()[0]
            for one in (event, done)
        )
        yield {
            "before": schema.flat_row(before),
            "after": None if DROPPED_BY in after else schema.flat_row(after),
            "steps": trace.steps,
        }


class _Trace(StepObserver):
    """Notes what each step does to one event."""

    def __init__(self, event: pa.RecordBatch) -> None:
        super().__init__()
        self.steps: list[dict[str, Any]] = []
        self._dropped = False
        self._values = _values(Columns(event))

    def matched(self, pipeline: Pipeline, *, ran: bool) -> None:
        if not ran and not self._dropped:
            self.steps.append({"pipeline": pipeline.name, "step": "when", "outcome": NOT_MATCHED, "changes": {}})

    def done(self, step: StepName, events: Events, failed: Flags | None) -> None:
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
