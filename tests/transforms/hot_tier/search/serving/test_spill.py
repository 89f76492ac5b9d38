"""The folder for what a statement spills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from transforms.hot_tier.search.serving.spill import SpillFolder

HOLD = """
from transforms.hot_tier.search.serving.spill import SpillFolder

folder = SpillFolder()
(folder.path / "block").write_bytes(bytes(1000))
print(folder.path, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_killed_process_leaves_a_folder_and_the_next_one_removes_it(base: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(base)},
    ) as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        beside = SpillFolder()
        assert sorted(base.iterdir()) == sorted([held, beside.path])  # its process lives
        process.send_signal(signal.SIGKILL)
    last = SpillFolder()
    assert sorted(base.iterdir()) == sorted([beside.path, last.path])
    beside.remove()
    last.remove()
    assert list(base.iterdir()) == []


def test_a_folder_without_a_lock_is_removed_when_it_is_old(base: Path) -> None:
    young, old, other = base / "rekindle-sql-young", base / "rekindle-sql-old", base / "rekindle-other"
    for path in (young, old, other):
        path.mkdir()
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    SpillFolder().remove()
    assert sorted(base.iterdir()) == sorted([young, other])


def test_the_limit_is_a_share_of_what_is_free(base: Path) -> None:
    folder = SpillFolder()
    statistics = os.statvfs(base)
    free = statistics.f_bavail * statistics.f_frsize
    assert 0 < folder.limit < free * 0.75
    folder.remove()
