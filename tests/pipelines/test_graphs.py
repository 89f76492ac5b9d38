"""The graphs can be composed again: a runner that fails gets a pipeline once more."""

from __future__ import annotations

import apache_beam as beam

from pipelines.graphs import build_wave
from transforms.apply_pipelines import ApplyPipelines
from transforms.publish_wave import PublishWave
from transforms.read_events import ReadEvents
from transforms.storage import SourceLocation, TierLocation
from transforms.write_hot_tier import WriteHotTier


def test_a_wave_is_composed_again_of_the_same_transforms() -> None:
    tier = TierLocation("/nowhere")
    read, apply, write = ReadEvents(SourceLocation("bucket"), (), tier), ApplyPipelines(), WriteHotTier(tier, ())
    publish = PublishWave(
        tier=tier,
        job="job",
        wave=0,
        on_changed="replace",
        on_error="salvage",
        force=False,
        retry_failed=False,
        reprocess=False,
        digests=(),
    )
    for _ in range(2):
        built = build_wave(beam.Pipeline(), [], read=read, apply=apply, write=write, publish=publish)
        assert built.pipeline is not None
