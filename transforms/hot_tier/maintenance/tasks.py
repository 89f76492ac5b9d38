"""The work of a run's workers: tasks, which rewrite live files of one partition together, and their results."""

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
    """Where rows go that are taken from their files.

    Attributes:
        tier: The partition's `hot` or `cold`.
        target_bytes: The size that new files should have.
        level: zstd's.
    """

    tier: str
    target_bytes: int
    level: int


@dataclass(frozen=True)
class Task:
    """Files that are rewritten together.

    Attributes:
        sources: Live files; where they go together, of one partition and in the order of their times.
        rules: Which rows are taken from them; None takes all.
        destination: Where these go; None deletes them.
        promoting: Attributes that get a column: of sources that have none of them in their maps nothing is taken.
    """

    sources: tuple[LiveFile, ...]
    rules: CompiledRules | None
    destination: Destination | None
    promoting: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse files of several partitions, whose rows would end under one date; those of a deletion go nowhere."""
        partitions = {(source.tier, source.date) for source in self.sources}
        if not partitions or (self.destination is not None and len(partitions) > 1):
            raise ValueError(f"a task's files are of one partition, not {[source.path for source in self.sources]}")

    @property
    def paths(self) -> tuple[str, ...]:
        """The sources' paths, which identify a task."""
        return tuple(source.path for source in self.sources)


@dataclass(frozen=True)
class SourceResult:
    """The result of one source.

    Attributes:
        path: Its path.
        taken: How many of its rows each rule takes; one number of all rows without rules.
        held: How many rows each hold keeps from the rules; a row counts for the first hold that keeps it.
        rest: The file that holds its other rows; None where all or none are taken, or rows are only counted.
        warning: Why none of its rows may be touched, else empty.
        map_names: The names in its map, as text (`MapNames`), of one that a promotion has looked into and leaves as it
            is.
    """

    path: str
    taken: tuple[int, ...]
    held: tuple[int, ...] = ()
    rest: FileDescription | None = None
    warning: str = ""
    map_names: str = ""


@dataclass(frozen=True)
class TaskResult:
    """The result of a task.

    Attributes:
        sources: The result of each source, in the task's order.
        moved: The files that hold the taken rows, where the task has a destination.
    """

    sources: tuple[SourceResult, ...]
    moved: tuple[FileDescription, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """Return the result as a JSON document, without the files' objects."""
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
    return SourceResult(
        document["path"], *numbers, rest and FileDescription(**rest), document["warning"], document["map_names"]
    )


_ROOT = "_rekindle/results"
_LEFTOVERS_AGE = timedelta(days=1)
"""Results so old are of runs that left no trace, as dry ones do: no launcher waits for its end that long."""


def results_folder(tier: TierStore, run_id: str) -> JsonFolder:
    """Return the folder to which the workers of a run write their tasks' results."""
    return JsonFolder(tier, f"{_ROOT}/{run_id}")


def remove_left_results(tier: TierStore, finished: Collection[MaintenanceRun]) -> None:
    """Remove the results that killed launchers have left; costs one listing.

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
