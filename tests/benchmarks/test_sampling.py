"""What a sampled stack stands for, and the tables that are made of samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.sampling import StepSampler, step_of
from benchmarks.step_profile import JobProfile, tables


@pytest.mark.parametrize(
    ("files", "step"),
    [
        (["polars/frame.py", "transforms/timestamps/reading.py", "apache_beam/worker.py"], "times"),
        (["transforms/timestamps/casting.py", "transforms/processors/timestamp.py"], "times"),
        (["pyarrow/core.py", "transforms/hot_tier/data/data_file.py"], "Parquet"),
        (["transforms/hot_tier/data/buffer.py"], "lay out"),
        (["transforms/formats/lines.py"], "frame"),
        (["transforms/formats/csv/csv_format.py"], "parse"),
        (["threading.py", "/site-packages/apache_beam/runners/sdk_worker.py"], "Beam"),
        (["<frozen importlib._bootstrap>", "/site-packages/apache_beam/__init__.py"], "imports"),
        (["pipelines/jobs/job.py"], "launcher"),
        ([], "launcher"),
    ],
)
def test_the_innermost_known_file_names_the_step(files: list[str], step: str) -> None:
    assert step_of([(file, "function") for file in files]) == step


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted by Linux")
def test_a_sampler_finds_the_time_that_this_process_takes() -> None:
    sampler = StepSampler(2)
    sampler.start()
    sum(range(1_000_000))
    sampler.stop()
    assert sum(sampler.cpu.values()) > 0
    assert sampler.seconds > 0


def test_tables_have_a_row_for_each_step_and_cause() -> None:
    profile = JobProfile(
        label="access",
        mib=100.0,
        cores=2,
        seconds=1.0,
        cpu={"parse": 1.0, "Beam": 0.5},
        idle={"imports": 0.5},
        peak_mib=512.0,
    )
    text = list(tables([profile]))
    assert "| parse | 10.00 |" in text
    assert "| all | 15.00 |" in text
    assert "| imports | 0.50 |" in text
    assert "| CPU ÷ cores ÷ wall | 0.75 |" in text
