"""The backfill: cold objects in, a published wave of the hot tier out.

    python -m pipelines.backfill --bucket my-bucket --pattern 'logs/**' --hot_tier ./hot-tier [--runner FlinkRunner …]

runs a whole job (`pipelines.job`); `build_discovery`, `build_cutting` and `build_wave` compose the pipelines it is made of.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import apache_beam as beam

from pipelines.context import JobContext
from transforms.apply_pipelines import COUNTS, ApplyPipelines
from transforms.cut_objects import CutObjects, RoughRange
from transforms.discover_objects import DiscoverObjects
from transforms.elements import Split
from transforms.hot_tier.publish import PublishResult
from transforms.object_listing import Listing
from transforms.publish_wave import PublishWave
from transforms.read_events import OUTCOMES, ReadEvents
from transforms.write_hot_tier import WriteHotTier


def build_discovery(pipeline: beam.Pipeline, discover: DiscoverObjects, prefixes: Sequence[str]) -> beam.PCollection[Listing]:
    """Compose discovery: literal prefixes, listed side by side."""
    return pipeline | "Prefixes" >> beam.Create(list(prefixes), reshuffle=False) | "DiscoverObjects" >> discover


def build_cutting(pipeline: beam.Pipeline, ranges: Sequence[RoughRange], *, context: JobContext) -> beam.PCollection[str]:
    """Compose the look at large objects, before a wave: where they can be cut."""
    settings = context.settings
    cut = CutObjects(
        bucket=context.specification.bucket,
        store_options=settings.source_options,
        settings=context.reading,
        tier_uri=settings.hot_tier,
        tier_options=settings.tier_options,
    )
    return pipeline | "Ranges" >> beam.Create(list(ranges), reshuffle=False).with_output_types(RoughRange) | "CutObjects" >> cut


def build_wave(
    pipeline: beam.Pipeline, splits: Sequence[Split], *, context: JobContext, columns: tuple[str, ...], buffer_bytes: int
) -> beam.PCollection[PublishResult]:
    """Compose a wave: read, apply and write are one fused stage, only descriptions of splits and files cross a shuffle."""
    specification, settings, reading = context.specification, context.settings, context.reading
    read = (
        pipeline
        | "Splits" >> beam.Create(list(splits), reshuffle=False).with_output_types(Split)
        | "Spread" >> beam.Reshuffle()
        | "ReadEvents" >> ReadEvents(specification.bucket, settings.source_options, reading, settings.hot_tier, settings.tier_options)
    )
    apply = ApplyPipelines(context.pipelines, reading.formats.timestamp, reading.formats.timezone, context.programs)
    shaped = read.main | "ApplyPipelines" >> apply
    write = WriteHotTier(settings.hot_tier, settings.tier_options, columns, reading.task_id, buffer_bytes)
    files = shaped.main | "WriteHotTier" >> write
    publish = PublishWave(
        tier_uri=settings.hot_tier,
        tier_options=settings.tier_options,
        job=reading.task_id,
        wave=splits[0].wave,
        on_changed=specification.on_changed,
        on_error=specification.on_error,
        force=settings.force,
        retry_failed=settings.retry_failed,
    )
    return {"files": files, "outcomes": read[OUTCOMES], "counts": shaped[COUNTS]} | "PublishWave" >> publish


def run(argv: Sequence[str] | None = None) -> int:
    """Run a backfill job from Beam-style flags (`pipelines.options`) and return its exit code."""
    from pipelines.job import run_job  # job composes what this module builds
    from pipelines.options import parse_backfill

    specification, settings = parse_backfill(sys.argv[1:] if argv is None else argv)
    return run_job(specification, settings).exit_code


if __name__ == "__main__":
    sys.exit(run())
