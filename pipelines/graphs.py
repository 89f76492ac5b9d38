"""Every Beam graph of the product: discovery, cutting, a wave, and rewriting.

Each composes PTransforms that its caller has configured, and knows nothing of jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import apache_beam as beam

from transforms.apply_pipelines import COUNTS, ApplyPipelines
from transforms.cut_objects import CutObjects, RoughRange
from transforms.discover_objects import DiscoverObjects
from transforms.elements import Split
from transforms.hot_tier.ledger.publish import PublishResult
from transforms.hot_tier.maintenance.tasks import Task
from transforms.objects.discovery.listing import Listing
from transforms.publish_wave import PublishWave
from transforms.read_events import OUTCOMES, ReadEvents
from transforms.rewrite_files import RewriteFiles
from transforms.write_hot_tier import WriteHotTier


def build_discovery(
    pipeline: beam.Pipeline, prefixes: Sequence[str], *, discover: DiscoverObjects
) -> beam.PCollection[Listing]:
    """Compose discovery: literal prefixes, listed side by side."""
    return pipeline | "Prefixes" >> beam.Create(list(prefixes), reshuffle=False) | "DiscoverObjects" >> discover


def build_cutting(pipeline: beam.Pipeline, ranges: Sequence[RoughRange], *, cut: CutObjects) -> beam.PCollection[str]:
    """Compose the look at large objects before a wave: where they can be cut."""
    created = beam.Create(list(ranges), reshuffle=False).with_output_types(RoughRange)
    return pipeline | "Ranges" >> created | "CutObjects" >> cut


def build_wave(
    pipeline: beam.Pipeline,
    splits: Sequence[Split],
    *,
    read: ReadEvents,
    apply: ApplyPipelines,
    write: WriteHotTier,
    publish: PublishWave,
) -> beam.PCollection[PublishResult]:
    """Compose a wave: read, apply and write are one fused stage; only descriptions of splits and files are shuffled."""
    events = (
        pipeline
        | "Splits" >> beam.Create(list(splits), reshuffle=False).with_output_types(Split)
        | "Spread" >> beam.Reshuffle()
        | "ReadEvents" >> read
    )
    shaped = events.main | "ApplyPipelines" >> apply
    files = shaped.main | "WriteHotTier" >> write
    described = {"files": files, "outcomes": events[OUTCOMES], "counts": shaped[COUNTS]}
    # a copy: Beam keeps the pipeline in what a dictionary goes through, and then refuses any other: this may run again
    return described | "PublishWave" >> copy(publish)


def build_rewriting(pipeline: beam.Pipeline, tasks: Sequence[Task], *, rewrite: RewriteFiles) -> beam.PCollection[int]:
    """Compose the rewriting of live files: tasks, each for one worker."""
    created = beam.Create(list(tasks), reshuffle=False).with_output_types(Task)
    return pipeline | "Tasks" >> created | "RewriteFiles" >> rewrite
