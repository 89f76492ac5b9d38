"""Time `rekindle search` beside a fresh Python process that asks DuckDB the same of the same files.

And print a Markdown table.

    python -m benchmarks.search                            # 10 million access log lines, made and ingested the first
    time python -m benchmarks.search --hot-tier DIR --rounds 3  # a tier that is there, of the same workload

Both are timed as whole processes, their start included, in turns; figures are medians. Both must give the same answer.
DuckDB gets the list of files for nothing: the product finds it in the table's log.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from benchmarks.make_workload import make_workload
from benchmarks.run import REKINDLE, ROOT, WORK, machine, report

MIB = 1830
"""Ten million lines."""
AIM = 1.2
_DUCKDB = """
import json, sys
import duckdb
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.execute("SET enable_progress_bar = false")
files = json.load(open(sys.argv[1]))
answer = connection.sql(sys.argv[2].replace("EVENTS", f"read_parquet({files})"))
for row in answer.fetchall():
    sys.stdout.write(json.dumps(dict(zip(answer.columns, row)), default=str) + "\\n")
"""


@dataclass
class Question:
    """What is asked of both, and the seconds that each took."""

    name: str
    flags: Sequence[str]
    sql: str
    keys: Sequence[str]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def median(self, contestant: str) -> float:
        """Return the median of a contestant's seconds."""
        return statistics.median(self.seconds[contestant])


HOURS = "SELECT time_bucket(INTERVAL 1 HOUR, _time) AS hour, count(*) AS count FROM EVENTS {} GROUP BY 1 ORDER BY 1"
TOP = "SELECT {0} AS value, count(*) AS count FROM EVENTS WHERE {0} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"


def questions() -> list[Question]:
    """Return all questions."""
    newest = "SELECT * FROM EVENTS WHERE status = '404' ORDER BY _time DESC LIMIT 100"
    return [
        Question("newest 100 with status=404", ["status=404", "--limit", "100"], newest, ["_time", "status"]),
        Question("count by hour", ["--histogram", "1h"], HOURS.format(""), ["count"]),
        Question(
            "count by hour of status=404",
            ["status=404", "--histogram", "1h"],
            HOURS.format("WHERE status = '404'"),
            ["count"],
        ),
        Question(
            "top 20 of uri (5 million values)", ["--top", "uri", "--limit", "20"], TOP.format("uri"), ["value", "count"]
        ),
        Question(
            "top 20 of clientip (11 million values)",
            ["--top", "clientip", "--limit", "20"],
            TOP.format("clientip"),
            ["count"],
        ),
        Question(
            "top 20 of useragent (5 values)",
            ["--top", "useragent", "--limit", "20"],
            TOP.format("useragent"),
            ["value", "count"],
        ),
    ]


def make_tier() -> Path:
    """Make the workload and its hot tier, unless they are there from an earlier run."""
    source, tier = WORK / f"search-{MIB}", WORK / "search-tier"
    if not source.with_suffix(".json").exists():
        report(f"making {source.relative_to(ROOT)}")
        make_workload("access", source, mib=MIB)
    flags = ["--pipelines", str(ROOT / "benchmarks" / "access_logs.yaml"), "--hot-tier", str(tier), "--quiet"]
    subprocess.run(
        [str(REKINDLE), "backfill", "--bucket", source.as_uri(), *flags], check=True, stdout=subprocess.DEVNULL
    )
    return tier


def answer(command: Sequence[str]) -> tuple[list[dict[str, object]], float]:
    """Run a command to its end; return its rows and its wall seconds."""
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    seconds = time.perf_counter() - begin
    return [json.loads(line) for line in done.stdout.splitlines()], seconds


def ask(question: Question, tier: Path, files: Path) -> None:
    """Ask both once.

    Raises:
        RuntimeError: they don't agree.
    """
    commands = {
        "rekindle": [
            sys.executable,
            "-m",
            "pipelines.cli",
            "search",
            *question.flags,
            "--json",
            "--hot-tier",
            str(tier),
        ],
        "duckdb": [sys.executable, "-c", _DUCKDB, str(files), question.sql],
    }
    answers = []
    for name, command in commands.items():
        rows, seconds = answer(command)
        question.seconds.setdefault(name, []).append(seconds)
        answers.append(
            [
                [str(row[key])[:19].replace("T", " ") if key == "_time" else row[key] for key in question.keys]
                for row in rows
            ]
        )
    if answers[0] != answers[1]:
        raise RuntimeError(f"{question.name}: rekindle says {answers[0][:3]}…, DuckDB {answers[1][:3]}…")


def table(asked: Sequence[Question], *, files: int, events: int, rounds: int) -> str:
    """Return the Markdown table."""
    lines = [
        f"`{' '.join(['python -m benchmarks.search', *sys.argv[1:]])}`, {date.today()}, {machine()}; {events:,} events in {files} files,",
        f"medians of {rounds} rounds in turns, whole processes.",
        "",
        f"| | rekindle search, s | DuckDB in Python, s | ratio (aim {AIM}) |",
        "|---|---:|---:|---:|",
    ]
    for one in asked:
        mine, theirs = one.median("rekindle"), one.median("duckdb")
        lines.append(f"| {one.name} | {mine:.2f} | {theirs:.2f} | {mine / theirs:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Ask all questions as often as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hot-tier", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    tier = arguments.hot_tier or make_tier()
    files, _ = answer([sys.executable, "-m", "pipelines.cli", "files", "--json", "--hot-tier", str(tier)])
    events, _ = answer([sys.executable, "-m", "pipelines.cli", "search", "--count", "--json", "--hot-tier", str(tier)])
    WORK.mkdir(exist_ok=True)
    listed = WORK / "search-files.json"
    listed.write_text(json.dumps([row["path"] for row in files]), encoding="utf-8")
    asked = questions()
    for number in range(arguments.rounds):
        report(f"round {number + 1} of {arguments.rounds}")
        for question in asked:
            ask(question, tier, listed)
    print(table(asked, files=len(files), events=int(str(events[0]["count"])), rounds=arguments.rounds))


if __name__ == "__main__":
    main()
