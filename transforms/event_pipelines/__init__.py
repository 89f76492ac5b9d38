"""Pipelines of events: a condition and ordered processors, loaded from files and run on batches (docs/pipelines.md)."""

from transforms.event_pipelines.observing import PipelineCounts, StepCounter, StepName, StepObserver
from transforms.event_pipelines.pipeline import DROPPED_BY, Pipeline, apply_pipelines, outputs

__all__ = [
    "DROPPED_BY",
    "Pipeline",
    "PipelineCounts",
    "StepCounter",
    "StepName",
    "StepObserver",
    "apply_pipelines",
    "outputs",
]
