"""Which objects and jobs a data file holds events of: by its statistics, or by reading one column or two."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.hot_tier.table.delta import EVENTS
from transforms.hot_tier.table.snapshot import LiveFile
from transforms.storage import TierStore

_JOB = "_correlation_id"


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
        first, found = self._found_in(file)
        return [self._uris[first + number] for number in np.flatnonzero(found).tolist()]

    def any_may_be_in(self, file: LiveFile) -> bool:
        """Whether a file may hold events of any of the objects, by its statistics."""
        return bool(self._found_in(file)[1].any())

    def _found_in(self, file: LiveFile) -> tuple[int, npt.NDArray[np.bool_]]:
        """Return the number of the first object by a file's bounds, and which of it and those after it may be there."""
        # another writer's statistics may lack
        first = 0 if file.min_object is None else bisect_left(self._uris, file.min_object)
        last = len(self._uris) if file.max_object is None else bisect_right(self._uris, file.max_object)
        lows, highs = self._lows[first:last], self._highs[first:last]
        return first, (lows <= highs) & (lows <= file.max_time) & (highs >= file.min_time)


def objects_in(store: TierStore, path: str) -> set[str]:
    """Return the objects whose rows are in a file, reading only that column.

    Args:
        store: The tier.
        path: The file, relative to the table.
    """
    with store.open_input(f"{EVENTS}/{path}") as source:
        column = pq.read_table(source, columns=["_object"], read_dictionary=["_object"])["_object"]
    return set(pc.unique(column.cast(pa.string())).to_pylist())


def rows_of_job(store: TierStore, path: str, job: str) -> int:
    """Return how many rows of a file a job has brought, reading only that column.

    Args:
        store: The tier.
        path: The file, relative to the table.
        job: Its task id.
    """
    with store.open_input(f"{EVENTS}/{path}") as source:
        parquet = pq.ParquetFile(source, read_dictionary=[_JOB])
        if _JOB not in parquet.schema_arrow.names:  # another writer's
            return 0
        found = parquet.read([_JOB])[_JOB].unify_dictionaries().value_counts()
    rows = found.field("counts").filter(pc.equal(found.field("values").cast(pa.string()), job))
    return int(rows[0].as_py()) if len(rows) else 0


def objects_of_job(store: TierStore, path: str, job: str) -> set[str]:
    """Return the objects whose rows a job has brought into a file; takes the same as `rows_of_job`."""
    with store.open_input(f"{EVENTS}/{path}") as source:
        table = pq.ParquetFile(source, read_dictionary=[_JOB, "_object"]).read([_JOB, "_object"])
    rows = pc.equal(table[_JOB].cast(pa.string()), job)
    return set(pc.unique(table["_object"].filter(rows).cast(pa.string())).to_pylist())
