"""Turns: of what takes much, so much at once, and the rest waits for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from transforms.core.errors import BusyError

WAIT_SECONDS = 30.0


@asynccontextmanager
async def turn_of(places: anyio.Semaphore, busy: str) -> AsyncIterator[None]:
    """Wait for a place, and give it back after the block.

    Raises:
        BusyError: it takes too long; the message says so of `busy`.
    """
    try:
        with anyio.fail_after(WAIT_SECONDS):
            await places.acquire()
    except TimeoutError:
        raise BusyError(f"{busy}: try again later") from None
    try:
        yield
    finally:
        places.release()
