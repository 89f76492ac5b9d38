"""What went wrong while a pipeline ran, as the product's own errors."""

from __future__ import annotations

import logging
import re
import threading

import grpc
from apache_beam.runners.portability import portable_runner
from apache_beam.runners.worker import sdk_worker

from transforms.core import errors
from transforms.core.errors import AccessError, RekindleError

_RAISED = re.compile(
    r"transforms\.core\.errors\.(?P<name>\w+): (?P<message>.*?)(?: \[while running '|\s*$)", re.MULTILINE
)
_NOTE = re.compile(r" \[while running '.*'\]$")


class RunnerError(RekindleError):
    """The runner failed for no reason of the product's: a worker or a machine was lost, or the cluster refused."""


class NoJobServerError(AccessError, RunnerError):
    """No job server answers; it may come back."""


def translate(error: Exception) -> RekindleError:
    """Return the error that a worker raised.

    Of a worker in this process it comes itself, with Beam's note at its end; of others as the text of a traceback.
    """
    if isinstance(error, RekindleError):
        return type(error)(_NOTE.sub("", str(error)))
    raised = list(_RAISED.finditer(str(error)))
    if raised:
        kind = getattr(errors, raised[-1]["name"], RekindleError)
        if issubclass(kind, RekindleError):
            translated: RekindleError = kind(raised[-1]["message"])
            return translated
    if isinstance(error, grpc.Call):
        return RunnerError(f"the job server closed the connection: {error.code().name}: {error.details()}")
    text = str(error).strip().splitlines()
    return RunnerError(f"the pipeline failed: {text[-1] if text else type(error).__name__}")


def silence_beam_logging() -> None:
    """Leave it to exceptions to report what went wrong, once.

    Beam logs and prints every error of a cluster with its stack on the way, and its threads end with a stack trace
    where the job server, or the runner that they work for (`LOOPBACK`), hangs up: at the end of every pipeline, or
    because it is gone, which is raised too.
    """
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    logging.root.addFilter(_is_not_of_the_cluster)  # by identity, so once
    sdk_worker.print = lambda *_, **__: None
    threading.excepthook = _ignore_lost_connections


def _is_not_of_the_cluster(record: logging.LogRecord) -> bool:
    return bool(record.pathname != portable_runner.__file__)


def _ignore_lost_connections(raised: threading.ExceptHookArgs) -> None:
    if not isinstance(raised.exc_value, grpc.RpcError):
        threading.__excepthook__(raised)
