"""`rekindle` in processes of its own that start at once, because Beam and the others are imported once for all of them.

They are forked from a server that has run none of what it imported; so each is what a new process is, and can be killed
like one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipelines.cli import main as cli
from tests.pipelines.conftest import Ended

_SERVER = multiprocessing.get_context("forkserver")
_COMMANDS = (
    "cli.commands.backfill",
    "cli.commands.maintenance.compact",
    "cli.commands.maintenance.delete",
    "cli.commands.maintenance.restore",
    "cli.commands.maintenance.tier",
    "jobs.job",
    "maintenance.compact",
    "maintenance.delete",
    "maintenance.restore",
    "maintenance.tier",
)
_SERVER.set_forkserver_preload([__name__, *(f"pipelines.{name}" for name in _COMMANDS), "transforms.rewrite_files"])
SECONDS = 120.0


@dataclass(frozen=True)
class Started:
    """A process, and where it writes what it says."""

    process: BaseProcess
    out: Path
    err: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def is_over(self) -> bool:
        return self.process.exitcode is not None

    def kill(self) -> None:
        """End it as the operating system does, and wait until it is gone."""
        self.process.kill()
        self.process.join(SECONDS)

    def wait(self) -> Ended:
        """Wait for its end; a signal's number is its code, less than nothing."""
        self.process.join(SECONDS)
        if self.process.exitcode is None:
            self.kill()
            raise TimeoutError(self.err.read_text())
        return Ended(self.process.exitcode, self.out.read_text(), self.err.read_text())


def start(folder: Path, *argv: object) -> Started:
    """Start `rekindle ARGV`; what it says goes to files in a folder."""
    number = len(list(folder.glob("*.out")))
    started = folder / f"{number}.out", folder / f"{number}.err"
    for path in started:
        path.touch()
    environment = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "REKINDLE_"))}
    process = _SERVER.Process(
        target=_run, args=([str(arg) for arg in argv], *map(str, started), environment), daemon=True
    )
    process.start()
    return Started(process, *started)


def was_killed(ended: Ended) -> bool:
    return ended.code == -signal.SIGKILL


def _run(argv: list[str], out: str, err: str, environment: dict[str, str]) -> None:
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY), number)
    for name in [name for name in os.environ if name.startswith(("AWS_", "REKINDLE_"))]:
        del os.environ[name]
    os.environ.update(environment)
    code = cli.run(argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
