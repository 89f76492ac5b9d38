"""`RewriteFiles`: write live files again without some of their rows, or merged, for a run that commits the change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import apache_beam as beam

from transforms.core.errors import GoneError
from transforms.hot_tier.maintenance.execute import count_rows, execute_task
from transforms.hot_tier.maintenance.tasks import Task, TaskResult, results_folder
from transforms.hot_tier.table.location import open_existing_tier
from transforms.storage import TierLocation
from transforms.storage.json_folder import JsonFolder

_READERS = 8


@dataclass
class RewriteFiles(beam.PTransform):
    """Execute the tasks of a run, or only count the rows that its rules take.

    Input: `PCollection[Task]`.
    Output: `PCollection[int]`, the rows that each task takes; its result is written to the tier, where the launcher
        reads it (`read_results`).
    Metrics: counters `rows_taken` and `files` in the namespace `rekindle`.
    Guarantees: new files have unique names and no commit knows them, so a bundle that is run again leaves orphans and
        changes nothing.

    Attributes:
        tier: The hot tier.
        run_id: The run.
        promoted: The table's promoted attributes; None only counts rows.
    """

    tier: TierLocation
    run_id: str
    promoted: tuple[str, ...] | None

    def expand(self, tasks: beam.PCollection[Task]) -> beam.PCollection[int]:
        """Execute each task in a worker of its own."""
        return (
            tasks | "Spread" >> beam.Reshuffle() | "Rewrite" >> beam.ParDo(_RewriteFilesFn(self)).with_output_types(int)
        )


def read_results(folder: JsonFolder, tasks: Iterable[Task]) -> list[TaskResult]:
    """Return the results of executed tasks, in the order of the tasks.

    Raises:
        GoneError: somebody has removed a result.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        documents = list(pool.map(folder.read_json, map(_name, tasks)))
    there = [document for document in documents if document is not None]
    if len(there) < len(documents):
        raise GoneError(
            f"hot tier {folder.tier.uri}: what the workers have written is gone from {folder.path('')}; run it again"
        )
    return [TaskResult.from_document(document) for document in there]


def _name(task: Task) -> str:
    return f"{hashlib.blake2b(chr(0).join(task.paths).encode(), digest_size=16).hexdigest()}.json"


class _RewriteFilesFn(beam.DoFn):
    def __init__(self, config: RewriteFiles) -> None:
        self._config = config
        self._rows = beam.metrics.Metrics.counter("rekindle", "rows_taken")
        self._files = beam.metrics.Metrics.counter("rekindle", "files")

    def setup(self) -> None:
        self._tier = open_existing_tier(self._config.tier)

    def process(self, task: Task) -> Iterator[int]:
        promoted, run_id = self._config.promoted, self._config.run_id
        if promoted is None:
            result = count_rows(self._tier, task)
        else:
            result = execute_task(self._tier, task, promoted=promoted, run_id=run_id)
        results_folder(self._tier, run_id).write_json(_name(task), result.as_document())
        rows = sum(sum(source.taken) for source in result.sources)
        self._rows.inc(rows)
        self._files.inc(len(task.sources))
        yield rows
