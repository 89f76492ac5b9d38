"""What ends a query early: whoever asked for it no longer does, or its time is over.

Reading can't be interrupted from outside (Polars goes on after its own cancel), so it is done row group by row group,
and the signal is looked at between two of them. DuckDB's statements are interrupted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from transforms.core.errors import CanceledError, TimeLimitError

TIME_LIMIT = 30.0
"""Seconds that a query of a server takes at most, by default."""


class StopSignal:
    """Whether a query is to stop. One for each query; any thread may cancel it."""

    def __init__(self, seconds: float | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin the time.

        Args:
            seconds: How long the query may take from now on; None is without limit.
            clock: Seconds that only grow.
        """
        self._seconds = seconds
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds
        self._canceled = threading.Event()

    def cancel(self) -> None:
        """Let the query stop at its next look."""
        self._canceled.set()

    def restart(self) -> None:
        """Begin the time anew: what a query waits for its turn is not its own time."""
        self._end = None if self._seconds is None else self._clock() + self._seconds

    @property
    def is_set(self) -> bool:
        """Whether the query is to stop."""
        return self._canceled.is_set() or self._is_over

    @property
    def _is_over(self) -> bool:
        return self._end is not None and self._clock() >= self._end

    def check(self) -> None:
        """Raise where the query is to stop.

        Raises:
            CanceledError: it was canceled.
            TimeLimitError: its time is over.
        """
        is_over = self._is_over  # before the other, so that a cancel meanwhile is not taken for the end of the time
        self.check_canceled()
        if is_over:
            raise TimeLimitError(
                f"the query took longer than {self._seconds:g} s and was ended: give it a shorter range of time, or a "
                "condition on an attribute that has a column of its own"
            )

    def check_canceled(self) -> None:
        """Raise CanceledError where the query was canceled, however much time is left."""
        if self._canceled.is_set():
            raise CanceledError("the query was canceled")
