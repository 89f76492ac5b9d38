"""Draw from a generator ahead of who works on what it gives, within bounds."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

DEPTH = 4
"""How many items may wait."""
_T = TypeVar("_T")


def read_ahead(
    items: Generator[_T, None, None],
    stopped: threading.Event,
    *,
    depth: int = DEPTH,
    weight: Callable[[_T], int] = lambda item: 1,
) -> Generator[_T, None, None]:
    """Yield `items` drawn by a thread, at most `depth` ahead; an error comes after the items before it.

    Closing the iterator ends the thread and closes `items`, and so the connection or file below.

    Args:
        items: Where they come from, such as the bytes of an object; none of them is None.
        stopped: Set when the iterator ends, so that a pause within `items` can end too.
        depth: How many may wait.
        weight: For how many an item counts, one at least; the last that is drawn may go beyond the depth.
    """
    slots = threading.Semaphore(depth)
    ready: queue.SimpleQueue[_T | BaseException | None] = queue.SimpleQueue()
    thread = threading.Thread(target=_fill, args=(items, stopped, slots, ready, weight), name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            taken = weight(item)
            yield item
            del item
            slots.release(taken)
    finally:
        stopped.set()
        slots.release()
        thread.join()


def _fill(
    items: Generator[_T, None, None],
    stopped: threading.Event,
    slots: threading.Semaphore,
    ready: queue.SimpleQueue[_T | BaseException | None],
    weight: Callable[[_T], int],
) -> None:
    end: BaseException | None = None
    try:
        while not stopped.is_set():
            slots.acquire()
            item = None if stopped.is_set() else next(items, None)
            if item is None:
                break
            more = weight(item) - 1
            ready.put(item)
            del item  # the last one is not kept while the next is made
            while more and not stopped.is_set():
                slots.acquire()
                more -= 1
    except BaseException as error:  # noqa: BLE001 - goes up in the reader's own thread
        end = error
    finally:
        items.close()
        ready.put(end)
