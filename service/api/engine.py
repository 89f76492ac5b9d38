"""Queries of a server: each on a thread, with a turn, a time limit, and an end as soon as its client leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import TypeVar

import anyio
from anyio import to_thread
from fastapi import Request
from prometheus_client import Counter

from service.errors import ApiError
from service.logs import log
from service.memory import MemoryShares
from transforms.core.errors import (
    BusyError,
    CanceledError,
    ConfigurationError,
    GoneError,
    RekindleError,
    TierError,
    TimeLimitError,
)
from transforms.hot_tier.search.aggregates.file_cache import FileCache
from transforms.hot_tier.search.serving.gate import QueryGate
from transforms.hot_tier.search.serving.snapshots import Snapshots
from transforms.hot_tier.search.serving.stop import TIME_LIMIT, StopSignal
from transforms.hot_tier.table import location
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import TierStore

_LOOK_SECONDS = 0.1
_MOST_WAITING = 100
_FIRST_PARTS = 2
"""So many parts of a stream are made before its answer begins: the first may be a heading alone."""
_OUTCOMES: dict[type[Exception], str] = {
    ConfigurationError: "refused",
    ApiError: "refused",
    BusyError: "busy",
    TimeLimitError: "timed_out",
    CanceledError: "canceled",
}
_T = TypeVar("_T")
Parts = Generator[bytes, None, None]
Stream = AsyncGenerator[bytes, None]


class SearchEngine:
    """What the queries of a server share.

    Attributes:
        snapshots: The newest version of the table.
        gate: How many queries run at once.
        cache: Counts of whole files.
        seconds: The time limit of a query.
        sql_bytes: What a statement of SQL takes before it spills to the disk.
    """

    def __init__(
        self,
        tier: TierStore,
        *,
        seconds: float = TIME_LIMIT,
        memory: MemoryShares | None = None,
        queries: Counter | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            tier: The hot tier.
            seconds: The time limit of a query.
            memory: How much it may take; None is the defaults.
            queries: Counts queries by their outcome.
        """
        self._queries = queries
        self._tier = tier
        self.snapshots = Snapshots(tier)
        self.gate = QueryGate(most_waiting=_MOST_WAITING)
        memory = memory or MemoryShares()
        self.cache = FileCache(memory.cache)
        self.sql_bytes = memory.sql
        self.seconds = seconds
        # threads of their own, so that queries that wait keep no other call waiting
        self._threads = anyio.CapacityLimiter(2 * (self.gate.places + _MOST_WAITING))

    async def run(self, request: Request | None, work: Callable[[Snapshot, StopSignal], _T]) -> _T:
        """Run a query over the newest version of the table, and end it where its client leaves.

        Args:
            request: The call; None where whoever calls cancels the task as soon as nobody waits for the answer.
            work: The query.

        Raises:
            ApiError: 404, there are no events yet.
            RekindleError: what the query raises; TimeLimitError, it took too long; BusyError, too many wait.
        """
        stop = StopSignal(self.seconds)

        def run_in_turn(snapshot: Snapshot) -> _T:
            with self.gate.turn(stop):
                return work(snapshot, stop)

        with self._counted("done"):
            async with ended_when_left(request, stop):
                return await self._on_thread(partial(self._with_snapshot, run_in_turn))

    async def stream(self, request: Request, work: Callable[[Snapshot, StopSignal], Parts]) -> Stream:
        """Begin an answer that comes in parts, and return them; errors before the first are raised here.

        Each part has a turn of its own and the whole time limit. An error later on ends the stream by that error, so
        that the connection breaks off and nobody takes it for whole.
        """
        stop = StopSignal(self.seconds)

        def begin(snapshot: Snapshot) -> tuple[Parts, list[bytes]]:
            parts = self.gate.turns(work(snapshot, stop), stop)
            return parts, list(islice(parts, _FIRST_PARTS))

        with self._counted(None):
            async with ended_when_left(request, stop):
                parts, first = await self._on_thread(partial(self._with_snapshot, begin))
        return self._rest(first, parts, stop)

    async def _rest(self, first: list[bytes], parts: Parts, stop: StopSignal) -> Stream:
        try:
            with self._counted("done"):
                for part in filter(None, first):
                    yield part
                while (part := await self._on_thread(partial(next, parts, None))) is not None:
                    if part:
                        yield part
        except RekindleError as error:
            log(f"a stream was broken off: {error}", level=logging.ERROR)
            raise
        finally:
            stop.cancel()
            with suppress(ValueError):  # a thread is at it, which the signal ends
                parts.close()

    @contextmanager
    def _counted(self, done: str | None) -> Iterator[None]:
        """Count how a query ends: `done`, None where it goes on, or by its error."""
        outcome: str | None = "canceled"
        try:
            yield
            outcome = done
        except Exception as error:
            outcome = next((name for kind, name in _OUTCOMES.items() if isinstance(error, kind)), "failed")
            raise
        finally:
            if self._queries is not None and outcome is not None:
                self._queries.labels(outcome).inc()

    async def _on_thread(self, work: Callable[[], _T]) -> _T:
        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)

    def _with_snapshot(self, work: Callable[[Snapshot], _T]) -> _T:
        """Run a query; over a newer version where a file of its own was removed meanwhile."""
        try:
            return work(self._newest())
        except GoneError:
            return work(self.snapshots.refresh())

    def _newest(self) -> Snapshot:
        try:
            return self.snapshots.newest()
        except TierError:
            if location.exists(self._tier):
                raise
            text = "the hot tier has no events yet: POST /ingest, or `rekindle backfill`, brings some"
            raise ApiError(HTTPStatus.NOT_FOUND, text) from None


@asynccontextmanager
async def ended_when_left(request: Request | None, stop: StopSignal) -> AsyncIterator[None]:
    """Cancel a query where its client leaves, or the block is left by an error or a cancel."""
    watching = None if request is None else asyncio.create_task(_cancel_when_left(request, stop))
    try:
        yield
    except BaseException:
        stop.cancel()
        raise
    finally:
        if watching is not None:
            watching.cancel()


async def _cancel_when_left(request: Request, stop: StopSignal) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(_LOOK_SECONDS)
    stop.cancel()
