"""What a watch did in the last hour, by minutes."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines.jobs.report import RecentWork

_MINUTES = 60


@dataclass
class LastHour:
    """Counts of the last sixty minutes.

    Attributes:
        clock: The time in seconds, for tests.
    """

    clock: Callable[[], float] = time.monotonic
    _minutes: deque[tuple[int, Counter[str]]] = field(default_factory=deque)

    def add(self, **numbers: int) -> None:
        """Count what was just done."""
        minute = int(self.clock() // 60)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1].update(numbers)

    def work(self) -> RecentWork:
        """Return what was done in the last hour."""
        first = int(self.clock() // 60) - _MINUTES
        while self._minutes and self._minutes[0][0] <= first:
            self._minutes.popleft()
        return RecentWork(**sum((counts for _, counts in self._minutes), Counter()))
