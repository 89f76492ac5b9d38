"""A real Flink: a job manager, two task managers and a job server, each a process of its own that can be killed."""

from __future__ import annotations

import json

from demo.embedded_s3 import HOST, free_port
from tests.runners import tools
from tests.runners.processes import START_SECONDS, Server, ServerProcess, serves_http
from tests.runners.servers import FlinkJobServer, java

# What `conf/config.yaml` of Flink 1.19 opens to it, of Java 17 (`env.java.opts.all`).
_OPENED = (
    *(
        f"java.base/{name}"
        for name in ("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text")
    ),
    *(
        f"java.base/{name}"
        for name in ("java.time", "java.util", "java.util.concurrent", "java.util.concurrent.atomic")
    ),
    "java.base/java.util.concurrent.locks",
)
_OPENS = [f"--add-opens={name}=ALL-UNNAMED" for name in _OPENED]
# `bin/taskmanager.sh` works these out of taskmanager.memory.process.size; the class that it starts wants every one.
_MEMORY = {
    "taskmanager.cpu.cores": 1,
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.task.off-heap.size": "128m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.managed.size": "128m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
}
_TASK_MANAGERS = 2


class FlinkCluster(Server):
    """Flink standalone, with one slot in each task manager.

    A job whose task manager is gone starts again on those that are there.
    """

    def start(self) -> None:
        self._managers: list[ServerProcess] = []
        self._started = 0
        self._rest = free_port()
        self._configure()
        self.process = self._flink("job-manager", "entrypoint.StandaloneSessionClusterEntrypoint", "512m")
        self.process.await_answer(lambda: serves_http(self._rest, "/overview"), START_SECONDS)
        for _ in range(_TASK_MANAGERS):
            self._start_one()
        self._await_managers()
        self._server = FlinkJobServer(f"{HOST}:{self._rest}")
        self._server.__enter__()

    def stop(self) -> None:
        """Stop all of it."""
        if hasattr(self, "_server"):
            self._server.__exit__(None, None, None)
        for one in getattr(self, "_managers", []):
            one.stop()
        super().stop()

    @property
    def beam_flags(self) -> list[str]:
        return self._server.beam_flags

    @property
    def rest_url(self) -> str:
        """Flink's REST interface."""
        return f"http://{HOST}:{self._rest}"

    def task_managers(self) -> list[ServerProcess]:
        """Return the task managers that run."""
        return [one for one in self._managers if not one.is_over]

    def kill_task_manager(self) -> None:
        """End one as a crash of its machine does, with no word to anyone."""
        self.task_managers()[0].kill()

    def start_task_manager(self) -> None:
        """Start another one, and wait until the job manager knows it."""
        self._start_one()
        self._await_managers()

    def _start_one(self) -> None:
        self._started += 1
        self._managers.append(self._flink(f"task-manager-{self._started}", "taskexecutor.TaskManagerRunner", "512m"))

    def _await_managers(self) -> None:
        """Wait until as many are registered as run; those that were killed may still be among them."""
        wanted = len(self.task_managers())

        def are_known(body: bytes) -> bool:
            return len(json.loads(body)["taskmanagers"]) >= wanted

        self._managers[-1].await_answer(lambda: serves_http(self._rest, "/taskmanagers", are_known), START_SECONDS)

    def _configure(self) -> None:
        settings = {
            "rest.address": HOST,
            "rest.port": self._rest,
            "rest.bind-address": HOST,
            "jobmanager.rpc.address": HOST,
            "jobmanager.rpc.port": free_port(),
            "jobmanager.bind-host": HOST,
            "jobmanager.memory.process.size": "1g",
            "taskmanager.host": HOST,
            "taskmanager.bind-host": HOST,
            "taskmanager.numberOfTaskSlots": 1,
            **_MEMORY,
            "blob.server.port": 0,
            "io.tmp.dirs": str(self.folder / "tmp"),
            # Beam is on the class path here, and is sent along with each job too
            "classloader.resolve-order": "parent-first",
            "heartbeat.interval": 1000,  # ms
            "heartbeat.timeout": 10_000,
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 5,
            "restart-strategy.fixed-delay.delay": "1 s",
        }
        (self.folder / "tmp").mkdir(exist_ok=True)
        (self.folder / "config.yaml").write_text(
            "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())
        )

    def _flink(self, name: str, main: str, heap: str) -> ServerProcess:
        command = [*java(heap), "-XX:MaxMetaspaceSize=256m", *_OPENS, "-cp", tools.flink()]
        return ServerProcess(
            [*command, f"org.apache.flink.runtime.{main}", "--configDir", self.folder], self.folder / f"{name}.log"
        )
