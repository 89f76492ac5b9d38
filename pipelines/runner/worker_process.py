"""A worker process of a job: Beam's external worker pool, whose workers are threads of this process.

    python -m pipelines.runner.worker_process unix:/tmp/rekindle-…/0

It is ready when it has written a line to standard output, and ends with its launcher, however that ends: their pipe is
its standard input. Signals are the launcher's alone, which ends its workers at a safe point.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import signal
import sys
from pathlib import Path


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def main(address: str) -> None:
    """Start workers for whoever asks at this address, until standard input ends."""
    _ignore_signals()
    logging.basicConfig(level=logging.ERROR)  # as the command line does
    import grpc
    from apache_beam.portability.api import beam_fn_api_pb2_grpc
    from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
    from apache_beam.utils import thread_pool_executor

    from pipelines.runner.errors import silence_beam_logging

    importlib.import_module("pipelines.graphs")  # before the first pipeline needs it
    silence_beam_logging()
    server = grpc.server(thread_pool_executor.shared_unbounded_instance())
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(BeamFnExternalWorkerPoolServicer(), server)
    server.add_insecure_port(address)
    server.start()
    os.write(1, b"ready\n")
    os.dup2(2, 1)  # standard output is the launcher's answer
    sys.stdin.buffer.read()
    shutil.rmtree(Path(address.removeprefix("unix:")).parent, ignore_errors=True)  # a killed launcher does not
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
