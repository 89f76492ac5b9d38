"""What event pipelines do to the events of a sample: each before and after, and what every step made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from transforms.event_pipelines import Pipeline, PipelineCounts
from transforms.event_pipelines.trial import try_pipelines
from transforms.objects.event_shaping import ShapingSettings
from transforms.objects.sampling.preview_object import before_and_after, shown_rows
from transforms.objects.sampling.sample_object import Sample

SAMPLE_BYTES = 8 << 20


def try_on_sample(sample: Sample, pipelines: Sequence[Pipeline], *, events: int) -> dict[str, Any]:
    """Return what pipelines do to the first events of a sample, as `rekindle pipelines test --json` prints it.

    Args:
        sample: The sample.
        pipelines: What runs on it.
        events: The most events.
    """
    counts = PipelineCounts()
    tried = list(_tried(sample, pipelines, events, counts))
    outcomes: dict[tuple[str, str], Counter[str]] = {}
    for event in tried:
        for step in event["steps"]:
            outcomes.setdefault((step["pipeline"], step["step"]), Counter())[step["outcome"]] += 1
    found = sample.reading.format
    return {
        "format": found and {"name": found.format, "rule": found.rule},
        "failure": str(sample.failure) if sample.failure else None,
        "steps": [{"pipeline": pipeline, "step": step, **number} for (pipeline, step), number in outcomes.items()],
        "events": tried,
        "byPipeline": {
            name: {"matched": counts.matched[name], "tried": number} for name, number in counts.tried.items()
        },
    }


def _tried(
    sample: Sample, pipelines: Sequence[Pipeline], most: int, counts: PipelineCounts
) -> Iterator[dict[str, Any]]:
    formats = sample.reading.formats
    shaping = ShapingSettings.of(formats, pipelines)
    for batch in sample.batches:
        first = batch.slice(0, most)
        most -= first.num_rows
        if not first.num_rows:
            return
        before, after = (one.events.to_pylist() for one in before_and_after(first, shaping))
        steps = try_pipelines(
            first,
            tuple(pipelines),
            timestamp=formats.timestamp,
            timezone=formats.timezone,
            year=formats.year,
            counts=counts,
        )
        for event, old, new in zip(steps, before, after, strict=True):
            yield {**event, **shown_rows(old, new)}  # their times as a backfill has them: some are inherited
