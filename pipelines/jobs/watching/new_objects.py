"""Listing again: which objects were not there before, at the cost of the listing alone.

Of each object that was listed eight bytes are kept, a hash of its key and content. What has the hash of an object of
the listing before is passed over without a look into the ledger, which all others are looked up in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.core.errors import RekindleError
from transforms.discover_objects import MANIFEST
from transforms.objects.discovery.object_filter import OF_THE_TIER, ObjectFilter, SourceMatcher
from transforms.storage import ObjectInfo, ObjectStore

_AT_ONCE = 8
_MOST_TRIES = 3
"""An object that fails is tried again by so many listings, then when it has other content."""
_Hashes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NewObjects:
    """What a listing has found.

    Attributes:
        evaluated: How many objects were listed.
        manifest: The objects that match and were not there before, in the order of their keys.
    """

    evaluated: int
    manifest: pa.Table


@dataclass
class RepeatedListing:
    """Lists the same prefixes again and again.

    Attributes:
        store: The source.
        filter: Which of its objects are meant.
        max_objects: More are refused.
    """

    store: ObjectStore
    filter: ObjectFilter
    max_objects: int
    _seen: _Hashes = field(default_factory=lambda: np.empty(0, np.int64))
    _failures: dict[int, int] = field(default_factory=dict)

    def list_new(self) -> NewObjects:
        """List all prefixes.

        Raises:
            RekindleError: the store can't be listed, or has too many objects; the next listing finds what this one
                would have.
        """
        matcher = self.filter.compile()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(lambda prefix: self._list(prefix, matcher), matcher.prefixes))
        hashes = np.sort(np.concatenate([np.empty(0, np.int64), *(one for _, one, _ in found)]))
        self._seen = hashes
        self._failures = {one: tries for one, tries in self._failures.items() if _are_in([one], hashes)[0]}
        tables = [MANIFEST.empty_table(), *(table for _, _, tables in found for table in tables)]
        return NewObjects(sum(number for number, _, _ in found), pa.concat_tables(tables).sort_by("key"))

    def take_as_seen(self, infos: Iterable[ObjectInfo]) -> None:
        """Let the next listing pass over objects that were listed before."""
        self._seen = np.sort(np.fromiter(map(_hash, infos), np.int64))

    def forget(self, info: ObjectInfo, *, has_failed: bool) -> None:
        """Let the next listing find an object again that was not ingested; one that fails, a few times."""
        number = _hash(info)
        if has_failed:
            self._failures[number] = self._failures.get(number, 0) + 1
            if self._failures[number] >= _MOST_TRIES:
                return
        self._seen = np.delete(self._seen, np.searchsorted(self._seen, number)) if self._has(number) else self._seen

    def forget_all(self) -> None:
        """Let the next listing find all objects again: what it had found was not ingested."""
        self._seen = np.empty(0, np.int64)

    def _has(self, number: int) -> bool:
        return bool(_are_in([number], self._seen)[0])

    def _list(self, prefix: str, matcher: SourceMatcher) -> tuple[int, _Hashes, list[pa.Table]]:
        evaluated, hashes, tables = 0, [], []
        for page in self.store.list_pages(prefix):
            numbers = matcher.sources_of(page)
            evaluated += sum(number != OF_THE_TIER for number in numbers)
            if evaluated > self.max_objects:
                raise RekindleError(
                    f"more than {self.max_objects:,} objects are under {prefix or 'the whole bucket'}: nothing of this "
                    "listing was ingested; narrow --pattern, raise --max-objects, or watch a queue (--queue)"
                )
            kept = [info.with_source(number) for info, number in zip(page, numbers, strict=True) if number >= 0]
            of_page = np.fromiter(map(_hash, kept), np.int64, len(kept))
            hashes.append(of_page)
            new = [info for info, known in zip(kept, _are_in(of_page, self._seen), strict=True) if not known]
            if new:
                tables.append(manifest_of(new))
        return evaluated, np.concatenate([np.empty(0, np.int64), *hashes]), tables


def manifest_of(infos: Sequence[ObjectInfo]) -> pa.Table:
    """Return objects as a table with the columns of `MANIFEST`."""
    columns = [[getattr(info, name) for info in infos] for name in MANIFEST.names]
    return pa.table([pa.array(one, kind) for one, kind in zip(columns, MANIFEST.types, strict=True)], schema=MANIFEST)


def _hash(info: ObjectInfo) -> int:
    return hash((*info.identity, info.is_archived))  # one that was restored is new


def _are_in(hashes: Sequence[int] | _Hashes, ordered: _Hashes) -> list[bool]:
    if not len(ordered):
        return [False] * len(hashes)
    places = np.searchsorted(ordered, hashes).clip(max=len(ordered) - 1)
    return [bool(one) for one in ordered[places] == np.asarray(hashes, np.int64)]
