"""What a worker does for a run: live files of one partition that are written again together, and what came of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from transforms.hot_tier.table.file_description import FileDescription
from transforms.hot_tier.table.runs import MaintenanceRun
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.retention.compiled_rules import CompiledRules
from transforms.storage import TierStore
from transforms.storage.json_folder import JsonFolder


@dataclass(frozen=True)
class Destination:
    """Where rows go that are taken out of their files.

    Attributes:
        tier: The partition's `hot` or `cold`.
        target_bytes: How large the new files should be.
        level: zstd's.
    """

    tier: str
    target_bytes: int
    level: int


@dataclass(frozen=True)
class Task:
    """Files that are written again together.

    Attributes:
        sources: Live files of one partition, in the order of their times.
        program: Which rows are taken out of them; None takes all.
        destination: Where these go; None: they are deleted.
    """

    sources: tuple[LiveFile, ...]
    rules: CompiledRules | None
    destination: Destination | None

    def __post_init__(self) -> None:
        """Refuse files of several partitions: their rows would end under one date."""
        if len({(source.tier, source.date) for source in self.sources}) != 1:
            raise ValueError(f"a task's files are of one partition, not {[source.path for source in self.sources]}")

    @property
    def paths(self) -> tuple[str, ...]:
        """The sources' paths, by which a task is known."""
        return tuple(source.path for source in self.sources)


@dataclass(frozen=True)
class SourceResult:
    """What became of one source.

    Attributes:
        path: Which.
        taken: How many of its rows each of the program's rules takes; one number of all rows without a program.
        held: How many rows a rule would take but for each of the program's holds; a row counts for the first that keeps
            it.
        rest: The file that holds its other rows; None where all or none are taken, or rows are only counted.
        warning: Why none of its rows is touched, empty where it is not so.
    """

    path: str
    taken: tuple[int, ...]
    held: tuple[int, ...] = ()
    rest: FileDescription | None = None
    warning: str = ""


@dataclass(frozen=True)
class TaskResult:
    """What came of a task.

    Attributes:
        sources: What became of each source, in the task's order.
        moved: The files that hold what was taken out, where it has a destination.
    """

    sources: tuple[SourceResult, ...]
    moved: tuple[FileDescription, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON takes it; a file's objects are left out."""
        slim = replace(
            self,
            sources=tuple(replace(one, rest=one.rest and replace(one.rest, objects={})) for one in self.sources),
            moved=tuple(replace(file, objects={}) for file in self.moved),
        )
        return asdict(slim)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> TaskResult:
        """Return the result that `as_document` was made from."""
        return cls(
            tuple(map(_source_result, document["sources"])),
            tuple(FileDescription(**file) for file in document["moved"]),
        )


def _source_result(document: dict[str, Any]) -> SourceResult:
    rest = document["rest"]
    numbers = (tuple(document["taken"]), tuple(document["held"]))
    return SourceResult(document["path"], *numbers, rest and FileDescription(**rest), document["warning"])


_ROOT = "_rekindle/results"
_LEFTOVERS_AGE = timedelta(days=1)
"""No launcher waits for so long between a worker's last document and its end: such are of runs that left no trace, as
dry ones do.
"""


def results_folder(tier: TierStore, run_id: str) -> JsonFolder:
    """Return where the workers of a run write what came of their tasks."""
    return JsonFolder(tier, f"{_ROOT}/{run_id}")


def remove_left_results(tier: TierStore, finished: Collection[MaintenanceRun]) -> None:
    """Remove what killed launchers have left; costs one listing.

    Args:
        tier: The hot tier.
        finished: Runs whose processes are gone for certain.

    Raises:
        TierError: the store refuses.
    """
    gone = {run.id for run in finished}
    oldest = datetime.now(timezone.utc) - _LEFTOVERS_AGE
    for file in list(tier.list(f"{_ROOT}/")):
        if file.path.split("/")[2] in gone or file.modified < oldest:
            tier.delete(file.path)
