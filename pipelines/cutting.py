"""The splits of a wave, with large objects cut into parts where that makes the wave shorter (docs/design.md §4)."""

from __future__ import annotations

from functools import partial
from itertools import chain

from pipelines.backfill import build_cutting
from pipelines.context import JobContext
from pipelines.plan import OBJECT_OVERHEAD, Plan, balance
from pipelines.running import Engine
from transforms.cut_objects import propose_ranges, read_parts
from transforms.elements import Split
from transforms.job_folder import JobFolder
from transforms.object_parts import Part, worth_cutting
from transforms.storage import ObjectInfo


def wave_splits(plan: Plan, wave: int, context: JobContext, engine: Engine, folder: JobFolder) -> list[Split]:
    """Return what the workers read in a wave, in splits of about the same weight."""
    splits = plan.splits(wave)
    parts = _cut(worth_cutting(splits, engine.workers), wave, context, engine, folder)
    if not parts:
        return [Split(wave, number, tuple(map(Part, objects))) for number, objects in enumerate(splits)]
    pieces = list(chain.from_iterable(parts.get(info.key, [Part(info)]) for info in chain.from_iterable(splits)))
    places = balance([piece.size + OBJECT_OVERHEAD for piece in pieces], max(engine.workers, len(splits)))
    members = [[piece for piece, place in zip(pieces, places, strict=True) if place == number] for number in range(max(places) + 1)]
    return [Split(wave, number, tuple(sorted(some, key=_order))) for number, some in enumerate(members) if some]


def _order(part: Part) -> tuple[str, int]:
    return part.info.key, part.start


def _cut(large: list[tuple[ObjectInfo, int]], wave: int, context: JobContext, engine: Engine, folder: JobFolder) -> dict[str, list[Part]]:
    """Return the parts of those objects that can be cut, by their keys."""
    if not large:
        return {}
    ranges = {info.key: propose_ranges(info, size) for info, size in large}
    every = list(chain.from_iterable(ranges.values()))
    engine.run(partial(build_cutting, ranges=every, context=context), name=f"rekindle-{folder.task_id}-cutting-{wave}")
    return {key: parts for key, proposed in ranges.items() if (parts := read_parts(folder, proposed))}
