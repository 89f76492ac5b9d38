"""Rates: how often something may happen, by address or by key, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class RateLimit:
    """A bucket of tokens for each name: so many at once, and so many a second.

    Attributes:
        burst: How many at once.
        a_second: How many come back each second.
        names: How many names are remembered, those that were used last.
        clock: The time in seconds, for tests.
    """

    burst: float
    a_second: float
    names: int = 10_000
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_of(self, name: str) -> float:
        """Return the seconds until something may happen under a name, 0 where it may now; nothing is counted."""
        with self._lock:
            return max(0.0, (1.0 - self._now(name)) / self.a_second)

    def count(self, name: str) -> None:
        """Count that something has happened under a name."""
        with self._lock:
            self._left[name] = (max(0.0, self._now(name) - 1.0), self.clock())
            self._left.move_to_end(name)
            if len(self._left) > self.names:
                self._left.popitem(last=False)

    def _now(self, name: str) -> float:
        left, at = self._left.get(name, (self.burst, self.clock()))
        return min(self.burst, left + (self.clock() - at) * self.a_second)
