"""A wave of a job: its splits, with large objects cut where that pays, and its run (docs/decisions/0002-waves.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from pipelines.graphs import build_cutting, build_wave
from pipelines.jobs.context import JobContext
from pipelines.jobs.plan import OBJECT_OVERHEAD, JobPlan, balance
from pipelines.runner.engine import Engine
from transforms.apply_pipelines import ApplyPipelines
from transforms.cut_objects import CutObjects, propose_ranges, read_parts
from transforms.elements import Split
from transforms.hot_tier.data.writer import BUFFER_BYTES
from transforms.hot_tier.ledger.ledger import Ledger, Published
from transforms.hot_tier.maintenance.past_deletions import PastDeletions
from transforms.objects.parts import ObjectPart, worth_cutting
from transforms.publish_wave import PublishWave
from transforms.read_events import ReadEvents
from transforms.retention.past_rules import PastRules
from transforms.storage import ObjectInfo
from transforms.storage.job_folder import JobFolder
from transforms.write_hot_tier import WriteHotTier

_LEAST_BUFFER = 4 << 20


@dataclass(frozen=True)
class PastReadings:
    """What is known of objects that were read before.

    Attributes:
        ledger: Which of them are in the tier.
        deletions: What was deleted of them.
    """

    ledger: Ledger
    deletions: PastDeletions

    def rules_of(self, objects: Iterable[ObjectInfo]) -> PastRules:
        """Return the rules that have taken events of these objects, as their content is."""
        return self.deletions.of_objects(self._lineages(objects))

    def _lineages(self, objects: Iterable[ObjectInfo]) -> Iterator[tuple[str, list[Published]]]:
        for info in objects:
            contents = self.ledger.published(info.bucket, info.key)
            same = [one for one in contents if (one.etag, one.size) == (info.etag, info.size)]
            if same:
                yield info.uri, self.ledger.lineage(same[-1], info.bucket, info.key)


def run_wave(
    plan: JobPlan,
    wave: int,
    context: JobContext,
    engine: Engine,
    folder: JobFolder,
    *,
    columns: tuple[str, ...],
    past: PastReadings | None,
) -> None:
    """Read, write and publish one wave.

    Args:
        plan: The plan that it is a part of.
        wave: Its number.
        context: The job's specification, settings and stores.
        engine: Runs the pipeline.
        folder: The job's.
        columns: The promoted attributes.
        past: What objects that are read again have lost; None where none is.
    """
    specification, settings, task_id = context.specification, context.settings, folder.task_id
    past_rules = PastRules() if past is None else past.rules_of(plan.objects(wave))
    build = partial(
        build_wave,
        splits=wave_splits(plan, wave, context, engine, folder),
        read=ReadEvents(context.source_location, context.readings, settings.tier_location),
        apply=ApplyPipelines(context.shaping, context.rules_by_section, past_rules),
        write=WriteHotTier(settings.tier_location, columns, task_id, _buffer_bytes(settings.memory, engine)),
        publish=PublishWave(
            tier=settings.tier_location,
            job=task_id,
            wave=wave,
            on_changed=specification.on_changed,
            on_error=specification.on_error,
            force=settings.force,
            retry_failed=settings.retry_failed,
            reprocess=settings.reprocess,
            digests=context.digests,
            deletions=None if past is None else past.deletions,
        ),
    )
    engine.run(build, name=f"rekindle-{task_id}-wave-{wave}")


def _buffer_bytes(memory: int | None, engine: Engine) -> int:
    """Return what a worker may hold while it writes: half of `--memory`; reading and Arrow take the rest."""
    if memory is None:
        return BUFFER_BYTES
    return max(_LEAST_BUFFER, memory // 2 // (engine.workers if engine.is_local else 1))


def wave_splits(plan: JobPlan, wave: int, context: JobContext, engine: Engine, folder: JobFolder) -> list[Split]:
    """Return what the workers read in a wave, in splits of about the same weight."""
    splits = plan.splits(wave)
    parts = _cut(worth_cutting(splits, engine.workers), wave, context, engine, folder)
    if not parts:
        return [Split(wave, number, tuple(map(ObjectPart, objects))) for number, objects in enumerate(splits)]
    all_parts = list(
        chain.from_iterable(parts.get(info.key, [ObjectPart(info)]) for info in chain.from_iterable(splits))
    )
    bins = balance([part.size + OBJECT_OVERHEAD for part in all_parts], max(engine.workers, len(splits)))
    balanced = [
        [part for part, n in zip(all_parts, bins, strict=True) if n == number] for number in range(max(bins) + 1)
    ]
    return [Split(wave, number, tuple(sorted(some, key=_order))) for number, some in enumerate(balanced) if some]


def _order(part: ObjectPart) -> tuple[str, int]:
    return part.info.key, part.start


def _cut(
    large: list[tuple[ObjectInfo, int]], wave: int, context: JobContext, engine: Engine, folder: JobFolder
) -> dict[str, list[ObjectPart]]:
    """Return the parts of those objects that can be cut, by their keys."""
    if not large:
        return {}
    ranges = {info.key: propose_ranges(info, size) for info, size in large}
    every = list(chain.from_iterable(ranges.values()))
    cut = CutObjects(context.source_location, context.readings, context.settings.tier_location)
    build = partial(build_cutting, ranges=every, cut=cut)
    engine.run(build, name=f"rekindle-{folder.task_id}-cutting-{wave}")
    found: dict[str, list[ObjectPart]] = {}
    for info, _ in large:
        parts = read_parts(folder, ranges[info.key], context.readings[info.source].formats)
        if parts:
            found[info.key] = parts
    return found
