"""`_pipelines`: which pipelines ran on each event."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.formats.views import Indices


class RunNames:
    """The names of the pipelines that ran on each event of a batch, in the order in which they began."""

    def __init__(self, rows: int) -> None:
        """Begin with none."""
        self._codes = np.zeros(rows, np.int32)
        self._lists = [""]  # what each code stands for

    def add(self, name: str, rows: Indices | None) -> None:
        """Note that a pipeline runs on some rows; None is all."""
        before = self._codes if rows is None else self._codes[rows]
        seen = np.flatnonzero(np.bincount(before, minlength=len(self._lists)))
        after = np.zeros(len(self._lists), np.int32)
        after[seen] = np.arange(len(self._lists), len(self._lists) + len(seen))
        self._lists += [f"{self._lists[code]},{name}".removeprefix(",") for code in seen]
        self._codes[slice(None) if rows is None else rows] = after[before]

    def column(self) -> pa.DictionaryArray | None:
        """Return the names with commas between them, null for events on which none ran; None where that is all."""
        used = np.flatnonzero(np.bincount(self._codes, minlength=len(self._lists)))
        if not used.size or used.tolist() == [0]:
            return None
        codes = np.searchsorted(used, self._codes).astype(np.int32)
        values = [self._lists[code] for code in used]
        if used[0]:
            return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values, pa.string()))
        return pa.DictionaryArray.from_arrays(pa.array(codes - 1, mask=codes == 0), pa.array(values[1:], pa.string()))
