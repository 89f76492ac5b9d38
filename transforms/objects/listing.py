"""Which objects a pattern matches: listing a prefix and matching each key.

Plain functions, for the job and for the preview.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from transforms.objects.key_glob import KeyGlob
from transforms.storage import ObjectInfo, ObjectStore

HEAVIEST = 10


@dataclass(frozen=True, kw_only=True)
class ObjectFilter:
    """What a job asks of an object.

    Attributes:
        pattern: Glob over the whole key.
        modified_after: LastModified must be later, where given.
        modified_before: LastModified must be earlier, where given.
        excluded_prefix: Keys under it are the hot tier's own, and never a source; None where the tier lies elsewhere.
    """

    pattern: str = "**"
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    excluded_prefix: str | None = None

    def within_dates(self, info: ObjectInfo) -> bool:
        """Whether an object was modified between the dates."""
        return (self.modified_after is None or info.modified > self.modified_after) and (
            self.modified_before is None or info.modified < self.modified_before
        )


@dataclass(frozen=True)
class Listing:
    """What lies under one literal prefix of a pattern.

    Attributes:
        prefix: The prefix that was listed.
        evaluated: How many keys the store named.
        matched: How many of them the pattern and the dates let through.
        part: Path in the hot tier of the Parquet file that lists the matched ones, or None where there is none.
        heaviest: Sub-prefixes with the most keys, and their numbers, most first.
        excluded: Keys that the hot tier itself wrote.
        complete: False when listing stopped at the limit of objects.
    """

    prefix: str
    evaluated: int
    matched: int
    part: str | None
    heaviest: tuple[tuple[str, int], ...] = ()
    excluded: int = 0
    complete: bool = True


def list_objects(
    store: ObjectStore, prefix: str, filter: ObjectFilter, *, max_objects: int
) -> tuple[Listing, list[ObjectInfo]]:
    """List one prefix until it holds more than `max_objects`; return the numbers, and what the filter lets through."""
    glob = KeyGlob(filter.pattern)
    kept: list[ObjectInfo] = []
    evaluated = excluded = 0
    below: Counter[str] = Counter()
    for page in store.list_pages(prefix):
        evaluated += len(page)
        below.update(_sub_prefix(info.key, prefix) for info in page)
        for info, matches in zip(page, glob.matches_all([info.key for info in page]), strict=True):
            if filter.excluded_prefix is not None and info.key.startswith(filter.excluded_prefix):
                excluded += 1
            elif matches and filter.within_dates(info):
                kept.append(info)
        if evaluated - excluded > max_objects:
            break
    complete = evaluated - excluded <= max_objects
    heaviest = tuple(heapq.nlargest(HEAVIEST, below.items(), key=lambda item: item[1]))
    return Listing(prefix, evaluated - excluded, len(kept), None, heaviest, excluded, complete), kept


def _sub_prefix(key: str, prefix: str) -> str:
    head, slash, _ = key[len(prefix) :].partition("/")
    return prefix + head + slash if slash else prefix
