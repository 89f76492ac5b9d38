"""Which objects a data file holds: by its statistics, or by reading its column `_object`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.storage import TierStore


class ObjectBounds:
    """The time ranges of very many objects' events."""

    def __init__(self, times: Mapping[str, tuple[int, int]]) -> None:
        """Take the least and greatest `_time` of each object, by its URI.

        Args:
            times: In microseconds since 1970 UTC; the least is greater than the greatest where there are no events.
        """
        self._uris = sorted(times)
        self._lows = np.array([times[uri][0] for uri in self._uris], np.int64)
        self._highs = np.array([times[uri][1] for uri in self._uris], np.int64)

    def may_be_in(self, file: LiveFile) -> list[str]:
        """Return the objects of which a file may hold events, by its statistics."""
        # another writer's statistics may lack
        first = 0 if file.min_object is None else bisect_left(self._uris, file.min_object)
        last = len(self._uris) if file.max_object is None else bisect_right(self._uris, file.max_object)
        lows, highs = self._lows[first:last], self._highs[first:last]
        found = np.flatnonzero((lows <= highs) & (lows <= file.max_time) & (highs >= file.min_time))
        return [self._uris[first + int(number)] for number in found]


def objects_in(store: TierStore, path: str) -> set[str]:
    """Return the objects whose rows are in a file, reading only that column.

    Args:
        store: The tier.
        path: The file, relative to the table.
    """
    with store.open_input(f"{EVENTS}/{path}") as source:
        column = pq.read_table(source, columns=["_object"], read_dictionary=["_object"])["_object"]
    return set(pc.unique(column.cast(pa.string())).to_pylist())
