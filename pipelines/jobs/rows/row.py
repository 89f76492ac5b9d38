"""A row of the list of jobs, as `rekindle jobs list --json` and the service's API give it."""

from __future__ import annotations

from collections.abc import Iterable
from os.path import commonprefix

from pipelines.documents import JsonModel, JsonObject
from pipelines.status import BROKEN, ENDED, read_status
from transforms.storage.job_folder import JobFolder

_SHORTEST = 8


class JobRow(JsonModel):
    """A job in the list; counts are null until it has ended."""

    task_id: str
    status: str | None
    stage: str | None
    undone: JsonObject | None = None
    """The run by which it was undone (`runId`), and when that began (`at`)."""
    started_at: str | None
    finished_at: str | None
    ingested: int | None
    events: int | None
    failed: int | None
    """How many objects could not be read, or not wholly."""
    watch: JsonObject | None = None
    """How a watch stands, as its report has it; null of other jobs."""
    key: str | None
    """The id of the IAM key that it came in by."""
    job: JsonObject
    """The specification."""

    @property
    def has_ended(self) -> bool:
        """Whether the job will not go on by itself."""
        return self.status in ENDED

    def as_document(self) -> JsonObject:
        """Return it as JSON takes it, without an undoing and a watch that are none."""
        absent = {name for name in ("undone", "watch") if getattr(self, name) is None}
        return self.model_dump(mode="json", by_alias=True, exclude=absent)


def row_of(folder: JobFolder) -> JobRow | None:
    """Return the row of a job from what its folder holds, None where there is no job."""
    stored = folder.read_json("job.json")
    if stored is None:
        return None
    status = read_status(folder)
    report = (folder.read_json("report.json") or {}) if status.has_ended else {}
    objects = report.get("objects", {})
    return JobRow(
        task_id=folder.task_id,
        status=status.status,
        stage=status.stage,
        undone=status.undone,
        started_at=status.started_at,
        finished_at=status.finished_at,
        ingested=objects.get("ingested"),
        events=report.get("events"),
        failed=sum(objects[name] for name in BROKEN) if objects else None,
        watch=status.watch,
        key=stored["settings"].get("key"),
        job=stored["job"],
    )


def newest_first(rows: Iterable[JobRow]) -> list[JobRow]:
    """Return rows in the order of the list: those that have not begun, then the last one that was started."""
    return sorted(rows, key=lambda row: (row.started_at is None, row.started_at or ""), reverse=True)


def shortest_ids(task_ids: list[str]) -> dict[str, str]:
    """Return each id as its first characters, eight or as many more as no other job begins with."""
    ordered = sorted(task_ids)
    shared = [0, *(len(commonprefix(pair)) for pair in zip(ordered, ordered[1:], strict=False)), 0]
    lengths = (max(_SHORTEST, 1 + max(shared[number : number + 2])) for number in range(len(ordered)))
    return {task_id: task_id[:length] for task_id, length in zip(ordered, lengths, strict=True)}
