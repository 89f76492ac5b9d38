"""What a run does to which files: decided by the log alone where possible, else by tasks for workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from transforms.hot_tier.data.data_file import COMPRESSION_LEVEL
from transforms.hot_tier.data.small_files import grouped
from transforms.hot_tier.maintenance.classify_files import ActionKind, FileAction, classify_files
from transforms.hot_tier.maintenance.tasks import Destination, SourceResult, Task
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot, unnamed_file
from transforms.retention.compiled_rules import CompiledRules

LEVELS = {"hot": COMPRESSION_LEVEL, "cold": 9}
"""The zstd levels of each tier's files."""
COLD = Destination(tier="cold", target_bytes=512 << 20, level=LEVELS["cold"])
MOST_TASK_BYTES = 1 << 30
"""The most bytes of one date that one task moves; more make several tasks in parallel."""


_WHOLE = 1 << 62
"""A size that no file has: what is written anew stays one file."""


@dataclass(frozen=True)
class MaintenancePlan:
    """What to do to the files of one snapshot.

    Attributes:
        decided: Files that need not be opened: one rule takes all of their rows, or a hold keeps them.
        tasks: What workers have to examine.
    """

    decided: tuple[tuple[LiveFile, SourceResult], ...]
    tasks: tuple[Task, ...]

    @property
    def most_rows(self) -> int:
        """The most rows that may be taken."""
        opened = sum(source.rows for task in self.tasks for source in task.sources)
        return opened + sum(file.rows for file, _ in self.decided)


def plan_deletion(snapshot: Snapshot, compiled: CompiledRules) -> MaintenancePlan:
    """Plan which files are removed, and which are examined, each in a task of its own but for small ones."""
    decided: list[tuple[LiveFile, SourceResult]] = []
    examined: list[LiveFile] = []
    for file, action in classify_files(snapshot, compiled):
        if action.kind is not ActionKind.KEEP and not snapshot.can_be_named(file.path):
            decided.append((file, left_alone(file, compiled)))
        elif action.kind is ActionKind.OPEN:
            examined.append(file)
        elif action.kind is not ActionKind.KEEP:
            decided.append((file, decided_result(file, action, compiled)))
    tasks = (Task(tuple(group), compiled, None) for group in grouped(examined))
    return MaintenancePlan(tuple(decided), tuple(tasks))


def plan_tiering(snapshot: Snapshot, compiled: CompiledRules, destination: Destination) -> MaintenancePlan:
    """Plan which files' rows move, those of one date together so that they become few large files."""
    decided: list[tuple[LiveFile, SourceResult]] = []
    moving: defaultdict[str, list[LiveFile]] = defaultdict(list)
    for file, action in classify_files(snapshot, compiled):
        if file.tier == destination.tier:
            continue
        if action.kind is not ActionKind.KEEP and not snapshot.can_be_named(file.path):
            decided.append((file, left_alone(file, compiled)))
        elif action.kind is ActionKind.HELD:
            decided.append((file, decided_result(file, action, compiled)))
        elif action.kind is not ActionKind.KEEP:
            moving[file.date].append(file)
    groups = [group for date in sorted(moving) for group in _of_about(moving[date], MOST_TASK_BYTES)]
    return MaintenancePlan(tuple(decided), tuple(Task(group, compiled, destination) for group in groups))


def plan_merging(snapshot: Snapshot, *, target_bytes: int) -> MaintenancePlan:
    """Plan which small files of each partition are merged."""
    partitions: defaultdict[tuple[str, str], list[LiveFile]] = defaultdict(list)
    for file in snapshot.files.values():
        if snapshot.can_be_named(file.path):
            partitions[file.tier, file.date].append(file)
    tasks = (
        Task(group, None, Destination(tier, target_bytes, LEVELS[tier]))
        for (tier, _), files in sorted(partitions.items())
        for group in plan_compaction(files, target_bytes=target_bytes)
    )
    return MaintenancePlan((), tuple(tasks))


def plan_promotion(snapshot: Snapshot, names: Sequence[str]) -> MaintenancePlan:
    """Plan which files are looked into, each in a task of its own, and written anew where their maps have a name."""
    if not any(map(snapshot.is_in_maps, names)):
        return MaintenancePlan((), ())
    files = [file for file in snapshot.files.values() if snapshot.can_be_named(file.path)]
    unnamed = [file for file in snapshot.files.values() if not snapshot.can_be_named(file.path)]
    tasks = (
        Task((file,), None, Destination(file.tier, _WHOLE, LEVELS[file.tier]), promoting=tuple(names)) for file in files
    )
    left = ((file, SourceResult(file.path, (0,), warning=_warning_of(file))) for file in unnamed)
    return MaintenancePlan(tuple(left), tuple(tasks))


def decided_result(file: LiveFile, action: FileAction, compiled: CompiledRules) -> SourceResult:
    """Return the result of a file that the log alone decides."""
    held = action.kind is ActionKind.HELD
    taken = tuple(file.rows if number == action.rule and not held else 0 for number in range(len(compiled.rules)))
    kept = tuple(file.rows if number == action.hold else 0 for number in range(len(compiled.holds)))
    return SourceResult(file.path, taken, kept)


def left_alone(file: LiveFile, compiled: CompiledRules) -> SourceResult:
    """Return the result of a file that no commit can remove from the table."""
    return SourceResult(file.path, (0,) * len(compiled.rules), warning=_warning_of(file))


def _warning_of(file: LiveFile) -> str:
    return f"{unnamed_file(file.path)}: it is left as it is"


def _of_about(files: Sequence[LiveFile], size: int) -> list[tuple[LiveFile, ...]]:
    """Return the files in the order of their times, in groups of about a size in bytes."""
    ordered = sorted(files, key=lambda file: (file.min_time, file.path))
    ends = accumulate(file.size for file in ordered)
    numbered = ((max(0, end - 1) // size, file) for end, file in zip(ends, ordered, strict=True))
    return [tuple(file for _, file in group) for _, group in groupby(numbered, key=lambda pair: pair[0])]


SMALL_SHARE = 2
"""A file is small below this part of the target; a merge leaves larger ones (`data.new_files`)."""
GROUP_TARGETS = 4
"""A group is closed at so many times the target, not counting what each file costs by itself.

Then its files are not small, even where its rows take an eighth of the space once merged: a second plan finds at most
one small file, and nothing to do.
"""
FILE_BYTES = 16 << 10
"""About the size of a file of a few rows: its footer, and the headers of its pages."""


def plan_compaction(files: Iterable[LiveFile], *, target_bytes: int) -> list[tuple[LiveFile, ...]]:
    """Return the groups of small files of a partition that are to be merged.

    Args:
        files: The live files of one partition. Left out are another writer's, whose layout is not known, and those that
            are large enough, also where they overlap.
        target_bytes: The size that files should have.

    Returns:
        Groups of two files or more, in the order of their times, each of a few times the target, so that few new files
        overlap. A group is closed between files that don't overlap, if these come before it is twice as large.
    """
    small = [file for file in files if layout_of(file.path) and SMALL_SHARE * file.size < target_bytes]
    small.sort(key=lambda file: (file.min_time, file.max_time, file.path))
    groups: list[list[LiveFile]] = []
    weight, end = 0, 0
    enough = GROUP_TARGETS * target_bytes
    for file in small:
        if not groups or weight >= 2 * enough or (weight >= enough and file.min_time > end):
            groups.append([])
            weight, end = 0, file.max_time
        groups[-1].append(file)
        weight += max(0, file.size - FILE_BYTES)
        end = max(end, file.max_time)
    if len(groups) > 1 and weight < enough:
        groups[-2:] = [groups[-2] + groups[-1]]  # leftovers enlarge the last group, and make no small file
    return [tuple(group) for group in groups if len(group) > 1]
