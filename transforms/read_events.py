"""`ReadEvents`: from splits of objects to batches of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam

from transforms.elements import EventBatch, Split
from transforms.objects.joined.joining import EventJoiner, is_small
from transforms.objects.outcomes import ObjectOutcome
from transforms.objects.read_object import read_part
from transforms.objects.reading import ReadSettings
from transforms.storage import SourceLocation, TierLocation
from transforms.storage.job_folder import Heartbeat

MAIN = "main"
OUTCOMES = "outcomes"


@dataclass
class ReadEvents(beam.PTransform):
    """Read every object, or part of one, of every split.

    Input: `PCollection[Split]`.
    Output: `main`, a `PCollection[EventBatch]`; and `outcomes`, a `PCollection[ObjectOutcome]` with one outcome for
        each object or part of one, however its reading ended.
    Metrics: counters `objects`, `events`, `bytes_read` in the namespace `rekindle`.
    Guarantees: an object that can't be read is an outcome, never an exception; a batch holds events of one object, or
        of several small ones one after the other, in their order.

    Attributes:
        source: Where the objects are.
        settings: How those of each of the job's sources are read.
        tier: The hot tier, where the worker shows its progress.
    """

    source: SourceLocation
    settings: tuple[ReadSettings, ...]
    tier: TierLocation

    def expand(self, splits: beam.PCollection[Split]) -> beam.pvalue.DoOutputsTuple:
        """Apply the reading DoFn, with its outcomes as a tagged output."""
        read = beam.ParDo(_ReadEventsFn(self)).with_output_types(EventBatch, **{OUTCOMES: ObjectOutcome})
        return splits | "Read" >> read.with_outputs(OUTCOMES, main=MAIN)


class _ReadEventsFn(beam.DoFn):
    def __init__(self, config: ReadEvents) -> None:
        self._config = config
        self._events = beam.metrics.Metrics.counter("rekindle", "events")
        self._objects = beam.metrics.Metrics.counter("rekindle", "objects")
        self._bytes = beam.metrics.Metrics.counter("rekindle", "bytes_read")

    def setup(self) -> None:
        self._store = self._config.source.open()

    def process(self, split: Split) -> Iterator[Any]:
        settings = self._config.settings
        heartbeat = Heartbeat(self._config.tier, settings[0].task_id, split.wave)
        tick, joiner = partial(self._tick, heartbeat), EventJoiner()
        for part in split.parts:
            held: list[EventBatch] = []
            holds = is_small(part)
            for element in read_part(part, self._store, settings[part.info.source], tick=tick):
                if isinstance(element, ObjectOutcome):
                    yield beam.pvalue.TaggedOutput(OUTCOMES, element)
                elif holds and not held:
                    held.append(element)  # the only one, most likely
                else:  # a small object may expand to any size
                    yield from (*held, element)
                    held, holds = [], False
            yield from joiner.add(held)
            if part.start == 0:
                heartbeat.tick(objects=1)
                self._objects.inc()
        yield from joiner.flush()
        heartbeat.flush()

    def _tick(self, heartbeat: Heartbeat, nbytes: int, events: int) -> None:
        heartbeat.tick(bytes_read=nbytes, events=events)
        self._bytes.inc(nbytes)
        self._events.inc(events)
