"""Time `rekindle backfill` beside the bare inner loop and the peers, in one run, and write benchmarks/RESULTS.md.

    make bench                                         # 1 GiB a workload, three rounds: about half an hour on two cores
    python -m benchmarks.run --mib 64 --rounds 1       # a quick look
    python -m benchmarks.run --memory                  # besides: one object of 4 GiB against eight of 128 MiB

The contestants take turns: each round runs every one once over a workload, so that a busy machine slows all of them.
The product is timed as its user sees it: the command as a whole process, its start included, into a fresh hot tier,
from files and from an S3 server on this machine. The others are compared by their own clocks, that start after their
imports. Figures are medians, for memory the highest.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import boto3

from benchmarks.make_workload import make_workload
from benchmarks.measuring import measure
from demo.embedded_s3 import EmbeddedS3

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "benchmarks" / "work"
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
REKINDLE = Path(sys.executable).with_name("rekindle")
KINDS = ("access", "ndjson", "csv")
PEERS = ("polars", "duckdb", "chdb")
AIMS = {"access": 0.75, "ndjson": 0.7, "csv": 0.7}  # of hot_path's rate
MEMORY_AIM = 1024  # MiB
BUCKET = "bench"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Workload:
    """A folder of objects and what is in it."""

    kind: str
    folder: Path
    mib: float
    events: int

    @classmethod
    def make(cls, kind: str, *, mib: float, files: int = 8) -> Workload:
        """Write the workload, unless it is there from an earlier run."""
        folder = WORK / f"{kind}-{mib:g}-{files}"
        summary = folder.with_suffix(".json")
        if not summary.exists():
            shutil.rmtree(folder, ignore_errors=True)
            report(f"making {folder.relative_to(ROOT)}")
            make_workload(kind, folder, mib=mib, files=files)
        found = json.loads(summary.read_text(encoding="utf-8"))
        return cls(kind, folder, found["mib"], found["events"])


@dataclass(frozen=True)
class Measure:
    """What one run took: wall seconds of the process, those by its own clock.

    And the peak memory of all its processes.
    """

    seconds: float
    own_seconds: float
    peak_mib: float


@dataclass
class Contest:
    """One workload, and all that its contestants took."""

    workload: Workload
    measures: dict[str, list[Measure]] = field(default_factory=dict)

    def rate(self, name: str) -> float:
        """Return the median rate in MiB/s of decoded text, of the whole process."""
        return self.workload.mib / statistics.median(one.seconds for one in self.measures[name])

    def own_rate(self, name: str) -> float:
        """Return the median rate in MiB/s by the contestant's own clock."""
        return self.workload.mib / statistics.median(one.own_seconds for one in self.measures[name])

    def peak(self, name: str) -> float:
        """Return the highest memory in MiB."""
        return max(one.peak_mib for one in self.measures[name])


def command_of_rekindle(workload: Workload, source: Sequence[str], out: Path) -> list[str]:
    """Return the product's command for a workload, into a fresh hot tier."""
    pipelines = ("--pipelines", str(ROOT / "benchmarks" / "access_logs.yaml")) if workload.kind == "access" else ()
    return [str(REKINDLE), "backfill", *source, *pipelines, "--hot-tier", str(out), "--json", "--quiet"]


def command_of_script(script: str, arguments: Sequence[str], workload: Workload, out: Path) -> list[str]:
    """Return the command of hot_path or a peer for a workload."""
    return [sys.executable, "-m", f"benchmarks.{script}", *arguments, workload.kind, str(workload.folder), str(out)]


def run_rekindle(workload: Workload, source: Sequence[str], out: Path) -> Measure:
    """Run the product's command over a workload into a fresh hot tier, and check that no event is missing."""
    command = command_of_rekindle(workload, source, out)
    report, seconds, peak = measure(command, CREDENTIALS)
    if report["events"] != workload.events:
        raise RuntimeError(f"{' '.join(command)} published {report['events']:,} events of {workload.events:,}")
    return Measure(seconds, report["seconds"], peak)


def run_script(script: str, arguments: Sequence[str], workload: Workload, out: Path) -> Measure:
    """Run hot_path or a peer over a workload."""
    command = command_of_script(script, arguments, workload, out)
    result, seconds, peak = measure(command, {})
    if result["events"] != workload.events:
        raise RuntimeError(f"{' '.join(command)} made {result['events']:,} events of {workload.events:,}")
    return Measure(seconds, result["seconds"], peak)


def run_contestant(name: str, workload: Workload, endpoint_url: str) -> Measure:
    """Run one contestant once; what it wrote is removed."""
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    try:
        if name == "rekindle file":
            return run_rekindle(workload, ("--bucket", f"file://{workload.folder}"), out)
        if name == "rekindle s3":
            source = ("--bucket", BUCKET, "--pattern", f"{workload.folder.name}/**", "--endpoint-url", endpoint_url)
            return run_rekindle(workload, source, out)
        if name == "hot_path":
            return run_script("hot_path", (), workload, out)
        return run_script("peers", (name,), workload, out)
    finally:
        shutil.rmtree(out, ignore_errors=True)


def upload(workloads: Sequence[Workload], endpoint_url: str) -> None:
    """Put the workloads' objects into the bucket."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
    )
    client.create_bucket(Bucket=BUCKET)
    for workload in workloads:
        for path in sorted(workload.folder.iterdir()):
            client.upload_file(str(path), BUCKET, f"{workload.folder.name}/{path.name}")


def hold_contests(workloads: Sequence[Workload], names: Sequence[str], *, rounds: int) -> list[Contest]:
    """Run all contestants over all workloads, taking turns."""
    contests = [Contest(workload) for workload in workloads]
    with EmbeddedS3() as s3:
        upload(workloads, s3.endpoint_url)
        for number in range(rounds):
            for contest in contests:
                for name in names:
                    taken = run_contestant(name, contest.workload, s3.endpoint_url)
                    contest.measures.setdefault(name, []).append(taken)
                    rate = contest.workload.mib / taken.own_seconds
                    report(
                        f"round {number + 1} {contest.workload.kind:7} {name:14} {rate:6.1f} MiB/s, peak {taken.peak_mib:5.0f} MiB"
                    )
    return contests


def compare_memory(*, mib: float) -> list[tuple[str, Measure]]:
    """Run the product over one object of four times `mib`, and over eight of an eighth."""
    shapes = (("one object", 4 * mib, 1), ("eight objects", mib, 8))
    measures = []
    for label, size, files in shapes:
        workload = Workload.make("plain", mib=size, files=files)
        taken = run_contestant("rekindle file", workload, "")
        measures.append((f"{label} of {size / files:g} MiB", taken))
        report(f"{measures[-1][0]}: peak {taken.peak_mib:.0f} MiB")
    return measures


def contest_table(contest: Contest) -> Iterator[str]:
    """Yield one workload's results as a Markdown table."""
    workload = contest.workload
    yield f"### {workload.kind}: {workload.mib:,.0f} MiB of text, {workload.events:,} events"
    yield ""
    yield "| | MiB/s, whole process | MiB/s, own clock | peak memory, MiB | `rekindle file` (whole process) ÷ it (own clock) |"
    yield "|---|---:|---:|---:|---:|"
    product = contest.rate("rekindle file")
    for name in contest.measures:
        ratio = "" if name.startswith("rekindle") else f"{product / contest.own_rate(name):.2f}"
        yield f"| {name} | {contest.rate(name):.0f} | {contest.own_rate(name):.0f} | {contest.peak(name):.0f} | {ratio} |"
    yield ""
    for name in ("rekindle file", "rekindle s3"):
        yield f"- {_comparison(contest, name)}"
    yield ""


def _comparison(contest: Contest, name: str) -> str:
    """Say whether the product reaches its aims."""
    ratio, aim = contest.rate(name) / contest.own_rate("hot_path"), AIMS[contest.workload.kind]
    peak = contest.peak(name)
    return (
        f"{name}: {ratio:.2f} × `hot_path` ({'reaches' if ratio >= aim else 'misses'} {aim}), "
        f"{peak:.0f} MiB ({'within' if peak <= MEMORY_AIM else 'over'} {MEMORY_AIM})"
    )


def results(contests: Sequence[Contest], memory: Sequence[tuple[str, Measure]], *, rounds: int) -> str:
    """Return benchmarks/RESULTS.md: command, data, machine, peers and date, then the tables."""
    versions = ", ".join(
        f"{name} {version}" for name in ("apache-beam", "pyarrow", *PEERS) if (version := _version(name))
    )
    lines = [
        "# Benchmark results",
        "",
        f"`{' '.join(['python -m benchmarks.run', *sys.argv[1:]])}`, {date.today()}, {machine()}; {versions}.",
        f"Workloads by `benchmarks/make_workload.py`; medians of {rounds} round{'s' * (rounds > 1)} in turns, the highest memory.",
        "`rekindle` keeps the raw record, ids and a ledger, and is timed as a whole process; `hot_path` is the bare loop without Beam.",
        "",
        *(line for contest in contests for line in contest_table(contest)),
    ]
    if memory:
        lines += ["### Memory does not grow with the object", "", "| | peak memory, MiB | seconds |", "|---|---:|---:|"]
        lines += [f"| {label} | {taken.peak_mib:.0f} | {taken.seconds:.0f} |" for label, taken in memory]
    return "\n".join(lines).rstrip() + "\n"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine() -> str:
    """Return what the benchmark runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def report(text: str) -> None:
    """Say on standard error what goes on."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Hold the contests that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=float, default=1024, help="decoded text a workload (1024)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=[peer for peer in PEERS if importlib.util.find_spec(peer)]
    )
    parser.add_argument("--memory", action="store_true", help="compare one object of 4 × mib with eight of mib / 8 too")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    names = ("rekindle file", "hot_path", "rekindle s3", *arguments.peers)
    workloads = [Workload.make(kind, mib=arguments.mib) for kind in arguments.kinds]
    contests = hold_contests(workloads, names, rounds=arguments.rounds)
    memory = compare_memory(mib=arguments.mib) if arguments.memory else []
    text = results(contests, memory, rounds=arguments.rounds)
    arguments.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
