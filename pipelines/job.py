"""The life of a backfill job, and going on with one that was stopped (spec §3.3, docs/design.md §4).

Validate, discover, plan, wave after wave, report.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import discovery
from pipelines.backfill import build_discovery, build_wave
from pipelines.context import JobContext
from pipelines.plan import Choice, Plan, cut_waves, disposition, sample_attributes
from pipelines.report import JobState, build_report, exit_code, find_job, load_ledger
from pipelines.running import Engine
from pipelines.settings import RunSettings
from pipelines.sizes import show_size
from pipelines.specification import JobSpecification, check_specification
from pipelines.watching import stop_signals, watching
from transforms import processors
from transforms.discover_objects import DiscoverObjects, read_listings, read_manifest
from transforms.elements import Split
from transforms.errors import CanceledError, RekindleError, TierError
from transforms.hot_tier import table
from transforms.hot_tier.writing import BUFFER_BYTES
from transforms.job_folder import JobFolder
from transforms.key_glob import KeyGlob
from transforms.storage import open_tier

CLUSTER_SPLIT_BYTES = 64 << 20
EXPECTED_RATIO = 1.5
"""Bytes of the hot tier for a byte of compressed source, at the most that was seen on ordinary logs."""


@dataclass(frozen=True)
class Progress:
    """How far a job is: objects, compressed bytes and events read by now, and the bytes there are in all."""

    objects: int = 0
    bytes_read: int = 0
    events: int = 0
    bytes_in_all: int = 0


class Console(Protocol):
    """Where a job says what it does; the command line draws it, tests and the service keep it."""

    def say(self, text: str) -> None:
        """Say a line."""

    def progress(self, done: Progress) -> None:
        """Show how far the job is; called about once a second while objects are read."""


class Silent:
    """A console that shows nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def progress(self, done: Progress) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class JobResult:
    """How a job ended: its report (spec §13) and its exit code (spec §3.3)."""

    report: dict[str, Any]
    exit_code: int


class _RefusedError(TierError):
    """The job was refused before it wrote an event: nothing of it stays."""


def run_job(specification: JobSpecification, settings: RunSettings, console: Console | None = None) -> JobResult:
    """Run a new job to its end.

    Raises:
        RekindleError: it was refused before it began, and nothing was written.
    """
    return _Job(str(uuid.uuid4()), specification, settings, console or Silent()).run()


def resume_job(task_id: str, settings: RunSettings, console: Console | None = None) -> JobResult:
    """Go on with a job under its id, its plan and its waves.

    Args:
        task_id: The job.
        settings: Where the hot tier is, and how stores are reached today; the rest is as the job was started.
        console: Where to say what is done.

    Raises:
        ConfigurationError: there is no such job.
    """
    tier = open_tier(settings.hot_tier, settings.tier_options)
    job = find_job(tier, task_id).read_json("job.json")
    kept = RunSettings.from_document(job["settings"]).reached_like(settings)
    return _Job(task_id, check_specification(job["job"]), kept, console or Silent()).run(resume=True)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Job:
    """One job, from its start or its resumption to its end."""

    def __init__(self, task_id: str, specification: JobSpecification, settings: RunSettings, console: Console) -> None:
        self.task_id = task_id
        self.console = console
        self.context = JobContext.open(task_id, specification, settings)
        self.engine = Engine(settings.beam_flags)
        self.specification, self.settings, self.tier = specification, self.context.settings, self.context.tier
        self.folder = JobFolder(self.tier, task_id)
        self.status: dict[str, Any] = {"status": "Pending", "warnings": [], "seconds": 0.0}
        self.published = Progress()
        self.canceled = threading.Event()

    def run(self, *, resume: bool = False) -> JobResult:
        """Run the job, and report how it ended."""
        table.check_place(self.tier)
        discovery.prove_access(self.context.store, self.context.filter)
        self._start(resume=resume)
        began, before = time.monotonic(), self.status["seconds"]
        with stop_signals(self.canceled.set), watching(self._watch, lambda error: self.console.say(f"Warning: no progress shown: {error}")):
            outcome = self._outcome()
        self.status |= outcome | {"finishedAt": _now(), "seconds": before + time.monotonic() - began}
        self._save()
        self.folder.clear_progress()
        report = build_report(self.task_id, JobState.load(self.folder), load_ledger(self.tier))
        self.folder.write_json("report.json", report)
        return JobResult(report, exit_code(report, require_match=self.settings.require_match))

    def _outcome(self) -> dict[str, Any]:
        """Do the job, and return how it ended."""
        try:
            self._work()
        except _RefusedError:
            self.folder.remove()
            raise
        except RekindleError as error:
            if isinstance(error, CanceledError) or self.canceled.is_set():
                return {"status": "Canceled", "reason": f"canceled. {self._what_stays()}"}
            return {"status": "Failed", "reason": f"{error}\n{self._what_stays()}".rstrip()}
        return {"status": "Succeeded"}

    def _what_stays(self) -> str:
        planned = Plan.load(self.specification.bucket, self.folder)
        return f"What was published stays; `rekindle jobs resume {self.task_id}` goes on" if planned else ""

    def _work(self) -> None:
        plan = Plan.load(self.specification.bucket, self.folder)
        if plan is None:
            plan = self._make_plan()
        self._stop_if_canceled()
        self.status |= {"stage": "Processing"}
        self._save()
        if plan.waves:
            table.prepare(self.tier)
            self._process(plan, self._promote(plan))

    # Status

    def _start(self, *, resume: bool) -> None:
        if resume:
            self.folder.withdraw_cancel()
            self.folder.clear_progress()
            self.status |= self.folder.read_json("status.json") or {}
            self.status |= {"resumedAt": _now(), "finishedAt": None, "reason": None}
        self.status |= {"status": "Running", "host": socket.gethostname(), "pid": os.getpid()}
        self.status.setdefault("startedAt", _now())
        self.folder.write_json("job.json", {"job": self.specification.as_document(), "settings": self.settings.as_document()})
        self._save()
        self.console.say(f"Job {self.task_id} {'goes on' if resume else 'starts'}: {self.context.source} → {self.settings.hot_tier}")

    def _save(self) -> None:
        self.folder.write_json("status.json", self.status | {"updatedAt": _now()})

    def _warn(self, text: str) -> None:
        self.status["warnings"].append(text)

    def _watch(self) -> None:
        if self.canceled.is_set() and not self.folder.cancel_requested():
            self.folder.request_cancel()
            self.console.say("Stopping at the next safe point; once more to stop at once.")
        self._save()
        if self.published.bytes_in_all:
            running = [worker for worker in self.folder.progress() if worker["wave"] == self.status.get("wave")]
            self.console.progress(
                replace(
                    self.published,
                    objects=self.published.objects + sum(worker["objects"] for worker in running),
                    bytes_read=self.published.bytes_read + sum(worker["bytesRead"] for worker in running),
                    events=self.published.events + sum(worker["events"] for worker in running),
                )
            )

    def _stop_if_canceled(self) -> None:
        if self.canceled.is_set() or self.folder.cancel_requested():
            raise CanceledError(f"job {self.task_id} was canceled")

    # Discovery and plan

    def _make_plan(self) -> Plan:
        self.status["stage"] = "Discovery"
        self._save()
        discover = DiscoverObjects(
            bucket=self.specification.bucket,
            store_options=self.settings.source_options,
            filter=self.context.filter,
            max_objects=self.settings.max_objects,
            tier_uri=self.settings.hot_tier,
            tier_options=self.settings.tier_options,
            task_id=self.task_id,
        )
        prefixes = KeyGlob(self.specification.pattern).prefixes
        self.engine.run(partial(build_discovery, discover=discover, prefixes=prefixes))
        listings = read_listings(self.folder, prefixes)
        self.status["evaluated"] = sum(one.evaluated for one in listings)
        discovery.guard(listings, max_objects=self.settings.max_objects)
        manifest = self._distinct(read_manifest(self.folder, listings))
        self._note_discovery(sum(one.evaluated for one in listings), manifest.num_rows, sum(one.excluded for one in listings))
        ledger = load_ledger(self.tier)
        choice = Choice.of(self.specification, self.settings)
        plan = Plan.make(self.specification.bucket, manifest, lambda info: disposition(info, ledger, choice), self._cut)
        self._announce(plan)
        plan.save(self.folder)
        return plan

    def _cut(self, sizes: list[int]) -> list[tuple[int, int]]:
        split_bytes = None if self.engine.is_local else CLUSTER_SPLIT_BYTES
        return cut_waves(sizes, wave_bytes=self.settings.wave_bytes, workers=self.engine.workers, split_bytes=split_bytes)

    def _distinct(self, manifest: pa.Table) -> pa.Table:
        """Leave out a second object of one key: two local names that are not UTF-8 may be shown alike."""
        keys = manifest["key"]
        if len(keys.unique()) == len(keys):
            return manifest
        first = (
            manifest.append_column("n", pa.array(range(len(keys)))).group_by("key", use_threads=False).aggregate([("n", "min")])["n_min"]
        )
        self._warn(f"{len(keys) - len(first):,} objects have the same key as another and were left out: rename the files")
        return manifest.take(first).sort_by("key")

    def _note_discovery(self, evaluated: int, matched: int, excluded: int) -> None:
        self.status |= {"evaluated": evaluated, "matched": matched}
        if excluded:
            self._warn(self.context.left_out(excluded))
        if not matched:
            self._warn(self.context.nothing_matched(evaluated))

    def _announce(self, plan: Plan) -> None:
        """Say what Processing will take, and refuse it where the disk is too small."""
        counts = plan.counts()
        needed = int(plan.work_bytes * EXPECTED_RATIO)
        others = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()) if kind != "work")
        beside = f"; {others}" if others else ""
        waves = f"{plan.waves} wave{'s' if plan.waves > 1 else ''}"
        if not plan.waves:
            self.console.say(f"Nothing to ingest{beside}")
            return
        self.console.say(
            f"{counts['work']:,} objects ({show_size(plan.work_bytes)}) to ingest in {waves}{beside}: "
            f"about {counts['work']:,} requests, and {show_size(needed)} of disk at most in ordinary cases"
        )
        free = self.tier.free_bytes()
        if free is not None and free < needed:
            raise _RefusedError(
                f"too little disk for the hot tier {self.settings.hot_tier}: the job takes about {show_size(needed)}, "
                f"and {show_size(free)} are free. "
                "Nothing was written: free some, take another --hot-tier, or narrow --pattern"
            )

    # Processing

    def _promote(self, plan: Plan) -> tuple[str, ...]:
        """Give the job's attributes columns of their own, and return all that have one."""
        named = [*processors.outputs(self.context.pipelines), *self.settings.promote]
        return tuple(
            table.add_columns(self.tier, [*named, *sample_attributes(list(plan.work()), self.context.store, self.context.reading)])
        )

    @property
    def _buffer_bytes(self) -> int:
        """What a worker may hold while it writes: half of `--memory` is for that, the rest for reading and Arrow's own buffers."""
        memory = self.settings.memory
        return BUFFER_BYTES if memory is None else max(4 << 20, memory // 2 // (self.engine.workers if self.engine.is_local else 1))

    def _process(self, plan: Plan, columns: tuple[str, ...]) -> None:
        ledger = None
        for wave in range(plan.waves):
            ledger = load_ledger(self.tier, ledger)
            entries = ledger.table_of_job(self.task_id)
            read, events = (pc.sum(entries[name]).as_py() or 0 for name in ("size", "events"))
            self.published = Progress(entries.num_rows, read, events, plan.work_bytes)
            if ledger.waves_of_job(self.task_id, wave):
                continue
            self._stop_if_canceled()
            self.status["wave"] = wave
            self._save()
            self.folder.clear_progress()
            splits = [Split(wave, number, objects) for number, objects in enumerate(plan.splits(wave))]
            self.engine.run(
                partial(
                    build_wave,
                    splits=splits,
                    context=self.context,
                    columns=columns,
                    buffer_bytes=self._buffer_bytes,
                )
            )
