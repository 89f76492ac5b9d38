"""Keeps the workers running: starts each again that has ended, and ends them with the service."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

from service.logs import log
from service.settings import ServiceSettings
from service.workers.worker import NO_WATCHES, WATCHING

_POLL_SECONDS = 0.5
_LONGEST_PAUSE = 30.0
_HEALTHY_SECONDS = 10.0
"""A worker that ends sooner is started again after a pause, which doubles each time."""
_END_SECONDS = 10.0
MOST_WATCHES = 16
"""About so many watches run in a service, each in a worker of its own; the others wait for another service."""


class Supervisor:
    """The workers of a service, each a process of its own."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Start nothing yet."""
        self._settings = settings
        self._slots = [_Slot(settings) for _ in range(settings.job_workers)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rekindle-supervisor", daemon=True)

    def start(self) -> None:
        """Start the workers."""
        for slot in self._slots:
            slot.start()
        self._thread.start()

    def wake(self) -> None:
        """Let a worker look into the queue at once."""
        for slot in list(self._slots):
            slot.wake()

    @property
    def running(self) -> int:
        """How many workers run."""
        return sum(slot.is_running for slot in list(self._slots))

    def stop(self) -> None:
        """End the workers; what they have claimed is released, and goes on when a service runs again."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        for slot in self._slots:
            slot.terminate()
        deadline = time.monotonic() + _END_SECONDS
        for slot in self._slots:
            slot.wait(deadline)

    def _watch(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            self._drop_ended_watches()
            for slot in self._slots:
                slot.restart_if_ended()
            self._add_for_watches()

    def _drop_ended_watches(self) -> None:
        """Forget workers whose watch has ended: others run the other jobs."""
        ended = [slot for slot in self._slots if slot.is_watching and not slot.is_running]
        for slot in ended:
            slot.close()
        self._slots = [slot for slot in self._slots if slot not in ended]

    def _add_for_watches(self) -> None:
        """Have as many workers for other jobs as there are without watches."""
        watches = sum(slot.is_watching for slot in self._slots)
        for _ in range(self._settings.job_workers - (len(self._slots) - watches)):
            slot = _Slot(self._settings, watches=watches < MOST_WATCHES)
            slot.start()
            self._slots.append(slot)


class _Slot:
    """One worker, and the next one after it."""

    def __init__(self, settings: ServiceSettings, *, watches: bool = True) -> None:
        command = [sys.executable, "-m", "service.workers.worker", settings.model_dump_json(by_alias=True)]
        self._command = command if watches else [*command, NO_WATCHES]
        self._is_watching = False
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 0.0
        self._again_at = 0.0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_watching(self) -> bool:
        """Whether the worker has claimed a watch."""
        if self._process is not None and self._process.stdout is not None:
            with suppress(OSError, ValueError):  # it has printed nothing, or the pipe is closed
                self._is_watching |= WATCHING.encode() in os.read(self._process.stdout.fileno(), 4096)
        return self._is_watching

    def start(self) -> None:
        # one thread of Polars: the threads of Beam are the workers of a job. A session of its own: Ctrl-C is not for it
        environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1"}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        self._is_watching = False
        self._started = time.monotonic()

    def restart_if_ended(self) -> None:
        if self._process is None or self.is_running:
            return
        if not self._again_at:
            code, ran = self._process.returncode, time.monotonic() - self._started
            self.close()
            self._pause = 0.0 if ran > _HEALTHY_SECONDS else min(_LONGEST_PAUSE, max(1.0, 2 * self._pause))
            self._again_at = time.monotonic() + self._pause
            if code:
                log(f"a worker ended with {code} and is started again", level=logging.WARNING, pid=self._process.pid)
        if time.monotonic() >= self._again_at:
            self._again_at = 0.0
            self.start()

    def wake(self) -> None:
        with suppress(OSError, ValueError):  # it has just ended; or, at work, it has not read many before
            if self._process is not None and self._process.stdin is not None:
                os.write(self._process.stdin.fileno(), b"\n")

    def terminate(self) -> None:
        if self._process is not None and self.is_running:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.close()

    def close(self) -> None:
        """Close what leads to and from a process that has ended."""
        for pipe in (self._process.stdin, self._process.stdout) if self._process is not None else ():
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
