"""What a run does to which files: by the log alone where that proves it, else by tasks for the workers (spec §9,
§10).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from transforms.hot_tier.data.data_file import COMPRESSION_LEVEL
from transforms.hot_tier.maintenance.classify_files import ActionKind, FileAction, classify_files
from transforms.hot_tier.maintenance.tasks import Destination, SourceResult, Task
from transforms.hot_tier.table.file_description import layout_of
from transforms.hot_tier.table.snapshot import LiveFile, Snapshot, unnamed_file
from transforms.retention.compiled_rules import CompiledRules

LEVELS = {"hot": COMPRESSION_LEVEL, "cold": 9}
"""How strongly files of a tier are compressed, by zstd's levels."""
COLD = Destination(tier="cold", target_bytes=512 << 20, level=LEVELS["cold"])
MOST_TASK_BYTES = 1 << 30
"""Files of one date that move together: more make several tasks, side by side."""


@dataclass(frozen=True)
class MaintenancePlan:
    """What is to be done to the files of one snapshot.

    Attributes:
        settled: Files that need not be opened: all of their rows go by one rule, or are kept by a hold.
        tasks: What workers have to look into.
    """

    settled: tuple[tuple[LiveFile, SourceResult], ...]
    tasks: tuple[Task, ...]

    @property
    def most_rows(self) -> int:
        """How many rows may be taken at most."""
        return sum(file.rows for file, _ in self.settled) + sum(
            source.rows for task in self.tasks for source in task.sources
        )


def plan_deletion(snapshot: Snapshot, compiled: CompiledRules) -> MaintenancePlan:
    """Plan which files are dropped, and which are looked into, each by itself."""
    settled: list[tuple[LiveFile, SourceResult]] = []
    tasks: list[Task] = []
    for file, verdict in classify_files(snapshot, compiled):
        if verdict.kind is not ActionKind.KEEP and not snapshot.can_be_named(file.path):
            settled.append((file, _left_alone(file, compiled)))
        elif verdict.kind is ActionKind.OPEN:
            tasks.append(Task((file,), compiled, None))
        elif verdict.kind is not ActionKind.KEEP:
            settled.append((file, _settled(file, verdict, compiled)))
    return MaintenancePlan(tuple(settled), tuple(tasks))


def plan_tiering(snapshot: Snapshot, compiled: CompiledRules, destination: Destination) -> MaintenancePlan:
    """Plan which files' rows move: those of one date together, so that they become few large files."""
    settled: list[tuple[LiveFile, SourceResult]] = []
    moving: defaultdict[str, list[LiveFile]] = defaultdict(list)
    for file, verdict in classify_files(snapshot, compiled):
        if file.tier == destination.tier:
            continue
        if verdict.kind is not ActionKind.KEEP and not snapshot.can_be_named(file.path):
            settled.append((file, _left_alone(file, compiled)))
        elif verdict.kind is ActionKind.HELD:
            settled.append((file, _settled(file, verdict, compiled)))
        elif verdict.kind is not ActionKind.KEEP:
            moving[file.date].append(file)
    groups = [group for date in sorted(moving) for group in _of_about(moving[date], MOST_TASK_BYTES)]
    return MaintenancePlan(tuple(settled), tuple(Task(group, compiled, destination) for group in groups))


def plan_merging(snapshot: Snapshot, *, target_bytes: int) -> MaintenancePlan:
    """Plan which small files of each partition are merged."""
    partitions: defaultdict[tuple[str, str], list[LiveFile]] = defaultdict(list)
    for file in snapshot.files.values():
        if snapshot.can_be_named(file.path):
            partitions[file.tier, file.date].append(file)
    return MaintenancePlan(
        (),
        tuple(
            Task(group, None, Destination(tier, target_bytes, LEVELS[tier]))
            for (tier, _), files in sorted(partitions.items())
            for group in plan_compaction(files, target_bytes=target_bytes)
        ),
    )


def _settled(file: LiveFile, verdict: FileAction, compiled: CompiledRules) -> SourceResult:
    """Return what becomes of a file about which the log says all."""
    held = verdict.kind is ActionKind.HELD
    taken = tuple(file.rows if number == verdict.rule and not held else 0 for number in range(len(compiled.rules)))
    kept = tuple(file.rows if number == verdict.hold else 0 for number in range(len(compiled.holds)))
    return SourceResult(file.path, taken, kept)


def _left_alone(file: LiveFile, compiled: CompiledRules) -> SourceResult:
    """Return what becomes of a file that no commit can take out of the table."""
    return SourceResult(
        file.path, (0,) * len(compiled.rules), warning=f"{unnamed_file(file.path)}: it is left as it is"
    )


def _of_about(files: Sequence[LiveFile], size: int) -> list[tuple[LiveFile, ...]]:
    """Return the files in the order of their times, in groups of about a size."""
    ordered = sorted(files, key=lambda file: (file.min_time, file.path))
    ends = accumulate(file.size for file in ordered)
    numbered = ((max(0, end - 1) // size, file) for end, file in zip(ends, ordered, strict=True))
    return [tuple(file for _, file in group) for _, group in groupby(numbered, key=lambda pair: pair[0])]


SMALL_SHARE = 2
"""A file is small below this part of the target.

What a merge leaves is larger, but for all of it together (`new_files`).
"""
GROUP_TARGETS = 4
"""A group is closed at so many times the target, less what each file costs by itself: then it makes files that are not
small, even where
its rows take an eighth of the space once they lie together. So a second plan finds one small file at most, and nothing
to do.
"""
FILE_BYTES = 16 << 10
"""About what a file of a few rows takes: its footer, and the heads of its pages."""


def plan_compaction(files: Iterable[LiveFile], *, target_bytes: int) -> list[tuple[LiveFile, ...]]:
    """Return the groups of small files that are to be merged, each by itself.

    Args:
        files: The live files of one partition. Another writer's are left out: nothing is known of where they keep
            attributes. So are those that are large enough, also where they overlap.
        target_bytes: How large files are to be.

    Returns:
        Groups of two files or more, in the order of their times, each of a few times the target: fewer files that
        overlap are left than of smaller groups. One is closed where no file overlaps the next, if such a place comes
        before it is twice as large.
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
        groups[-2:] = [groups[-2] + groups[-1]]  # what is left over makes the last group larger, not a small file
    return [tuple(group) for group in groups if len(group) > 1]
