"""An S3 that comes with the package: moto's server as a process of its own, for the demonstration and the tests.

It speaks real HTTP on a free port of the loopback interface, keeps its objects in memory, takes any credentials, and
forgets everything when it is stopped. It also stops when the process that started it is gone.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from types import TracebackType

HOST = "127.0.0.1"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_STOP_SECONDS = 5.0
_ATTEMPTS = 5


class EmbeddedS3:
    """A context manager: the server runs inside it.

    Attributes:
        endpoint_url: Where it answers, `http://127.0.0.1:PORT`.
    """

    endpoint_url: str

    def __enter__(self) -> EmbeddedS3:
        """Start the server, and return when it answers."""
        reason = ""
        for _ in range(_ATTEMPTS):  # another program may take the free port first
            port = free_port()
            with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
                self._process = _start(port, log.fileno())
                if _answers(self._process, port):
                    self.endpoint_url = f"http://{HOST}:{port}"
                    return self
                self._stop()
                log.seek(0)
                reason = log.read().strip().rpartition("\n")[2]
        raise RuntimeError(
            f"the embedded S3 did not start: {reason or 'it does not answer'}. "
            "Is it installed? pip install 'rekindle[demo]'"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self._stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def serve(port: int) -> None:
    """Run the server in this process until standard input ends, whose other end the process that started it holds."""
    from moto.server import main  # noqa: PLC0415 - takes a second, and only the server's own process needs it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    main(["-H", HOST, "-p", str(port)])


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on, as yet."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _start(port: int, log: int) -> subprocess.Popen[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_")
    }  # a profile it lacks is an error to it
    command = [sys.executable, __file__, str(port)]  # by its path: from another folder the name `demo` is not found
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, env=environment)


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server answers; return False if it ended, or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if _is_up(port):
                return True
        else:
            return False
    return False


def _is_up(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=_STOP_SECONDS)
    try:
        connection.request("GET", "/moto-api/data.json")  # only moto's server has it: not the port of another program
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
