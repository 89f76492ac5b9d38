"""Time the product beside its peers on equal terms, both ways, in one run, and put the table into RESULTS.md.

    python -m benchmarks.equal_terms                                # 1 and 4 GiB a workload, five rounds: hours
    python -m benchmarks.equal_terms --mib 64 256 --rounds 1        # a quick look

`rekindle` keeps the raw record; the peers' rows with `raw` do so too (`benchmarks.peers.RAW`; chDB's way is not written),
and `rekindle --no-message` keeps fields alone, as the other rows do. An access log's line is kept by all. All of them
are whole processes, by CPU seconds (user + system) and by wall. What the second size takes more than the first is the
*marginal* GiB, in which no start is.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import shutil
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.measuring import measure
from benchmarks.peers import RAW
from benchmarks.report import put_section
from benchmarks.run import KINDS, PEERS, WORK, Workload, command_of_rekindle, command_of_script, machine, report

TITLE = "On equal terms"
NO_MESSAGE = "rekindle --no-message"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one run took, and what it wrote."""

    cpu: float
    wall: float
    written_mib: float


def contestants(kind: str, peers: Sequence[str]) -> list[str]:
    """Return who runs over a workload: each peer as it is, and where that is another thing with the raw record."""
    if kind == "access":
        return ["rekindle", "hot_path", *peers]
    raw = [f"{peer} raw" for peer in peers if peer in RAW]
    return ["rekindle", "hot_path", *raw, NO_MESSAGE, *peers]


def run_once(name: str, workload: Workload) -> Taken:
    """Run a contestant into an empty folder, check that no event is missing, and remove what it wrote."""
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    before = _children()
    try:
        document, wall, _ = measure(_command(name, workload, out), {})
        cpu = _children() - before
        if document["events"] != workload.events:
            raise RuntimeError(f"{name} made {document['events']:,} events of {workload.events:,}")
        written = sum(path.stat().st_size for path in out.rglob("*.parquet") if "_rekindle" not in path.parts)
        return Taken(cpu=cpu, wall=wall, written_mib=written / 2**20)
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _command(name: str, workload: Workload, out: Path) -> list[str]:
    if name.startswith("rekindle"):
        command = command_of_rekindle(workload, ("--bucket", f"file://{workload.folder}"), out)
        return [*command, "--no-message"] if name == NO_MESSAGE else command
    if name == "hot_path":
        return command_of_script("hot_path", (), workload, out)
    peer, _, raw = name.partition(" ")
    return [*command_of_script("peers", (peer,), workload, out), *(["--raw"] if raw else [])]


def _children() -> float:
    """Return the CPU seconds of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def table(
    kind: str, small: Workload, large: Workload, taken: dict[tuple[str, float], list[Taken]], names: Sequence[str]
) -> Iterator[str]:
    """Yield the figures of one workload."""
    yield f"### {kind}: {small.mib:,.0f} and {large.mib:,.0f} MiB"
    yield ""
    yield "| | CPU s, marginal GiB | wall s, marginal GiB | CPU s, whole, first size | wall s | MiB written, second size |"
    yield "|---|---:|---:|---:|---:|---:|"
    more = (large.mib - small.mib) / 1024
    for name in names:
        first, second = (taken[name, workload.mib] for workload in (small, large))
        cpu, wall = ((_median(second, field) - _median(first, field)) / more for field in ("cpu", "wall"))
        yield (
            f"| {name} | {cpu:.1f} | {wall:.1f} | {_median(first, 'cpu'):.1f} | {_median(first, 'wall'):.1f} | "
            f"{_median(second, 'written_mib'):.0f} |"
        )
    yield ""


def _median(runs: Sequence[Taken], field: str) -> float:
    values: list[float] = [getattr(run, field) for run in runs]
    return statistics.median(values)


def main() -> None:
    """Run the contest that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=float, nargs=2, default=(1024, 4096), help="decoded text: two sizes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=[peer for peer in PEERS if importlib.util.find_spec(peer)]
    )
    arguments = parser.parse_args()
    sizes = " ".join(f"{size:g}" for size in arguments.mib)
    lines = [
        f"`python -m benchmarks.equal_terms --mib {sizes} --rounds {arguments.rounds}`, {date.today()}, {machine()};",
        f"medians of {arguments.rounds} round{'s' * (arguments.rounds > 1)} in turns.",
        "",
    ]
    for kind in arguments.kinds:
        small, large = (Workload.make(kind, mib=size) for size in arguments.mib)
        names = contestants(kind, arguments.peers)
        taken: dict[tuple[str, float], list[Taken]] = {}
        for number in range(arguments.rounds):
            for workload in (small, large):
                for name in names:
                    run = run_once(name, workload)
                    taken.setdefault((name, workload.mib), []).append(run)
                    report(f"round {number + 1} {kind:7} {name:22} {workload.mib:6.0f} MiB: {run.cpu:6.1f} s of CPU")
        lines += table(kind, small, large, taken, names)
    put_section(TITLE, lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
