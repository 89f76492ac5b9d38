"""Many processes publish overlapping waves to one hot tier at once, some are killed: every event is there once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.conftest import S3
from tests.transforms.hot_tier.rival import ROWS
from tests.transforms.hot_tier.samples import expected_ids, ids
from transforms.hot_tier.ledger.ledger import Ledger
from transforms.hot_tier.table.snapshot import Snapshot
from transforms.storage import StorageOptions, TierStore, open_tier

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
KEYS = [f"logs/{number:02}" for number in range(16)]
Waves = list[list[tuple[str, str]]]


@pytest.fixture(params=["local", "s3"])
def vacant(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[TierStore, StorageOptions]:
    """A place for a tier, and how other processes reach it."""
    if request.param == "local":
        return open_tier(str(tmp_path / "hot"), StorageOptions()), StorageOptions()
    s3: S3 = request.getfixturevalue("s3")
    return open_tier(f"s3://{s3.bucket}/hot", s3.options), s3.options


def overlapping(seed: int, *, waves: int, size: int) -> Waves:
    """Return waves of random objects; those of one job have no object in common, those of two have many."""
    keys = random.Random(seed).sample(KEYS, waves * size)
    return [[(key, "1") for key in keys[number * size : (number + 1) * size]] for number in range(waves)]


@contextmanager
def rivals(
    tier: TierStore, options: StorageOptions, jobs: Sequence[tuple[str, Waves]]
) -> Iterator[list[subprocess.Popen[str]]]:
    """Start a process for each job, all at the same moment, and leave none behind."""
    processes = [_start(tier, options, job, waves) for job, waves in jobs]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            _go(process)
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _start(tier: TierStore, options: StorageOptions, job: str, waves: Waves) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "tests.transforms.hot_tier.rival",
        tier.uri,
        json.dumps(asdict(options)),
        job,
        json.dumps(waves),
    ]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _check(tier: TierStore, keys: Sequence[str]) -> None:
    assert ids(tier) == expected_ids(keys, rows=ROWS)
    ledger = Ledger.load(tier, Snapshot.load(tier))
    assert all(len(ledger.published("bucket", key)) == 1 for key in keys)
    assert sum(file.rows for file in Snapshot.load(tier).files.values()) == len(keys) * ROWS
    assert any("folded" in file.path for file in tier.list("_rekindle/ledger/"))
    assert len(list(tier.list("_rekindle/ledger/"))) < ledger.k


def test_overlapping_jobs_and_two_launchers_of_one(vacant: tuple[TierStore, StorageOptions]) -> None:
    """The tier does not exist yet: they make it together, too."""
    tier, options = vacant
    jobs = [(f"job-{number}", overlapping(number, waves=3, size=5)) for number in range(4)]
    with rivals(tier, options, [*jobs, *jobs[:2]]) as processes:
        assert [process.wait(timeout=60) for process in processes] == [0] * 6
    _check(tier, sorted({key for _, waves in jobs for wave in waves for key, _ in wave}))


def test_rivals_that_replace(vacant: tuple[TierStore, StorageOptions]) -> None:
    """Each object ends with exactly one content, whole, whoever was last."""
    tier, options = vacant
    jobs = [
        (f"job-{number}", [[(key, str(number)) for key in KEYS[:6]], [(key, str(number)) for key in KEYS[6:12]]])
        for number in range(4)
    ]
    with rivals(tier, options, jobs) as processes:
        assert [process.wait(timeout=60) for process in processes] == [0] * 4
    ledger = Ledger.load(tier, Snapshot.load(tier))
    expected: list[str] = []
    for key in KEYS[:12]:
        (content,) = ledger.published("bucket", key)
        expected += expected_ids([key], rows=ROWS, content=content.etag)
    assert ids(tier) == sorted(expected)


def test_killed_at_random_and_started_again(tmp_path: Path) -> None:
    """All are killed at some moment and started again as the same jobs, until they are through."""
    tier, options = open_tier(str(tmp_path / "hot"), StorageOptions()), StorageOptions()
    chance = random.Random(7)
    jobs = [(f"job-{number}", overlapping(number, waves=5, size=3)) for number in range(3)]
    for _ in range(6):
        with rivals(tier, options, jobs) as processes:
            with suppress(subprocess.TimeoutExpired):
                processes[0].wait(timeout=chance.uniform(0.05, 0.4))
            for process in processes:
                process.kill()
    with rivals(tier, options, jobs) as processes:
        assert [process.wait(timeout=60) for process in processes] == [0] * 3
    _check(tier, sorted({key for _, waves in jobs for wave in waves for key, _ in wave}))
