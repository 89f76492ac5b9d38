"""How many queries run at once: as many as there are cores, and the rest in the order in which they came.

What one query holds in memory is bounded, so the gate bounds that of all; and each of a few queries side by side is
answered sooner than if all shared the cores.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from transforms.core.errors import BusyError
from transforms.hot_tier.search.serving.stop import StopSignal

MOST_WAITING = 200
_LOOK_SECONDS = 0.05
_T = TypeVar("_T")


class QueryGate:
    """Lets some queries run and others wait; for the threads of one process."""

    def __init__(self, places: int | None = None, *, most_waiting: int = MOST_WAITING) -> None:
        """Open the gate.

        Args:
            places: How many queries run at once; None is one for each core.
            most_waiting: How many may wait.
        """
        self.places = places or _cores()
        self._most_waiting = most_waiting
        self._running = 0
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def running(self) -> int:
        """How many queries run."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many queries wait."""
        return len(self._queue)

    @contextmanager
    def turn(self, stop: StopSignal) -> Iterator[None]:
        """Wait for a turn, and hold it; the query's time begins with it.

        Raises:
            BusyError: too many wait already, or it has waited for as long as the query may take.
            CanceledError: the query was canceled while it waited.
        """
        self._enter(stop)
        try:
            stop.restart()
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def turns(self, parts: Generator[_T, None, None], stop: StopSignal) -> Generator[_T, None, None]:
        """Yield parts of an answer, with a turn for each: whoever reads them slowly keeps nobody waiting.

        The time limit is that of each part.
        """
        with closing(parts):
            while True:
                with self.turn(stop):
                    part = next(parts, None)
                if part is None:
                    return
                yield part

    def _enter(self, stop: StopSignal) -> None:
        me = object()
        with self._changed:
            if self._running >= self.places and len(self._queue) >= self._most_waiting:
                raise BusyError(f"{self._running} queries run and {len(self._queue)} wait: try again in a while")
            self._queue.append(me)
            try:
                while self._running >= self.places or self._queue[0] is not me:
                    if stop.is_set:
                        stop.check_canceled()
                        raise BusyError("all places for queries were taken for too long: try again in a while")
                    self._changed.wait(_LOOK_SECONDS)
                self._running += 1
            finally:
                self._queue.remove(me)
                self._changed.notify_all()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
