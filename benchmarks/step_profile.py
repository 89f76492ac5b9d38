"""Where a backfill's CPU time goes, step by step, and when and why fewer than all cores work.

    make profile                                       # 256 MiB a workload
    python -m benchmarks.step_profile --mib 1024 --kinds access --files 1

A job runs in a process of its own, whose threads are sampled (benchmarks/sampling.py). All figures hold for a quiet
machine, also where this one is busy. The table goes into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from benchmarks.measuring import measure
from benchmarks.report import put_section
from benchmarks.run import KINDS, WORK, Workload, command_of_rekindle, report
from benchmarks.sampling import NAMES, StepSampler

TITLE = "CPU by step, and idle cores"


@dataclass(frozen=True, kw_only=True)
class JobProfile:
    """What one job took.

    Attributes:
        label: Its workload.
        mib: How much text that is.
        cores: How many there are.
        seconds: How long it takes on a quiet machine.
        cpu: Seconds of CPU by step.
        idle: Seconds of idle cores by cause.
        peak_mib: The peak memory.
    """

    label: str
    mib: float
    cores: int
    seconds: float
    cpu: dict[str, float]
    idle: dict[str, float]
    peak_mib: float

    @property
    def used(self) -> float:
        """Which part of the cores' time is used."""
        return sum(self.cpu.values()) / self.cores / self.seconds


def profile_job(workload: Workload, label: str, flags: Sequence[str] = ()) -> JobProfile:
    """Run a backfill of a workload into a fresh hot tier, and return its profile."""
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        out = Path(folder)
        _, *backfill = command_of_rekindle(workload, ("--bucket", f"file://{workload.folder}"), out / "tier")
        child = [sys.executable, "-m", "benchmarks.step_profile", "--child", str(out / "profile.json")]
        _, _, peak = measure([*child, *backfill, *flags], {})
        found = json.loads((out / "profile.json").read_text(encoding="utf-8"))
        return JobProfile(label=label, mib=workload.mib, cores=os.cpu_count() or 1, peak_mib=peak, **found)


def _run_child(out: Path, argv: list[str]) -> NoReturn:
    """Run a command of `rekindle` in this process, and write what was sampled."""
    sampler = StepSampler(os.cpu_count() or 1)
    sampler.start()
    from pipelines.cli.main import app

    with app.make_context("rekindle", argv) as context:
        app.invoke(context)
    sampler.stop()
    out.write_text(json.dumps(sampler.result()), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # as the command does


def tables(profiles: Sequence[JobProfile]) -> Iterator[str]:
    """Yield the tables of CPU by step and of idle cores by cause."""
    header = [one.label for one in profiles]
    yield f"| ms of CPU a MiB | {' | '.join(header)} |"
    yield f"|---|{'---:|' * len(header)}"
    for name in NAMES:
        yield _row(name, [1000 * one.cpu.get(name, 0.0) / one.mib for one in profiles], 2)
    yield _row("all", [1000 * sum(one.cpu.values()) / one.mib for one in profiles], 2)
    yield ""
    yield f"| seconds of idle cores | {' | '.join(header)} |"
    yield f"|---|{'---:|' * len(header)}"
    for cause in sorted({cause for one in profiles for cause in one.idle}):
        yield _row(cause, [one.idle.get(cause, 0.0) for one in profiles], 2)
    yield _row("CPU, s", [sum(one.cpu.values()) for one in profiles], 2)
    yield _row("quiet wall, s", [one.seconds for one in profiles], 2)
    yield _row("CPU ÷ cores ÷ wall", [one.used for one in profiles], 2)
    yield _row("peak memory, MiB", [one.peak_mib for one in profiles], 0)


def _row(name: str, values: Sequence[float], digits: int) -> str:
    return f"| {name} | {' | '.join(f'{value:.{digits}f}' for value in values)} |"


def main() -> None:
    """Profile what the command line asks for."""
    if sys.argv[1:2] == ["--child"]:
        _run_child(Path(sys.argv[2]), sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=float, default=256, help="decoded text a workload (256)")
    parser.add_argument("--files", type=int, default=8, help="objects a workload (8)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--no-results", action="store_true", help="only print the tables")
    arguments, flags = parser.parse_known_args()
    profiles = []
    for kind in arguments.kinds:
        workload = Workload.make(kind, mib=arguments.mib, files=arguments.files)
        report(f"profiling {kind}")
        profiles.append(profile_job(workload, kind, flags))
    lines = [f"`{' '.join(['python -m benchmarks.step_profile', *sys.argv[1:]])}`", "", *tables(profiles)]
    print("\n".join(lines))
    if not arguments.no_results:
        put_section(TITLE, lines)


if __name__ == "__main__":
    main()
