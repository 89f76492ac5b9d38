"""Where a job or a run reports to while it is at work, and how whoever started it stops it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Protocol


@dataclass(frozen=True)
class Progress:
    """How far a job is: objects, compressed bytes and events read by now, and the bytes there are in all."""

    objects: int = 0
    bytes_read: int = 0
    events: int = 0
    bytes_in_all: int = 0

    def plus(self, other: Progress) -> Progress:
        """Return this with what another has read."""
        return replace(
            self,
            objects=self.objects + other.objects,
            bytes_read=self.bytes_read + other.bytes_read,
            events=self.events + other.events,
        )


class Console(Protocol):
    """What shows a job's messages and progress; the command line draws it, tests and the service keep it."""

    def message(self, text: str) -> None:
        """Show a line of text."""

    def progress(self, done: Progress) -> None:
        """Show how far the job is; called about once a second while objects are read."""


class Silent:
    """A console that shows nothing."""

    def message(self, text: str) -> None:
        """Show nothing."""

    def progress(self, done: Progress) -> None:
        """Show nothing."""


@contextmanager
def stop_signals(cancel: Callable[[int], None]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into `cancel(number)`, and end the process at once at a second one.

    Only in the main thread, where signals arrive; in another this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    canceled = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal canceled
        if canceled:
            os._exit(130)
        canceled = True
        cancel(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
