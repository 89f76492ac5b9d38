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
from service.operation.metrics import Metrics
from service.settings import ServiceSettings
from service.workers.counting import WorkCount

_POLL_SECONDS = 0.5
_LONGEST_PAUSE = 30.0
_HEALTHY_SECONDS = 10.0
"""A worker that ends sooner is started again after a pause, which doubles each time."""
_END_SECONDS = 10.0


class Supervisor:
    """The workers of a service, each a process of its own."""

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        """Start nothing yet."""
        self._slots = [_Slot(settings, metrics) for _ in range(settings.job_workers)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rekindle-supervisor", daemon=True)

    def start(self) -> None:
        """Start the workers."""
        for slot in self._slots:
            slot.start()
        self._thread.start()

    def wake(self) -> None:
        """Let a worker look into the queue at once."""
        for slot in self._slots:
            slot.wake()

    @property
    def running(self) -> int:
        """How many workers run."""
        return sum(slot.is_running for slot in self._slots)

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
            for slot in self._slots:
                slot.restart_if_ended()


class _Slot:
    """One worker, and the next one after it."""

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self._metrics = metrics
        self._command = [sys.executable, "-m", "service.workers.worker", settings.model_dump_json(by_alias=True)]
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 0.0
        self._again_at = 0.0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        # one thread of Polars: the threads of Beam are the workers of a job. A session of its own: Ctrl-C is not for it
        environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONSAFEPATH": "1"}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        threading.Thread(target=self._count, args=(self._process,), name="rekindle-counts", daemon=True).start()
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
        self._started = time.monotonic()

    def restart_if_ended(self) -> None:
        if self._process is None or self.is_running:
            return
        if not self._again_at:
            code, ran = self._process.returncode, time.monotonic() - self._started
            self._close_input()
            self._pause = 0.0 if ran > _HEALTHY_SECONDS else min(_LONGEST_PAUSE, max(1.0, 2 * self._pause))
            self._again_at = time.monotonic() + self._pause
            if code:
                self._metrics.worker_crashes.inc()
                log(f"a worker ended with {code} and is started again", level=logging.WARNING, pid=self._process.pid)
        if time.monotonic() >= self._again_at:
            self._again_at = 0.0
            self.start()

    def _count(self, process: subprocess.Popen[bytes]) -> None:
        """Count what a worker tells, until it ends."""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                with suppress(ValueError):  # what a library has printed
                    WorkCount.model_validate_json(line).add_to(self._metrics)

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
        self._close_input()

    def _close_input(self) -> None:
        with suppress(OSError):
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
