"""Read ahead of the parser, within bounds."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

DEPTH = 4
"""How many chunks may wait for the parser."""


def read_ahead(chunks: Generator[bytes, None, None], stopped: threading.Event, *, depth: int = DEPTH) -> Iterator[bytes]:
    """Yield `chunks`, which a thread of its own draws, at most `depth` of them ahead; an error comes after the chunks before it.

    Closing the iterator ends the thread and closes `chunks`, and so the connection below.

    Args:
        chunks: Where the bytes come from.
        stopped: Set when the iterator ends, so that a pause within `chunks` can end too.
        depth: How many chunks may wait.
    """
    slots = threading.Semaphore(depth)
    ready: queue.SimpleQueue[bytes | BaseException | None] = queue.SimpleQueue()
    thread = threading.Thread(target=_fill, args=(chunks, stopped, slots, ready), name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            slots.release()
    finally:
        stopped.set()
        slots.release()
        thread.join()


def _fill(
    chunks: Generator[bytes, None, None],
    stopped: threading.Event,
    slots: threading.Semaphore,
    ready: queue.SimpleQueue[bytes | BaseException | None],
) -> None:
    end: BaseException | None = None
    try:
        while not stopped.is_set():
            slots.acquire()
            chunk = None if stopped.is_set() else next(chunks, None)
            if chunk is None:
                break
            ready.put(chunk)
    except BaseException as error:  # noqa: BLE001 - goes up in the reader's own thread
        end = error
    finally:
        chunks.close()
        ready.put(end)
