"""A function that calls back with each chunk of its output, as an iterator of the chunks."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future


class _StoppedError(Exception):
    """Nobody waits for further chunks."""


def iterate_callbacks(run: Callable[[Callable[[bytes], None]], None]) -> Iterator[bytes]:
    """Iterate over the chunks that a function passes to a callback.

    The function runs in a thread, but only while its next chunk is waited for: it and the caller never run at once.

    Args:
        run: Takes the function to call with each chunk.

    Raises:
        Exception: What the function raised, after its chunks.
    """
    thread = _CallbackThread(run)
    atexit.register(thread.stop)  # the interpreter must not end under a thread that is inside a library
    try:
        while (chunk := thread.next_chunk()) is not None:
            yield chunk
        thread.outcome.result()
    finally:
        atexit.unregister(thread.stop)
        thread.stop()


class _CallbackThread:
    """The thread of a function that calls back, held until its next chunk is asked for."""

    def __init__(self, run: Callable[[Callable[[bytes], None]], None]) -> None:
        self.outcome: Future[None] = Future()
        self._chunk: bytes | None = None
        self._stopped = False
        self._asked, self._answered = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work, args=(run,), daemon=True)
        self._thread.start()

    def next_chunk(self) -> bytes | None:
        """Let the thread work until it has a chunk, None if it has ended."""
        self._asked.release()
        self._answered.acquire()
        chunk, self._chunk = self._chunk, None
        return chunk

    def stop(self) -> None:
        """Let the thread end, and wait until it has."""
        self._stopped = True
        self._asked.release()
        self._thread.join()

    def _work(self, run: Callable[[Callable[[bytes], None]], None]) -> None:
        try:
            self._wait()
            run(self._write)
        except BaseException as error:  # noqa: BLE001 - raised where the chunks are asked for
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(None)
        self._answered.release()

    def _write(self, chunk: bytes) -> None:
        if self._stopped:
            raise _StoppedError
        self._chunk = chunk
        self._answered.release()
        self._wait()

    def _wait(self) -> None:
        self._asked.acquire()
        if self._stopped:
            raise _StoppedError
