"""Putting a job's report together, from the job's folder and the ledger, whenever it is asked for."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from pipelines.console import Progress
from pipelines.jobs.plan import WORK, JobPlan
from pipelines.jobs.report import (
    MATCHED,
    CodecCounts,
    Failure,
    FileUsed,
    FormatCounts,
    JobReport,
    ObjectCounts,
    SourceCounts,
    Undoing,
    WatchReport,
    count_by_pipeline,
)
from pipelines.jobs.settings import StoredJob
from pipelines.jobs.specification import JobSpecification, SourceSpecification
from pipelines.jobs.totals.job_totals import SUMS, JobTotals
from pipelines.status import JobStatus, read_progress, read_status
from transforms.core.errors import ConfigurationError, ConflictError
from transforms.hot_tier.configuration.store import KeptFile
from transforms.hot_tier.ledger.entries import parse_count
from transforms.hot_tier.ledger.event_times import warn_of_times, warn_of_unbelieved
from transforms.hot_tier.ledger.ledger import Ledger, LedgerEntry, WaveRecord
from transforms.hot_tier.maintenance.undo import describe_undoing
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.objects.event_counts import CountKey, EventCount, describe_too_old
from transforms.query.instants import parse_time
from transforms.storage import ObjectInfo, TierStore
from transforms.storage.job_folder import JobFolder, jobs_of_prefix

REPORT_FILE = "report.json"
_LISTED = 10
_TASK_ID = re.compile(r"[A-Za-z0-9-]+")


class UnpublishedObject(Failure):
    """An object of a wave that was not published, because one failed (`onError: fail`): no ledger names it."""

    bytes_read: int
    bytes_decoded: int
    records_in: int
    blank: int
    header: int
    rejected: int
    events: int = 0
    events_with_error: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class JobState:
    """What the folder of a job holds about it.

    Attributes:
        stored: What the job is, and how it runs.
        status: Its status.
        plan: The plan, None before there is one.
        running: What the workers of the running wave have read; nothing after the end.
        unpublished: The objects of a wave that was not published.
        totals: Of a watch, what it had done up to a commit of the ledger; else None.
    """

    stored: StoredJob
    status: JobStatus
    plan: JobPlan | None
    running: Progress
    unpublished: tuple[UnpublishedObject, ...]
    totals: JobTotals | None = None

    @classmethod
    def load(cls, folder: JobFolder) -> JobState:
        """Read the folder."""
        stored, status = StoredJob.load(folder), read_status(folder)
        return cls(
            stored=stored,
            status=status,
            plan=JobPlan.load(stored.job.bucket, folder),
            running=Progress() if status.finished_at else read_progress(folder, status.wave or 0),
            unpublished=tuple(map(UnpublishedObject.model_validate, folder.read_json("failures.json") or ())),
            totals=JobTotals.load(folder),
        )


def build_report(task_id: str, state: JobState, ledger: Ledger) -> JobReport:
    """Return the report of a job."""
    entries = ledger.of_job(task_id) if state.totals is None else ledger.of_job_after(task_id, state.totals.k)
    by_source = _by_source(state, entries)
    totals = (state.totals or JobTotals()).plus([(entry, source.name) for entry, source in by_source])
    waves = ledger.waves_of_job(task_id)
    status, settings = state.status, state.stored.settings
    seconds = round(status.seconds + (0.0 if status.finished_at else _seconds_running(status)), 3)
    sums = {name: totals.sums.get(name, 0) + sum(getattr(one, name) for one in state.unpublished) for name in SUMS}
    return JobReport(
        task_id=task_id,
        status=status.status or "Pending",
        job=state.stored.job,
        hot_tier=settings.hot_tier,
        pipelines=_file_used(settings.pipelines_file, settings.pipelines, settings.pipelines_version),
        rules=_file_used(settings.rules_file, settings.rules, settings.rules_version),
        started_at=status.started_at,
        finished_at=status.finished_at,
        seconds=seconds,
        objects=_count_objects(state, totals, entries, waves),
        **sums,
        **_what_was_read(totals),
        by_source=_count_by_source(state.stored.job, totals),
        columns_added=list(status.columns_added),
        **_what_was_written(waves),
        megabytes_per_second=round(sums["bytes_decoded"] / 1e6 / seconds, 1) if seconds else 0.0,
        failures=_failures(state, totals),
        warnings=[*status.warnings, *_warnings(totals, entries, by_source)],
        reason=status.reason or None,
        undone=_undoing(ledger, task_id),
        stage=status.stage,
        progress=_part_done(state, entries),
        watch=None if status.watch is None else WatchReport.model_validate(status.watch),
    )


def _what_was_read(totals: JobTotals) -> dict[str, Any]:
    """Return what the objects held, by pipeline, format, codec and source of time."""
    counts = _event_counts(totals.counts)
    return {
        "dropped_by_pipeline": {key.name: number for key, number in counts if key.kind is EventCount.DROPPED},
        "by_pipeline": count_by_pipeline(dict(counts)),
        "by_format": {
            name: FormatCounts(objects=objects, events=events) for name, (objects, events) in totals.formats.items()
        },
        "by_codec": {
            name: CodecCounts(objects=objects, bytes_read=read) for name, (objects, read) in totals.codecs.items()
        },
        "by_time_source": totals.time_sources,
        "time_range": _time_range(totals),
    }


def _what_was_written(waves: Sequence[WaveRecord]) -> dict[str, Any]:
    """Return what the waves that are published have added to the table."""
    return {
        "waves": len({wave.wave for wave in waves}),
        "table_version": max((wave.version for wave in waves), default=None),
        "files_written": sum(wave.files for wave in waves),
        "bytes_written": sum(wave.bytes for wave in waves),
    }


def _warnings(
    totals: JobTotals, entries: Sequence[LedgerEntry], by_source: Sequence[tuple[LedgerEntry, SourceSpecification]]
) -> list[str]:
    """Return what the ledger's entries warn of."""
    return [
        *warn_of_times([one for one, source in by_source if source.format_options.timestamp == "auto"]),
        *warn_of_unbelieved(entries),
        *_warnings_of_counts(_event_counts(totals.counts)),
        *totals.warnings,
    ]


def load_report(tier: TierStore, task_id: str) -> JobReport:
    """Return the report of any job as it stands.

    Raises:
        ConfigurationError: there is no such job.
    """
    folder = find_job(tier, task_id)
    return report_of(folder, load_ledger(tier))


def report_of(folder: JobFolder, ledger: Ledger) -> JobReport:
    """Return the report of a job as it stands; once its plan is gone, as it was at its end."""
    state = JobState.load(folder)
    written = finished_report(folder) if state.plan is None else None
    if written is not None:  # it may have been undone, or restored, since
        return written.model_copy(update={"undone": _undoing(ledger, folder.task_id)})
    return build_report(folder.task_id, state, ledger)


def _undoing(ledger: Ledger, task_id: str) -> Undoing | None:
    undoing = describe_undoing(ledger, task_id)
    return Undoing.model_validate(undoing) if undoing else None


def finished_report(folder: JobFolder) -> JobReport | None:
    """Return the report that a job has left when it succeeded, None where it has not."""
    document = folder.read_json(REPORT_FILE)
    if document is None or document["status"] != "Succeeded":
        return None
    return JobReport.model_validate(document)


def check_not_undone(folder: JobFolder) -> None:
    """Check that a job may go on.

    Raises:
        ConflictError: it was undone.
    """
    if run_id := load_ledger(folder.tier).undone_by(folder.task_id):
        raise ConflictError(
            f"job {folder.task_id} was undone by run {run_id}, and can't go on: start a new one by the same `rekindle "
            f"backfill`, or bring back what it had brought (`rekindle restore --run {run_id} --execute`) and resume it"
        )


def load_ledger(tier: TierStore, previous: Ledger | None = None) -> Ledger:
    """Return the ledger of a hot tier, empty where there is no table; what `previous` has read is not read again."""
    return TableView(tier, ledger=previous or Ledger()).refresh().ledger


@dataclass
class TableView:
    """What a job knows of the table: handed on from step to step, because opening it takes 13 requests on S3.

    Attributes:
        tier: The hot tier.
        snapshot: The newest that was loaded; None where there is no table.
        ledger: The ledger of that.
    """

    tier: TierStore
    snapshot: Snapshot | None = None
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def columns(self) -> tuple[str, ...]:
        """The promoted attributes."""
        return tuple(self.snapshot.columns) if self.snapshot is not None else ()

    def refresh(self, snapshot: Snapshot | None = None) -> TableView:
        """Load the table as it is now, or take a snapshot that was just loaded; what was read is not read again."""
        self.snapshot = snapshot or Snapshot.find(self.tier)
        if self.snapshot is not None:
            self.ledger = Ledger.load(self.tier, self.snapshot, self.ledger)
        return self


def find_job(tier: TierStore, task_id: str) -> JobFolder:
    """Return the folder of a job.

    Args:
        tier: The hot tier.
        task_id: Its id, or the first characters, where these are of one job.

    Raises:
        ConfigurationError: there is no such job, or there are several.
    """
    if not _TASK_ID.fullmatch(task_id):
        what = f"{task_id!r:.80} is no id of a job" if task_id else "the id of the job is empty"
        raise ConfigurationError(f"{what}; `rekindle jobs list` shows all", field="ID")
    found = sorted(jobs_of_prefix(tier, task_id))
    whole = [one for one in found if one == task_id] or found
    if len(whole) > 1:
        listed = ", ".join(whole[:_LISTED]) + (" …" if len(whole) > _LISTED else "")
        raise ConfigurationError(f"{len(whole):,} jobs begin with {task_id}: {listed}", field="ID")
    if not whole or not (folder := JobFolder(tier, whole[0])).exists():
        raise ConfigurationError(f"there is no job {task_id} in {tier.uri}; `rekindle jobs list` shows all")
    return folder


def _file_used(file: str, text: str | None, version: int | None) -> FileUsed | None:
    return None if text is None else FileUsed(file=file, version=version, sha256=KeptFile(file=file, text=text).sha256)


def _seconds_running(status: JobStatus) -> float:
    """Return the seconds since the job's last start, or, where nobody runs it, until its last sign of life."""
    started = status.resumed_at or status.started_at
    if not started:
        return 0.0
    end = parse_time(status.updated_at).timestamp() if status.updated_at else time.time()
    return max(0.0, end - parse_time(started).timestamp())


def _count_objects(
    state: JobState, totals: JobTotals, entries: Sequence[LedgerEntry], waves: Sequence[WaveRecord]
) -> ObjectCounts:
    counts = Counter(totals.statuses)
    counts.update(one.status for one in state.unpublished)
    counts["evaluated"] = state.status.evaluated or 0
    counts["excluded"] = state.status.excluded or 0
    counts["matched"] = state.status.matched or 0
    if state.status.watch is not None:
        counts.update(state.status.watch["unread"])
        counts["matched"] = sum(number for name, number in counts.items() if name in MATCHED)
    elif state.plan is not None:
        counts.update({kind: number for kind, number in state.plan.counts().items() if kind != WORK})
        published = {wave.wave for wave in waves}
        planned = sum(wave in published for wave in state.plan.table["wave"].to_pylist())
        counts["known"] += planned - len(entries)  # another job had published these when this one was about to
    return ObjectCounts(**{name: counts[name] for name in ObjectCounts.model_fields})


def _by_source(state: JobState, entries: Sequence[LedgerEntry]) -> list[tuple[LedgerEntry, SourceSpecification]]:
    """Return entries, each with the source of its object."""
    sources, plan = state.stored.job.all_sources, state.plan
    if len(sources) > 1 and state.totals is not None:
        return list(zip(entries, sources_of_entries(state.stored.job, entries), strict=True))
    if len(sources) == 1 or plan is None:
        return [(entry, sources[0]) for entry in entries]
    numbers = dict(zip(plan.table["key"].to_pylist(), plan.table["source"].to_pylist(), strict=True))
    return [(entry, sources[numbers[entry.key]]) for entry in entries]


def sources_of_entries(job: JobSpecification, entries: Sequence[LedgerEntry]) -> list[SourceSpecification]:
    """Return the source of each object of a job by its key, where no plan has it."""
    objects = [
        ObjectInfo(bucket=one.bucket, key=one.key, etag=one.etag, size=one.size, modified=one.modified)
        for one in entries
    ]
    return [job.all_sources[number] for number in job.object_filter(tier_prefix=None).compile().sources_of(objects)]


def _count_by_source(job: JobSpecification, totals: JobTotals) -> dict[str, SourceCounts]:
    """Return what was read of each source, in the order of the job; nothing where it names none."""
    found = {one.name: totals.sources.get(one.name, (0, 0)) for one in job.sources}
    return {name: SourceCounts(objects=objects, events=events) for name, (objects, events) in found.items()}


def _failures(state: JobState, totals: JobTotals) -> list[Failure]:
    return [
        *(Failure(object=one.object, status=one.status, reason=one.reason) for one in totals.failures),
        *(Failure(object=one.object, status=one.status, reason=one.reason) for one in state.unpublished if one.reason),
    ]


def _event_counts(texts: Mapping[str, int]) -> list[tuple[CountKey, int]]:
    """Return what happened to how many events on their way, over all objects, in the order of kinds and names."""
    return sorted((key, number) for text, number in texts.items() if (key := parse_count(text)))


def _warnings_of_counts(counts: Iterable[tuple[CountKey, int]]) -> list[str]:
    failed, old, gone = [], [], []
    for key, number in counts:
        count = _count(number, "event")
        if key.kind is EventCount.STEP_FAILED:
            failed.append(f"pipeline {key.name}, {key.detail} failed on {count}, left as they were")
        elif key.kind is EventCount.DELETED:
            gone.append(f"{count} that rule {key.name} had deleted {'was' if number == 1 else 'were'} not brought back")
        elif key.kind in (EventCount.OLDER_THAN_RULE, EventCount.OLDER_THAN_TIER):
            old.append(describe_too_old(key, count, one=number == 1))
    return [*failed, *gone, *old]


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'s' * (number != 1)}"


def _time_range(totals: JobTotals) -> tuple[str, str] | None:
    if not totals.first or not totals.last:
        return None
    return _iso(datetime.fromisoformat(totals.first)), _iso(datetime.fromisoformat(totals.last))


def _iso(value: datetime) -> str:
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _part_done(state: JobState, entries: Sequence[LedgerEntry]) -> float:
    """Return which part of the work's bytes is done, 0 to 1."""
    if state.plan is None or not state.plan.work_bytes:
        return 0.0
    published = sum(entry.size for entry in entries)
    return min(1.0, round((published + state.running.bytes_read) / state.plan.work_bytes, 4))
