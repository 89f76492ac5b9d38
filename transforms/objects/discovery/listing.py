"""Which objects a job takes: listing a prefix and evaluating each key.

Plain functions, for the job and for the preview.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from transforms.objects.discovery.object_filter import EXCLUDED, OF_THE_TIER, ObjectFilter
from transforms.storage import ObjectInfo, ObjectStore

HEAVIEST = 10


@dataclass(frozen=True)
class Listing:
    """What lies under one literal prefix of a pattern.

    Attributes:
        prefix: The prefix that was listed.
        evaluated: How many keys the store named.
        matched: How many of them the filter lets through.
        part: Path in the hot tier of the Parquet file that lists the matched ones, or None where there is none.
        heaviest: Sub-prefixes with the most keys, and their numbers, most first.
        excluded: How many it would let through, but for its exclusions.
        of_tier: Keys that the hot tier itself wrote; they are not among those above.
        complete: False when listing stopped at the limit of objects.
    """

    prefix: str
    evaluated: int
    matched: int
    part: str | None
    heaviest: tuple[tuple[str, int], ...] = ()
    excluded: int = 0
    of_tier: int = 0
    complete: bool = True


def list_objects(
    store: ObjectStore,
    prefix: str,
    filter: ObjectFilter,
    *,
    max_objects: int,
    left_out: Callable[[ObjectInfo, int], None] | None = None,
) -> tuple[Listing, list[ObjectInfo]]:
    """List one prefix until it holds more than `max_objects`.

    Args:
        store: Where to list.
        prefix: What the keys begin with.
        filter: Which objects are meant.
        max_objects: Where to stop.
        left_out: Called with each object that the filter does not let through, and why: `NO_SOURCE` or `EXCLUDED`.

    Returns:
        The numbers, and the objects that the filter lets through, each with the number of its source.
    """
    matcher = filter.compile()
    kept: list[ObjectInfo] = []
    counts: Counter[int] = Counter()
    evaluated = 0
    below: Counter[str] = Counter()
    for page in store.list_pages(prefix):
        below.update(_sub_prefix(info.key, prefix) for info in page)
        numbers = matcher.sources_of(page)
        counts.update(number for number in numbers if number < 0)
        for info, number in zip(page, numbers, strict=True):
            if number >= 0:
                kept.append(info.with_source(number) if number else info)
            elif left_out is not None and number != OF_THE_TIER:
                left_out(info, number)
        evaluated += len(page)
        if evaluated - counts[OF_THE_TIER] > max_objects:
            break
    evaluated -= counts[OF_THE_TIER]
    listing = Listing(
        prefix=prefix,
        evaluated=evaluated,
        matched=len(kept),
        part=None,
        heaviest=tuple(heapq.nlargest(HEAVIEST, below.items(), key=lambda item: item[1])),
        excluded=counts[EXCLUDED],
        of_tier=counts[OF_THE_TIER],
        complete=evaluated <= max_objects,
    )
    return listing, kept


def _sub_prefix(key: str, prefix: str) -> str:
    head, slash, _ = key[len(prefix) :].partition("/")
    return prefix + head + slash if slash else prefix
