"""Parts of objects: large plain text, CSV or NDJSON can be cut at the ends of records, so that workers share it.

Where to cut is found by reading (`measure_range`): the part before a cut is read up to it, and must end there with a
whole record. So the parts give the records that the object gives in one piece, and the ordinals of each part's records
are known before any is published. An object that can't be cut like this (compressed, UTF-16, Shift_JIS, events of
several lines, a quote that is open at every line's end) is read in one piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transforms.codecs.detection import by_extension
from transforms.core.record_years import RecordYears
from transforms.formats.format import HEAD_BYTES
from transforms.storage import ObjectInfo, ObjectStore

SMALLEST_PART = 32 << 20
PARTS_A_SHARE = 4
"""So many parts make up a worker's share of a wave: fewer leave a worker idle at the end, more cost requests."""


@dataclass(frozen=True)
class ObjectPart:
    """An object, or a range of it that begins and ends between two records.

    Attributes:
        info: The object.
        start: Its first byte.
        end: The byte behind its last one; None for the end of the object.
        first: The ordinal of its first record.
        looked_at: Bytes that were read before, to find where it begins and ends.
        years: Those of the object's records whose stamps name none; None where they are not known before it is read.
    """

    info: ObjectInfo
    start: int = 0
    end: int | None = None
    first: int = 0
    looked_at: int = 0
    years: RecordYears | None = None

    @property
    def size(self) -> int:
        """Its bytes."""
        return (self.info.size if self.end is None else self.end) - self.start


def worth_cutting(splits: Sequence[Sequence[ObjectInfo]], workers: int) -> list[tuple[ObjectInfo, int]]:
    """Return the objects of a wave that would make it shorter if they were cut, each with the size of its parts.

    Args:
        splits: The wave's objects, as they were spread over its splits.
        workers: How many splits run at once.
    """
    loads = [sum(info.size for info in split) for split in splits]
    share = max(1, sum(loads) // max(workers, len(splits)))
    size = max(SMALLEST_PART, share // PARTS_A_SHARE)
    long = (split for split, load in zip(splits, loads, strict=True) if load > 1.1 * share)
    return [
        (info, size) for split in long for info in split if info.size >= 2 * size and by_extension(info.key) is None
    ]


def read_head(info: ObjectInfo, store: ObjectStore) -> bytes:
    """Return the beginning of an object, which tells how the rest is read."""
    return b"".join(store.read(info, start=0, end=min(HEAD_BYTES, info.size)))
