"""What a commit needs to know of a data file, and what its footer says of who wrote it."""

from __future__ import annotations

from dataclasses import dataclass

JOB_METADATA = "rekindle.job"
"""The key of the footer's metadata that names the job."""


@dataclass(frozen=True)
class ObjectRows:
    """The rows of one object in one file, and the range of their `_time` in microseconds since 1970 UTC."""

    rows: int
    min_time: int
    max_time: int


@dataclass(frozen=True)
class FileDescription:
    """A data file that is written; a reader sees it once a commit names it.

    Attributes:
        path: Relative to the table `events`.
        size: In bytes.
        rows: How many, more than none.
        tier: The partition's `hot` or `cold`.
        date: The partition's UTC date, `YYYY-MM-DD`.
        stats: The Add action's statistics, JSON.
        objects: The rows of each object in it, by its URI.
        min_time: The least `_time`, in microseconds since 1970 UTC.
        max_time: The greatest.
    """

    path: str
    size: int
    rows: int
    tier: str
    date: str
    stats: str
    objects: dict[str, ObjectRows]
    min_time: int
    max_time: int
