"""Run a process to its end, and measure its wall seconds and the peak memory of all its processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.05


def measure(command: Sequence[str], environment: dict[str, str]) -> tuple[dict[str, Any], float, float]:
    """Run a command to its end; return the JSON document it prints, its wall seconds, and its peak memory in MiB.

    Raises:
        RuntimeError: The command failed; with what it said.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=os.environ | environment,
            start_new_session=True,
        )
        with sampled_memory(lambda: resident_mib(process.pid)) as sampled:
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (out, err):
            stream.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {err.read().decode()[-2000:]}")
        largest = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
        return json.loads(out.read()), seconds, max(largest, sampled[0])


@contextmanager
def sampled_memory(measured: Callable[[], float]) -> Iterator[list[float]]:
    """Sample an amount of memory in MiB; the list's one element is the peak."""
    peak, done = [0.0], threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], measured())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 where it has ended, or there is no /proc."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def resident_mib(session: int) -> float:
    """Return the resident memory of all processes of a session in MiB; 0 where there is no /proc."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # after the name: state, parent, group, session, …
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                pages += int((folder / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
