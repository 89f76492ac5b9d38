"""Rules by which deletions have gone, for objects that are read again: what these have taken does not come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from transforms.retention.compiled_rules import STAYS, CompiledRules


@dataclass(frozen=True)
class PastRules:
    """Which rules hold for which objects.

    Attributes:
        rules: One rule each, with the holds that were in force, in the order of the deletions that went by them last.
        first: The number of the first of them that may have taken events of an object, by its URI; those after it may
            have, too. An object that is not named has lost none.
    """

    rules: tuple[CompiledRules, ...] = ()
    first: Mapping[str, int] = field(default_factory=dict)

    def of_object(self, uri: str) -> tuple[CompiledRules, ...]:
        """Return the rules that hold for an object."""
        return self.rules[self.first[uri] :] if uri in self.first else ()


def taken_by(events: pa.RecordBatch, rules: Sequence[CompiledRules]) -> pa.Array:
    """Return for each event the name of the first rule that takes it (string), null for one that stays."""
    taken = np.full(events.num_rows, STAYS, np.int32)
    for number, one in enumerate(rules):
        taken[(taken == STAYS) & (one.evaluate(events).rule != STAYS)] = number
    names = pa.array([one.rules[0].name for one in rules], pa.string())
    return names.take(pa.array(taken, mask=taken == STAYS))
