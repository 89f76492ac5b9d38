"""`python -m pipelines.backfill` and its kin: they end with their exit code, whatever threads are left."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pipelines.conftest import ROOT

ENTRIES = ("backfill", "compact", "delete", "promote", "restore", "tier")
ABORTED_AT_EXIT = """
import atexit, os, runpy, sys
from types import SimpleNamespace
import pipelines.cli.main

atexit.register(os.abort)  # as a native library's thread may
pipelines.cli.main.run = lambda argv: print(*argv) or 3
sys.modules["pipelines.jobs.job"] = SimpleNamespace(
    run_job=lambda job, settings: print("backfill", job.bucket) or SimpleNamespace(exit_code=3)
)
runpy.run_module(f"pipelines.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_ends_without_taking_threads_down(name: str) -> None:
    flags = ["--bucket", "logs"] if name == "backfill" else ["logs"]
    command = [sys.executable, "-c", ABORTED_AT_EXIT, name, *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, f"{name} logs\n"), done.stderr
