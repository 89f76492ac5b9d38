"""Worker processes of a job, each with threads of its own: one interpreter's lock is full at some ten threads.

They are Beam's external worker pools (`pipelines.runner.worker_process`), started once a job and not once a pipeline.
Launcher and workers speak by sockets in a folder that only the user may enter: what Beam's local runner serves by
itself answers on every interface, and hands out files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, endpoints_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner, worker_handlers
from apache_beam.runners.portability.fn_api_runner.worker_handlers import ControlConnection, GrpcWorkerHandler
from apache_beam.runners.worker.channel_factory import GRPCChannelFactory
from apache_beam.transforms.environments import Environment, python_sdk_capabilities

from pipelines.runner.errors import RunnerError

_URN = "rekindle:env:worker_processes:v1"
_LOST = "a worker process ended"
_CONNECT_SECONDS = 60.0
_END_SECONDS = 10.0
_LONGEST_SOCKET = 80
"""A socket's path has at most some 100 bytes (`sun_path`), our names in the folder take up to twenty."""
_sockets: ContextVar[Iterator[str] | None] = ContextVar("sockets", default=None)


class WorkerProcesses:
    """Processes that run the workers of pipelines, by threads.

    Attributes:
        losses: How each process ended that was replaced.
    """

    def __init__(self, number: int) -> None:
        """Start them; they take some two seconds to be ready, which other work may fill."""
        folder = tempfile.gettempdir()
        short = len(os.fsencode(folder)) <= _LONGEST_SOCKET
        self._folder = Path(tempfile.mkdtemp(prefix="rekindle-", dir=folder if short else "/tmp"))
        self._numbers = count()
        self.losses: list[str] = []
        self._lock = threading.Lock()
        self._processes = [self._start() for _ in range(number)]

    def runner(self) -> FnApiRunner:
        """Return a runner of a pipeline in these processes, when they are ready.

        Raises:
            RunnerError: one did not start.
        """
        with self._lock:
            for process in self._processes:
                process.wait_until_ready()
            addresses = [process.address for process in self._processes]
        return _ProcessRunner(addresses, (f"unix:{self._folder}/launcher-{number}" for number in self._numbers))

    def replace_lost(self, *, patience: float = 0.0) -> None:
        """Start processes for those that have ended; `losses` has how they did.

        Args:
            patience: How many seconds to wait for the end of each: its connections are lost a little earlier.
        """
        with self._lock:
            ends = [process.wait_for_end(patience) for process in self._processes]
            self._processes = [
                one if end is None else self._start() for one, end in zip(self._processes, ends, strict=True)
            ]
            self.losses += [end for end in ends if end is not None]

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> _Process:
        return _Process(f"unix:{self._folder}/{next(self._numbers)}")


class _Process:
    def __init__(self, address: str) -> None:
        self.address = address
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.runner.worker_process", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        )
        self._is_ready = False

    def wait_for_end(self, seconds: float) -> str | None:
        """Return how the process ended; None where it runs on."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"worker process {self._process.pid} {how}"

    def wait_until_ready(self) -> None:
        if self._is_ready:
            return
        assert self._process.stdout is not None
        self._is_ready = bool(self._process.stdout.readline())
        self._process.stdout.close()
        if not self._is_ready:
            self.close()
            raise RunnerError(f"{self.wait_for_end(_END_SECONDS)} before it was ready")

    def close(self) -> None:
        process = self._process
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _ProcessRunner(FnApiRunner):
    """Beam's local runner, with workers in processes, to which it listens at sockets."""

    def __init__(self, addresses: Sequence[str], sockets: Iterator[str]) -> None:
        super().__init__(default_environment=_ProcessEnvironment(addresses, python_sdk_capabilities()))
        self._sockets = sockets

    def run_stages(self, *arguments: Any, **named: Any) -> Any:  # as in FnApiRunner
        worker_handlers.grpc = SimpleNamespace(server=_serve)
        with _listening_at(self._sockets):
            return super().run_stages(*arguments, **named)


@contextmanager
def _listening_at(sockets: Iterator[str]) -> Iterator[None]:
    token = _sockets.set(sockets)
    try:
        yield
    finally:
        _sockets.reset(token)


def _serve(pool: Any, options: Sequence[tuple[str, Any]]) -> grpc.Server:
    """Return a server for Beam's `GrpcServer`, which has it listen on a free port of every interface.

    Of a pipeline in worker processes it listens at a socket instead, and its "port" is that socket's address.
    """
    server, sockets = grpc.server(pool, options=options), _sockets.get()
    if sockets is not None:
        address, add_port = next(sockets), server.add_insecure_port

        def add_insecure_port(_: str) -> str:
            add_port(address)
            return address

        server.add_insecure_port = add_insecure_port
    return server


@Environment.register_urn(_URN, bytes)
class _ProcessEnvironment(Environment):
    """Where a pipeline's workers run, for Beam: at which addresses worker processes take requests."""

    def __init__(self, addresses: Sequence[str], *of_beam: Any) -> None:
        super().__init__(*of_beam)
        self._addresses = tuple(addresses)

    def to_runner_api_parameter(self, context: Any) -> tuple[str, bytes]:
        del context
        return _URN, "\n".join(self._addresses).encode()

    @staticmethod
    def from_runner_api_parameter(payload: bytes, *of_beam: Any) -> _ProcessEnvironment:
        return _ProcessEnvironment(payload.decode().splitlines(), *of_beam[:-1])


@worker_handlers.WorkerHandler.register_environment(_URN, bytes)
class _ProcessWorkerHandler(GrpcWorkerHandler):
    """A worker, for Beam: a thread of one of the processes, taken in turns."""

    _turns = count()

    def __init__(self, payload: bytes, state: Any, provision_info: Any, server: Any) -> None:
        super().__init__(state, provision_info, server)
        addresses = payload.decode().splitlines()
        self._process = addresses[next(self._turns) % len(addresses)]
        self.control_conn = _Connection()
        connections: dict[str, ControlConnection] = server.control_handler._connections_by_worker_id
        connections[self.worker_id] = self.control_conn

    def start_worker(self) -> None:
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        request = beam_fn_api_pb2.StartWorkerRequest(worker_id=self.worker_id, control_endpoint=control)
        with GRPCChannelFactory.insecure_channel(self._process) as channel:
            response = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel).StartWorker(request)
        if response.error or not self.control_conn.connected.wait(_CONNECT_SECONDS):
            raise RunnerError(f"a worker did not start: {response.error or 'it does not answer'}")

    def stop_worker(self) -> None:
        """Do nothing: a worker ends with its connection."""

    def port_from_worker(self, port: str) -> str:
        return port


class _Connection(ControlConnection):
    """The connection to a worker, which fails what it was asked when it is lost; Beam's own would wait for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.connected = threading.Event()
        self._is_lost = False

    def set_input(self, responses: Any) -> None:
        super().set_input(responses)
        self.connected.set()

    def push(self, request: Any) -> Any:
        future = super().push(request)
        if self._is_lost:
            self._fail()
        return future

    def _read(self) -> None:
        with suppress(Exception):  # gRPC has none of its own for a stream that breaks
            super()._read()
        self._is_lost = True
        self._fail()

    def _fail(self) -> None:
        for name in list(self._futures_by_id):
            future = self._futures_by_id.pop(name, None)
            if future is not None:
                future.set(beam_fn_api_pb2.InstructionResponse(instruction_id=name, error=_LOST))
