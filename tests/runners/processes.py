"""Servers as processes: each in a group of its own with its children, awaited.

And ended by that group's number, whatever happens.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType

import grpc

from demo.embedded_s3 import HOST

ROOT = Path(__file__).parents[2]
_GUARD = Path(__file__).with_name("guard.py")
_POLL_SECONDS = 0.1
_STOP_SECONDS = 15.0
_TOLD = 30  # lines of a log
START_SECONDS = 120.0
_ATTEMPTS = 3
_TAKEN = ("address already in use", "bindexception", "failed to bind")


class ServerProcess:
    """A running server.

    Attributes:
        log: The file that it writes its output to.
    """

    def __init__(self, command: Sequence[object], log: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as file:
            self._guard = subprocess.Popen(
                [sys.executable, "-E", "-S", str(_GUARD), *map(str, command)],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_over(self) -> bool:
        return self._guard.poll() is not None

    def members(self) -> dict[int, str]:
        """Return the command lines of the server and its children, by process id (of Linux alone)."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self._guard.pid:
                try:
                    group = os.getpgid(int(entry.name))
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:  # gone meanwhile
                    continue
                if group == self._guard.pid and command:  # one without has ended, and waits to be noticed
                    found[int(entry.name)] = command
        return found

    def await_answer(self, answers: Callable[[], bool], seconds: float) -> None:
        """Wait until the server answers.

        Raises:
            RuntimeError: it ended, or takes too long; with the end of its log. It is stopped then.
        """
        deadline = time.monotonic() + seconds
        while not self.is_over and time.monotonic() < deadline:
            if answers():
                return
            time.sleep(_POLL_SECONDS)
        state = "ended" if self.is_over else f"does not answer after {seconds:.0f} s"
        self.stop()
        raise RuntimeError(f"the server {state}; the end of {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TOLD:])

    def kill(self) -> None:
        """End the server and its children at once, as a crash of the machine does."""
        if not self.is_over:  # the guard is there, so the group's number is ours
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._guard.wait()
        deadline = time.monotonic() + _STOP_SECONDS
        while self.members() and time.monotonic() < deadline:  # their end was ordered, and takes a moment
            time.sleep(_POLL_SECONDS / 10)
        if self._guard.stdin:
            self._guard.stdin.close()

    def stop(self) -> None:
        """Ask it to end; see to it that all of it has."""
        if not self.is_over:
            os.killpg(self._guard.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._guard.wait(_STOP_SECONDS)
        self.kill()


class Server(ABC):
    """A server that runs inside its context.

    Attributes:
        folder: Where its logs and files are, until it is stopped.
        process: The server.
    """

    folder: Path
    process: ServerProcess

    def __enter__(self) -> Server:
        """Start it, and return when it answers.

        Raises:
            ToolMissing: this machine does not have it, and can't have it.
            RuntimeError: it does not come up; with the end of its log.
        """
        self.folder = Path(tempfile.mkdtemp(prefix=f"rekindle-{type(self).__name__.lower()}-"))
        try:
            for attempt in range(_ATTEMPTS):
                try:
                    self.start()
                    break
                except RuntimeError as error:
                    self.stop()
                    if attempt == _ATTEMPTS - 1 or not any(word in str(error).lower() for word in _TAKEN):
                        raise  # else another program took the free port first
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def start(self) -> None:
        """Start it and wait until it answers."""

    def stop(self) -> None:
        """Stop what has been started."""
        if hasattr(self, "process"):
            self.process.stop()

    @property
    @abstractmethod
    def beam_flags(self) -> list[str]:
        """The flags of Beam by which a pipeline makes use of it."""


def serves_http(port: int, path: str, accepts: Callable[[bytes], bool] = lambda body: True) -> bool:
    """Return whether a server answers a request with 200 and a body that is accepted."""
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status == 200 and accepts(response.read())
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def serves_grpc(port: int) -> bool:
    """Return whether a gRPC server answers."""
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1)
        except grpc.FutureTimeoutError:
            return False
        return True
