"""What rules take, by day, and as a digest: what a dry run has shown is done later, or nothing is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.documents import JsonObject
from transforms.core.errors import ConflictError

if TYPE_CHECKING:
    from transforms.hot_tier.maintenance.accounting import Outcome


@dataclass
class TakenRows:
    """Sees what a run takes before it is committed.

    Attributes:
        expected: The digest of what must be taken; None lets all be.
        outcomes: The files that were examined last, and what is taken of each.
    """

    expected: str | None = None
    outcomes: Sequence[Outcome] = field(default=())

    def examine(self, outcomes: Sequence[Outcome]) -> None:
        """See what is about to be done.

        Raises:
            ConflictError: it is not what was expected.
        """
        self.outcomes = outcomes
        if self.expected is not None and self.digest != self.expected:
            text = "the tier has changed since the dry run, and other events would be taken now; nothing was done"
            raise ConflictError(f"{text}: make another dry run")

    @property
    def digest(self) -> str:
        """Of the files that rows are taken from, and how many each rule takes: a file of one path never changes."""
        taken = sorted((file.path, result.taken) for file, result in self.outcomes if any(result.taken))
        return hashlib.sha256("\n".join(map(repr, taken)).encode()).hexdigest()

    def as_document(self) -> JsonObject:
        """Return the digest, and by day (UTC) the events that each rule takes, that holds keep, and the bytes."""
        days: dict[str, JsonObject] = {}
        for file, result in self.outcomes:
            taken, held = sum(result.taken), sum(result.held)
            if not taken and not held:
                continue
            nothing: JsonObject = {"taken": [0] * len(result.taken), "held": 0, "bytes": 0}
            day = days.setdefault(file.date, nothing)
            day["taken"] = [before + count for before, count in zip(day["taken"], result.taken, strict=True)]
            day["held"] += held
            day["bytes"] += round(file.size * taken / file.rows) if taken else 0
        return {"digest": self.digest, "days": [{"day": day} | days[day] for day in sorted(days)]}
