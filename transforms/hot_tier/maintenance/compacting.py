"""Which small files of a partition are merged with which, by the log alone."""

from __future__ import annotations

from collections.abc import Iterable

from transforms.hot_tier.table.file_names import layout_of
from transforms.hot_tier.table.snapshot import LiveFile

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
