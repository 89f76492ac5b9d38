"""What a wave of a watch costs as waves go on: CPU, memory, files (decision 30).

python -m benchmarks.watch [WAVES]    one tiny file arrives for each listing, once a second
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from pipelines.jobs.job import run_job
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import check_specification
from pipelines.liveness import run_periodically
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, open_tier

_BLOCK = 50


class Arriving:
    """Writes a file a second, and prints what the last waves have cost."""

    def __init__(self, source: Path, tier: str, waves: int) -> None:
        """Begin with nothing."""
        self._source, self._waves = source, waves
        self._tier = open_tier(tier, StorageOptions())
        self._written = self._version = 0
        self._before = (0.0, 0.0)

    def step(self) -> None:
        """Write the next file, and report each block of waves."""
        snapshot = Snapshot.find(self._tier)
        done = 0 if snapshot is None else snapshot.rows
        if done < self._written:
            return
        if done and done % _BLOCK == 0 and snapshot is not None:
            self._report(done, snapshot)
        if done >= self._waves:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        number = self._written
        line = f"2025-01-01 {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d} event {number}\n"
        path = self._source / f"{number}.log"
        path.with_suffix(".tmp").write_text(line)
        path.with_suffix(".tmp").rename(path)
        self._written += 1

    def _report(self, done: int, snapshot: Snapshot) -> None:
        cpu, at = time.process_time(), time.monotonic()
        spent = [(now - before) * 1000 / _BLOCK for now, before in zip((cpu, at), self._before, strict=True)]
        self._before = (cpu, at)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20
        stored = sum(1 for _ in self._tier.list("_rekindle/")), sum(1 for _ in self._tier.list("events/_delta_log/"))
        sys.stdout.write(
            f"{done:6} waves: {spent[0]:6.0f} ms of CPU a wave, {resident:5} MiB resident, {len(snapshot.files):3} live "
            f"files, version {snapshot.version}, {stored[0]} files of ours, {stored[1]} of the log, "
            f"{threading.active_count()} threads\n"
        )
        sys.stdout.flush()


def _warn(error: Exception) -> None:
    sys.stderr.write(f"{error!r}\n")


def main(waves: int) -> None:
    """Watch a folder until so many waves are published."""
    with tempfile.TemporaryDirectory() as scratch:
        source, tier = Path(scratch) / "source", f"{scratch}/hot"
        source.mkdir()
        job = {"bucket": f"file://{source}", "pattern": "*.log", "watch": {"every": "1s", "maxWait": "1s"}}
        arriving = Arriving(source, tier, waves)
        with run_periodically(arriving.step, _warn, seconds=0.2):
            run_job(check_specification(job), RunSettings(hot_tier=tier))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
