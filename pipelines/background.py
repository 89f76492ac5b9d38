"""Watching a job from beside it: its status in the job's folder, its progress on the console, and signals that ask it
to stop.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

WATCH_SECONDS = 1.0


@contextmanager
def stop_signals(cancel: Callable[[], None]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into `cancel()`, a second one into an immediate end; only in the main thread, where
    signals arrive.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(130)
        asked = True
        cancel()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def watching(
    look: Callable[[], None], complain: Callable[[Exception], None], *, seconds: float = WATCH_SECONDS
) -> Iterator[None]:
    """Call `look` every so often in a thread of its own, until the block ends; an error of it goes to `complain`, and
    watching goes on.
    """
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(seconds):
            try:
                look()
            except Exception as error:  # noqa: BLE001 - a job does not end because its progress could not be shown
                complain(error)

    thread = threading.Thread(target=watch, name="rekindle-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
