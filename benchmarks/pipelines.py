"""Time what pipelines cost: conditions that match nothing, a regex beside its bare expression.

Hostile patterns and lines.

    make bench                                           # with the workloads of benchmarks/run.py
    python -m benchmarks.pipelines --mib 32 --rounds 3   # alone, and quick

The stages of a job (read, apply pipelines, settle times, write Parquet) run on one core over one object of the access
workload, with and without pipelines, in turns; seconds are those of the CPU, so that a busy machine does not count. The
tables go into benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import partial

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as the product's workers have it: they are the threads

import polars as pl
import pyarrow as pa

from benchmarks.hot_path import ACCESS
from benchmarks.report import put_section
from benchmarks.run import ROOT, WORK, Workload, machine
from transforms.core.schema import EventBatch
from transforms.event_pipelines import Pipeline, outputs
from transforms.event_pipelines import apply_pipelines as run_pipelines
from transforms.event_pipelines.definition import load_pipelines
from transforms.hot_tier.data.writer import HotTierWriter
from transforms.objects.event_shaping import ShapingSettings, shape_events
from transforms.objects.read_object import read_object
from transforms.objects.reading import ReadSettings
from transforms.storage import StorageOptions, open_store, open_tier

AIM = 1.15
LINEAR = 2.3
"""Twice the text may take twice the time, and what the clock wavers."""
NOW = datetime.now(timezone.utc)
WORDS = (
    "segfault",
    "panic",
    "deadlock",
    "disk full",
    "kernel: oops",
    "access denied",
    "timeout",
    "sql syntax",
    "stack overflow",
    "refused",
)
CONDITIONS = {
    "attributes of the object": [f"sourcetype=app{at}" for at in range(10)],
    "attributes of the event": [f"status={at}99" for at in range(10)],
    "words": [f'"{word}"' for word in WORDS],
    "`message=*word*`": [f'message="*{word}*"' for word in WORDS],
    "words beside attributes": [f'"{word}" OR status={at}99' for at, word in enumerate(WORDS)],
}
PATTERNS = {"11 groups": ACCESS, "1 group": r'"(?P<method>[A-Z]+) '}
MIB = 2**20
HOSTILE: dict[str, tuple[dict[str, object], str, str]] = {  # processor, what the line repeats, how it ends
    "regex `(a+)+$`": ({"regex": {"source": "message", "pattern": "(a+)+$", "outputs": ["x"]}}, "a", "!"),
    "regex `^(?:(a\\|aa)+)+$`": (
        {"regex": {"source": "message", "pattern": "^(?:(a|aa)+)+$", "outputs": ["x"]}},
        "a",
        "!",
    ),
    "regex `(x+x+)+y`": ({"regex": {"source": "message", "pattern": "(x+x+)+y", "outputs": ["x"]}}, "x", ""),
    "grok of three GREEDYDATA": (
        {"grok": {"source": "message", "pattern": "^%{GREEDYDATA} %{GREEDYDATA} %{GREEDYDATA:x}!$"}},
        "a ",
        "",
    ),
    "redact `email`": ({"redact": {"source": "message", "pattern": "email"}}, "a@b", ""),
    "redact `(a+)+b`": ({"redact": {"source": "message", "pattern": "(a+)+b"}}, "ab", ""),
}


def pipelines_on(conditions: Sequence[str]) -> tuple[Pipeline, ...]:
    """Return a pipeline for each condition."""
    steps = [{"set": {"output": "team", "value": "shop"}}]
    entries = [{"name": f"p{at}", "when": condition, "steps": steps} for at, condition in enumerate(conditions)]
    return load_pipelines(json.dumps({"pipelines": entries}), source="benchmark")


def one_step(step: dict[str, object]) -> tuple[Pipeline, ...]:
    """Return a pipeline of one processor."""
    return load_pipelines(json.dumps({"pipelines": [{"name": "p", "steps": [step]}]}), source="benchmark")


def read_batches(workload: Workload) -> Iterator[EventBatch]:
    """Yield a workload's events."""
    store = open_store(workload.folder.as_uri(), StorageOptions())
    for page in store.list_pages(""):
        for info in page:
            yield from (
                batch
                for batch in read_object(info, store, ReadSettings(task_id="bench"))
                if isinstance(batch, EventBatch)
            )


def run_job(workload: Workload, pipelines: tuple[Pipeline, ...]) -> None:
    """Do what a worker does: read, apply pipelines, settle times, write."""
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    writer = HotTierWriter(open_tier(str(out), StorageOptions()), columns=outputs(pipelines))
    for batch in read_batches(workload):
        writer.write(shape_events(batch, ShapingSettings(pipelines=pipelines)).events)
    writer.close()
    shutil.rmtree(out)


@dataclass(frozen=True)
class Times:
    """The CPU seconds of works that took turns, one for each turn."""

    taken: dict[str, list[float]]

    @classmethod
    def of(cls, works: Mapping[str, Callable[[], object]], rounds: int) -> Times:
        """Do all works in turns; a first turn does not count."""
        taken: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(1 + rounds):
            for name, work in works.items():
                begin = time.process_time()
                work()
                taken[name].append(time.process_time() - begin)
        return cls({name: times[1:] for name, times in taken.items()})

    def seconds(self, name: str) -> str:
        """Return the median."""
        return f"{statistics.median(self.taken[name]):.3f}"

    def ratio(self, name: str, other: str, aim: float) -> str:
        """Return the median of what a work takes of another's time in the same turn.

        And whether that misses its aim.
        """
        ratio = statistics.median(one / of for one, of in zip(self.taken[name], self.taken[other], strict=True))
        return f"{ratio:.2f}{'' if ratio <= aim else f' (misses {aim})'}"


def conditions_table(workload: Workload, *, rounds: int) -> Iterator[str]:
    """Yield what ten pipelines cost that match nothing, by what they look at.

    Alone, and behind a pipeline that takes the lines apart.
    """
    parsing = load_pipelines(
        (ROOT / "benchmarks" / "access_logs.yaml").read_text(encoding="utf-8"), source="access_logs.yaml"
    )
    tens = {"none": (), **{name: pipelines_on(conditions) for name, conditions in CONDITIONS.items()}}
    alone = Times.of({name: partial(run_job, workload, ten) for name, ten in tens.items()}, rounds)
    behind = Times.of({name: partial(run_job, workload, (*parsing, *ten)) for name, ten in tens.items()}, rounds)
    yield f"| ten pipelines that match nothing look at | job, s | ÷ none (aim {AIM}) | job that parses the lines, s | ÷ none (aim {AIM}) |"
    yield "|---|---:|---:|---:|---:|"
    for name in tens:
        cells = (cell for times in (alone, behind) for cell in (times.seconds(name), times.ratio(name, "none", AIM)))
        yield f"| {name} | {' | '.join(cells)} |"


def regex_table(workload: Workload, *, rounds: int) -> Iterator[str]:
    """Yield what a regex pipeline costs beside its bare expression."""
    batches = [batch.events for batch in read_batches(workload)]
    yield f"| regex | pipeline, s | bare Polars expression, s | ratio (aim {AIM}) |"
    yield "|---|---:|---:|---:|"
    for name, pattern in PATTERNS.items():
        pipelines = one_step({"regex": {"source": "message", "pattern": pattern}})
        works = {
            "pipeline": partial(_each, batches, partial(_pipeline, pipelines)),
            "bare": partial(_each, batches, partial(_bare, pattern)),
        }
        times = Times.of(works, rounds)
        yield f"| {name} | {times.seconds('pipeline')} | {times.seconds('bare')} | {times.ratio('pipeline', 'bare', AIM)} |"


def _each(batches: Sequence[pa.RecordBatch], work: Callable[[pa.RecordBatch], object]) -> None:
    for batch in batches:
        work(batch)


def _pipeline(pipelines: tuple[Pipeline, ...], batch: pa.RecordBatch) -> object:
    return run_pipelines(batch, pipelines, received=NOW)


def _bare(pattern: str, batch: pa.RecordBatch) -> object:
    groups = pl.Series(pl.from_arrow(batch.column("_message"))).str.extract_groups(pattern).struct.unnest()
    return groups.to_arrow(compat_level=pl.CompatLevel.newest())


def hostile_table(*, rounds: int) -> Iterator[str]:
    """Yield how the time of hostile patterns grows with the line."""
    yield f"| hostile line | 5 MiB, s | 10 MiB, s | ratio (2 is linear; aim {LINEAR}) |"
    yield "|---|---:|---:|---:|"
    for name, (step, repeated, end) in HOSTILE.items():
        pipelines = one_step(step)
        batches = {size: _line(repeated * (int(size) * MIB // len(repeated)) + end) for size in ("5", "10")}
        times = Times.of({size: partial(_pipeline, pipelines, batch) for size, batch in batches.items()}, rounds)
        yield f"| {name} | {times.seconds('5')} | {times.seconds('10')} | {times.ratio('10', '5', LINEAR)} |"


def _line(text: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"_message": pa.array([text], pa.string_view())})


def main() -> None:
    """Time what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=float, default=64, help="decoded text of the object (64)")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    workload = Workload.make("access", mib=arguments.mib, files=1)
    lines = [
        f"`python -m benchmarks.pipelines --mib {arguments.mib:g} --rounds {arguments.rounds}`, {date.today()}, {machine()}: median CPU "
        f"seconds, in turns, on one core; an object of the access workload, {workload.mib:,.0f} MiB of text, {workload.events:,} events.",
        "",
        *conditions_table(workload, rounds=arguments.rounds),
        "",
        *regex_table(workload, rounds=arguments.rounds),
        "",
        *hostile_table(rounds=arguments.rounds),
    ]
    put_section("Pipelines", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
