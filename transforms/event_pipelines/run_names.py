"""`_pipelines`: which pipelines ran on each event."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import Indices


class RunNames:
    """The names of the pipelines that ran on each event of a batch, in the order in which they began."""

    def __init__(self, rows: int) -> None:
        """Begin with none."""
        self._rows = rows
        self._values = [""]  # what each code stands for
        self._codes: npt.NDArray[np.int32] | None = None  # None: all events have the last list

    def add(self, name: str, rows: Indices | None) -> None:
        """Note that a pipeline runs on some rows; None is all."""
        if rows is None and self._codes is None:
            self._values = [_joined(self._values[-1], name)]
            return
        if self._codes is None:
            self._codes = np.zeros(self._rows, np.int32)
        before = self._codes if rows is None else self._codes[rows]
        seen = np.flatnonzero(np.bincount(before, minlength=len(self._values)))
        after = np.zeros(len(self._values), np.int32)
        after[seen] = np.arange(len(self._values), len(self._values) + len(seen))
        self._values += [_joined(self._values[code], name) for code in seen]
        self._codes[slice(None) if rows is None else rows] = after[before]

    def column(self) -> pa.DictionaryArray | None:
        """Return the names with commas between them, null for events on which none ran; None where that is all."""
        codes = np.zeros(self._rows, np.int32) if self._codes is None else self._codes
        used = np.array([0]) if self._codes is None else np.flatnonzero(np.bincount(codes, minlength=len(self._values)))
        values = [self._values[code] for code in used if self._values[code]]
        if not values:
            return None
        indices = np.zeros(len(self._values), np.int32)
        # only the first list, that of no names, can be empty
        indices[used] = np.arange(len(used)) - (len(used) - len(values))
        found = indices[codes]
        mask = found < 0 if len(values) < len(used) else None
        return pa.DictionaryArray.from_arrays(pa.array(found, mask=mask), pa.array(values, pa.string()))


def _joined(names: str, name: str) -> str:
    return f"{names},{name}" if names else name
