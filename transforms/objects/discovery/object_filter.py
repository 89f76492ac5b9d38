"""Which of the listed objects a job takes, and for which of its sources: by key, exclusions and dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from transforms.objects.discovery.key_globs import KeyGlobs, join_prefixes
from transforms.storage import ObjectInfo

NO_SOURCE, EXCLUDED, OF_THE_TIER = -1, -2, -3
"""In place of the number of an object's source: none takes it, one would but for its exclusions, or the hot tier wrote
it.
"""


@dataclass(frozen=True, kw_only=True)
class KeyPatterns:
    """Globs over the whole key: what any of `include` matches is in, but for what any of `exclude` matches."""

    include: tuple[str, ...] = ("**",)
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ObjectFilter:
    """What a job asks of an object.

    Attributes:
        sources: The patterns of each source; an object belongs to the first that takes it.
        modified_after: LastModified must be later, where given.
        modified_before: LastModified must be earlier, where given.
        tier_prefix: Keys under it are the hot tier's own, and never a source; None where the tier lies elsewhere.
    """

    sources: tuple[KeyPatterns, ...] = (KeyPatterns(),)
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    tier_prefix: str | None = None

    def compile(self) -> SourceMatcher:
        """Return what evaluates objects.

        Raises:
            ConfigurationError: a pattern is malformed.
        """
        return SourceMatcher(self)

    def within_dates(self, info: ObjectInfo) -> bool:
        """Whether an object was modified between the dates."""
        return (self.modified_after is None or info.modified > self.modified_after) and (
            self.modified_before is None or info.modified < self.modified_before
        )


class SourceMatcher:
    """A compiled filter.

    Attributes:
        prefixes: Literal prefixes that together every matching key begins with, none of them under another.
    """

    def __init__(self, filter: ObjectFilter) -> None:
        """Compile the patterns."""
        self._filter = filter
        self._globs = [
            (KeyGlobs(source.include), KeyGlobs(source.exclude, "exclude") if source.exclude else None)
            for source in filter.sources
        ]
        self.prefixes = join_prefixes(prefix for included, _ in self._globs for prefix in included.prefixes)

    def sources_of(self, infos: Sequence[ObjectInfo]) -> list[int]:
        """Return the number of each object's source, or `NO_SOURCE`, `EXCLUDED`, `OF_THE_TIER`."""
        filter = self._filter
        numbers = np.array(self.sources_of_keys([info.key for info in infos]), dtype=np.int64)
        if filter.modified_after is not None or filter.modified_before is not None:
            outside = np.array([not filter.within_dates(info) for info in infos], dtype=bool)
            numbers[outside & (numbers != OF_THE_TIER)] = NO_SOURCE
        return [int(number) for number in numbers.tolist()]

    def sources_of_keys(self, names: Sequence[str]) -> list[int]:
        """Return the number of the source of each key, whatever its date, or why it has none."""
        filter = self._filter
        keys = pl.Series(names, dtype=pl.String)
        numbers = np.full(len(names), NO_SOURCE)
        for number, (included, excluded) in enumerate(self._globs):
            rows = np.flatnonzero(included.matches(keys) & (numbers < 0))
            numbers[rows] = number
            if excluded is not None and rows.size:  # few rows are left: exclusions of many sources cost what one's do
                numbers[rows[excluded.matches(keys.gather(rows))]] = EXCLUDED
        if filter.tier_prefix is not None:
            numbers[keys.str.starts_with(filter.tier_prefix).to_numpy()] = OF_THE_TIER
        return [int(number) for number in numbers.tolist()]
