"""Counts what happens to events, for each object that a batch has events of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from transforms.arrow import Flags, Indices
from transforms.objects.event_counts import CountKey, EventCount


class EventTally:
    """What was counted of each object.

    Attributes:
        counts: By what happened, for each object.
    """

    def __init__(self, rows: Sequence[int]) -> None:
        """Begin with nothing; the objects have so many events each, one after the other."""
        self.counts: list[Counter[CountKey]] = [Counter() for _ in rows]
        self._objects = np.repeat(np.arange(len(rows)), rows)

    def keep(self, rows: Indices) -> None:
        """Go on with some of the events."""
        self._objects = self._objects[rows]

    def add(self, key: CountKey, chosen: Flags) -> None:
        """Count the chosen events."""
        if len(self.counts) == 1:
            self._put(key, [int(chosen.sum())])
        else:
            self._put(key, np.bincount(self._objects[chosen], minlength=len(self.counts)).tolist())

    def add_names(self, kind: EventCount, names: pa.Array) -> None:
        """Count events by a name of each, which is null where they are not to be counted.

        Args:
            kind: What happened to them.
            names: Strings, or a dictionary of strings.
        """
        if len(self.counts) == 1:
            for one in names.value_counts().to_pylist():
                if one["values"] is not None:
                    self._put(CountKey(kind, one["values"]), [one["counts"]])
            return
        encoded = names if pa.types.is_dictionary(names.type) else names.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy()
        for code, name in enumerate(encoded.dictionary.to_pylist()):
            if name is not None:
                self.add(CountKey(kind, name), codes == code)

    def _put(self, key: CountKey, numbers: Sequence[int]) -> None:
        for counts, number in zip(self.counts, numbers, strict=True):
            if number:
                counts[key] += number
