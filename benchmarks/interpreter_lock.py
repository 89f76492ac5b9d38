"""Sample how long a job's workers hold the interpreter's lock, and where: it bounds how many share a process.

    python -m benchmarks.interpreter_lock DIR [--workers 2]

DIR is a workload of make_workload. Needs py-spy on the PATH (`pip install py-spy`), which reads a process's memory from
outside and doesn't stop it. The job runs twice, the first time for its CPU seconds. Prints one JSON line: CPU seconds of
the whole process, seconds that its workers held the lock in, and the functions that held it longest.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RATE = 500
"""Samples a second."""
_SHOWN = 12
_WORKERS = "(transforms/read_events.py:"
"""What the stack of every worker has that reads, shapes and writes: these are one fused stage."""


def held_functions(samples: str) -> Counter[str]:
    """Return how many samples of workers each function has, by its name and file.

    Args:
        samples: Lines `outer (file:1);function (file:2) N`, py-spy's raw form.
    """
    counts: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, number = line.rpartition(" ")
        if _WORKERS in stack:
            counts[stack.rpartition(";")[2].rpartition(":")[0] + ")"] += int(number)
    return counts


def sample(source: Path, workers: int, folder: Path) -> dict[str, Any]:
    """Run a job over a folder, and return what its workers held the lock for.

    Raises:
        CalledProcessError: py-spy or the job failed.
    """
    job = [sys.executable, "-m", "pipelines.cli", "backfill", "--quiet", "--bucket", f"file://{source.resolve()}"]
    job += ["--workers", str(workers), "--hot-tier"]
    _run([*job, str(folder / "first")])
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    spy = ["py-spy", "record", "--gil", "--nonblocking", "--format", "raw", "--rate", str(RATE)]
    _run([*spy, "--output", str(folder / "samples"), "--", *job, str(folder / "second")])
    counts = held_functions((folder / "samples").read_text(encoding="utf-8"))
    cpu, held = usage.ru_utime + usage.ru_stime, sum(counts.values()) / RATE
    longest = {name: round(number / RATE, 3) for name, number in counts.most_common(_SHOWN)}
    result = {"source": source.name, "cpu_seconds": round(cpu, 2), "held_seconds": round(held, 2)}
    return {**result, "share": round(held / cpu, 3), "longest": longest}


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def main() -> None:
    """Sample a job over a workload, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(sample(arguments.dir, arguments.workers, Path(folder))))


if __name__ == "__main__":
    main()
