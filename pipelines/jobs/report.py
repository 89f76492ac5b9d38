"""The report of a backfill job, which `backfill --json` and `jobs show --json` print (docs/report.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.specification import JobSpecification
from pipelines.status import BROKEN
from transforms.objects.event_counts import CountKey, EventCount

SOME_FAILED = 3
MATCHED = (
    "known", "deleted", "skipped", "archived", "empty", "ingested", "salvaged", "quarantined", "failed", "vanished"
)  # fmt: skip
"""What may become of a matched object."""


class ObjectCounts(JsonModel):
    """How many objects became what; `matched` is the sum of those below it but `replaced`, which are ingested."""

    evaluated: int = 0
    excluded: int = 0
    """What `exclude` alone has left out."""
    matched: int = 0
    known: int = 0
    deleted: int = 0
    """Known objects of which rules have left no event."""
    skipped: int = 0
    archived: int = 0
    empty: int = 0
    ingested: int = 0
    replaced: int = 0
    salvaged: int = 0
    quarantined: int = 0
    failed: int = 0
    vanished: int = 0


class FormatCounts(JsonModel):
    """What was read of one format."""

    objects: int
    events: int


class CodecCounts(JsonModel):
    """What was read of one codec."""

    objects: int
    bytes_read: int


class FileUsed(JsonModel):
    """A file of pipelines or rules by which a job went."""

    file: str
    """The name of the file, also where the tier keeps its text."""
    version: int | None
    """The version of the tier's configuration that it is from; null where the job brought a file."""
    sha256: str
    """Of the file's text in UTF-8."""


class PipelineEvents(JsonModel):
    """What a pipeline was tried on, nested ones with it, and how much of it was of its kind."""

    matched: int
    """Events of which it changed something."""
    tried: int
    """Events that satisfied its condition."""


class SourceCounts(JsonModel):
    """What was read of one of the job's sources."""

    objects: int
    events: int


class Failure(JsonModel):
    """An object that was not read, or not wholly."""

    object: str
    status: str
    reason: str | None


def count_by_pipeline(counts: Mapping[CountKey, int]) -> dict[str, PipelineEvents]:
    """Return on how many events each pipeline was tried, and how many it matched, those that matched most first."""
    found = {
        key.name: PipelineEvents(matched=counts.get(CountKey(EventCount.PIPELINE_MATCHED, key.name), 0), tried=number)
        for key, number in counts.items()
        if key.kind is EventCount.PIPELINE_TRIED
    }
    return dict(sorted(found.items(), key=lambda one: (-one[1].matched, one[0])))


class Undoing(JsonModel):
    """By what a job was undone."""

    run_id: str
    """`rekindle restore --run` with it brings the events back."""
    at: str
    """When the run began."""


class RecentWork(JsonModel):
    """What a watch did lately."""

    objects: int = 0
    """Objects that were published."""
    events: int = 0
    failed: int = 0
    """Objects that could not be read, or not wholly; once for each attempt."""
    bytes_read: int = 0
    waves: int = 0


class WatchCounts(JsonModel):
    """What a watch took from its queue and found by listing, since it first began; `objects` has the rest."""

    messages: int = 0
    """Messages that were received, each as often as it was."""
    deleted: int = 0
    """Messages that were deleted: all that they told of is done."""
    released: int = 0
    """Messages that were given back, because an object failed."""
    unmatched: int = 0
    """Objects that no pattern takes, of another bucket, or of the hot tier itself."""
    other_events: int = 0
    """Events that are no creation of an object."""
    unreadable: int = 0
    """Messages that are no notification of S3."""
    gone: int = 0
    """Objects that were there no more when they were looked up."""
    listings: int = 0
    merges: int = 0
    """How often small files were merged."""
    errors: int = 0
    """How often listing, receiving or publishing failed as a whole; it was tried again."""


class WatchReport(JsonModel):
    """How a watch stands."""

    lag_seconds: float | None = None
    """From the creation of the last wave's objects, the oldest of them, to their publication."""
    waiting: int = 0
    """Objects that were announced or found, and are not published yet."""
    queued: int | None = None
    """About how many messages wait in the queue; null without one."""
    last_wave_at: str | None = None
    last_listing_at: str | None = None
    last_error: str | None = None
    """Why the last attempt failed; null where it succeeded."""
    last_hour: RecentWork = RecentWork()
    counts: WatchCounts = WatchCounts()
    unread: dict[str, int] = {}
    """Objects that were not read, by why not: `known`, `empty`, `archived`, `deleted`, `skipped`."""


class JobReport(JsonModel):
    """The report of a job: while it runs, after it, and over all runs of a resumed job."""

    task_id: str
    status: str
    """`Pending`, `Running`, `Succeeded`, `Failed` or `Canceled`."""
    job: JobSpecification
    hot_tier: str
    pipelines: FileUsed | None
    """Null where none ran."""
    rules: FileUsed | None
    """Those that the warnings of events old enough to be deleted go by; null where there are none."""
    started_at: str | None
    finished_at: str | None
    seconds: float
    waves: int
    """Waves that are published."""
    table_version: int | None
    """The version of the table that has the last of them."""
    objects: ObjectCounts
    bytes_read: int
    """Compressed bytes."""
    bytes_decoded: int
    records_in: int
    """The sum of events, dropped and rejected."""
    blank: int
    """Blank lines, which are no records."""
    header: int
    """Header and skipped rows, which are no records."""
    events: int
    events_with_error: int
    dropped: int
    """Records that pipelines dropped."""
    dropped_by_pipeline: dict[str, int]
    """How many each of them dropped."""
    by_pipeline: dict[str, PipelineEvents]
    """Events by the pipelines that were tried on them, those that matched most first."""
    rejected: int
    by_format: dict[str, FormatCounts]
    by_codec: dict[str, CodecCounts]
    by_source: dict[str, SourceCounts]
    """All sources of the job by their names; empty where it names none."""
    by_time_source: dict[str, int]
    """Events by their `_time_source`."""
    columns_added: list[str]
    """Attributes to which the job gave a column of their own."""
    time_range: tuple[str, str] | None
    """The least and the greatest time of the events."""
    files_written: int
    bytes_written: int
    megabytes_per_second: float
    """Decoded megabytes."""
    failures: list[Failure]
    warnings: list[str]
    reason: str | None = None
    """Why the job has failed or was canceled."""
    undone: Undoing | None = None
    """Whether what it had brought was taken away again (`rekindle jobs undo`)."""
    stage: str | None = None
    """`Discovery` or `Processing`, while the job runs."""
    progress: float | None = None
    """Which part of the work's bytes is done, 0 to 1, while the job runs."""
    watch: WatchReport | None = None
    """How a watch stands; absent of other jobs."""

    def as_document(self) -> JsonObject:
        """Return it as JSON takes it, without what is absent: reason, undoing and watch, and a stage after the end."""
        absent = {name for name in ("reason", "undone", "watch") if getattr(self, name) is None}
        if self.finished_at:
            absent |= {"stage", "progress"}
        return self.model_dump(mode="json", by_alias=True, exclude=absent) | {"job": self.job.as_document()}

    def exit_code(self, *, require_match: bool) -> int:
        """Return the code that `rekindle backfill` ends with."""
        if self.status == "Canceled":
            return 130
        if self.status != "Succeeded":
            return 1
        if any(getattr(self.objects, status) for status in BROKEN):
            return SOME_FAILED
        return 1 if require_match and not self.objects.matched else 0
