"""The report of a backfill job, which `backfill --json` and `jobs show --json` print (docs/report.schema.json)."""

from __future__ import annotations

from pipelines.documents import JsonModel, JsonObject
from pipelines.jobs.specification import JobSpecification
from pipelines.status import BROKEN

SOME_FAILED = 3


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


class PipelinesUsed(JsonModel):
    """The pipelines that ran on a job's events."""

    file: str
    """The name of the file, also where the tier keeps its text."""
    version: int | None
    """The version of the tier's configuration that they are from; null where the job brought a file."""
    sha256: str
    """Of the file's text in UTF-8."""


class SourceCounts(JsonModel):
    """What was read of one of the job's sources."""

    objects: int
    events: int


class Failure(JsonModel):
    """An object that was not read, or not wholly."""

    object: str
    status: str
    reason: str | None


class Undoing(JsonModel):
    """By what a job was undone."""

    run_id: str
    """`rekindle restore --run` with it brings the events back."""
    at: str
    """When the run began."""


class JobReport(JsonModel):
    """The report of a job: while it runs, after it, and over all runs of a resumed job."""

    task_id: str
    status: str
    """`Pending`, `Running`, `Succeeded`, `Failed` or `Canceled`."""
    job: JobSpecification
    hot_tier: str
    pipelines: PipelinesUsed | None
    """Null where none ran."""
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

    def as_document(self) -> JsonObject:
        """Return it as JSON takes it, without what is absent: a reason, an undoing, and a stage after the end."""
        absent = {name for name in ("reason", "undone") if getattr(self, name) is None}
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
