"""The runners, started once for all tests of a process.

A test whose runner this machine can't have is skipped, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from tests.runners import tools
from tests.runners.flink_cluster import FlinkCluster
from tests.runners.processes import Server
from tests.runners.servers import FlinkJobServer, Prism, SparkJobServer, WorkerPool

T = TypeVar("T", bound=Server)
R = TypeVar("R")


def or_skip(get: Callable[[], R], *, is_optional: bool = False) -> R:
    """Return what takes a tool; skip the test where that is not to be had.

    With `REKINDLE_RUNNERS=required` that is an error, unless the tool is optional: a registry that a machine does not
    reach, Debian's say, must not stop the tests of everything else.
    """
    try:
        return get()
    except tools.ToolMissing as missing:
        if tools.is_required() and not is_optional:
            raise
        pytest.skip(str(missing))


@contextmanager
def started(server: T) -> Iterator[T]:
    """Run a server; skip the test where there is none."""
    or_skip(server.__enter__)
    try:
        yield server
    finally:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def flink() -> Iterator[FlinkJobServer]:
    """Flink inside a job server."""
    with started(FlinkJobServer()) as server:
        yield server


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkJobServer]:
    """Spark inside a job server."""
    with started(SparkJobServer()) as server:
        yield server


@pytest.fixture(scope="session")
def prism() -> Iterator[Prism]:
    """Beam's runner in Go."""
    with started(Prism()) as server:
        yield server


@pytest.fixture
def flink_cluster() -> Iterator[FlinkCluster]:
    """A Flink of the test's own, which it may break."""
    with started(FlinkCluster()) as server:
        yield server


@pytest.fixture
def worker_pool() -> Iterator[WorkerPool]:
    """Where Python workers are started that are not the test's process."""
    with started(WorkerPool()) as server:
        yield server
