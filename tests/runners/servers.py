"""Real runners for the tests, each a context manager on free ports of the loopback interface.

Flink, Spark, Prism, and Python workers.

`beam_flags` are what a pipeline is started with to run there; in LOOPBACK its Python code runs in the process that
started it. The flags of a `WorkerPool`, put after them, make it run in processes of its own, as on a cluster.
"""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from pathlib import Path

from apache_beam.runners.portability.spark_runner import SPARK_JAR_JOB_SERVER_JVM_ARGS

from demo.embedded_s3 import HOST, free_port
from tests.runners import tools
from tests.runners.processes import ROOT, START_SECONDS, Server, ServerProcess, serves_grpc

_PARALLELISM = 2


def java(heap: str) -> list[str]:
    """Return the start of a Java command: with so much memory at most, and the time in its log."""
    return [tools.program("java"), f"-Xmx{heap}", "-Dorg.slf4j.simpleLogger.showDateTime=true"]


class _JobServer(Server):
    """What takes pipelines by Beam's job API."""

    port: int

    @property
    def beam_flags(self) -> list[str]:
        return ["--runner=PortableRunner", f"--job_endpoint={HOST}:{self.port}", "--environment_type=LOOPBACK"]


class _JavaJobServer(_JobServer):
    def start(self) -> None:
        self.port = free_port()
        ports = [
            f"--job-host={HOST}",
            f"--job-port={self.port}",
            f"--artifact-port={free_port()}",
            f"--expansion-port={free_port()}",
        ]
        self.process = ServerProcess(
            [*self.command(), *ports, f"--artifacts-dir={self.folder / 'artifacts'}"], self.folder / "job-server.log"
        )
        self.process.await_answer(lambda: serves_grpc(self.port), START_SECONDS)

    @abstractmethod
    def command(self) -> list[str]:
        """Return the Java command, with what says where the engine is."""


class FlinkJobServer(_JavaJobServer):
    """A job server that runs each pipeline in a small Flink inside itself, or hands it to a cluster.

    Args:
        master: The address of a Flink's REST interface; `[local]` for one inside the job server.
    """

    def __init__(self, master: str = "[local]") -> None:
        self._master = master

    def command(self) -> list[str]:
        main = ["org.apache.beam.runners.flink.FlinkJobServerDriver", f"--flink-master={self._master}"]
        return [*java("1g"), "-cp", tools.flink(), *main]

    @property
    def beam_flags(self) -> list[str]:
        return [*super().beam_flags, f"--parallelism={_PARALLELISM}"]


class SparkJobServer(_JavaJobServer):
    """A job server that runs each pipeline in a Spark inside itself."""

    def command(self) -> list[str]:
        main = ["org.apache.beam.runners.spark.SparkJobServerDriver", f"--spark-master-url=local[{_PARALLELISM}]"]
        options = ["-Dspark.ui.enabled=false", f"-Dspark.driver.bindAddress={HOST}", f"-Dspark.driver.host={HOST}"]
        return [*java("2g"), *options, *SPARK_JAR_JOB_SERVER_JVM_ARGS, "-cp", tools.spark(), *main]


class Prism(_JobServer):
    """Beam's runner in Go."""

    def start(self) -> None:
        self.port = free_port()
        command = [tools.prism(), f"--job_port={self.port}", "--serve_http=false"]
        self.process = ServerProcess(command, self.folder / "prism.log")
        self.process.await_answer(lambda: serves_grpc(self.port), START_SECONDS)


class WorkerPool(Server):
    """Starts Python workers when a runner asks for them.

    In processes that know nothing of the one that started the pipeline.
    """

    def start(self) -> None:
        self.port = free_port()
        # it starts workers by the name `python`
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self.process = ServerProcess(
            [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={self.port}"],
            self.folder / "workers.log",
            environment={"PATH": path, "PYTHONPATH": str(ROOT)},
        )
        self.process.await_answer(lambda: serves_grpc(self.port), START_SECONDS)

    def workers(self) -> list[int]:
        """Return the process ids of the workers that run now."""
        return sorted(pid for pid, command in self.process.members().items() if "worker_pool_main" not in command)

    @property
    def beam_flags(self) -> list[str]:
        """The flags to put after a runner's own."""
        return ["--environment_type=EXTERNAL", f"--environment_config={HOST}:{self.port}"]
