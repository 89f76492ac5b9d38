"""An hour of events, at a steady rate: memory stays flat, the tier and the log's folder stay tidy."""

from __future__ import annotations

import os
import statistics
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import THOROUGH
from tests.service.hec.senders import Sender, Senders, batches_of
from tests.service.hec.test_killed import restarted, settle
from tests.service.tier_reading import live_files
from transforms.storage import StorageOptions, open_tier

SECONDS = float(os.environ.get("REKINDLE_HEC_SECONDS", "3600"))
"""How long; a shorter time is for trying."""
SENDERS, BATCH, PAUSE = 8, 25, 0.5
SAMPLE_SECONDS = 2.0
GROWTH_MIB = 48
"""What a process may grow by from the first to the last quarter: allocators keep what they once had."""


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def folder_bytes(folder: Path) -> int:
    """Return what a folder takes; files may go while it is read."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


@pytest.mark.slow
@pytest.mark.skipif(not THOROUGH, reason="takes an hour: make test-thorough")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_memory_is_flat_and_the_tier_tidy(tmp_path: Path) -> None:
    tier = open_tier(str(tmp_path / "hot"), StorageOptions())
    log = tmp_path / "log"
    memory: list[float] = []
    files: list[int] = []
    logged: list[int] = []
    with restarted(tier, log) as made:
        batches = [batches_of(one, events=int(SECONDS / PAUSE) * BATCH, size=BATCH) for one in range(SENDERS)]
        senders = Senders([Sender(made.target, one, PAUSE) for one in batches])
        deadline = time.monotonic() + SECONDS
        with senders:
            while time.monotonic() < deadline:
                threading.Event().wait(SAMPLE_SECONDS)
                assert made.service.process.poll() is None, made.service.log
                memory.append(resident_mib(made.service.process.pid))
                files.append(len(live_files(tier)))
                logged.append(folder_bytes(log))
        found = settle(made, senders)
    quarter = len(memory) // 4
    first, last = statistics.median(memory[quarter : 2 * quarter]), statistics.median(memory[-quarter:])
    answers = statistics.quantiles([took for one in senders.members for took in one.seconds], n=20)
    print(  # noqa: T201 - the figures of the run, shown by -s
        f"{found}, MiB {first:.0f} → {last:.0f} (most {max(memory):.0f}), most files {max(files)}, last {files[-1]}, "
        f"log at most {max(logged) >> 10} KiB, tier {folder_bytes(tmp_path / 'hot') >> 20} MiB, "
        f"answers p50 {answers[9] * 1000:.0f} ms, p95 {answers[18] * 1000:.0f} ms"
    )
    assert (found["doubled"], found["repeated"], dict(senders.refused)) == (0, 0, {})
    assert last - first < GROWTH_MIB
    assert max(files) < 200, "small files are not merged"
    assert max(logged) < 64 << 20, "the log is not dropped when it is in the tier"
