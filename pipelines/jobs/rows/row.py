"""A row of the list of jobs, as `rekindle jobs list --json` and the service's API give it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from os.path import commonprefix
from typing import ClassVar

from pipelines.status import BROKEN, ENDED, read_status, stored_name
from transforms.core.json_object import JsonObject
from transforms.storage.job_folder import JobFolder

_SHORTEST = 8
_TYPES = {
    "str": str,
    "str | None": str | None,
    "int | None": int | None,
    "JsonObject": dict,
    "JsonObject | None": dict | None,
}
"""The types of values by the annotations of their fields."""


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job in the list; counts are null until it has ended."""

    # the API has it as a model; a list on the command line does not wait until pydantic is imported
    __pydantic_config__: ClassVar[JsonObject] = {"alias_generator": stored_name, "use_attribute_docstrings": True}

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

    def __post_init__(self) -> None:
        """Check what damaged files, or those of another version of Rekindle, may have otherwise.

        Raises:
            TypeError: a value is of another type than its field.
        """
        for one in fields(self):
            if not isinstance(getattr(self, one.name), _TYPES[str(one.type)]):
                raise TypeError(f"{one.name} of a job is no {one.type}")

    @property
    def has_ended(self) -> bool:
        """Whether the job will not go on by itself."""
        return self.status in ENDED

    def as_document(self) -> JsonObject:
        """Return it as JSON takes it, without an undoing and a watch that are none."""
        values = {stored_name(one.name): getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None or name not in ("undone", "watch")}

    @classmethod
    def from_document(cls, document: JsonObject) -> JobRow:
        """Return the row that a document was made from.

        Raises:
            TypeError: it has other fields, or values of other types.
        """
        names = {stored_name(one.name): one.name for one in fields(cls)}
        return cls(**{names.get(name, name): value for name, value in document.items()})


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
