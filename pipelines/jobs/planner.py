"""From a specification to a plan: discover, ask the ledger, cut into waves, and announce what it will take."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pyarrow as pa

from pipelines.graphs import build_discovery
from pipelines.jobs import discover as discovery
from pipelines.jobs.context import JobContext
from pipelines.jobs.costs.expected import DiskNeed, disk_need
from pipelines.jobs.plan import Decisions, JobPlan, WorkPolicy, cut_waves, objects_of
from pipelines.jobs.reporting import TableView
from pipelines.runner.engine import Engine
from pipelines.status import StatusFile
from pipelines.units import show_size
from transforms.core.errors import TierError
from transforms.discover_objects import DiscoverObjects, read_listings, read_manifest
from transforms.storage.job_folder import JobFolder


class RefusedError(TierError):
    """The job was refused before it wrote an event: nothing of it stays."""


def make_plan(context: JobContext, engine: Engine, folder: JobFolder, status: StatusFile, view: TableView) -> JobPlan:
    """Discover the job's objects, and keep the plan for them in the job's folder.

    The view is refreshed when the objects are known.

    Raises:
        RefusedError: the disk is too small.
        RekindleError: the source can't be listed, or is too much.
    """
    status.save(stage="Discovery")
    manifest = _discover(context, engine, folder, status)
    ledger = view.refresh().ledger
    policy = WorkPolicy.of(context.specification, context.settings)
    decisions = Decisions(context.tier, ledger, policy, context.digests)
    decisions.look_for_deleted(objects_of(context.specification.bucket, manifest), view.snapshot)
    cut = partial(
        cut_waves,
        wave_bytes=context.settings.wave_bytes,
        workers=engine.workers,
        split_bytes=engine.split_bytes,
    )
    first_wave = ledger.next_wave_of_job(folder.task_id)
    plan = JobPlan.make(context.specification.bucket, manifest, decisions.decide, cut, first_wave=first_wave)
    for warning in decisions.warnings():
        status.warn(warning)
    disk = disk_need(plan.work_bytes, ledger)
    status.console.message(_announcement(plan, disk, decisions.replaced))
    if not context.settings.no_disk_check:
        _require_disk(context, plan, disk)
    status.save()  # who resumes the job with this plan does not count again what was evaluated and matched
    plan.save(folder)
    folder.clear_listing()  # the plan has it
    return plan


def _discover(context: JobContext, engine: Engine, folder: JobFolder, status: StatusFile) -> pa.Table:
    """Return the manifest: the matched objects, each key once."""
    settings = context.settings
    discover = DiscoverObjects(
        source=context.source_location,
        filter=context.filter,
        max_objects=settings.max_objects,
        tier=settings.tier_location,
        task_id=folder.task_id,
    )
    prefixes = context.filter.compile().prefixes
    engine.at_launcher().run(
        partial(build_discovery, discover=discover, prefixes=prefixes), name=f"rekindle-{folder.task_id}-discovery"
    )
    listings = read_listings(folder, prefixes)
    status.update(evaluated=sum(one.evaluated for one in listings), excluded=sum(one.excluded for one in listings))
    discovery.guard(listings, max_objects=settings.max_objects)
    manifest = _distinct(read_manifest(folder, listings), status)
    status.update(matched=manifest.num_rows)
    sources = Counter(manifest["source"].to_pylist())
    for warning in context.warnings_of_listing(listings, sources):
        status.warn(warning)
    return manifest


def _distinct(manifest: pa.Table, status: StatusFile) -> pa.Table:
    """Leave out a second object of one key: two local names that are not UTF-8 may be shown alike."""
    keys = manifest["key"]
    if len(keys.unique()) == len(keys):
        return manifest
    numbered = manifest.append_column("n", pa.array(range(len(keys))))
    first = numbered.group_by("key", use_threads=False).aggregate([("n", "min")])["n_min"]
    status.warn(f"{len(keys) - len(first):,} objects have the same key as another and were left out: rename the files")
    return manifest.take(first).sort_by("key")


def _announcement(plan: JobPlan, disk: DiskNeed, replaced: int) -> str:
    """Return what Processing will take."""
    counts = plan.counts()
    others = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()) if kind != "work")
    beside = f"; {others}" if others else ""
    if replaced:
        beside = f", {replaced:,} of them known, whose events are replaced{beside}"
    if not plan.waves:
        return f"Nothing to ingest{beside}"
    waves = f"{plan.waves} wave{'s' if plan.waves > 1 else ''}"
    number, plural = counts["work"], "s" * (counts["work"] != 1)
    return (
        f"{number:,} object{plural} ({show_size(plan.work_bytes)}) to ingest in {waves}{beside}: "
        f"about {number:,} request{plural}, and {show_size(disk.bytes)} of disk {disk.reason}"
    )


def _require_disk(context: JobContext, plan: JobPlan, disk: DiskNeed) -> None:
    free = context.tier.free_bytes()
    if plan.waves and free is not None and free < disk.bytes:
        raise RefusedError(
            f"too little disk for the hot tier {context.settings.hot_tier}: the job takes about "
            f"{show_size(disk.bytes)} ({disk.reason}), and {show_size(free)} are free. Nothing was written: "
            "free some, take another --hot-tier, narrow --pattern, or add --no-disk-check"
        )
