"""Which ready-made pipeline would help: a search for `status=404` finds nothing where no pipeline has taken it out."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.core import schema
from transforms.core.schema import EventBatch
from transforms.event_pipelines.definition import load_ready_made
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.reading import ReadSettings
from transforms.objects.sampling.sample_object import Sample

_TEXT = "text"
_ACCESS = "access_combined"
_STATUS = schema.attribute_column("status")
_TRIED = 100
_HINT = (
    f"these are lines of a web server, and nothing takes their status out: the ready-made pipeline {_ACCESS} does "
    f"(`include: [{_ACCESS}]` in a pipelines file)"
)


def pipeline_hint(sample: Sample, shaped: Sequence[EventBatch], settings: ReadSettings) -> str | None:
    """Return what would make attributes of most lines of a sample, None where nothing is known that would.

    Args:
        sample: The beginning of an object.
        shaped: Its events after the job's pipelines.
        settings: How a job would read it.
    """
    reading = sample.reading
    is_text = reading.format is not None and reading.format.format == _TEXT
    if not is_text or not sample.batches or any(map(_statuses, shaped)):
        return None
    tried = sample.batches[0].slice(0, _TRIED)
    helped = shape_events(tried, ShapingSettings.of(settings.formats, load_ready_made(_ACCESS)))
    return _HINT if 2 * _statuses(helped) > tried.num_rows else None


def _statuses(batch: EventBatch) -> int:
    """Return how many events have a status."""
    events = batch.events
    return events.num_rows - events.column(_STATUS).null_count if _STATUS in events.schema.names else 0
