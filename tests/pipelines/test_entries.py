"""`python -m pipelines.backfill` and its kin: they end with their exit code, whatever threads are left."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines import backfill
from pipelines.cli.main import report_errors
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


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--wave_bytes", "abc", "--bucket", "logs"], "Error: --wave-bytes: 'abc' is not a size"),
        (["--max_objects", "none", "--bucket", "logs"], "Error: Invalid value for '--max-objects'"),
        ([], "Error: bucket: is required: "),
        (["--bucket", "logs", "--patern", "x"], "Error: Beam has no flag --patern"),
    ],
    ids=["size", "number", "nothing", "unknown"],
)
def test_a_wrong_flag_is_one_line(capfd: pytest.CaptureFixture[str], flags: list[str], line: str) -> None:
    assert report_errors(lambda: backfill.run(flags)) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), err.startswith(line)) == ("", 1, True), err


def test_a_module_with_a_wrong_flag_has_no_traceback() -> None:
    command = [sys.executable, "-m", "pipelines.backfill", "--wave_bytes", "abc", "--bucket", "logs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
