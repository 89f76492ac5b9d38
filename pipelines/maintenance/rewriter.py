"""Files of the table written again by Beam's workers: what deletion, tiering and compaction have in common.

Beam is imported only where there is something for workers to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from pipelines.console import Console, Silent
from pipelines.units import show_size
from transforms.core.errors import TierError
from transforms.hot_tier.maintenance.tasks import Task, TaskResult, results_folder
from transforms.storage import StorageOptions, TierLocation, TierStore

if TYPE_CHECKING:
    from pipelines.runner.engine import Engine
    from transforms.hot_tier.table.snapshot import LiveFile


@dataclass(frozen=True, kw_only=True)
class MaintenanceSettings:
    """Where the tier is, and how its files are written again.

    Attributes:
        hot_tier: The hot tier: a folder or `s3://bucket/prefix`.
        tier_options: How it is reached.
        beam_flags: Flags for Apache Beam.
        workers: How many tasks run at once on this machine; None for as many as its cores.
        console: Where the run reports to.
    """

    hot_tier: str
    tier_options: StorageOptions = field(default_factory=StorageOptions)
    beam_flags: tuple[str, ...] = ()
    workers: int | None = None
    console: Console = field(default_factory=Silent)

    def open_tier(self) -> TierStore:
        """Return the hot tier."""
        return TierLocation(self.hot_tier, self.tier_options).open()


class Rewriter:
    """The workers of one run.

    Results of tasks are kept, so that a new plan repeats none whose files are still live.
    """

    def __init__(self, settings: MaintenanceSettings, run_id: str) -> None:
        """Prepare; nothing is started or written yet."""
        self.tier = settings.open_tier()
        self._settings = settings
        self._run_id = run_id
        # wrong flags are reported before all else
        self._engine: Engine | None = self._new_engine() if settings.beam_flags else None
        self._done: dict[tuple[str, ...], TaskResult] = {}
        self._announced: set[str] = set()

    def close(self) -> None:
        """Stop what was started to run the workers."""
        if self._engine is not None:
            self._engine.close()

    def count(self, tasks: Sequence[Task]) -> list[TaskResult]:
        """Count what tasks would take."""
        return self._run(tasks, None)

    def rewrite(self, tasks: Sequence[Task], promoted: Sequence[str]) -> list[TaskResult]:
        """Execute the tasks that were not executed yet, and return the results of all.

        Raises:
            TierError: there is too little free disk for the new files, or a file can't be read or written.
        """
        missing = [left for task in tasks if (left := self._without_done(task)) is not None]
        size = sum(source.size for task in missing for source in task.sources)
        check_disk(self.tier, size, "are to be written again")
        results = self._run(missing, tuple(promoted))
        for task, result in zip(missing, results, strict=True):
            self._done |= dict(zip(_keys(task), _parts(task, result), strict=True))
        return [_joined([self._done[key] for key in _keys(task)]) for task in tasks]

    def forget_results(self) -> None:
        """Forget the results of tasks: they were made by other rules or holds."""
        self._done.clear()

    def _without_done(self, task: Task) -> Task | None:
        """Return what of a task was not executed yet, None where all of it was."""
        keys = _keys(task)
        left = [key for key in keys if key not in self._done]
        if len(left) == len(keys) or not left:
            return task if left else None
        return replace(task, sources=tuple(source for source in task.sources if (source.path,) in left))

    def _new_engine(self) -> Engine:
        from pipelines.runner.engine import Engine

        settings = self._settings
        return Engine(settings.beam_flags, workers=settings.workers, message=settings.console.message)

    def _announce(self, sources: Sequence[LiveFile]) -> None:
        """Say which files take a while, once: what was counted is then written again."""
        new = [source for source in sources if source.path not in self._announced]
        self._announced.update(source.path for source in new)
        if new:
            size = show_size(sum(source.size for source in new))
            self._settings.console.message(f"Looking into {len(new):,} file{'s' * (len(new) != 1)}, {size}")

    def _run(self, tasks: Sequence[Task], promoted: tuple[str, ...] | None) -> list[TaskResult]:
        if not tasks:
            return []
        from pipelines.graphs import build_rewriting
        from transforms.rewrite_files import RewriteFiles, read_results

        settings = self._settings
        self._announce([source for task in tasks for source in task.sources])
        rewrite = RewriteFiles(TierLocation(self.tier.uri, settings.tier_options), self._run_id, promoted)
        folder = results_folder(self.tier, self._run_id)
        try:
            self._engine = self._engine or self._new_engine()
            with self._engine.worker_processes(sum(source.size for task in tasks for source in task.sources)):
                build = partial(build_rewriting, tasks=tasks, rewrite=rewrite)
                self._engine.run(build, name=f"rekindle-{self._run_id}")
            return read_results(folder, tasks)
        finally:
            folder.remove()


def _keys(task: Task) -> list[tuple[str, ...]]:
    """Return under what the results of a task are kept: of each source alone, where they don't go together."""
    return [task.paths] if task.destination is not None else [(path,) for path in task.paths]


def _parts(task: Task, result: TaskResult) -> list[TaskResult]:
    return [result] if task.destination is not None else [TaskResult((source,)) for source in result.sources]


def _joined(parts: Sequence[TaskResult]) -> TaskResult:
    return TaskResult(
        tuple(source for part in parts for source in part.sources), tuple(file for part in parts for file in part.moved)
    )


def check_disk(tier: TierStore, needed: int, what: str) -> None:
    """Refuse to begin where the new files won't fit; on S3 there is no limit.

    Args:
        tier: The hot tier.
        needed: Their size in bytes, about.
        what: What becomes of them, for the message.

    Raises:
        TierError: there is too little free disk.
    """
    free = tier.free_bytes()
    if free is not None and needed > free:
        raise TierError(
            f"hot tier {tier.uri}: files of {show_size(needed)} {what}, and its disk has {show_size(free)} free: "
            "make room for them"
        )
